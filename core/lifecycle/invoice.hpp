// Invoices: a thin mirror of what the billing has emitted for a subscription (domain.md 1.7, 1.10,
// 10.2). We compute no money and number nothing for the books: state, due date, the billing's own
// reference, and the lines as they came.
//
// Plain values and pure rules; the clock is a parameter. What becomes of an invoice is decided by
// its subscription's machine (subscription_invoices.cpp), so that `paid` follows in the same
// commit. An id carries its subscription, as an operation's does: no look-up finds the owner.
// Limits: limits::invoice_*.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/json_writer.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/allowance.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/event.hpp"

namespace syndicated::core {

// Persisted: never renumber.
enum class invoice_state : std::uint8_t {
  unpaid = 1,
  pending = 2,  // a payment is under way
  delayed = 3,  // to be paid later, as was agreed: counts as paid
  paid = 4,
  expired = 5,  // nobody waits for the payment any more: counts as unpaid
};
inline constexpr int invoice_state_count = 5;
std::string_view to_string(invoice_state state) noexcept;  // "UNPAID" ...
// Also Cloudesire's further words: REQUIRES_ACTION and REQUIRES_CAPTURE are PENDING.
std::optional<invoice_state> parse_invoice_state(std::string_view text) noexcept;
constexpr bool counts_as_paid(invoice_state s) noexcept {
  return s == invoice_state::delayed || s == invoice_state::paid;
}

// Persisted: never renumber.
enum class invoice_kind : std::uint8_t {
  normal = 1,
  upsell = 2,   // what a vendor charges besides the plan
  chunked = 3,  // a part of a larger sum
  cashed = 4,   // the vendor has the money already: a declaration
  refund = 5,
};
std::string_view to_string(invoice_kind kind) noexcept;  // "NORMAL" ...
std::optional<invoice_kind> parse_invoice_kind(std::string_view text) noexcept;

struct invoice_line {
  std::string description;
  std::string identifier;
  micros price = 0;            // of one unit; below zero: a discount
  std::string currency;        // empty: the marketplace's
  std::optional<decimal> vat;  // in percent
  decimal quantity = whole(1);
  std::string unit;
  std::optional<timestamp> purchased;  // what is charged was used up to then
  friend bool operator==(const invoice_line&, const invoice_line&) = default;
};

struct invoice {
  invoice_id id;
  subscription_id subscription;
  tenant_id tenant;  // who is to pay: that of the subscription then, also after a transfer (S18)
  invoice_kind kind = invoice_kind::normal;
  invoice_state state = invoice_state::unpaid;
  std::optional<timestamp> due_at;
  bool overdue = false;   // it was told
  std::string reference;  // the billing's own number
  std::vector<invoice_line> lines;
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
};

// What a subscription keeps in its own record of an invoice that does not count as paid.
struct open_invoice {
  std::uint32_t number = 0;
  invoice_state state = invoice_state::unpaid;
  std::optional<timestamp> due_at;
  bool overdue = false;
  friend bool operator==(const open_invoice&, const open_invoice&) = default;
};

// What is asked for.
struct new_invoice {
  invoice_kind kind = invoice_kind::normal;
  std::optional<invoice_state> state;  // the billing's word only; none: UNPAID
  std::optional<timestamp> due_at;
  std::string reference;
  std::vector<invoice_line> lines;
};
struct invoice_edit {
  std::uint32_t number = 0;
  std::optional<invoice_state> state;
  std::optional<timestamp> due_at;
};

// One invoice's part of a decision: what it is from now on, and under which name that is told.
struct invoice_step {
  open_invoice to;
  std::string_view told;  // a literal
};

// A declaration, a refund, or nothing but discounts: there is nothing to pay.
bool owes_nothing(const new_invoice& wanted) noexcept;
// PAID is for good; one that has expired may still be paid.
bool may_go(invoice_state from, invoice_state to) noexcept;
void apply(invoice& i, const invoice_step& step, timestamp now);
// What was personal goes; ids, dates and states stay (S16).
void erase_lines(invoice& i);
// The event in the invoice's own stream; whom it concerns and what caused it are the caller's to
// add.
event event_of(const invoice& i, std::string_view name);

inline constexpr unsigned invoice_bits = 20;

constexpr invoice_id invoice_of(subscription_id s, std::uint32_t number) noexcept {
  return {s.value << invoice_bits | number};
}
constexpr subscription_id subscription_of(invoice_id id) noexcept {
  return {id.value >> invoice_bits};
}
constexpr std::uint32_t number_of(invoice_id id) noexcept {
  return static_cast<std::uint32_t>(id.value & ((1U << invoice_bits) - 1));
}

void write_lines(json_writer& out, const std::vector<invoice_line>& lines);
void write_members(json_writer& out, const invoice& i);
std::string to_json(const invoice& i);
// {"id", "state", "due_at", "overdue"}: an entry of a subscription's list.
void write_open(json_writer& out, const open_invoice& i, subscription_id owner);

}  // namespace syndicated::core
