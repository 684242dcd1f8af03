#include "ctl/table.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ostream>

namespace syndicated::ctl {
namespace {

// Columns on the terminal: UTF-8 continuation bytes take none.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t to, table::align side) {
  const std::size_t used = width(text);
  const std::string gap(to > used ? to - used : 0, ' ');
  return side == table::align::right ? gap + text : text + gap;
}

std::string two_digits(std::int64_t value) {
  std::string text = std::to_string(value);
  return text.size() < 2 ? '0' + text : text;
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string human_age(std::chrono::milliseconds age) {
  const std::int64_t ms = std::max<std::int64_t>(age.count(), 0);
  const std::int64_t s = ms / 1000;
  if (s < 10) return std::to_string(s) + '.' + std::to_string(ms % 1000 / 100) + 's';
  if (s < 60) return std::to_string(s) + 's';
  if (s < 3'600) return std::to_string(s / 60) + 'm' + two_digits(s % 60) + 's';
  if (s < 86'400) return std::to_string(s / 3'600) + 'h' + two_digits(s % 3'600 / 60) + 'm';
  return std::to_string(s / 86'400) + 'd' + two_digits(s % 86'400 / 3'600) + 'h';
}

std::string human_count(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t place = text.size(); place > 3;) {
    place -= 3;
    text.insert(place, 1, ',');
  }
  return text;
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024.0 && unit + 1 < std::size(units)) {
    value /= 1024.0;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

std::string human_when(const std::optional<core::timestamp>& at, core::timestamp now) {
  if (!at) return "-";
  return *at > now ? "in " + human_age(*at - now) : human_age(now - *at);
}

std::optional<core::timestamp> parse_when(std::string_view text, core::timestamp now) {
  if (const auto exact = core::parse_rfc3339(text)) return exact;
  std::int64_t count = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failure != std::errc{} || end + 1 != text.data() + text.size() || count < 0 ||
      count > 1'000'000)
    return std::nullopt;
  switch (*end) {
    case 's': return now - std::chrono::seconds{count};
    case 'm': return now - std::chrono::minutes{count};
    case 'h': return now - std::chrono::hours{count};
    case 'd': return now - std::chrono::days{count};
    default: return std::nullopt;
  }
}

std::string printable(std::string_view text, std::size_t width_max) {
  std::string out;
  std::size_t used = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continuation = (byte & 0xC0U) == 0x80U;
    if (!continuation && used == width_max) return out + "...";
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
    if (!continuation) ++used;
  }
  return out;
}

void table::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = width(columns_[i].title);
    for (const auto& row : rows_) widest = std::max(widest, width(row[i]));
    widths.push_back(widest);
  }
  const auto line = [&](const auto& cell) {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) text += "  ";
      text += padded(cell(i), widths[i], columns_[i].side);
    }
    out << trimmed(std::move(text)) << '\n';
  };
  line([&](std::size_t i) { return columns_[i].title; });
  for (const auto& row : rows_) line([&](std::size_t i) { return row[i]; });
}

void facts::print(std::ostream& out) const {
  std::size_t widest = 0;
  for (const auto& [name, value] : lines_) widest = std::max(widest, width(name));
  for (const auto& [name, value] : lines_) {
    out << trimmed(padded(name, widest + 2, table::align::left) + value) << '\n';
  }
}

}  // namespace syndicated::ctl
