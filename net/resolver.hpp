// Names to addresses for one curl loop: c-ares, DNS only, on the loop's own epoll.
//
// Rules (reliability.md 5.1 rule 2): the hosts file and search domains play no part, 2 s and two
// tries, one query per name however many ask, answers kept for their TTL clamped to 5-300 s,
// failures for a short time. All answers (up to 256) are returned: the caller judges every one of
// them and contacts at most limits::dns_answers_max.
//
// Threads: only the loop's. Lifetime: no callback after the destructor; whoever still waits is
// forgotten (the loop reports its requests itself).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/delivery/egress_policy.hpp"
#include "net/start_bound.hpp"

namespace syndicated::net {

struct dns_answer {
  std::vector<core::ip_address> addresses;  // empty: failed
  std::string failure;                      // the library's words
};

class resolver {
 public:
  using callback = std::function<void(const dns_answer&)>;

  // Descriptors are added to and removed from `epoll_fd` with `data.u64 = tag | fd`.
  static core::result<std::unique_ptr<resolver>> create(const std::vector<std::string>& servers,
                                                        int epoll_fd, std::uint64_t tag,
                                                        start_bound lookups);
  ~resolver();
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  // The cached answer, or nullptr. Valid until the next call of any member.
  const dns_answer* cached(const std::string& host, std::int64_t now_ms);
  // A look-up of this name may begin, or is under way.
  bool has_room(const std::string& host, std::int64_t now_ms);
  // `done` is called later, from process(); never from inside resolve().
  void resolve(const std::string& host, std::int64_t now_ms, callback done);

  void process(int fd, bool readable, bool writable, std::int64_t now_ms);
  void process_timeouts(std::int64_t now_ms);
  // Until process_timeouts must be called; -1 when nothing is under way.
  int timeout_ms() const;
  // When has_room() may change, if no answer comes before. Asked while it says no.
  std::int64_t next_room_ms() const;
  std::uint64_t queries() const noexcept;

 private:
  class impl;
  explicit resolver(std::unique_ptr<impl> body);
  std::unique_ptr<impl> impl_;
};

}  // namespace syndicated::net
