// Bytes of request bodies in memory, over all connections of a server.
//
// A body that does not come together with its head counts with the length it announces, or with the
// memory it takes when it announces none, until the request is answered. A quarter is kept for
// small ones, so that large ones do not shut out short reports (delivery.md, 3: completions have a
// reserved path).
// Threads: any. Lifetime: shares keep the budget alive, so they may outlive the server.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

namespace syndicated::net {

class body_budget {
 public:
  explicit body_budget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  std::size_t held() const noexcept { return held_.load(std::memory_order_relaxed); }

 private:
  friend class body_share;
  const std::size_t bytes_max_;
  std::atomic<std::size_t> held_{0};
};

// What one request holds; given back at its end.
class body_share {
 public:
  explicit body_share(std::shared_ptr<body_budget> from);
  ~body_share();
  body_share(const body_share&) = delete;
  body_share& operator=(const body_share&) = delete;

  // From now on `bytes` in all, or what it had if that is more. False: there is no room for them.
  bool hold(std::size_t bytes);

 private:
  std::shared_ptr<body_budget> budget_;
  std::size_t held_ = 0;
};

}  // namespace syndicated::net
