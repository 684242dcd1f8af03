#include "store/committer.hpp"

#include <pthread.h>

#include <algorithm>
#include <set>

#include "core/base/limits.hpp"
#include "core/base/log.hpp"
#include "store/codec.hpp"

namespace syndicated::store {
namespace {

constexpr std::string_view totals_key = "totals";

std::size_t weight(const write_plan& plan) {
  std::size_t bytes = 0;
  for (const write_op& op : plan.ops) bytes += op.key.view().size() + op.value.size() + 16;
  for (const write_again& a : plan.again) bytes += a.key.view().size() + a.value.size() + 16;
  return bytes;
}

void add(counters& to, const counter_delta& d) {
  const auto apply = [](std::uint64_t& value, std::int64_t delta) {
    value += static_cast<std::uint64_t>(delta);  // two's complement: negative deltas subtract
  };
  apply(to.accepted, d.accepted);
  apply(to.delivered, d.delivered);
  apply(to.parked, d.parked);
  apply(to.cancelled, d.cancelled);
  apply(to.attempts, d.attempts);
}

void add(counters& to, const counters& plus, const counters& minus) {
  to.accepted += plus.accepted - minus.accepted;
  to.delivered += plus.delivered - minus.delivered;
  to.parked += plus.parked - minus.parked;
  to.cancelled += plus.cancelled - minus.cancelled;
  to.attempts += plus.attempts - minus.attempts;
}

void finish(write_plan& plan, commit_result result) {
  if (plan.chain) {
    if (result != commit_result::committed) plan.chain->broken = true;
    plan.chain->in_flight.fetch_sub(1);
  }
  if (plan.done) plan.done(result);
}

}  // namespace

committer::committer(database& db, id_source& ids, std::function<void(std::string)> on_fatal)
    : db_(db), ids_(ids), on_fatal_(std::move(on_fatal)) {}

committer::~committer() { stop(); }

core::result<std::unique_ptr<committer>> committer::create(
    database& db, id_source& ids, std::function<void(std::string)> on_fatal) {
  std::unique_ptr<committer> c{new committer(db, ids, std::move(on_fatal))};
  if (auto ok = c->load_counters(); !ok) return std::move(ok).failure();
  return c;
}

core::result<void> committer::load_counters() {
  core::result<void> problem;
  auto scanned =
      db_.scan(family::counters, {}, {}, [&](std::string_view key, std::string_view value) {
        auto row = decode_counters(value);
        if (!row) {
          problem = std::move(row).failure();
          return false;
        }
        counters_[{read_u64(key, 0)}] = *row;
        add(total_, *row, {});
        return true;
      });
  if (!scanned) return scanned;
  if (!problem) return problem;
  auto stored = db_.get(family::meta, totals_key);
  if (!stored) return std::move(stored).failure();
  if (*stored && (*stored)->size() == 16) {
    totals_ = {read_u64(**stored, 0), read_u64(**stored, 8)};
  }
  return {};
}

void committer::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "committer");
    loop();
  });
}

void committer::submit(write_plan plan) {
  if (plan.chain) plan.chain->in_flight.fetch_add(1);
  plan.submitted = std::chrono::steady_clock::now();
  bool notify = false;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && !dead_) {
      queue_.push_back(std::move(plan));
      notify = waiting_;
      waiting_ = false;
      plan = {};
    }
  }
  if (notify) wake_.notify_one();
  if (plan.done || plan.chain) finish(plan, commit_result::failed);
}

void committer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_ = false;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  while (run_once()) {
  }
}

std::vector<write_plan> committer::take(bool wait, std::vector<write_plan> spare) {
  std::unique_lock lock(mutex_);
  if (wait) {
    wake_.wait(lock, [this] {
      waiting_ = queue_.empty() && !stopping_;
      return !waiting_;
    });
  }
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < queue_.size() && count < core::limits::commit_batch_plans_max &&
         bytes < core::limits::commit_batch_bytes_max) {
    bytes += weight(queue_[count++]);
  }
  if (count == queue_.size()) return std::exchange(queue_, std::move(spare));
  const auto middle = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<write_plan> batch{std::make_move_iterator(queue_.begin()),
                                std::make_move_iterator(middle)};
  queue_.erase(queue_.begin(), middle);
  return batch;
}

void committer::loop() {
  std::vector<write_plan> batch;
  for (;;) {
    batch.clear();
    batch = take(true, std::move(batch));
    if (batch.empty()) return;  // stopping, and nothing is left
    commit(batch);
  }
}

bool committer::run_once() {
  auto batch = take(false, {});
  if (batch.empty()) return false;
  commit(batch);
  return true;
}

std::vector<write_op> committer::bookkeeping(
    const std::vector<const write_plan*>& plans,
    std::unordered_map<core::endpoint_id, counters>& staged, totals& after) const {
  after = totals_;  // only this thread writes them
  for (const write_plan* plan : plans) {
    after.subscriptions += plan->subscriptions_created;
    after.tenants += plan->tenants_created;
    for (const counter_delta& d : plan->deltas) {
      auto it = staged.find(d.endpoint);
      if (it == staged.end()) {
        const auto known = counters_.find(d.endpoint);  // only this thread writes counters_
        it =
            staged.emplace(d.endpoint, known == counters_.end() ? counters{} : known->second).first;
      }
      add(it->second, d);
    }
  }
  std::vector<write_op> ops;
  ops.reserve(staged.size() + 1);
  for (const auto& [endpoint, row] : staged) {
    ops.push_back({family::counters, false, id_key(endpoint.value), encode(row)});
  }
  ops.push_back({family::meta, false, key_bytes{"ids"}, ids_.encode()});
  if (after.subscriptions != totals_.subscriptions || after.tenants != totals_.tenants) {
    const key_bytes value = key_bytes{}.u64(after.subscriptions).u64(after.tenants);
    ops.push_back({family::meta, false, key_bytes{totals_key}, std::string{value.view()}});
  }
  return ops;
}

