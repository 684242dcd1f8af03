// The commands of the engine: admission, then a message to the one who decides.
#include <caf/all.hpp>

#include <algorithm>

#include "actors/engine_body.hpp"
#include "actors/publisher.hpp"
#include "core/delivery/envelope.hpp"

namespace syndicated::actors {
namespace {

// Free disk is looked at this often, by whoever comes first.
constexpr std::int64_t space_look_interval_ms = 500;

}  // namespace

std::shared_ptr<entity_request> engine_body::request_for(core::stream_id stream,
                                                         write_options&& options,
                                                         write_reply&& reply) const {
  auto request = std::make_shared<entity_request>();
  request->stream = stream;
  request->options = std::move(options);
  request->reply = std::move(reply);
  return request;
}

std::string engine_body::refusal_now(bool new_load) const {
  if (!started_) return "starting";
  if (draining_) return "draining";
  const std::int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                               std::chrono::steady_clock::now().time_since_epoch())
                               .count();
  std::int64_t due = next_space_look_ms_.load(std::memory_order_relaxed);
  if (now >= due &&
      next_space_look_ms_.compare_exchange_strong(due, now + space_look_interval_ms)) {
    const std::uint64_t free = db_->free_bytes();
    const std::uint64_t low = options_.free_bytes_min;
    // Hysteresis: a tenth above the mark before load is accepted again.
    low_space_ = free < (low_space_ ? low + low / 10 : low);
  }
  // Below the mark the rest is for what ends or repairs something.
  return (new_load && low_space_) || committer_->out_of_space() ? "no_space" : "";
}

namespace {

std::optional<core::error> refused_for(const std::string& why) {
  if (why.empty()) return std::nullopt;
  const std::string text =
      why == "no_space" ? "too little disk space is free" : "the daemon is " + why;
  return core::error{core::errc::unavailable, why, text, {}, {}};
}

}  // namespace

std::optional<core::error> engine_body::refusal() const { return refused_for(refusal_now(false)); }

std::optional<core::error> engine_body::load_refusal() const {
  auto why = refused_for(refusal_now(true));
  return why ? why : services_->load.refusal();
}

bool engine_body::admit(const write_reply& reply) {
  auto why = refusal();
  if (why) reply(std::move(*why));
  return !why;
}

bool engine_body::admit_load(const write_reply& reply) {
  auto why = load_refusal();
  if (why) reply(std::move(*why));
  return !why;
}

void engine_body::create_subscription(core::new_subscription wanted, write_options options,
                                      renderer<core::subscription> render, write_reply reply) {
  if (!admit_load(reply)) return;
  auto owner = repo_->find(wanted.tenant);
  if (!owner) return reply(std::move(owner).failure());
  if (!*owner) return reply(core::invalid_field("/tenant_id", "no such tenant"));
  auto request =
      request_for(core::stream_of(ids_.next_subscription()), std::move(options), std::move(reply));
  request->body = subscription_creation{std::move(wanted), std::move(**owner), std::move(render)};
  post(std::move(request));
}

void engine_body::command(core::subscription_id id, core::subscription_command command,
                          write_options options, renderer<core::subscription> render,
                          write_reply reply) {
  if (!(adds_load(command) ? admit_load(reply) : admit(reply))) return;
  auto request = request_for(core::stream_of(id), std::move(options), std::move(reply));
  request->body = subscription_change{std::move(command), std::move(render)};
  post(std::move(request));
}

void engine_body::change_catalog(catalog_command command, write_options options,
                                 renderer<catalog_item> render, write_reply reply) {
  if (!admit(reply)) return;
  auto request = std::make_shared<catalog_request>();
  request->command = std::move(command);
  request->options = std::move(options);
  request->render = std::move(render);
  request->reply = std::move(reply);
  caf::anon_send(catalog_, std::move(request));
}

void engine_body::publish(std::vector<published_event> events, write_options options,
                          publish_renderer render, write_reply reply) {
  if (!admit_load(reply)) return;
  actors::publish(*services_, std::move(events), std::move(options), std::move(render),
                  std::move(reply));
}

void engine_body::replay_event(core::event_id id, std::optional<core::endpoint_id> endpoint,
                               write_options options, write_reply reply) {
  if (!admit_load(reply)) return;
  auto found = repo_->find(id);
  if (!found) return reply(std::move(found).failure());
  if (!*found) return reply(event_missing(services_->gate, id));
  const core::event& e = **found;
  const auto catalog = services_->catalog.load();
  std::vector<core::endpoint_id> to;
  if (endpoint) {
    const auto settings = catalog->find(*endpoint);
    if (!settings) return reply(core::invalid_field("/endpoint_id", "no such endpoint"));
    if (!core::sent_in(settings->form, e)) {
      return reply(
          core::invalid_field("/endpoint_id", "this event is not sent in the endpoint's form"));
    }
    to.push_back(*endpoint);
  } else {
    std::copy_if(e.recipients.begin(), e.recipients.end(), std::back_inserter(to),
                 [&catalog](core::endpoint_id r) { return catalog->find(r) != nullptr; });
  }
  auto request = request_for(e.stream, std::move(options), std::move(reply));
  request->body = replay_request{id, std::move(to)};
  post(std::move(request));
}

