#include "actors/tenant_entity.hpp"

#include <algorithm>
#include <iterator>

#include "actors/event_data.hpp"
#include "actors/lineage.hpp"
#include "actors/usage_ledger.hpp"
#include "core/base/limits.hpp"

namespace syndicated::actors {

tenant_entity::tenant_entity(services& s, core::stream_id stream)
    : entity(s, stream), usages_(s.repo.db()) {}

core::result<void> tenant_entity::load_record() {
  auto found = s_.repo.find(core::tenant_id{stream_.entity});
  if (!found) return std::move(found).failure();
  record_ = std::move(*found);
  offerings_.reset();
  told_.clear();
  return {};
}

void tenant_entity::decide(entity_request& request) {
  if (auto* creation = std::get_if<tenant_creation>(&request.body))
    return create(request, *creation);
  if (!record_) return refuse(request, core::not_found("no such tenant"));
  if (std::holds_alternative<reconsider_access>(request.body)) return reconsider(request);
  if (auto ok = refresh_path(); !ok) return refuse(request, std::move(ok).failure());
  if (std::holds_alternative<timer_due>(request.body)) return timer(request);
  if (auto* change = std::get_if<tenant_change>(&request.body)) return apply(request, *change);
  if (auto* change = std::get_if<offerings_change>(&request.body))
    return set_offerings(request, *change);
  if (std::holds_alternative<quota_notices>(request.body)) return tell_quotas(request);
  refuse(request, core::not_found("no such tenant"));
}

// Events go to those who stand above now, whether the cascade of a move has passed here or not.
core::result<void> tenant_entity::refresh_path() {
  if (s_.moves.load() == 0 || !record_->parent) return {};
  auto path = path_to(s_.repo, record_->parent);
  if (!path) return std::move(path).failure();
  record_->path = std::move(*path);
  return {};
}

void tenant_entity::create(entity_request& request, tenant_creation& creation) {
  if (record_)
    return refuse(request, {core::errc::internal, "internal", "the id is taken", {}, {}});
  auto path = path_to(s_.repo, creation.parent.parent);
  if (!path) return refuse(request, std::move(path).failure());
  creation.parent.path = std::move(*path);
  auto enabled = all_enabled(s_.repo, creation.parent.id);
  if (!enabled) return refuse(request, std::move(enabled).failure());
  auto decided =
      core::create_tenant({stream_.entity}, creation.wanted, creation.parent, *enabled, s_.now());
  if (!decided) return refuse(request, std::move(decided).failure());
  write(request, std::move(*decided), true, creation.render);
}

core::result<std::optional<core::move_target>> tenant_entity::target_of(
    const core::tenant_command& command) {
  const auto& wanted = command.edit.parent;
  if (!wanted || *wanted == record_->parent) return std::optional<core::move_target>{};
  auto parent = s_.repo.find(*wanted);
  if (!parent) return std::move(parent).failure();
  if (!*parent) return std::optional<core::move_target>{};
  core::move_target out;
  out.parent = std::move(**parent);
  auto path = path_to(s_.repo, out.parent.parent);
  if (!path) return std::move(path).failure();
  out.parent.path = std::move(*path);
  auto enabled = all_enabled(s_.repo, *wanted);
  if (!enabled) return std::move(enabled).failure();
  out.parent_effective = *enabled;
  // Who does not get deeper takes nobody over the limit.
  if (out.parent.path.size() + 1 > record_->path.size()) {
    auto rows = resellers_below(s_.repo, record_->id);
    if (!rows) return std::move(rows).failure();
    out.resellers_below = *rows;
  }
  return std::optional{std::move(out)};
}

void tenant_entity::apply(entity_request& request, tenant_change& change) {
  if (!version_fits(request, record_->version)) return;
  auto target = target_of(change.command);
  if (!target) return refuse(request, std::move(target).failure());
  const core::tenant_circumstances now{s_.now(), s_.lifecycle.tenant_recover,
                                       *target ? &**target : nullptr};
  auto decided = core::decide(*record_, change.command, now);
  if (!decided) return refuse(request, std::move(decided).failure());
  if (!decided->changed) {
    return answer_unchanged(request, change.render ? change.render(*record_, false) : answer{});
  }
  if (decided->next.parent != record_->parent) {
    if (auto ok = bears_move((*target)->parent); !ok) {
      return refuse(request, std::move(ok).failure());
    }
  }
  std::function<void()> after;
  if (change.command.action == core::tenant_action::condemn) {
    after = [services = &s_, stream = stream_] { services->tell(stream, timer_due{}); };
  }
  write(request, std::move(*decided), adds_load(change.command), change.render, std::move(after));
}

// Something above was disabled, enabled or moved: what is kept here is compared with how it is.
// The tenant's endpoints are told once for each real change; a new path is no event.
void tenant_entity::reconsider(entity_request& request) {
  const auto before = record_->path;
  auto path = path_to(s_.repo, record_->parent);
  if (!path) return refuse(request, std::move(path).failure());
  record_->path = std::move(*path);
  auto enabled = all_enabled(s_.repo, record_->parent);
  if (!enabled) return refuse(request, std::move(enabled).failure());
  const bool gone =
      record_->state == core::tenant_state::deleted || record_->state == core::tenant_state::purged;
  const bool told = gone || record_->ancestors_enabled == *enabled;
  if (told && before == record_->path) return answer_unchanged(request, {});
  core::tenant_decision decided{*record_, {}, true};
  if (!told) {
    decided.next.ancestors_enabled = *enabled;
    ++decided.next.version;
    decided.next.updated_at = s_.now();
    decided.events.push_back({*enabled ? "tenant.access_restored" : "tenant.access_suspended",
                              core::wire_type::none,
                              {},
                              {}});
  }
  write(request, std::move(decided), false, {});
}

void tenant_entity::set_offerings(entity_request& request, offerings_change& change) {
  const bool gone =
      record_->state == core::tenant_state::deleted || record_->state == core::tenant_state::purged;
  if (gone) {
    return refuse(request, core::transition_not_allowed(core::to_string(record_->state),
                                                        "set offering items"));
  }
  auto present = own_items();
  if (!present) return refuse(request, std::move(present).failure());
  core::offering_list above;
  if (record_->parent) {
    auto effective = offerings_in_effect(s_.repo, record_->parent);
    if (!effective) return refuse(request, std::move(effective).failure());
    above = core::for_child(*effective);
  }
  auto next = core::set_items(*present, change.items, record_->parent ? &above : nullptr);
  if (!next) return refuse(request, std::move(next).failure());
  if (core::same_settings(*present, *next)) {
    return answer_unchanged(request, change.render ? change.render(*record_, false) : answer{});
  }
  core::tenant_decision decided{*record_, {}, true};
  decided.next.updated_at = s_.now();
  decided.events.push_back(
      {"tenant.updated", core::wire_type::modified, {}, R"({"changed":["offering_items"]})"});
  quota_news news;
  if (auto ok = follow_quotas(news, *present, *next); !ok) {
    return refuse(request, std::move(ok).failure());
  }
  std::ranges::move(news.events, std::back_inserter(decided.events));
  keep(news);
  offerings_ = std::move(*next);
  write(request, std::move(decided), false, change.render, {}, std::move(news.plan));
}

void tenant_entity::timer(entity_request& request) {
  if (record_->purging) return purge_on(request);
  core::tenant_command command;
  command.action = core::tenant_action::timer;
  auto decided = core::decide(*record_, command, {s_.now(), s_.lifecycle.tenant_recover});
  if (!decided) return refuse(request, std::move(decided).failure());
  if (!decided->changed) return answer_unchanged(request, {});
  const bool begins = decided->next.purging;
  write(request, std::move(*decided), false, {}, [services = &s_, stream = stream_, begins] {
    if (begins) services->tell(stream, timer_due{});
  });
}

// At most a page is sent away at a time. Answers after which time to look again; none: all is gone.
core::result<std::optional<std::chrono::milliseconds>> tenant_entity::send_away_below() {
  constexpr std::size_t page = 1'024;
  constexpr std::chrono::milliseconds soon = std::chrono::seconds{1};
  using pause = std::optional<std::chrono::milliseconds>;
  std::size_t sent = 0;
  bool alive = false;
  core::result<void> problem;
  const auto send = [&](core::stream_id to, auto&& body) {
    s_.tell(to, std::forward<decltype(body)>(body));
    return ++sent < page;
  };
  const auto look_at = [&](auto id, auto&& settled, auto&& order) {
    auto found = s_.repo.find(id);
    if (!found) {
      problem = std::move(found).failure();
      return false;
    }
    const int rest = *found ? settled(**found) : 2;  // 0: to be told, 1: on its way, 2: gone
    alive = alive || rest < 2;
    return rest > 0 || send(core::stream_of(id), order());
  };
  auto scanned = s_.repo.subscriptions_of_tenant(record_->id, 0, [&](core::subscription_id&& id) {
    return look_at(
        id,
        [](const core::subscription& s) {
          if (core::ended(s.status)) return 2;
          return s.status == core::subscription_status::undeploy_sent ? 1 : 0;
        },
        [] {
          subscription_change kill;
          kill.command.action = core::subscription_action::terminate;
          kill.command.by = core::party::system;
          return kill;
        });
  });
  const auto state_of_one = [](const auto& t, bool gone) { return gone ? 2 : t.purging ? 1 : 0; };
  if (scanned && problem) {
    scanned = s_.repo.children_of(record_->id, 0, [&](core::tenant_id&& id) {
      return look_at(
          id,
          [&](const core::tenant& t) {
            return state_of_one(t, t.state == core::tenant_state::purged);
          },
          [] {
            return tenant_change{{core::tenant_action::condemn, {}, {}}, {}};
          });
    });
  }
  if (scanned && problem) {
    scanned = s_.repo.users_of(record_->id, 0, [&](core::user_id&& id) {
      return look_at(
          id, [&](const core::user& u) { return state_of_one(u, u.purged); },
          [] {
            return user_change{{core::user_action::condemn}, {}};
          });
    });
  }
  if (!scanned) return std::move(scanned).failure();
  if (!problem) return std::move(problem).failure();
  if (sent >= page) return pause{soon};
  return alive ? pause{core::limits::purge_look_pause} : pause{};
}

void tenant_entity::purge_on(entity_request& request) {
  auto wait = send_away_below();
  if (!wait) return refuse(request, std::move(wait).failure());
  const core::timestamp now = s_.now();
  if (*wait) {
    // Whoever goes below says so; the timer is for subscriptions, and in case that gets lost.
    const bool armed =
        record_->look_at && *record_->look_at > now && *record_->look_at <= now + **wait;
    if (armed) return answer_unchanged(request, {});
    core::tenant_decision later{*record_, {}, true};
    later.next.look_at = now + **wait;
    return write(request, std::move(later), false, {});
  }
  core::tenant_command command;
  command.action = core::tenant_action::purge;
  auto decided = core::decide(*record_, command, {now});
  if (!decided) return refuse(request, std::move(decided).failure());
  const core::stream_id above = core::stream_of(record_->parent);
  const core::stream_id person = core::stream_of(record_->personal_of);
  write(request, std::move(*decided), false, {}, [services = &s_, above, person] {
    for (const core::stream_id waiting : {above, person}) {
      if (waiting.entity != 0) services->tell(waiting, timer_due{});
    }
  });
}

void tenant_entity::write(entity_request& request, core::tenant_decision decided, bool is_load,
                          const renderer<core::tenant>& render, std::function<void()> after,
                          store::write_plan plan) {
  follow_ups follow;
  core::tenant& next = decided.next;
  const bool created = !record_;
  const bool moved = !created && record_->parent != next.parent;
  // While it was deleted the cascades of those above passed it by.
  const bool recovered = !created && record_->state == core::tenant_state::deleted &&
                         next.state == core::tenant_state::disabled;
  const bool switched = moved || recovered || (!created && record_->epoch != next.epoch);
  auto path = next.path;
  path.push_back(next.id);
  event_facts facts;
  facts.tenant = next.id;
  facts.path = path;
  facts.entity_version = next.version;
  facts.cause = cause_of(request.options.by);
  facts.new_load = is_load;
  const auto data = [&next](const core::event_draft& draft, std::uint64_t seq) {
    return event_data(next, draft, seq);
  };
  auto ok = outbox_.publish(plan, follow, std::move(decided.events), next.seq, facts, data);
  if (!ok) return refuse(request, std::move(ok).failure());
  s_.repo.put(plan, next, created ? nullptr : &*record_);
  const bool other_items = std::holds_alternative<offerings_change>(request.body);
  if (other_items) s_.repo.put_offerings(plan, next.id, *offerings_);
  // The ledger looks where its usages count, and whether they still fit its quotas.
  const bool purged =
      !created && record_->state != next.state && next.state == core::tenant_state::purged;
  const bool marked = moved || purged || other_items;
  if (marked) store::usages::put(plan, store::usage_mark{next.id, next.seq});
  // The fan-out is remembered until it is done, so a crash cannot leave it half way.
  if (switched) s_.repo.put_cascade(plan, next.id);
  record_ = std::move(next);
  answer a = render ? render(*record_, true) : answer{};
  // Before it is on disk: from the answer on nobody may trust a copy of a path.
  if (moved) s_.moves.fetch_add(1);
  commit(request, std::move(plan), std::move(follow), std::move(a),
         [services = &s_, mark = outbox_.committed_mark(), seq = record_->seq, switched, marked,
          id = record_->id, after = std::move(after)] {
           mark->store(seq);
           if (marked) services->tell(usage_ledger_stream, usage_marks{});
           if (switched) {
             services->access_epoch.fetch_add(1);
             services->start_cascade(id);
           }
           if (after) after();
         });
}

}  // namespace syndicated::actors
