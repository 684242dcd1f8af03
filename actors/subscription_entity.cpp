#include "actors/subscription_entity.hpp"

#include <algorithm>

#include "actors/event_data.hpp"
#include "actors/lineage.hpp"
#include "core/base/limits.hpp"

namespace syndicated::actors {
namespace {

void look_at_access(services& s, core::stream_id stream) { s.tell(stream, reconsider_access{}); }

bool sold_once(const core::product* p) {
  return p != nullptr && p->per_customer != core::per_customer::unlimited;
}

core::tenant_id customer_of(const core::tenant& owner) {
  return owner.kind == core::tenant_kind::unit ? owner.parent : owner.id;
}

// Two orders of one customer belong to two actors: while one is on its way, the other is refused.
bool one_at_a_time(services& s, entity_request& request, const core::tenant& owner,
                   core::product_id product) {
  std::string key = "order of product " + std::to_string(product.value) + " for tenant " +
                    std::to_string(customer_of(owner).value);
  if (!s.keys.hold(key)) {
    request.answer_with(core::error{core::errc::conflict,
                                    "one_per_customer",
                                    "another order of the product is under way",
                                    {},
                                    {}});
    return false;
  }
  request.reply = [&s, key = std::move(key),
                   reply = std::exchange(request.reply, nullptr)](core::result<answer>&& a) {
    s.keys.release(key);
    if (reply) reply(std::move(a));
  };
  return true;
}

// What the customer and its units have of the product that has not ended; one says it all.
core::result<std::uint64_t> others_of_product(const store::repository& repo,
                                              const core::tenant& owner, const core::product& p) {
  std::vector<core::tenant_id> holders{owner.id};
  if (p.per_customer != core::per_customer::one_per_user) {
    holders = {customer_of(owner)};
    auto ok = repo.children_of(holders.front(), 0, [&holders](core::tenant_id&& unit) {
      holders.push_back(unit);
      return holders.size() < core::limits::scan_rows_max;
    });
    if (!ok) return std::move(ok).failure();
  }
  std::uint64_t found = 0;
  core::result<void> problem;
  for (const core::tenant_id holder : holders) {
    auto ok = repo.subscriptions_of_tenant(holder, 0, [&](core::subscription_id&& id) {
      auto other = repo.find(id);
      if (!other) problem = std::move(other).failure();
      const bool counts =
          other.ok() && *other && (*other)->product == p.id && !core::ended((*other)->status);
      if (counts) ++found;
      return problem.ok() && found == 0;
    });
    if (!ok) return std::move(ok).failure();
    if (!problem) return std::move(problem).failure();
  }
  return found;
}

// Commitments that count it, or did, look at it once it is on disk.
std::function<void()> tells_counters(services& s, const core::subscription* before,
                                     const core::subscription& next, std::function<void()> after) {
  if (!core::counted_differently(before, next)) return after;
  auto path = next.path;
  if (before != nullptr && before->path != next.path) {
    for (const core::tenant_id id : before->path) {
      if (std::ranges::find(next.path, id) == next.path.end()) path.push_back(id);
    }
  }
  return [services = &s, path = std::move(path), id = next.id, vendor = next.vendor,
          product = next.product, after = std::move(after)] {
    for (const core::commitment_id counter : services->aggregates.counting(path, vendor, product)) {
      services->tell(core::stream_of(counter), aggregate_count{id});
    }
    if (after) after();
  };
}

}  // namespace

subscription_entity::subscription_entity(services& s, core::stream_id stream)
    : entity(s, stream), parts_(s, {stream.entity}), invoices_(s) {}

core::result<void> subscription_entity::load_record() {
  auto found = s_.repo.find(core::subscription_id{stream_.entity});
  if (!found) return std::move(found).failure();
  record_ = std::move(*found);
  parts_.forget();
  invoices_.forget();
  return {};
}

core::circumstances subscription_entity::circumstances_now(const actors::catalog& catalog,
                                                           core::plan_id plan) const {
  core::circumstances c;
  c.now = s_.now();
  c.plan = catalog.find(plan).get();  // the snapshot keeps it
  c.settings = s_.lifecycle;
  if (c.plan == nullptr) return c;
  c.product = catalog.find(c.plan->product).get();
  if (c.product != nullptr) c.settings = core::settings_for(s_.lifecycle, *c.product);
  return c;
}

core::result<void> subscription_entity::look_at_owner(core::tenant_id owner,
                                                      core::circumstances& c) {
  auto found = s_.repo.find(owner);
  if (!found) return std::move(found).failure();
  owner_ = std::move(*found);
  if (!owner_) return {};
  c.new_owner = &*owner_;
  auto path = path_to(s_.repo, owner_->parent);
  if (!path) return std::move(path).failure();
  owner_->path = std::move(*path);
  auto enabled = all_enabled(s_.repo, owner_->id);
  if (!enabled) return std::move(enabled).failure();
  c.tenant_effective = *enabled;
  return {};
}

core::result<core::circumstances> subscription_entity::circumstances_of(
    const actors::catalog& catalog, const core::subscription_command& command) {
  core::circumstances c = circumstances_now(catalog, record_->plan);
  if (command.new_plan) c.other_plans[0] = catalog.find(*command.new_plan).get();
  const auto plan_of = [&catalog](const core::operation* o) -> const core::plan* {
    return o != nullptr && o->plan_to ? catalog.find(*o->plan_to).get() : nullptr;
  };
  c.other_plans[1] = plan_of(record_->scheduled());
  c.other_plans[2] = plan_of(record_->in_progress());
  if (command.action == core::subscription_action::transfer && command.new_tenant) {
    if (auto ok = look_at_owner(*command.new_tenant, c); !ok) return std::move(ok).failure();
  }
  if (command.action == core::subscription_action::reinstate) {
    if (auto ok = look_at_owner(record_->tenant, c); !ok) return std::move(ok).failure();
  }
  return c;
}

void subscription_entity::decide(entity_request& request) {
  if (auto* creation = std::get_if<subscription_creation>(&request.body)) {
    return create(request, *creation);
  }
  if (!record_) return refuse(request, core::not_found("no such subscription"));
  if (std::holds_alternative<reconsider_access>(request.body)) return reconsider(request);
  if (const auto* part = std::get_if<resource_change>(&request.body)) {
    return change_part(request, *part);
  }
  if (const auto* invoice = std::get_if<invoice_change>(&request.body)) {
    return change_invoice(request, *invoice);
  }
  if (auto* usage = std::get_if<usage_intake>(&request.body)) return take_usage(request, *usage);
  if (std::holds_alternative<timer_due>(request.body)) {
    if (part_timer(request)) return;
    core::subscription_command command;
    command.action = core::subscription_action::timer;
    command.by = core::party::system;
    return apply(request, command, {});
  }
  if (auto* change = std::get_if<subscription_change>(&request.body)) {
    return apply(request, change->command, change->render);
  }
  refuse(request, core::not_found("no such subscription"));
}

void subscription_entity::create(entity_request& request, subscription_creation& creation) {
  if (record_)
    return refuse(request, {core::errc::internal, "internal", "the id is taken", {}, {}});
  const std::uint64_t epoch = s_.access_epoch.load();
  const auto catalog = s_.catalog.load();
  core::circumstances c = circumstances_now(*catalog, creation.wanted.plan);
  // The order may have waited: its tenant stands where it stands now.
  if (auto ok = look_at_owner(creation.owner.id, c); !ok) {
    return refuse(request, std::move(ok).failure());
  }
  if (!owner_) return refuse(request, core::not_found("no such tenant"));
  creation.owner = *owner_;
  if (sold_once(c.product)) {
    if (!one_at_a_time(s_, request, creation.owner, c.product->id)) return;
    auto others = others_of_product(s_.repo, creation.owner, *c.product);
    if (!others) return refuse(request, std::move(others).failure());
    c.same_product = *others;
  }
  auto decided = core::create_subscription({stream_.entity}, creation.wanted, creation.owner, c);
  if (!decided) return refuse(request, std::move(decided).failure());
  // A tenant above may have been disabled between the look above and the commit, and its cascade
  // may have passed before this subscription could be found.
  auto look_again = [services = &s_, epoch, stream = stream_] {
    if (services->access_epoch.load() != epoch) look_at_access(*services, stream);
  };
  write(request, std::move(*decided), true, creation.render, std::move(look_again));
}

void subscription_entity::apply(entity_request& request, const core::subscription_command& command,
                                const renderer<core::subscription>& render) {
  if (!version_fits(request, record_->version)) return;
  const auto catalog = s_.catalog.load();
  auto c = circumstances_of(*catalog, command);
  if (!c) return refuse(request, std::move(c).failure());
  auto decided = core::decide(*record_, command, *c);
  if (!decided) return refuse(request, std::move(decided).failure());
  if (!decided->changed) {
    return answer_unchanged(request, render ? render(*record_, false) : answer{});
  }
  std::function<void()> after;
  if (command.action == core::subscription_action::transfer) {
    // What was disabled above the old owner may be enabled above the new one, and the other way.
    after = [services = &s_, stream = stream_] { look_at_access(*services, stream); };
  }
  write(request, std::move(*decided), adds_load(command), render, std::move(after));
}

// The cascade only says "look": the truth is the tenants' own states, so neither the order nor the
// number of its messages matters (invariant 12 of domain.md 10.14).
void subscription_entity::reconsider(entity_request& request) {
  const auto catalog = s_.catalog.load();
  core::circumstances c = circumstances_now(*catalog, record_->plan);
  if (auto ok = look_at_owner(record_->tenant, c); !ok) {
    return refuse(request, std::move(ok).failure());
  }
  core::subscription_command command;
  command.by = core::party::system;
  command.action = core::subscription_action::relocate;
  auto moved = core::decide(*record_, command, c);
  if (moved && moved->changed) {
    return write(request, std::move(*moved), false, {},
                 [services = &s_, stream = stream_] { look_at_access(*services, stream); });
  }
  const bool marked = record_->reasons.has(core::suspension_reason::tenant_disabled);
  if (marked != c.tenant_effective) return answer_unchanged(request, {});
  command.action =
      c.tenant_effective ? core::subscription_action::resume : core::subscription_action::suspend;
  command.reason = core::suspension_reason::tenant_disabled;
  auto decided = core::decide(*record_, command, c);
  if (!decided || !decided->changed) return answer_unchanged(request, {});  // ended: nothing to do
  write(request, std::move(*decided), false, {}, {});
}

void subscription_entity::write(entity_request& request, core::subscription_decision decided,
                                bool is_load, const renderer<core::subscription>& render,
                                std::function<void()> after) {
  auto parts = parts_.follow(record_ ? &*record_ : nullptr, decided.next);
  if (!parts) return refuse(request, std::move(parts).failure());
  persist(request, std::move(decided), std::move(*parts), is_load, render, std::move(after));
}

void subscription_entity::persist(entity_request& request, core::subscription_decision decided,
                                  part_changes changes, bool is_load,
                                  const renderer<core::subscription>& render,
                                  std::function<void()> after) {
  if (idle()) invoices_.forget();  // all is on disk
  auto invoices = invoices_.follow(record_ ? &*record_ : nullptr, decided);
  if (!invoices) return refuse(request, std::move(invoices).failure());
  store::write_plan plan;
  follow_ups follow;
  core::subscription& next = decided.next;
  std::vector<core::event_draft> events = std::move(changes.first);
  std::ranges::move(decided.events, std::back_inserter(events));
  std::ranges::move(changes.then, std::back_inserter(events));
  const bool created = !record_;
  event_facts facts;
  facts.tenant = next.tenant;
  facts.vendor = next.vendor;
  facts.product = next.product;
  // After a move of a tenant above, events go to those who stand there now, whether the cascade has
  // passed here or not.
  core::result<std::vector<core::tenant_id>> path = next.path;
  if (s_.moves.load() != 0) path = path_to(s_.repo, next.tenant);
  if (!path) return refuse(request, std::move(path).failure());
  facts.path = *path;
  facts.entity_version = next.version;
  facts.cause = cause_of(request.options.by);
  facts.new_load = is_load;
  facts.deprovisioning = record_ && record_->status == core::subscription_status::undeploy_sent;
  const auto data = [&next](const core::event_draft& draft, std::uint64_t seq) {
    return event_data(next, draft, seq);
  };
  auto ok = outbox_.publish(plan, follow, std::move(events), next.seq, facts, data);
  if (!ok) return refuse(request, std::move(ok).failure());
  parts_.write(plan, std::move(changes));
  after = put_invoices(plan, std::move(*invoices), next, facts.cause, std::move(after));
  after = tells_counters(s_, record_ ? &*record_ : nullptr, next, std::move(after));
  s_.repo.put(plan, next, created ? nullptr : &*record_);
  record_ = std::move(next);
  answer a = render ? render(*record_, true) : answer{};
  auto mark = outbox_.committed_mark();
  commit(request, std::move(plan), std::move(follow), std::move(a),
         [mark = std::move(mark), seq = record_->seq, after = std::move(after)] {
           mark->store(seq);
           if (after) after();
         });
}

}  // namespace syndicated::actors
