#include "actors/entity.hpp"

#include "core/base/log.hpp"

namespace syndicated::actors {
namespace {

// A lane whose plan was refused for lack of space is looked at again after this.
constexpr std::chrono::milliseconds refused_pause = std::chrono::seconds{4};

}  // namespace

std::string cause_of(const core::caller& by) {
  std::string text = by.name;
  text += " (";
  text += core::to_string(by.role);
  text += ')';
  return text;
}

entity::entity(services& s, core::stream_id stream) : s_(s), stream_(stream), outbox_(s, stream) {}

bool entity::without_lanes() const noexcept {
  return loaded_ && (record_read_ || had_lanes_) && known_by_id() && !chain_->broken &&
         outbox_.empty();
}

core::result<void> entity::load() {
  const bool lanes_known =
      std::exchange(lanes_known_, false) && !loaded_;  // later it may have some
  if (!lanes_known) {
    if (auto ok = outbox_.load(); !ok) return ok;
    had_lanes_ = had_lanes_ || !outbox_.empty();
  }
  record_read_ = false;
  chain_ = std::make_shared<store::plan_chain>();
  submitted_ = 0;
  loaded_ = true;
  return {};
}

// A report is about a lane and needs no record: a backlog that drains wakes very many entities.
bool entity::ready(core::error& why, bool with_record) {
  core::result<void> ok;
  if (!loaded_ || chain_->broken) ok = load();
  if (ok && with_record && !record_read_) {
    ok = load_record();
    record_read_ = ok.ok();
  }
  if (ok) return true;
  why = std::move(ok).failure();
  core::log(core::log_level::error, "entity", "cannot be read",
            {{"stream", core::to_string(stream_)}, {"detail", why.detail}});
  return false;
}

// Plans are committed in order, so those that are no longer in flight are the first ones.
void entity::begin_plan() {
  outbox_.begin_plan(submitted_ + 1, submitted_ - chain_->in_flight.load());
}

void entity::handle(entity_request& request) {
  core::error why;
  if (!loaded_ && starts_empty(request)) loaded_ = record_read_ = true;
  if (!ready(why, true)) return refuse(request, std::move(why));
  begin_plan();
  const bool lane_command = std::holds_alternative<replay_request>(request.body) ||
                            std::holds_alternative<discard_request>(request.body);
  if (lane_command) return replay_or_discard(request);
  decide(request);
}

void entity::handle(const std::shared_ptr<const lane_report>& report) {
  core::error why;
  // No word to the dispatcher: it looks again when its patience ends, and does not send meanwhile.
  if (!ready(why, false)) return;
  store::write_plan plan;
  plan.durable = false;  // a lost outcome is a duplicate at worst
  follow_ups follow;
  begin_plan();
  outbox_.apply(plan, follow, *report);
  // The dispatcher sees by the report whether its outcome is still under way.
  submit(std::move(plan),
         [this_services = &s_, follow = std::move(follow), report](store::commit_result result) {
           if (result == store::commit_result::committed) {
             this_services->post(follow);
           } else {
             this_services->lane_is_barred(report->lane, this_services->now() + refused_pause);
           }
         });
}

void entity::replay_or_discard(entity_request& request) {
  store::write_plan plan;
  follow_ups follow;
  core::result<void> done = core::error{};
  if (const auto* r = std::get_if<replay_request>(&request.body)) {
    if (auto why = s_.load.refusal()) return refuse(request, std::move(*why));
    if (auto why = s_.load.refusal(*s_.catalog.load(), r->endpoints)) {
      return refuse(request, std::move(*why));
    }
    done = outbox_.replay(plan, follow, *r);
    if (r->job != 0) s_.repo.put(plan, store::job_note{r->job, r->event});
  } else {
    done = outbox_.discard(plan, follow, std::get<discard_request>(request.body),
                           cause_of(request.options.by));
  }
  if (!done) return refuse(request, std::move(done).failure());
  commit(request, std::move(plan), std::move(follow), answer{202, "{}"});
}

bool entity::version_fits(entity_request& request, std::uint64_t version) {
  if (!request.options.if_match || *request.options.if_match == version) return true;
  refuse(request, version_mismatch(*request.options.if_match, version));
  return false;
}

void entity::refuse(entity_request& request, core::error why) {
  request.answer_with(std::move(why));
}

void entity::submit(store::write_plan plan, std::function<void(store::commit_result)> done) {
  plan.chain = chain_;
  ++submitted_;
  plan.done = std::move(done);
  s_.committer.submit(std::move(plan));
}

void entity::answer_unchanged(entity_request& request, answer a) {
  if (!request.reply) return;
  // What was read may still be on its way to the disk; then the answer waits for it.
  if (idle() && !request.options.idempotency) return request.answer_with(std::move(a));
  commit(request, {}, {}, std::move(a));
}

void entity::commit(entity_request& request, store::write_plan plan, follow_ups follow, answer a,
                    std::function<void()> after) {
  keep_answer(s_, plan, request.options.idempotency, a);
  submit(std::move(plan),
         [services = &s_, follow = std::move(follow), reply = std::exchange(request.reply, nullptr),
          a = std::move(a), after = std::move(after)](store::commit_result result) mutable {
           if (result != store::commit_result::committed) {
             if (reply) reply(not_committed(result));
             return;
           }
           if (reply) reply(std::move(a));
           services->post(follow);
           if (after) after();
         });
}

}  // namespace syndicated::actors
