// Asks a vendor while a caller waits for the answer (domain.md, 1.12): POST of JSON to one of the
// product's URLs, once, outside of every queue.
//
// Threads: any; the reply comes through `elsewhere`, never on the curl loop's thread. Bounds:
// limits::vendor_questions_max at a time, an eighth of them to one vendor, so that one that hangs
// leaves room for the others; limits::vendor_question_ms each; the answer's body is cut at
// limits::response_body_bytes_max. Lifetime: outlives the curl loop's callbacks.
// Errors: attempt_error::local, "overloaded" or "stopped", when nothing was asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "actors/commands.hpp"
#include "core/delivery/attempt.hpp"
#include "net/curl_loop.hpp"

namespace syndicated::actors {

class vendor_asker {
 public:
  using reply = std::function<void(core::attempt_result&&)>;
  using submitter = std::function<void(net::attempt_request&&)>;
  using runner = std::function<void(std::function<void()>)>;
  // Simulated time waits while somebody holds a copy of `open`, which outlives this.
  vendor_asker(submitter submit, runner elsewhere, const std::shared_ptr<const char>& open)
      : submit_(std::move(submit)), elsewhere_(std::move(elsewhere)), open_(open) {}

  void ask(vendor_question q, reply tell);
  // Since the start: any status is an answer.
  std::uint64_t answered() const noexcept { return answered_; }
  std::uint64_t failed() const noexcept { return failed_; }

 private:
  bool begin(core::vendor_id v);
  void end(core::vendor_id v);

  const submitter submit_;
  const runner elsewhere_;
  const std::shared_ptr<const char>& open_;
  std::mutex mutex_;
  std::size_t under_way_ = 0;
  std::unordered_map<core::vendor_id, std::size_t> by_vendor_;  // of those with some
  std::atomic<std::uint64_t> answered_{0}, failed_{0};
};

}  // namespace syndicated::actors
