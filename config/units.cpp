#include "config/units.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace syndicated::config {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<unit, 5> duration_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<unit, 4> size_units{
    {{"GiB", 1ULL << 30U}, {"MiB", 1ULL << 20U}, {"KiB", 1ULL << 10U}, {"B", 1}}};
constexpr std::uint64_t duration_ms_max = 3'650ULL * 86'400'000ULL;

template <class Units>
std::optional<std::uint64_t> parse(std::string_view text, const Units& units) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc{} || rest == text.data()) return std::nullopt;
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  for (const unit& u : units) {
    if (u.name != suffix) continue;
    if (number > std::numeric_limits<std::uint64_t>::max() / u.factor) return std::nullopt;
    return number * u.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto ms = parse(text, duration_units);
  if (!ms || *ms > duration_ms_max) return std::nullopt;
  return std::chrono::milliseconds{static_cast<std::int64_t>(*ms)};
}

std::string format_duration(std::chrono::milliseconds value) {
  const auto ms = static_cast<std::uint64_t>(value.count());
  if (ms == 0) return "0s";
  for (const unit& u : duration_units) {
    if (ms % u.factor == 0) return std::to_string(ms / u.factor).append(u.name);
  }
  return std::to_string(ms).append("ms");
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) { return parse(text, size_units); }

}  // namespace syndicated::config
