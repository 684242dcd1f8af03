#include "actors/subscription_entity.hpp"

#include "actors/event_data.hpp"

namespace syndicated::actors {

subscription_entity::subscription_entity(services& s, core::stream_id stream) : entity(s, stream) {}

core::result<void> subscription_entity::load_record() {
  auto found = s_.repo.find(core::subscription_id{stream_.entity});
  if (!found) return std::move(found).failure();
  record_ = std::move(*found);
  return {};
}

core::circumstances subscription_entity::circumstances_now(const actors::catalog& catalog,
                                                           core::plan_id plan) {
  plan_ = catalog.find(plan);
  core::circumstances c;
  c.now = s_.now();
  c.plan = plan_.get();
  c.settings = s_.lifecycle;
  return c;
}

void subscription_entity::decide(entity_request& request) {
  if (auto* creation = std::get_if<subscription_creation>(&request.body)) {
    return create(request, *creation);
  }
  if (!record_) return refuse(request, core::not_found("no such subscription"));
  if (std::holds_alternative<reconsider_access>(request.body)) return reconsider(request);
  if (std::holds_alternative<timer_due>(request.body)) {
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
  auto path = creation.owner.path;
  path.push_back(creation.owner.id);
  auto enabled = all_enabled(s_.repo, path);
  if (!enabled) return refuse(request, std::move(enabled).failure());
  c.tenant_effective = *enabled;
  auto decided = core::create_subscription({stream_.entity}, creation.wanted, creation.owner, c);
  if (!decided) return refuse(request, std::move(decided).failure());
  // A tenant above may have been disabled between the look above and the commit, and its cascade
  // may have passed before this subscription could be found.
  auto look_again = [services = &s_, epoch, stream = stream_] {
    if (services->access_epoch.load() == epoch) return;
    auto again = std::make_shared<entity_request>();
    again->stream = stream;
    again->body = reconsider_access{};
    again->options.by.name = "system";
    services->to_shard(std::move(again));
  };
  write(request, std::move(*decided), true, creation.render, std::move(look_again));
}

void subscription_entity::apply(entity_request& request, const core::subscription_command& command,
                                const renderer<core::subscription>& render) {
  if (!version_fits(request, record_->version)) return;
  const auto catalog = s_.catalog.load();
  core::circumstances c = circumstances_now(*catalog, record_->plan);
  std::shared_ptr<const core::plan> new_plan;
  if (command.new_plan) {
    new_plan = catalog->find(*command.new_plan);
    c.new_plan = new_plan.get();
  }
  if (command.action == core::subscription_action::reinstate) {
    auto enabled = all_enabled(s_.repo, record_->path);
    if (!enabled) return refuse(request, std::move(enabled).failure());
    c.tenant_effective = *enabled;
  }
  auto decided = core::decide(*record_, command, c);
  if (!decided) return refuse(request, std::move(decided).failure());
  if (!decided->changed) {
    return answer_unchanged(request, render ? render(*record_, false) : answer{});
  }
  write(request, std::move(*decided), adds_load(command), render, {});
}

// The cascade only says "look": the truth is the tenants' own states, so neither the order nor the
// number of its messages matters (invariant 12 of domain.md 10.14).
void subscription_entity::reconsider(entity_request& request) {
  auto enabled = all_enabled(s_.repo, record_->path);
  if (!enabled) return refuse(request, std::move(enabled).failure());
  const bool marked = record_->reasons.has(core::suspension_reason::tenant_disabled);
  if (marked != *enabled) return answer_unchanged(request, {});
  core::subscription_command command;
  command.action =
      *enabled ? core::subscription_action::resume : core::subscription_action::suspend;
  command.by = core::party::system;
  command.reason = core::suspension_reason::tenant_disabled;
  const auto catalog = s_.catalog.load();
  auto decided = core::decide(*record_, command, circumstances_now(*catalog, record_->plan));
  if (!decided || !decided->changed) return answer_unchanged(request, {});  // ended: nothing to do
  write(request, std::move(*decided), false, {}, {});
}

void subscription_entity::write(entity_request& request, core::subscription_decision decided,
                                bool is_load, const renderer<core::subscription>& render,
                                std::function<void()> after) {
  store::write_plan plan;
  follow_ups follow;
  core::subscription& next = decided.next;
  const bool created = !record_;
  event_facts facts;
  facts.tenant = next.tenant;
  facts.vendor = next.vendor;
  facts.product = next.product;
  facts.path = next.path;
  facts.entity_version = next.version;
  facts.cause = cause_of(request.options.by);
  facts.new_load = is_load;
  facts.deprovisioning = record_ && record_->status == core::subscription_status::undeploy_sent;
  const auto data = [&next](const core::event_draft& draft, std::uint64_t seq) {
    return event_data(next, draft, seq);
  };
  auto ok = outbox_.publish(plan, follow, std::move(decided.events), next.seq, facts, data);
  if (!ok) return refuse(request, std::move(ok).failure());
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
