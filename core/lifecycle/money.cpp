#include "core/lifecycle/money.hpp"

#include <algorithm>
#include <array>

#include "core/base/limits.hpp"

namespace syndicated::core {
namespace {

constexpr std::uint64_t one = 1'000'000;
constexpr std::size_t decimals = 6;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// ISO 4217, list one: the currencies whose smallest coin is not a hundredth.
int coin_decimals(std::string_view currency) noexcept {
  constexpr std::array<std::string_view, 16> none{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                                  "KMF", "KRW", "PYG", "RWF", "UGX", "VND",
                                                  "VUV", "XAF", "XOF", "XPF"};
  constexpr std::array<std::string_view, 7> three{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
  if (std::ranges::find(none, currency) != none.end()) return 0;
  return std::ranges::find(three, currency) != three.end() ? 3 : 2;
}

}  // namespace

std::string money_text(micros amount) {
  const bool negative = amount < 0;
  const auto size =
      negative ? 0 - static_cast<std::uint64_t>(amount) : static_cast<std::uint64_t>(amount);
  std::string fraction = std::to_string(one + size % one).substr(1);
  while (fraction.size() > 2 && fraction.back() == '0') fraction.pop_back();
  return (negative ? "-" : "") + std::to_string(size / one) + '.' + fraction;
}

std::optional<micros> parse_money(std::string_view text) noexcept {
  const std::size_t dot = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, dot);
  const std::string_view fraction = dot < text.size() ? text.substr(dot + 1) : std::string_view{};
  const bool digits =
      std::ranges::all_of(whole, is_digit) && std::ranges::all_of(fraction, is_digit);
  if (!digits || whole.empty() || whole.size() > 12 || fraction.size() > decimals ||
      (dot < text.size() && fraction.empty())) {
    return std::nullopt;
  }
  micros amount = 0;
  for (const char c : whole) amount = amount * 10 + (c - '0');
  for (std::size_t i = 0; i < decimals; ++i) {
    amount = amount * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  if (amount > limits::price_micros_max) return std::nullopt;
  return amount;
}

bool is_currency(std::string_view code) noexcept {
  return code.size() == 3 && std::ranges::all_of(code, [](char c) { return c >= 'A' && c <= 'Z'; });
}

micros rounded_to_coin(micros amount, std::string_view currency) noexcept {
  micros coin = static_cast<micros>(one);
  for (int i = coin_decimals(currency); i > 0; --i) coin /= 10;
  const micros rest = amount % coin;
  const micros down = amount - rest;
  if (rest * 2 >= coin) return down + coin;
  if (rest * 2 <= -coin) return down - coin;
  return down;
}

}  // namespace syndicated::core
