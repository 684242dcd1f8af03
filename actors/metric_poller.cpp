#include "actors/metric_poller.hpp"

#include <simdjson.h>

#include <cmath>

#include "core/base/limits.hpp"

namespace syndicated::actors {
namespace {

core::error unusable(std::string code, std::string detail) {
  return {core::errc::invalid, std::move(code), std::move(detail), {}, {}};
}

core::result<core::decimal> value_of(const core::attempt_result& result) {
  if (result.error != core::attempt_error::none) {
    const std::string word{core::to_string(result.error)};
    return unusable(word, "no answer: " + word);
  }
  if (result.status != 200) {
    const std::string word = "http_" + std::to_string(result.status);
    return unusable(word, "answered " + std::to_string(result.status));
  }
  return parse_metric_answer(result.excerpt);
}

}  // namespace

core::result<core::decimal> parse_metric_answer(std::string_view json) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element whole;
  double value = 0;
  if (parser.parse(json.data(), json.size(), true).get(whole) != simdjson::SUCCESS ||
      whole["value"].get(value) != simdjson::SUCCESS) {
    return unusable("no_value", "the answer is not an object with a number as its value");
  }
  if (!(value >= 0) || value > static_cast<double>(core::decimal_max)) {
    return unusable("bad_value", "the value must be from 0 to 1000000000000");
  }
  return core::decimal{
      static_cast<std::int64_t>(std::llround(value * static_cast<double>(core::decimal_one)))};
}

void metric_poller::ask(core::subscription_id owner, const core::metric& m) {
  auto q = std::make_shared<question>(question{owner, m, s_.now(), s_.open_requests});
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (under_way_ >= core::limits::metric_polls_max) {
      if (waiting_.size() < core::limits::metric_polls_waiting_max) {
        waiting_.push_back(std::move(q));
        return;
      }
    } else {
      ++under_way_;
      return send(q);
    }
  }
  tell(*q, unusable("overloaded", "too many metrics wait for their answers"));
}

void metric_poller::send(const question_ptr& q) {
  net::attempt_request request;
  request.get = true;
  request.url = q->metric.url;
  request.headers.push_back("Accept: application/json");
  request.headers.push_back("CD-Subscription-Id: " + std::to_string(q->owner.value));
  for (const core::secret_header& h : q->metric.headers) {
    request.headers.push_back(h.name + ": " + h.value.reveal());
  }
  request.timeout_ms = core::limits::attempt_timeout_ms_default;
  request.done = [this, q](core::attempt_result&& result) { ended(q, result); };
  submit_(std::move(request));
}

void metric_poller::ended(const question_ptr& q, const core::attempt_result& result) {
  question_ptr next;
  {
    const std::lock_guard lock(mutex_);
    --under_way_;
    if (stopped_) return;
    if (!waiting_.empty()) {
      next = std::move(waiting_.front());
      waiting_.pop_front();
      ++under_way_;
    }
  }
  tell(*q, value_of(result));
  if (next) send(next);
}

void metric_poller::tell(const question& q, const core::result<core::decimal>& outcome) {
  ++(outcome ? s_.polls_answered : s_.polls_failed);
  auto request = system_request(core::stream_of(q.owner));
  usage_intake intake;
  intake.polled = poll_answer{q.metric.name, outcome ? *outcome : core::decimal{},
                              outcome ? std::string{} : outcome.failure().code};
  if (outcome) {
    core::usage_report report;
    report.metric = q.metric.name;
    report.source = "poll";
    report.kind = q.metric.kind;
    report.value = *outcome;
    // All answers of an hour are one record: counters stand as they are.
    const bool gauge = q.metric.kind == core::metric_kind::gauge;
    const bool peak = q.metric.function == core::metric_function::peak;
    report.fold = !gauge ? core::usage_fold::newest
                  : peak ? core::usage_fold::peak
                         : core::usage_fold::average;
    report.window_start = std::chrono::floor<std::chrono::hours>(q.asked_at);
    report.window_end = *report.window_start + std::chrono::hours{1};
    intake.reports.push_back(std::move(report));
  }
  intake.tell = [](usage_outcomes&&) {};
  request->body = std::move(intake);
  s_.to_shard(std::move(request));
}

void metric_poller::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  waiting_.clear();
}

}  // namespace syndicated::actors