void engine_body::discard(core::lane_key lane, write_options options, write_reply reply) {
  if (!admit(reply)) return;
  auto request = request_for(lane.stream, std::move(options), std::move(reply));
  request->body = discard_request{lane, {}};
  post(std::move(request));
}

void engine_body::discard_event(core::event_id id, core::endpoint_id endpoint,
                                write_options options, write_reply reply) {
  if (!admit(reply)) return;
  auto found = repo_->find(id);
  if (!found) return reply(std::move(found).failure());
  if (!*found) return reply(event_missing(services_->gate, id));
  const core::stream_id stream = (*found)->stream;
  auto request = request_for(stream, std::move(options), std::move(reply));
  request->body = discard_request{{stream, endpoint, {}}, id};
  post(std::move(request));
}

void engine_body::start_replay(replay_order order, write_options options,
                               renderer<core::replay_job> render, write_reply reply) {
  if (!admit(reply)) return;
  caf::anon_send(replayer_, std::make_shared<job_request>(job_request{
                                order, std::move(options), std::move(render), std::move(reply)}));
}

void engine_body::cancel_replay(std::uint64_t id, write_options options,
                                renderer<core::replay_job> render, write_reply reply) {
  if (!admit(reply)) return;
  caf::anon_send(replayer_,
                 std::make_shared<job_request>(job_request{cancel_job{id}, std::move(options),
                                                           std::move(render), std::move(reply)}));
}

void engine_body::test_endpoint(core::endpoint_id id, write_options options,
                                std::function<answer(const core::attempt_result&)> render,
                                write_reply reply) {
  if (const std::string why = refusal_now(false); why == "starting" || why == "draining") {
    return reply(unavailable("the daemon is " + why));
  }
  using boxed = std::function<void(core::result<core::attempt_result> &&)>;
  auto ended = [this, key = std::move(options.idempotency), render = std::move(render),
                reply = std::move(reply)](core::result<core::attempt_result>&& outcome) {
    if (!outcome) return reply(std::move(outcome).failure());
    answer a = render(*outcome);
    if (!key) return reply(std::move(a));
    store::write_plan plan;
    keep_answer(*services_, plan, key, a);
    plan.done = answers_with(reply, std::move(a));
    committer_->submit(std::move(plan));
  };
  caf::anon_send(dispatchers_[dispatcher_of(id)],
                 test_request{id, std::make_shared<boxed>(std::move(ended))});
}

void engine_body::ask_vendor(vendor_question q, std::function<void(core::attempt_result&&)> reply) {
  if (const std::string why = refusal_now(false); why == "starting" || why == "draining") {
    core::attempt_result none;
    none.error = core::attempt_error::local;
    none.detail = "stopped";
    return reply(std::move(none));
  }
  asker_->ask(std::move(q), std::move(reply));
}

void engine_body::compact(std::function<void(core::result<compaction_report>&&)> reply) {
  retention_->compact_everything(
      [this, reply = std::move(reply)](core::result<store::compaction_report>&& done) {
        if (!done) return reply(std::move(done).failure());
        reply(compaction_report{done->bytes_before, done->bytes_after, done->dropped.events,
                                done->dropped.attempts, families()});
      });
}

core::result<std::optional<answer>> engine_body::idempotency_begin(const idempotency& key) {
  if (!services_->keys.hold(key.key)) {
    return core::error{core::errc::conflict,
                       "idempotency_key_in_use",
                       "a request with this Idempotency-Key is still being handled",
                       {},
                       {}};
  }
  auto stored = repo_->answer(key.key);
  const bool fresh = stored.ok() && (!*stored || (*stored)->expires_at <= options_.now());
  // Of a call that a crash cut, publish() finds out which parts are on disk.
  const bool cut = stored.ok() && *stored && (*stored)->status == store::answer_unfinished &&
                   (*stored)->request_hash == key.request_hash;
  if (fresh || cut) return std::optional<answer>{};
  idempotency_end(key);
  if (!stored) return std::move(stored).failure();
  if ((*stored)->request_hash != key.request_hash) {
    return core::error{core::errc::invalid,
                       "idempotency_key_reused",
                       "this Idempotency-Key was used with another request",
                       {},
                       {}};
  }
  return std::optional<answer>{answer{(*stored)->status, std::move((*stored)->body)}};
}

void engine_body::idempotency_end(const idempotency& key) { services_->keys.release(key.key); }

}  // namespace syndicated::actors
