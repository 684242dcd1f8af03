#include "api/invoice_input.hpp"

#include <array>
#include <charconv>

#include "api/words.hpp"
#include "core/lifecycle/money.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;

constexpr std::string_view states = "UNPAID, PENDING, DELAYED, PAID, EXPIRED";
constexpr std::string_view list_rule = "must be an array of at most 64 lines";
constexpr core::micros percent_max = 100 * core::decimal_one;

std::optional<std::string> text_of(const json& value, bool reals_too) {
  if (value.text() != nullptr) return *value.text();
  if (value.integer() != nullptr) return std::to_string(*value.integer());
  if (value.real() == nullptr || !reals_too) return std::nullopt;
  std::array<char, 64> text{};
  const auto [end, failure] = std::to_chars(text.data(), text.data() + text.size(), *value.real(),
                                            std::chars_format::fixed);
  if (failure != std::errc{}) return std::nullopt;
  return std::string{text.data(), end};
}

// Millionths.
std::optional<core::micros> amount_of(const json& value, bool reals_too) {
  const auto text = text_of(value, reals_too);
  if (!text) return std::nullopt;
  const bool negative = text->starts_with('-');
  const auto size = core::parse_money(std::string_view{*text}.substr(negative ? 1 : 0));
  if (!size) return std::nullopt;
  return negative ? -*size : *size;
}

core::micros read_price(object_reader& in, std::string_view name, bool reals_too) {
  const json* given = in.value(name);
  if (given == nullptr || given->is_null()) {
    in.refuse(name, "is required");
    return 0;
  }
  const auto amount = amount_of(*given, reals_too);
  if (!amount) {
    in.refuse(name,
              "must be an amount up to 1000000000: a text such as \"2.50\" with at most six "
              "decimals, or a whole number");
  }
  return amount.value_or(0);
}

std::optional<core::decimal> read_figure(object_reader& in, std::string_view name,
                                         core::micros most) {
  const json* given = in.value(name);
  if (given == nullptr || given->is_null()) return std::nullopt;
  const auto amount = amount_of(*given, true);
  if (!amount || *amount < 0 || *amount > most) {
    in.refuse(name, "must be a number from 0 to " + std::to_string(most / core::decimal_one) +
                        " with at most six decimals");
    return std::nullopt;
  }
  return core::decimal{*amount};
}

std::string read_currency(object_reader& in) {
  const auto given = in.text("currency", 3);
  if (given && !core::is_currency(*given)) {
    in.refuse("currency", "must be three capital letters as in ISO 4217");
  }
  return given.value_or(std::string{});
}

// {"price": "100.0000", "currency": "EUR", "vat": 22.0}
void read_nested_price(object_reader& in, const std::string& base, core::invoice_line& line) {
  const json* given = in.value("price");
  if (given == nullptr || given->is_null()) return in.refuse("price", "is required");
  object_reader inner{*given, base + "/price", true};
  line.price = read_price(inner, "price", true);
  line.currency = read_currency(inner);
  line.vat = read_figure(inner, "vat", percent_max);
  in.absorb(std::move(inner));
}

core::invoice_line read_line(object_reader& in, const std::string& base, line_form form) {
  const bool native = form == line_form::native;
  core::invoice_line line;
  line.description = in.required("description", in.text("description", message_bytes_max, 1));
  line.identifier = in.text("identifier", name_bytes_max).value_or(std::string{});
  line.unit = in.text("unit", name_bytes_max).value_or(std::string{});
  line.quantity = read_figure(in, "quantity", price_micros_max).value_or(core::whole(1));
  line.purchased = in.time(native ? "purchased_at" : "purchased");
  if (native) {
    line.price = read_price(in, "price", false);
    line.currency = read_currency(in);
    line.vat = read_figure(in, "vat", percent_max);
  } else {
    read_nested_price(in, base, line);
  }
  return line;
}

std::optional<core::invoice_state> parse_state(std::string_view text) {
  return core::parse_invoice_state(text);
}

std::optional<core::invoice_state> parse_any_case(std::string_view text) {
  return core::parse_invoice_state(upper_case(text));
}

}  // namespace

std::vector<core::invoice_line> read_lines(object_reader& in, const json& list,
                                           const std::string& base, line_form form) {
  std::vector<core::invoice_line> out;
  const json::array_type* items = list.array();
  if (items == nullptr || items->size() > invoice_lines_max) {
    in.refuse(base.substr(1), std::string{list_rule});
    return out;
  }
  for (std::size_t i = 0; i < items->size(); ++i) {
    const std::string place = base + '/' + std::to_string(i);
    object_reader each{(*items)[i], place, form == line_form::cloudesire};
    out.push_back(read_line(each, place, form));
    in.absorb(std::move(each));
  }
  return out;
}

core::result<std::vector<core::invoice_line>> read_line_body(const json& body) {
  const json* list = body.object() != nullptr ? body.find("lines") : &body;
  const std::string base = body.object() != nullptr ? "/lines" : "";
  const bool fits =
      list != nullptr && list->array() != nullptr && list->array()->size() <= invoice_lines_max;
  if (!fits) return core::invalid_field(base, std::string{list_rule});
  const json nothing{json::object_type{}};
  object_reader in{nothing, {}, true};
  auto lines = read_lines(in, *list, base, line_form::cloudesire);
  if (const auto ok = in.finish(); !ok) return ok.failure();
  return lines;
}

core::result<core::new_invoice> read_new_invoice(const json& body) {
  object_reader in{body};
  core::new_invoice out;
  out.kind = in.word("kind", core::parse_invoice_kind, "NORMAL, UPSELL, CHUNKED, CASHED, REFUND")
                 .value_or(core::invoice_kind::normal);
  out.state = in.word("state", parse_state, states);
  out.due_at = in.time("due_at");
  out.reference = in.text("reference", name_bytes_max).value_or(std::string{});
  if (const json* lines = in.value("lines"); lines != nullptr) {
    out.lines = read_lines(in, *lines, "/lines", line_form::native);
  }
  if (const auto ok = in.finish(); !ok) return ok.failure();
  return out;
}

core::result<core::invoice_edit> read_invoice_edit(const json& body) {
  object_reader in{body};
  core::invoice_edit out;
  out.state = in.word("state", parse_state, states);
  out.due_at = in.time("due_at");
  if (in.clean() && !out.state && !out.due_at) {
    in.refuse("state", "is required when there is no due_at");
  }
  if (const auto ok = in.finish(); !ok) return ok.failure();
  return out;
}

core::result<core::invoice_edit> read_payment(const json& body) {
  object_reader in{body, {}, true};
  core::invoice_edit out;
  const auto paid = in.boolean("paid");
  out.state = in.word("paymentStatus", parse_any_case, states);
  const auto status = in.word("status", parse_any_case, states);
  const std::string_view named = out.state ? "paymentStatus" : "status";
  if (out.state && status && out.state != status) {
    in.refuse("status", "says something else than paymentStatus");
  }
  if (!out.state) out.state = status;
  if (in.clean() && out.state && paid && core::counts_as_paid(*out.state) != *paid) {
    in.refuse(named, "says something else than paid");
  } else if (in.clean() && !out.state && !paid) {
    in.refuse("paid", "either paid or paymentStatus is needed");
  } else if (in.clean() && !out.state && !*paid) {
    in.refuse("paid", "must be true; what else became of it says paymentStatus");
  }
  if (in.clean() && !out.state) out.state = core::invoice_state::paid;
  if (const auto ok = in.finish(); !ok) return ok.failure();
  return out;
}

}  // namespace syndicated::api
