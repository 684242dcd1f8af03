// The engine's wall clock: real, or simulated and moved by a walk (clock_walk.hpp).
#include <caf/all.hpp>

#include <future>
#include <mutex>

#include "actors/engine_body.hpp"
#include "store/clock_record.hpp"

namespace syndicated::actors {
namespace {

// Adds up what the parts say; the last one's answer tells the sum.
class work_round {
 public:
  work_round(std::size_t parts, std::function<void(pending_work)> tell)
      : open_(parts), tell_(std::move(tell)) {}
  void add(const pending_work& one) {
    std::unique_lock lock(mutex_);
    sum_.due += one.due;
    if (one.next) keep_earlier(sum_.next, *one.next);
    if (--open_ > 0) return;
    lock.unlock();
    tell_(sum_);
  }

 private:
  std::mutex mutex_;
  std::size_t open_;
  pending_work sum_;
  std::function<void(pending_work)> tell_;
};

core::error not_simulated() {
  return {core::errc::conflict,
          "clock_not_simulated",
          "the clock is the machine's: testing.simulated_time is not set",
          {},
          {}};
}

}  // namespace

// A store that has seen a later time must not see an earlier one: what was dated then would lie in
// the future.
core::result<void> engine_body::open_clock() {
  auto ahead = store::read_clock_ahead(*db_);
  if (!ahead) return std::move(ahead).failure();
  if (clock_) {
    clock_->set_ahead(*ahead);
  } else if (ahead->count() > 0) {
    return core::error{core::errc::invalid,
                       "configuration",
                       "the store's clock was moved forward: it opens with "
                       "testing.simulated_time = true only",
                       {},
                       {}};
  }
  return {};
}

void engine_body::make_walk() {
  clock_walk::means m;
  m.save = [this](std::chrono::milliseconds ahead) { return save_clock(ahead); };
  m.look = [this](std::function<void(const pending_work&)> tell) {
    look_for_work(std::move(tell));
  };
  m.moved = [this] { retention_->look_now(); };
  walk_ = std::make_unique<clock_walk>(*clock_, std::move(m));
  walk_->start();
}

void engine_body::show_clock(clock_walk::reply reply) {
  if (walk_) return walk_->show(std::move(reply));
  clock_status status;
  status.now = now();
  reply(status);
}

void engine_body::move_clock(const clock_move& wanted, clock_walk::reply reply) {
  if (!clock_) return reply(not_simulated());
  if (!started_ || draining_) return reply(unavailable("the daemon is starting or stopping"));
  walk_->move(wanted, std::move(reply));
}

core::result<void> engine_body::save_clock(std::chrono::milliseconds ahead) {
  std::promise<store::commit_result> written;
  auto result = written.get_future();
  store::write_plan plan;
  store::put_clock_ahead(plan, ahead);
  plan.done = [&written](store::commit_result outcome) { written.set_value(outcome); };
  committer_->submit(std::move(plan));
  const store::commit_result outcome = result.get();
  if (outcome == store::commit_result::committed) return {};
  return not_committed(outcome);
}

// First the committer: whatever was handed to it before has been told to the actors by then.
void engine_body::look_for_work(std::function<void(const pending_work&)> tell) {
  store::write_plan barrier;
  barrier.durable = false;
  barrier.done = [this, tell = std::move(tell)](store::commit_result) mutable {
    ask_for_work(std::move(tell));
  };
  looks_.fetch_add(1);
  committer_->submit(std::move(barrier));
}

void engine_body::ask_for_work(std::function<void(const pending_work&)> tell) {
  auto round = std::make_shared<work_round>(dispatchers_.size() + 3,
                                            [this, tell = std::move(tell)](pending_work sum) {
                                              const pending_work outside = work_outside_actors();
                                              sum.due += outside.due;
                                              sum.commits = outside.commits;
                                              tell(sum);
                                            });
  auto part = std::make_shared<std::function<void(const pending_work&)>>(
      [round](const pending_work& one) { round->add(one); });
  auto pong = std::make_shared<std::function<void()>>([round] { round->add({}); });
  for (const auto& d : dispatchers_) caf::anon_send(d, ask_work{part});
  caf::anon_send(ticker_, ask_work{part});
  caf::anon_send(replayer_, ask_work{part});
  caf::anon_send(catalog_, actors::ping{pong});
}

// In this order: an attempt is an open report before it stops being in flight.
pending_work engine_body::work_outside_actors() const {
  pending_work out;
  out.due = services_->gauges.in_flight();
  out.due += static_cast<std::uint64_t>(services_->open_reports.use_count()) - 1;
  out.due += static_cast<std::uint64_t>(services_->open_requests.use_count()) - 1;
  out.commits = committer_->stats().plans - looks_.load();
  return out;
}

}  // namespace syndicated::actors
