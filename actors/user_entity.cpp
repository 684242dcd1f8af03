#include "actors/user_entity.hpp"

#include "actors/event_data.hpp"
#include "actors/lineage.hpp"

namespace syndicated::actors {
namespace {

// Looks whether it can go now.
std::function<void()> look_again(services& s, core::stream_id stream, bool wanted) {
  return [services = &s, stream, wanted] {
    if (wanted) services->tell(stream, timer_due{});
  };
}

}  // namespace

core::result<void> user_entity::load_record() {
  auto found = s_.repo.find(core::user_id{stream_.entity});
  if (!found) return std::move(found).failure();
  record_ = std::move(*found);
  return {};
}

void user_entity::decide(entity_request& request) {
  if (auto* creation = std::get_if<user_creation>(&request.body)) return create(request, *creation);
  if (!record_) return refuse(request, core::not_found("no such user"));
  if (std::holds_alternative<timer_due>(request.body)) return timer(request);
  if (auto* change = std::get_if<user_change>(&request.body)) {
    return apply(request, change->command, change->render);
  }
  refuse(request, core::not_found("no such user"));
}

void user_entity::create(entity_request& request, user_creation& creation) {
  if (record_)
    return refuse(request, {core::errc::internal, "internal", "the id is taken", {}, {}});
  auto owner = s_.repo.find(creation.wanted.tenant);
  if (!owner) return refuse(request, std::move(owner).failure());
  if (!*owner) return refuse(request, core::invalid_field("/tenant_id", "no such tenant"));
  auto enabled = all_enabled(s_.repo, creation.wanted.tenant);
  if (!enabled) return refuse(request, std::move(enabled).failure());
  const bool with_unit = (*owner)->kind == core::tenant_kind::customer;
  const core::tenant_id unit = with_unit ? creation.personal_unit : core::tenant_id{};
  auto decided =
      core::create_user({stream_.entity}, creation.wanted, **owner, *enabled, unit, s_.now());
  if (!decided) return refuse(request, std::move(decided).failure());
  store::write_plan plan;
  follow_ups follow;
  if (unit) {
    auto ok = add_personal_unit(plan, follow, **owner, unit, cause_of(request.options.by));
    if (!ok) return refuse(request, std::move(ok).failure());
  }
  write(request, std::move(plan), std::move(follow), std::move(*decided), creation.render);
}

core::result<void> user_entity::add_personal_unit(store::write_plan& plan, follow_ups& follow,
                                                  const core::tenant& owner, core::tenant_id unit,
                                                  const std::string& cause) {
  core::new_tenant wanted;
  wanted.kind = core::tenant_kind::unit;
  wanted.parent = owner.id;
  wanted.name = "personal";
  wanted.personal_of = {stream_.entity};
  core::tenant above = owner;
  auto path = path_to(s_.repo, owner.parent);
  if (!path) return std::move(path).failure();
  above.path = std::move(*path);
  auto decided = core::create_tenant(unit, wanted, above, true, s_.now());
  if (!decided) return std::move(decided).failure();
  core::tenant& next = decided->next;
  auto own_path = next.path;
  own_path.push_back(next.id);
  event_facts facts;
  facts.tenant = next.id;
  facts.path = own_path;
  facts.entity_version = next.version;
  facts.cause = cause;
  const auto data = [&next](const core::event_draft& draft, std::uint64_t seq) {
    return event_data(next, draft, seq);
  };
  outbox first{s_, core::stream_of(unit)};
  first.begin_plan(1, 0);
  auto ok = first.publish(plan, follow, std::move(decided->events), next.seq, facts, data);
  if (!ok) return ok;
  s_.repo.put(plan, next, nullptr);
  return {};
}

void user_entity::apply(entity_request& request, const core::user_command& command,
                        const renderer<core::user>& render) {
  if (!version_fits(request, record_->version)) return;
  auto decided = core::decide(*record_, command, {s_.now(), s_.lifecycle.tenant_recover});
  if (!decided) return refuse(request, std::move(decided).failure());
  if (!decided->changed) {
    return answer_unchanged(request, render ? render(*record_, false) : answer{});
  }
  const bool goes = decided->next.purging && !record_->purging;
  write(request, {}, {}, std::move(*decided), render, look_again(s_, stream_, goes));
}

void user_entity::timer(entity_request& request) {
  if (record_->purging) return purge_on(request);
  core::user_command command;
  command.action = core::user_action::timer;
  apply(request, command, {});
}

// With the user goes the personal unit, which has to be gone first.
void user_entity::purge_on(entity_request& request) {
  const core::timestamp now = s_.now();
  if (record_->personal_unit) {
    auto unit = s_.repo.find(record_->personal_unit);
    if (!unit) return refuse(request, std::move(unit).failure());
    const bool alive = *unit && (*unit)->state != core::tenant_state::purged;
    if (alive && !(*unit)->purging) {
      s_.tell(core::stream_of(record_->personal_unit),
              tenant_change{{core::tenant_action::condemn, {}, {}}, {}});
    }
    if (alive && record_->look_at && *record_->look_at > now) return answer_unchanged(request, {});
    if (alive) {
      core::user_decision later{*record_, {}, true};
      later.next.look_at = now + core::limits::purge_look_pause;
      return write(request, {}, {}, std::move(later), {});
    }
  }
  core::user_command command;
  command.action = core::user_action::purge;
  auto decided = core::decide(*record_, command, {now});
  if (!decided) return refuse(request, std::move(decided).failure());
  if (!decided->changed) return answer_unchanged(request, {});
  // The tenant may wait for it.
  const core::stream_id above = core::stream_of(record_->tenant);
  write(request, {}, {}, std::move(*decided), {}, look_again(s_, above, true));
}

void user_entity::write(entity_request& request, store::write_plan plan, follow_ups follow,
                        core::user_decision decided, const renderer<core::user>& render,
                        std::function<void()> after) {
  core::user& next = decided.next;
  auto path = path_to(s_.repo, next.tenant);
  if (!path) return refuse(request, std::move(path).failure());
  event_facts facts;
  facts.tenant = next.tenant;
  facts.path = *path;
  facts.entity_version = next.version;
  facts.cause = cause_of(request.options.by);
  facts.new_load = std::holds_alternative<user_creation>(request.body);
  const auto data = [&next](const core::event_draft& draft, std::uint64_t seq) {
    return event_data(next, draft, seq);
  };
  auto ok = outbox_.publish(plan, follow, std::move(decided.events), next.seq, facts, data);
  if (!ok) return refuse(request, std::move(ok).failure());
  s_.repo.put(plan, next, record_ ? &*record_ : nullptr);
  record_ = std::move(next);
  answer a = render ? render(*record_, true) : answer{};
  commit(request, std::move(plan), std::move(follow), std::move(a),
         [mark = outbox_.committed_mark(), seq = record_->seq, after = std::move(after)] {
           mark->store(seq);
           if (after) after();
         });
}

}  // namespace syndicated::actors
