#include "actors/published_entity.hpp"

namespace syndicated::actors {
namespace {

std::string row_text(const publish_group& group) {
  std::string text;
  const auto add = [&text](std::size_t line, core::event_id id) {
    text += std::to_string(line) + ' ' + std::to_string(id.value) + '\n';
  };
  for (const auto& [line, id] : group.known) add(line, id);
  for (const publish_item& item : group.items) add(item.line, item.event->id);
  return text;
}

}  // namespace

core::result<void> published_entity::load_record() {
  if (!ordered()) return {};
  auto last = s_.repo.last_seq(stream_);
  if (!last) return std::move(last).failure();
  seq_ = *last;
  return {};
}

bool published_entity::starts_empty(const entity_request& request) const {
  return !ordered() && std::holds_alternative<publish_request>(request.body);
}

void published_entity::decide(entity_request& request) {
  if (auto* p = std::get_if<publish_request>(&request.body)) return publish(request, *p->group);
  refuse(request, core::not_found("published events only take replays"));
}

void published_entity::publish(entity_request& request, publish_group& group) {
  store::write_plan plan;
  plan.pass = s_.gate.enter();
  follow_ups follow;
  const core::timestamp now = s_.now();
  const core::timestamp until = now + s_.idempotency_retention;
  const std::string cause = cause_of(request.options.by);
  std::uint64_t seq = seq_;
  for (publish_item& item : group.items) {
    core::event& event = *item.event;
    if (ordered()) event.id = s_.ids.next_event();
    event.stream = stream_;
    event.seq = ++seq;
    event.at = now;
    event.cause = cause;
    if (item.dedup_key.empty()) continue;
    s_.repo.put_answer(plan, item.dedup_key, {until, {}, 202, std::to_string(event.id.value)});
  }
  // The answer tells ids only; when it cannot be rendered, the stream is as it was.
  core::result<answer> a = answer{202, {}};
  if (group.render) a = group.render();
  if (!a) return refuse(request, std::move(a).failure());
  seq_ = seq;
  outbox_.append(plan, follow, group.items, !ordered());
  if (ordered()) s_.repo.put_last_seq(plan, stream_, seq_);
  if (!group.row_key.empty()) {
    const std::string& hash = group.call->request_hash;
    s_.repo.put_answer(plan, group.row_key, {until, hash, 202, row_text(group)});
    s_.repo.put_answer(plan, group.call->key, {until, hash, store::answer_unfinished, {}});
  }
  commit(request, std::move(plan), std::move(follow), std::move(*a),
         [mark = outbox_.committed_mark(), seq = seq_] { mark->store(seq); });
}

}  // namespace syndicated::actors
