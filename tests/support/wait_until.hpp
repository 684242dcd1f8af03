// Waiting for a condition, never for a time.
#pragma once

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <thread>

namespace syndicated::tests {

// Yields until the condition holds; the test fails after a long while.
inline void wait_until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) BOOST_FAIL("the awaited condition never came");
    std::this_thread::yield();
  }
}

}  // namespace syndicated::tests
