#include "actors/clock_walk.hpp"

#include <pthread.h>

#include <condition_variable>
#include <mutex>

#include "core/base/log.hpp"

namespace syndicated::actors {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause_between_looks{2};

core::error ending() { return {core::errc::unavailable, "ending", "the daemon is ending", {}, {}}; }

core::error waits(const pending_work& open, core::timestamp now) {
  return {core::errc::conflict,
          "clock_waits",
          "the clock stays at " + core::format_rfc3339_ms(now) + ": " + std::to_string(open.due) +
              " changes or deliveries that are due there do not end",
          {},
          {}};
}

}  // namespace

struct clock_walk::state {
  std::mutex mutex;
  std::condition_variable wake;
  bool running = false;
  std::optional<clock_move> wanted;
  reply moved;
  std::vector<reply> asked;
  pending_work last;                  // look's
  std::uint64_t looks = 0;            // begun; a late answer of an earlier one is dropped
  std::optional<pending_work> found;  // of the present one
};

clock_walk::clock_walk(simulated_clock& clock, means m)
    : clock_(clock), means_(std::move(m)), state_(std::make_shared<state>()) {}

clock_walk::~clock_walk() { stop(); }

void clock_walk::start() {
  const std::lock_guard lock(state_->mutex);
  state_->running = true;
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "clock");
    loop();
  });
}

void clock_walk::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->running = false;
  }
  state_->wake.notify_all();
  if (thread_.joinable()) thread_.join();
  std::unique_lock lock(state_->mutex);
  auto unanswered = std::exchange(state_->asked, {});
  if (state_->moved) unanswered.push_back(std::exchange(state_->moved, nullptr));
  lock.unlock();
  for (reply& tell : unanswered) tell(ending());
}

void clock_walk::show(reply tell) {
  std::unique_lock lock(state_->mutex);
  if (!state_->running) {
    lock.unlock();
    return tell(ending());
  }
  if (!state_->wanted) {
    state_->asked.push_back(std::move(tell));
    lock.unlock();
    return state_->wake.notify_all();
  }
  clock_status status = status_now(state_->last);
  status.moving_to = state_->wanted->to;
  lock.unlock();
  tell(status);
}

void clock_walk::move(const clock_move& wanted, reply tell) {
  if (auto why = refusal(wanted)) return tell(std::move(*why));
  std::unique_lock lock(state_->mutex);
  if (!state_->running || state_->wanted) {
    const bool stopped = !state_->running;
    lock.unlock();
    if (stopped) return tell(ending());
    return tell(core::error{
        core::errc::conflict, "clock_is_moving", "the clock is on its way already", {}, {}});
  }
  state_->wanted = wanted;
  state_->moved = std::move(tell);
  lock.unlock();
  state_->wake.notify_all();
}

std::optional<core::error> clock_walk::refusal(const clock_move& wanted) const {
  const core::timestamp now = clock_.now();
  const auto by = wanted.to - now;
  const bool fits =
      by.count() >= 0 && by <= clock_step_max && clock_.ahead() + by <= clock_ahead_max;
  if (fits) return std::nullopt;
  return core::error{
      core::errc::invalid,
      "clock_out_of_range",
      "the clock goes forward only, at most 10 years at a time and 100 in all; it stands at " +
          core::format_rfc3339_ms(now),
      {},
      {}};
}

void clock_walk::loop() {
  std::unique_lock lock(state_->mutex);
  while (true) {
    state_->wake.wait(
        lock, [this] { return !state_->running || state_->wanted || !state_->asked.empty(); });
    if (!state_->running) return;
    const auto wanted = state_->wanted;
    auto asked = std::exchange(state_->asked, {});
    lock.unlock();
    if (wanted) {
      auto outcome = walk(*wanted);
      lock.lock();
      state_->wanted.reset();
      const auto tell = std::exchange(state_->moved, nullptr);
      lock.unlock();
      tell(std::move(outcome));
    }
    if (!asked.empty()) {
      const auto open = look(steady::now() + means_.patience);
      for (reply& tell : asked) {
        if (open) {
          tell(status_now(*open));
        } else {
          tell(ending());
        }
      }
    }
    lock.lock();
  }
}

core::result<clock_status> clock_walk::walk(const clock_move& wanted) {
  const core::timestamp from = clock_.now();
  std::uint64_t steps = 0;
  if (wanted.jump) {
    if (auto ok = set(wanted.to); !ok) return std::move(ok).failure();
  }
  while (true) {
    auto open = settle();
    if (!open) return std::move(open).failure();
    if (clock_.now() >= wanted.to) {
      means_.moved();
      core::log(core::log_level::info, "clock", "simulated time was moved",
                {{"from", core::format_rfc3339_ms(from)},
                 {"to", core::format_rfc3339_ms(wanted.to)},
                 {"steps", steps}});
      return status_now(*open);
    }
    ++steps;
    const core::timestamp next = open->next ? std::min(*open->next, wanted.to) : wanted.to;
    if (auto ok = set(next); !ok) return std::move(ok).failure();
  }
}

core::result<void> clock_walk::set(core::timestamp to) {
  const auto by = to - clock_.now();
  if (by.count() <= 0) return {};
  const auto ahead = clock_.ahead() + by;
  if (auto ok = means_.save(ahead); !ok) return ok;
  clock_.set_ahead(ahead);
  return {};
}

core::result<pending_work> clock_walk::settle() {
  const auto end = steady::now() + means_.patience;
  std::optional<std::uint64_t> quiet_at;
  pending_work open;
  while (true) {
    const auto found = look(end);
    if (found) open = *found;
    const bool due = open.due > 0 || (open.next && *open.next <= clock_.now());
    if (found && !due && quiet_at == open.commits) return open;
    quiet_at = due ? std::nullopt : std::optional{open.commits};
    if (steady::now() >= end) return waits(open, clock_.now());
    if (!found || (due && !rest())) return ending();
  }
}

// None: the daemon ends, or nobody answered in time.
std::optional<pending_work> clock_walk::look(steady::time_point until) {
  std::unique_lock lock(state_->mutex);
  const std::uint64_t number = ++state_->looks;
  state_->found.reset();
  lock.unlock();
  means_.look([shared = state_, number](const pending_work& open) {
    const std::lock_guard answer_lock(shared->mutex);
    if (shared->looks != number) return;
    shared->found = open;
    shared->last = open;
    shared->wake.notify_all();
  });
  lock.lock();
  state_->wake.wait_until(lock, until, [this] { return !state_->running || state_->found; });
  return state_->found;
}

bool clock_walk::rest() {
  std::unique_lock lock(state_->mutex);
  return !state_->wake.wait_for(lock, pause_between_looks, [this] { return !state_->running; });
}

clock_status clock_walk::status_now(const pending_work& open) const {
  clock_status out;
  out.simulated = true;
  out.now = clock_.now();
  out.ahead = clock_.ahead();
  out.due = open.due;
  out.next = open.next;
  return out;
}

}  // namespace syndicated::actors
