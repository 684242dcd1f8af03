// Stops sending to an origin that fails, and finds out with single probes when it is well again
// (delivery.md, 1). Pure: the clock and the random number are parameters.
//
// Closed: it opens on two failed cohorts without a sign of life between them nor an hour, or on
// half of at least twenty attempts in a minute. Open: nothing is sent until `until`; 30 s doubling
// to 15 min, each t/2 + rand(0..t/2). Half-open: one probe; it closes the breaker or opens it for
// longer. What counts as a failure (response_class::overload) is the caller's to decide.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/time.hpp"

namespace syndicated::core {

struct breaker_rules {
  std::chrono::milliseconds open_first = std::chrono::seconds{30};  // 0 = it never opens
  std::chrono::milliseconds open_max = std::chrono::minutes{15};
};

enum class breaker_state : std::uint8_t { closed, open, half_open };
std::string_view to_string(breaker_state state) noexcept;

// What is stored while it is not closed, so that a restart is not a herd.
struct breaker_record {
  std::string origin;
  std::uint32_t trips = 0;  // openings in a row, at least 1
  timestamp since{};        // of the first of them
  timestamp until{};
  std::string reason;  // coarse word of the last failure: "http_503", "timeout" ...
};

// Attempts and failures of the last minute, in steps of ten seconds.
class minute_counts {
 public:
  void add(timestamp now, bool failed) noexcept;
  std::uint32_t attempts() const noexcept { return attempts_; }
  std::uint32_t failures() const noexcept { return failures_; }
  // One of the failures turned out to be none.
  void forgive() noexcept;
  // Forgets what is older than a minute. A clock that was set back keeps what it has.
  void age(timestamp now) noexcept;
  void clear() noexcept { *this = {}; }
  // When counts may fall next.
  static timestamp next_step(timestamp now) noexcept;

 private:
  struct step {
    std::uint32_t attempts = 0;
    std::uint32_t failures = 0;
  };
  std::array<step, 6> steps_{};
  std::int64_t newest_ = 0;  // number of the newest step since 1970
  std::uint32_t attempts_ = 0;
  std::uint32_t failures_ = 0;
};

class breaker {
 public:
  breaker_state state(timestamp now) const noexcept;
  bool closed() const noexcept { return trips_ == 0; }
  const std::string& reason() const noexcept { return reason_; }
  timestamp until() const noexcept { return until_; }

  // Outcomes while it is closed; any answer that is no overload is a success. failed(): true when
  // it opened now. `cohort`: how many requests were allowed at a time.
  void succeeded(timestamp now) noexcept;
  bool failed(int cohort, std::string_view reason, const breaker_rules& rules, double random,
              timestamp now);

  // The probe while it is half-open. At most one at a time.
  bool may_probe(timestamp now) const noexcept;
  void probe_began() noexcept { probing_ = true; }
  void probe_lost() noexcept { probing_ = false; }  // nothing came of it: another may go
  void probe_succeeded() noexcept;
  void probe_failed(std::string_view reason, const breaker_rules& rules, double random,
                    timestamp now);

  breaker_record record(std::string origin) const;
  // After a restart. A wall clock that jumped cannot keep it open for longer than the rules do.
  void restore(const breaker_record& stored, const breaker_rules& rules, timestamp now);

 private:
  void open(std::string_view reason, const breaker_rules& rules, double random, timestamp now);

  std::uint32_t trips_ = 0;  // 0 = closed
  timestamp since_{};
  timestamp until_{};
  std::chrono::milliseconds pause_{0};  // what until_ was given
  std::string reason_;
  bool probing_ = false;
  std::uint32_t failed_cohorts_ppm_ = 0;
  timestamp failed_last_{};
  minute_counts recent_;
};

}  // namespace syndicated::core
