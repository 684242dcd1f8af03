#include "actors/endpoint_entity.hpp"

#include <algorithm>

#include "core/base/json_writer.hpp"

namespace syndicated::actors {
namespace {

constexpr std::size_t notices_page = 64;  // in one commit

std::string inner(core::json_writer&& object) {
  std::string text = std::move(object).str();
  return text.substr(1, text.size() - 2);
}

core::event_draft draft_of(std::string_view name) { return {std::string{name}, {}, {}, {}}; }

// What an operator needs to find the endpoint; its URL may hold a secret, its origin does not.
std::string data_of(const core::endpoint& e, const std::string& more, std::uint64_t seq) {
  core::json_writer out;
  out.begin_object();
  out.key("endpoint_id").number(e.id.value);
  out.key("scope").text(core::to_string(e.scope));
  out.key("scope_id").number(e.scope_id);
  out.key("origin").text(e.origin);
  out.key("state").text(core::to_string(e.state));
  out.key("version").number(e.version);
  out.key("seq").number(seq);
  out.end_object();
  std::string text = std::move(out).str();
  if (more.empty()) return text;
  text.pop_back();
  return text + ',' + more + '}';
}

}  // namespace

core::result<void> endpoint_entity::load_record() {
  auto found = s_.repo.find_journal(core::endpoint_id{stream_.entity});
  if (!found) return std::move(found).failure();
  record_ = found->value_or(store::endpoint_journal{{stream_.entity}});
  return {};
}

void endpoint_entity::decide(entity_request& request) {
  if (std::holds_alternative<endpoint_notices>(request.body)) return answer_notices(request);
  if (const auto* change = std::get_if<endpoint_health_changed>(&request.body)) {
    return tell_health(request, *change);
  }
  if (const auto* change = std::get_if<owner_quota_changed>(&request.body)) {
    return tell_quota(request, *change);
  }
  refuse(request, core::not_found("endpoints have no such command"));
}

void endpoint_entity::answer_notices(entity_request& request) {
  const core::endpoint_id id{stream_.entity};
  const auto e = s_.catalog.load()->find_any(id);
  std::vector<store::notice_row> notices;
  auto scanned = s_.repo.notices(id, [&](store::notice_row&& row) {
    notices.push_back(std::move(row));
    return notices.size() < notices_page;
  });
  if (!scanned) return refuse(request, std::move(scanned).failure());
  if (!e || notices.empty()) return answer_unchanged(request, {});
  store::write_plan plan;
  std::vector<told> news;
  const store::endpoint_journal before = record_;
  for (const auto& notice : notices) {
    s_.repo.erase_notice(plan, id, notice.event);
    if (!notice.event) {
      tell_state(news, *e);
    } else if (auto ok = tell_exhausted(news, notice); !ok) {
      record_ = before;
      return refuse(request, std::move(ok).failure());
    }
  }
  write(request, std::move(plan), std::move(news), *e);
}

void endpoint_entity::tell_state(std::vector<told>& out, const core::endpoint& e) {
  if (e.state == record_.told) return;
  record_.told = e.state;
  std::string_view name;
  if (e.state == core::endpoint_state::paused) name = "endpoint.paused";
  if (e.state == core::endpoint_state::disabled) name = "endpoint.disabled";
  // Active again: the failing age begins anew; that it is well is told by its first delivery.
  if (e.state == core::endpoint_state::active) record_.failing_since.reset();
  if (name.empty()) return;
  core::json_writer data;
  data.begin_object();
  data.key("reason").text(e.state_reason);
  data.key("failing_since").time(record_.failing_since);
  data.end_object();
  out.push_back({draft_of(name), inner(std::move(data))});
}

core::result<void> endpoint_entity::tell_exhausted(std::vector<told>& out,
                                                   const store::notice_row& notice) {
  // One that is missing or damaged may have been given up for just that: then its number must do.
  const auto event = s_.repo.find(notice.event);
  if (!event && event.failure().kind != core::errc::corrupt) return event.failure();
  auto last = s_.repo.last_attempt(notice.event, notice.endpoint);
  if (!last) return std::move(last).failure();
  core::json_writer data;
  data.begin_object();
  data.key("event_id").number(notice.event.value);
  if (event.ok() && *event) {
    data.key("event_name").text((*event)->name);
    data.key("stream").text(core::to_string((*event)->stream));
    data.key("event_seq").number((*event)->seq);
  }
  data.key("reason").text(notice.reason);
  data.key("attempts").number(std::uint64_t{*last ? (*last)->number : 0});
  data.key("last_status").number(*last ? (*last)->status : 0);
  data.key("last_error").text(*last ? (*last)->error : std::string{});
  data.end_object();
  out.push_back({draft_of("delivery.exhausted"), inner(std::move(data))});
  return {};
}

void endpoint_entity::tell_health(entity_request& request, const endpoint_health_changed& change) {
  const auto e = s_.catalog.load()->find_any(core::endpoint_id{stream_.entity});
  if (!e || record_.degraded == change.degraded) return answer_unchanged(request, {});
  record_.degraded = change.degraded;
  core::json_writer data;
  data.begin_object();
  data.key("reason").text(change.reason);
  data.key("failing_since").time(change.degraded ? change.failing_since : record_.failing_since);
  data.end_object();
  record_.failing_since = change.degraded ? change.failing_since : std::nullopt;
  const auto* name = change.degraded ? "endpoint.degraded" : "endpoint.recovered";
  write(request, {draft_of(name), inner(std::move(data))}, *e);
}

void endpoint_entity::tell_quota(entity_request& request, const owner_quota_changed& change) {
  const auto e = s_.catalog.load()->find_any(core::endpoint_id{stream_.entity});
  if (!e || record_.quota == change.level) return answer_unchanged(request, {});
  record_.quota = change.level;
  core::json_writer data;
  data.begin_object();
  data.key("owner_scope").text(core::to_string(change.scope));
  data.key("owner_id").number(change.scope_id);
  data.key("metric").text("pending_events");
  data.key("value").number(change.value);
  data.key("limit").number(change.limit);
  data.end_object();
  write(request, {draft_of(core::event_name_of(change.level)), inner(std::move(data)), true}, *e);
}

void endpoint_entity::write(entity_request& request, told news, const core::endpoint& e) {
  std::vector<told> all;
  all.push_back(std::move(news));
  write(request, {}, std::move(all), e);
}

void endpoint_entity::write(entity_request& request, store::write_plan plan, std::vector<told> news,
                            const core::endpoint& e) {
  follow_ups follow;
  event_facts facts;
  facts.cause = cause_of(request.options.by);
  for (told& one : news) {
    facts.about = one.about_owner ? core::endpoint_id{} : e.id;
    std::vector<core::event_draft> drafts;
    drafts.push_back(std::move(one.draft));
    // It is no new load, so nothing refuses it.
    (void)outbox_.publish(
        plan, follow, std::move(drafts), record_.seq, facts,
        [&](const core::event_draft&, std::uint64_t seq) { return data_of(e, one.data, seq); });
  }
  s_.repo.put(plan, record_);
  commit(request, std::move(plan), std::move(follow), {},
         [mark = outbox_.committed_mark(), seq = record_.seq] { mark->store(seq); });
}

}  // namespace syndicated::actors
