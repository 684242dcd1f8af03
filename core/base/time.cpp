#include "core/base/time.hpp"

#include <array>
#include <cstdio>

namespace syndicated::core {
namespace {

struct civil {
  int year;
  unsigned month, day, hour, minute, second, ms;
};

civil split(timestamp at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day ymd{day};
  const auto rest = static_cast<unsigned>((at - day).count());
  return {static_cast<int>(ymd.year()),
          static_cast<unsigned>(ymd.month()),
          static_cast<unsigned>(ymd.day()),
          rest / 3'600'000U,
          rest / 60'000U % 60U,
          rest / 1'000U % 60U,
          rest % 1'000U};
}

timestamp clamp_printable(timestamp at) {
  using namespace std::chrono;
  constexpr timestamp low{sys_days{year{1} / 1 / 1}};
  constexpr timestamp high{sys_days{year{9999} / 12 / 31} + 86'399'999ms};
  return at < low ? low : at > high ? high : at;
}

void put(char*& out, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10U);
    value /= 10U;
  }
  out += digits;
}

using time_text = std::array<char, 24>;

std::string_view format(timestamp at, bool with_ms, time_text& buffer) {
  const civil c = split(clamp_printable(at));
  char* out = buffer.data();
  put(out, static_cast<unsigned>(c.year), 4);
  *out++ = '-';
  put(out, c.month, 2);
  *out++ = '-';
  put(out, c.day, 2);
  *out++ = 'T';
  put(out, c.hour, 2);
  *out++ = ':';
  put(out, c.minute, 2);
  *out++ = ':';
  put(out, c.second, 2);
  if (with_ms) {
    *out++ = '.';
    put(out, c.ms, 3);
  }
  *out++ = 'Z';
  return {buffer.data(), static_cast<std::size_t>(out - buffer.data())};
}

// Reads exactly `digits` decimal digits; -1 when they are not there.
int take(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool skip(std::string_view& text, std::string_view allowed) {
  if (text.empty() || allowed.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// "Z" or "+hh:mm"; the offset in minutes.
std::optional<int> take_offset(std::string_view& text) {
  if (skip(text, "Zz")) return 0;
  if (text.empty()) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  if (!skip(text, "+-")) return std::nullopt;
  const int hours = take(text, 2);
  if (hours < 0 || hours > 23 || !skip(text, ":")) return std::nullopt;
  const int minutes = take(text, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

}  // namespace

std::string format_rfc3339_ms(timestamp at) {
  time_text buffer;
  return std::string{format(at, true, buffer)};
}
std::string format_rfc3339_seconds(timestamp at) {
  time_text buffer;
  return std::string{format(at, false, buffer)};
}
void append_rfc3339_ms(std::string& out, timestamp at) {
  time_text buffer;
  out += format(at, true, buffer);
}

std::optional<timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const int y = take(text, 4);
  if (y < 1 || !skip(text, "-")) return std::nullopt;
  const int mo = take(text, 2);
  if (mo < 1 || !skip(text, "-")) return std::nullopt;
  const int d = take(text, 2);
  if (d < 1 || !skip(text, "Tt ")) return std::nullopt;
  const int h = take(text, 2);
  if (h < 0 || h > 23 || !skip(text, ":")) return std::nullopt;
  const int mi = take(text, 2);
  if (mi < 0 || mi > 59 || !skip(text, ":")) return std::nullopt;
  const int s = take(text, 2);
  if (s < 0 || s > 59) return std::nullopt;
  int ms = 0;
  if (skip(text, ".")) {
    int scale = 100;
    std::size_t digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
      ms += (text.front() - '0') * scale;
      scale /= 10;
      text.remove_prefix(1);
    }
    if (digits == 0 || digits > 9) return std::nullopt;
  }
  const auto offset = take_offset(text);
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (!offset || !text.empty() || !date.ok()) return std::nullopt;
  return timestamp{sys_days{date}} + hours{h} + minutes{mi - *offset} + seconds{s} +
         milliseconds{ms};
}

timestamp add_months(timestamp at, int count) {
  using namespace std::chrono;
  const auto midnight = floor<days>(at);
  year_month_day date{midnight};
  date += months{count};
  if (!date.ok()) date = date.year() / date.month() / last;
  return timestamp{sys_days{date}} + (at - midnight);
}

}  // namespace syndicated::core
