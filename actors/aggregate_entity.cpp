#include "actors/aggregate_entity.hpp"

#include <algorithm>

#include "actors/lineage.hpp"

namespace syndicated::actors {
namespace {

void count_anew(services& s, core::stream_id stream, core::subscription_id after) {
  s.tell(stream, aggregate_recount{after});
}

std::string event_text(const core::aggregate& a, const core::event_draft& draft,
                       std::uint64_t seq) {
  core::json_writer out;
  out.begin_object();
  core::write_members(out, a);
  out.key("seq").number(seq);
  if (!draft.change_json.empty()) out.key("change").raw(draft.change_json);
  out.end_object();
  return std::move(out).str();
}

// Once it is on disk, it is seen in /metrics; then `after`.
std::function<void()> shows_counter(services& s, const core::aggregate& a,
                                    std::function<void()> after = {}) {
  return [services = &s, id = a.id, units = a.counter, after = std::move(after)] {
    services->aggregates.counted(id, units);
    if (after) after();
  };
}

core::error not_taken(aggregate_board::taken why) {
  const bool exists = why == aggregate_board::taken::exists;
  return {core::errc::conflict,
          exists ? "commitment_exists" : "too_many_commitments",
          exists ? "the reseller has a commitment for this already"
                 : "there are as many commitments as the daemon keeps",
          {},
          {}};
}

}  // namespace

core::result<void> aggregate_entity::load_record() {
  auto found = rows_.find({stream_.entity});
  if (!found) return std::move(found).failure();
  record_ = std::move(*found);
  recent_.clear();
  recount_.reset();
  return {};
}

void aggregate_entity::decide(entity_request& request) {
  if (idle()) recent_.clear();
  if (auto* creation = std::get_if<aggregate_creation>(&request.body)) {
    return create(request, *creation);
  }
  if (!record_) return refuse(request, core::not_found("no such commitment"));
  if (const auto* one = std::get_if<aggregate_count>(&request.body)) {
    return count_one(request, one->subscription);
  }
  if (const auto* all = std::get_if<aggregate_recount>(&request.body)) {
    return count_all(request, all->after);
  }
  if (std::holds_alternative<timer_due>(request.body)) return timer(request);
  if (auto* change = std::get_if<aggregate_change>(&request.body)) {
    return apply(request, change->command, change->render);
  }
  refuse(request, core::not_found("no such commitment"));
}

void aggregate_entity::create(entity_request& request, aggregate_creation& creation) {
  if (record_)
    return refuse(request, {core::errc::internal, "internal", "the id is taken", {}, {}});
  core::new_aggregate& wanted = creation.wanted;
  auto reseller = s_.repo.find(wanted.group.reseller);
  if (!reseller) return refuse(request, std::move(reseller).failure());
  const bool sells = *reseller && ((*reseller)->kind == core::tenant_kind::reseller ||
                                   (*reseller)->kind == core::tenant_kind::provider);
  if (!sells || (*reseller)->state == core::tenant_state::purged) {
    return refuse(request, core::invalid_field("/reseller_id", "no such reseller"));
  }
  const core::commitment_id id{stream_.entity};
  auto decided = core::create_aggregate(id, wanted, s_.now());
  if (!decided) return refuse(request, std::move(decided).failure());
  const auto taken = s_.aggregates.take(id, wanted.group);
  if (taken != aggregate_board::taken::yes) return refuse(request, not_taken(taken));
  // It stays on the board only when it is on disk.
  request.reply = [s = &s_, id,
                   reply = std::exchange(request.reply, nullptr)](core::result<answer>&& a) {
    if (!a) s->aggregates.release(id);
    if (reply) reply(std::move(a));
  };
  write(request, std::move(*decided), creation.render,
        [s = &s_, stream = stream_] { count_anew(*s, stream, {}); });
}

void aggregate_entity::apply(entity_request& request, const core::aggregate_command& command,
                             const renderer<core::aggregate>& render) {
  if (!version_fits(request, record_->version)) return;
  auto decided = core::decide(*record_, command, s_.now());
  if (!decided) return refuse(request, std::move(decided).failure());
  if (!decided->changed) {
    return answer_unchanged(request, render ? render(*record_, false) : answer{});
  }
  write(request, std::move(*decided), render);
}

void aggregate_entity::timer(entity_request& request) {
  if (!core::recount_due(*record_, s_.now())) {
    core::aggregate_command command;
    command.action = core::aggregate_action::timer;
    return apply(request, command, {});
  }
  core::aggregate next = *record_;
  core::recounted(next, s_.now());
  store::write_plan plan;
  store::aggregates::put(plan, next, &*record_);
  record_ = std::move(next);
  commit(request, std::move(plan), {}, {},
         [s = &s_, stream = stream_] { count_anew(*s, stream, {}); });
}

core::result<aggregate_entity::look> aggregate_entity::look_at(store::write_plan& plan,
                                                               core::aggregate& next,
                                                               core::subscription_id subscription) {
  auto s = s_.repo.find(subscription);
  if (!s) return std::move(s).failure();
  if (!*s) return look{};
  const store::counted_row now{(*s)->version, core::counted_units(**s, next.group)};
  std::optional<store::counted_row> before;
  if (const auto at = recent_.find(subscription); at != recent_.end()) {
    before = at->second;
  } else {
    auto row = rows_.counted(next.id, subscription);
    if (!row) return std::move(row).failure();
    before = *row;
  }
  if (before && before->version >= now.version) return look{before->units, 0, false};
  if (!before && now.units == 0) return look{};
  const look out{now.units, now.units - (before ? before->units : 0), true};
  next.counter += out.more;
  store::aggregates::put(plan, next.id, subscription, now);
  recent_[subscription] = now;
  return out;
}

void aggregate_entity::count_one(entity_request& request, core::subscription_id subscription) {
  if (!record_->in_force()) return answer_unchanged(request, {});
  store::write_plan plan;
  plan.durable = false;  // what a crash takes is counted at the start
  core::aggregate next = *record_;
  auto seen = look_at(plan, next, subscription);
  if (!seen) return refuse(request, std::move(seen).failure());
  if (recount_ && subscription <= recount_->at) recount_->sum += seen->more;
  if (!seen->is_new) return answer_unchanged(request, {});
  store::aggregates::put(plan, next, &*record_);
  record_ = std::move(next);
  commit(request, std::move(plan), {}, {}, shows_counter(s_, *record_));
}

void aggregate_entity::count_all(entity_request& request, core::subscription_id after) {
  if (!record_->in_force()) return answer_unchanged(request, {});
  if (!after) recount_.emplace();
  // Of two at a time one goes on.
  if (recount_ && recount_->at != after) return answer_unchanged(request, {});
  std::vector<core::subscription_id> page;
  auto scanned = s_.repo.subscriptions_of_vendor(
      record_->vendor, after.value, [&page](core::subscription_id&& id) {
        page.push_back(id);
        return page.size() < core::limits::recount_rows_max;
      });
  if (!scanned) return refuse(request, std::move(scanned).failure());
  const bool last = page.size() < core::limits::recount_rows_max;
  store::write_plan plan;
  plan.durable = false;
  core::aggregate next = *record_;
  for (const core::subscription_id id : page) {
    auto seen = look_at(plan, next, id);
    if (!seen) return refuse(request, std::move(seen).failure());
    if (recount_) recount_->sum += seen->units;
  }
  if (recount_ && !page.empty()) recount_->at = page.back();
  // One that began before this entity was asleep has no sum: the next will have.
  if (last && recount_) next.counter = std::exchange(recount_, std::nullopt)->sum;
  if (next.counter != record_->counter) store::aggregates::put(plan, next, &*record_);
  record_ = std::move(next);
  std::function<void()> go_on;
  if (!last) go_on = [s = &s_, stream = stream_, at = page.back()] { count_anew(*s, stream, at); };
  commit(request, std::move(plan), {}, {}, shows_counter(s_, *record_, std::move(go_on)));
}

void aggregate_entity::write(entity_request& request, core::aggregate_decision decided,
                             const renderer<core::aggregate>& render, std::function<void()> after) {
  store::write_plan plan;
  follow_ups follow;
  core::aggregate& next = decided.next;
  auto path = path_to(s_.repo, next.group.reseller);
  if (!path) return refuse(request, std::move(path).failure());
  event_facts facts;
  facts.tenant = next.group.reseller;
  facts.path = *path;
  facts.entity_version = next.version;
  facts.cause = cause_of(request.options.by);
  facts.new_load = std::holds_alternative<aggregate_creation>(request.body);
  const auto data = [&next](const core::event_draft& draft, std::uint64_t seq) {
    return event_text(next, draft, seq);
  };
  const bool short_of_it = std::ranges::find(decided.events, "commitment.shortfall",
                                             &core::event_draft::name) != decided.events.end();
  auto ok = outbox_.publish(plan, follow, std::move(decided.events), next.seq, facts, data);
  if (!ok) return refuse(request, std::move(ok).failure());
  store::aggregates::put(plan, next, record_ ? &*record_ : nullptr);
  if (!next.in_force()) {  // who hears of the end may begin another one at once
    request.reply = [s = &s_, id = next.id,
                     reply = std::exchange(request.reply, nullptr)](core::result<answer>&& a) {
      if (a) s->aggregates.release(id);
      if (reply) reply(std::move(a));
    };
  }
  record_ = std::move(next);
  answer a = render ? render(*record_, true) : answer{};
  commit(request, std::move(plan), std::move(follow), std::move(a),
         [s = &s_, mark = outbox_.committed_mark(), seq = record_->seq, short_of_it,
          after = std::move(after)] {
           mark->store(seq);
           if (short_of_it) s->aggregates.note_shortfall();
           if (after) after();
         });
}

}  // namespace syndicated::actors
