#include "core/delivery/response.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/limits.hpp"

namespace syndicated::core {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool accepted(int status, const endpoint& to) {
  if (!to.success_codes.empty()) {
    return std::find(to.success_codes.begin(), to.success_codes.end(), status) !=
           to.success_codes.end();
  }
  if (to.form == wire_form::cloudesire) return status == 200 || status == 204;
  return status >= 200 && status <= 299;
}

verdict classify_error(attempt_error error) {
  std::string word{to_string(error)};
  switch (error) {
    case attempt_error::none: break;
    case attempt_error::blocked_destination:
      return {response_class::blocked, word, {}, receiver_wish::none, false};
    case attempt_error::local: return {response_class::local, word, {}, receiver_wish::none, false};
    case attempt_error::auth:
      return {response_class::failure, word, {}, receiver_wish::none, false};
    case attempt_error::response_too_large:
    case attempt_error::protocol: return {response_class::failure, word, {}};
    case attempt_error::dns:
    case attempt_error::connect:
    case attempt_error::tls:
    case attempt_error::timeout:
    case attempt_error::send: return {response_class::overload, word, {}};
  }
  return {response_class::failure, word, {}};
}

bool overloaded(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

std::optional<int> month_number(std::string_view name) {
  constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end()) return std::nullopt;
  return static_cast<int>(it - names.begin()) + 1;
}

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || text.front() == '-') {
    return std::nullopt;
  }
  return value;
}

// IMF-fixdate only: "Sun, 06 Nov 1994 08:49:37 GMT". The obsolete forms are ignored.
std::optional<timestamp> parse_http_date(std::string_view text) {
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" ||
      text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') {
    return std::nullopt;
  }
  const auto day = digits(text.substr(5, 2));
  const auto month = month_number(text.substr(8, 3));
  const auto year = digits(text.substr(12, 4));
  const auto hour = digits(text.substr(17, 2));
  const auto minute = digits(text.substr(20, 2));
  const auto second = digits(text.substr(23, 2));
  if (!day || !month || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return timestamp{std::chrono::sys_days{date}} + std::chrono::hours{*hour} +
         std::chrono::minutes{*minute} + seconds{*second};
}

}  // namespace

std::string_view to_string(response_class c) noexcept {
  switch (c) {
    case response_class::delivered: return "delivered";
    case response_class::failure: return "failure";
    case response_class::overload: return "overload";
    case response_class::gone: return "gone";
    case response_class::rejected_size: return "rejected_size";
    case response_class::blocked: return "blocked_destination";
    case response_class::local: return "local";
  }
  return "";
}

std::optional<milliseconds> parse_retry_after(std::string_view value, timestamp now) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  if (value.empty()) return std::nullopt;
  constexpr milliseconds longest = seconds{limits::retry_after_s_max};
  if (std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    std::int64_t parsed = 0;
    const auto end = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (end.ec != std::errc{} || parsed > limits::retry_after_s_max) return std::nullopt;
    return seconds{parsed};
  }
  const auto date = parse_http_date(value);
  if (!date || *date < now || *date - now > longest) return std::nullopt;
  return *date - now;
}

namespace {

receiver_wish wish_of(const attempt_result& r, const endpoint& to) {
  if (!to.receiver_control || r.control.empty()) return receiver_wish::none;
  if (r.control == "disable") return receiver_wish::disable;
  return r.control == "abort-message" ? receiver_wish::abort_message : receiver_wish::none;
}

verdict classify_status(const attempt_result& r, const endpoint& to, timestamp now) {
  if (accepted(r.status, to)) return {response_class::delivered, {}, {}};
  std::string word = "http_" + std::to_string(r.status);
  if (r.status == 410) return {response_class::gone, word, {}};
  if (r.status == 413 || r.status == 431) return {response_class::rejected_size, word, {}};
  if (r.status >= 300 && r.status <= 399) return {response_class::failure, "redirect", {}};
  if (!overloaded(r.status)) return {response_class::failure, word, {}};
  verdict v{response_class::overload, word, {}};
  if (r.status == 429 || r.status == 503) v.retry_after = parse_retry_after(r.retry_after, now);
  return v;
}

}  // namespace

verdict classify(const attempt_result& r, const endpoint& to, timestamp now) {
  if (r.error != attempt_error::none) return classify_error(r.error);
  verdict v = classify_status(r, to, now);
  v.wish = wish_of(r, to);
  return v;
}

}  // namespace syndicated::core
