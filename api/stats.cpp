#include "api/stats.hpp"

#include <algorithm>

namespace syndicated::api {
namespace {

constexpr std::array<std::string_view, 7> method_names{"GET",   "HEAD",   "POST", "PUT",
                                                       "PATCH", "DELETE", "other"};

std::size_t method_index(std::string_view method) noexcept {
  for (std::size_t i = 0; i + 1 < method_names.size(); ++i) {
    if (method_names[i] == method) return i;
  }
  return method_names.size() - 1;
}

}  // namespace

std::string_view to_string(face f) noexcept {
  switch (f) {
    case face::v1: return "v1";
    case face::cloudesire: return "api";
    case face::admin: return "admin";
    case face::open: return "open";
    case face::accounts: return "api2";
  }
  return "open";
}

void stats::add(face f, std::string_view method, int status,
                std::chrono::microseconds took) noexcept {
  const int kind = std::clamp(status / 100, 1, static_cast<int>(classes));
  const std::size_t index =
      (static_cast<std::size_t>(f) * methods + method_index(method)) * classes +
      static_cast<std::size_t>(kind - 1);
  cells_[index].requests.fetch_add(1, std::memory_order_relaxed);
  cells_[index].total_us.fetch_add(
      static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)),
      std::memory_order_relaxed);
}

std::vector<request_count> stats::read() const {
  std::vector<request_count> counts;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const std::uint64_t requests = cells_[i].requests.load(std::memory_order_relaxed);
    if (requests == 0) continue;
    counts.push_back({static_cast<face>(i / (methods * classes)),
                      method_names[i / classes % methods], static_cast<int>(i % classes) + 1,
                      requests, cells_[i].total_us.load(std::memory_order_relaxed)});
  }
  return counts;
}

}  // namespace syndicated::api