void committer::add_rewrites(const std::vector<const write_plan*>& plans,
                             std::vector<write_op>& to) const {
  const auto none = [](const write_plan* plan) { return plan->again.empty(); };
  if (std::ranges::all_of(plans, none)) return;
  std::set<std::pair<family, std::string_view>> taken;
  for (const write_plan* plan : plans) {
    for (const write_op& op : plan->ops) taken.emplace(op.where, op.key.view());
  }
  for (const write_plan* plan : plans) {
    for (const write_again& a : plan->again) {
      if (!taken.emplace(a.where, a.key.view()).second) continue;
      const auto stored = db_.get(a.where, a.key.view());
      if (stored && *stored && **stored == a.as_read)
        to.push_back({a.where, false, a.key, a.value});
    }
  }
}

void committer::accept(const std::unordered_map<core::endpoint_id, counters>& staged,
                       const totals& after) {
  const std::lock_guard lock(counters_mutex_);
  totals_ = after;
  for (const auto& [endpoint, row] : staged) {
    add(total_, row, counters_[endpoint]);
    counters_[endpoint] = row;
  }
}

void committer::commit(std::vector<write_plan>& batch) {
  batch_oldest_ = batch.front().submitted;
  std::vector<const write_plan*> good;
  good.reserve(batch.size());
  bool sync = false;
  for (const write_plan& plan : batch) {
    if (dead_ || (plan.chain && plan.chain->broken)) continue;
    good.push_back(&plan);
    sync = sync || plan.durable;
  }
  write_report report;
  if (!good.empty()) {
    std::unordered_map<core::endpoint_id, counters> staged;
    totals after;
    auto extra = bookkeeping(good, staged, after);
    add_rewrites(good, extra);
    report = db_.write(good, extra, sync);
    if (report.result == commit_result::committed) {
      accept(staged, after);
      batches_.fetch_add(1);
      plans_.fetch_add(good.size());
      if (sync) synced_.fetch_add(1);
      out_of_space_ = false;
    } else {
      fail(report);
    }
  }
  auto next = good.begin();
  for (write_plan& plan : batch) {
    const bool tried = next != good.end() && *next == &plan;
    if (tried) ++next;
    const auto skipped = dead_ ? commit_result::failed : commit_result::no_space;
    finish(plan, tried ? report.result : skipped);
  }
  batch_ended_ = std::chrono::steady_clock::now();
  batch_oldest_ = std::chrono::steady_clock::time_point{};
}

void committer::fail(const write_report& report) {
  if (report.result == commit_result::no_space) {
    no_space_.fetch_add(1);
    refused_at_ = std::chrono::steady_clock::now();
    if (!out_of_space_.exchange(true)) {
      core::log(core::log_level::error, "committer", "no space left: writes are refused",
                {{"detail", report.detail}});
    }
    return;
  }
  if (dead_.exchange(true)) return;
  core::log(core::log_level::critical, "committer", "the write-ahead log failed: stopping",
            {{"detail", report.detail}});
  if (on_fatal_) on_fatal_(report.detail);
}

bool committer::out_of_space() const noexcept {
  return out_of_space_.load(std::memory_order_relaxed) &&
         std::chrono::steady_clock::now() - refused_at_.load() < std::chrono::seconds{1};
}

counters committer::counters_of(core::endpoint_id endpoint) const {
  const std::lock_guard lock(counters_mutex_);
  const auto it = counters_.find(endpoint);
  return it == counters_.end() ? counters{} : it->second;
}

std::vector<std::pair<core::endpoint_id, std::uint64_t>> committer::pending() const {
  std::vector<std::pair<core::endpoint_id, std::uint64_t>> out;
  const std::lock_guard lock(counters_mutex_);
  for (const auto& [endpoint, row] : counters_) {
    const std::uint64_t n = row.accepted - row.delivered - row.parked - row.cancelled;
    if (n > 0) out.emplace_back(endpoint, n);
  }
  return out;
}

totals committer::entities() const {
  const std::lock_guard lock(counters_mutex_);
  return totals_;
}

counters committer::counters_total() const {
  const std::lock_guard lock(counters_mutex_);
  return total_;
}

committer_stats committer::stats() const {
  committer_stats s;
  s.batches = batches_;
  s.plans = plans_;
  s.synced = synced_;
  s.no_space = no_space_;
  const std::lock_guard lock(mutex_);
  s.queued = queue_.size();
  auto oldest = batch_oldest_.load();
  const std::chrono::steady_clock::time_point none{};
  if (oldest == none && !queue_.empty()) oldest = queue_.front().submitted;
  if (oldest == none) return s;
  const auto now = std::chrono::steady_clock::now();
  const auto since = [now](auto time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - time);
  };
  s.oldest_wait = since(oldest);
  s.stalled = since(std::max(oldest, batch_ended_.load()));
  return s;
}

}  // namespace syndicated::store
