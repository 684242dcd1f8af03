// Exact money: integers of millionths, decimals in text. Pure; no floating point anywhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/lifecycle/catalog.hpp"

namespace syndicated::core {

// "2.50", "-0.000001": at least two decimals, at most six, no more than are needed.
std::string money_text(micros amount);
// Digits with at most six decimals, from 0 to limits::price_micros_max; nothing else.
std::optional<micros> parse_money(std::string_view text) noexcept;

bool is_currency(std::string_view code) noexcept;  // three capital letters, as ISO 4217 has them
// What is paid: to the currency's smallest coin, halves away from zero.
micros rounded_to_coin(micros amount, std::string_view currency) noexcept;

}  // namespace syndicated::core
