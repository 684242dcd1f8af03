// Subscriptions as they are kept (domain.md, 10.2). Plain values; what may become of them stands in
// subscription_machine.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/commitment.hpp"
#include "core/lifecycle/invoice.hpp"
#include "core/lifecycle/operation.hpp"
#include "core/lifecycle/timers.hpp"

namespace syndicated::core {

// Cloudesire's words (domain.md, 1.8). Persisted: never renumber.
enum class subscription_status : std::uint8_t {
  requires_approval = 1,
  rejected = 2,
  postponed = 3,
  waiting_payment = 4,
  payment_expired = 5,
  pending = 6,
  post_configuration = 7,
  deployed = 8,
  stopped = 9,
  failed = 10,
  undeploy_sent = 11,
  undeployed = 12,
  purged = 13,  // ours: what was personal is erased, ids and audit stay (domain.md 10.1)
};
inline constexpr int subscription_status_count = 13;

std::string_view to_string(subscription_status status) noexcept;  // "REQUIRES_APPROVAL" ...
std::optional<subscription_status> parse_subscription_status(std::string_view text) noexcept;

// Bits of a set. STOPPED <=> the set is not empty, for a subscription that was provisioned.
enum class suspension_reason : std::uint8_t {
  unpaid = 1,
  admin_hold = 2,
  vendor_hold = 4,
  tenant_disabled = 8,
  expired = 16,
  cancelled = 32,
};
std::string_view to_string(suspension_reason reason) noexcept;  // "UNPAID" ...
std::optional<suspension_reason> parse_suspension_reason(std::string_view text) noexcept;

struct reason_set {
  std::uint8_t bits = 0;
  bool has(suspension_reason r) const noexcept {
    return (bits & static_cast<std::uint8_t>(r)) != 0;
  }
  bool empty() const noexcept { return bits == 0; }
  void add(suspension_reason r) noexcept {
    bits = static_cast<std::uint8_t>(bits | static_cast<std::uint8_t>(r));
  }
  void remove(suspension_reason r) noexcept {
    bits = static_cast<std::uint8_t>(bits & ~static_cast<std::uint8_t>(r));
  }
  std::vector<suspension_reason> list() const;
  friend bool operator==(reason_set, reason_set) = default;
};

// A sandbox is a trial for the vendor's own tests: free, short, and never converted.
enum class subscription_type : std::uint8_t { normal = 1, trial = 2, sandbox = 3 };
std::string_view to_string(subscription_type type) noexcept;  // "NORMAL", "TRIAL", "SANDBOX"
std::optional<subscription_type> parse_subscription_type(std::string_view text) noexcept;

// What a vendor tells the customer (domain.md, 1.10).
struct access_point {
  std::string endpoint;  // HTTPS URL
  std::string description;
  std::string category;  // APP, PASSWORD_RESET, DOCUMENTATION, VIDEO
  friend bool operator==(const access_point&, const access_point&) = default;
};

struct credential {
  std::string key;
  std::string sealed_value;  // encrypted; never leaves by any API
  string_map description;    // language -> text
  std::int64_t weight = 0;
};

struct subscription {
  subscription_id id;
  tenant_id tenant;
  tenant_id reseller;           // nearest selling ancestor
  std::vector<tenant_id> path;  // the tenant's ancestors, then the tenant: routing, access
  plan_id plan;
  product_id product;
  vendor_id vendor;
  std::string name;
  subscription_type type = subscription_type::normal;
  subscription_status status = subscription_status::pending;
  reason_set reasons;
  bool paid = false;
  core::quantities quantities;
  string_map config;
  bool auto_renew = true;
  std::optional<timestamp> start_date;  // first billing period begins (after provisioning)
  std::optional<timestamp> period_start;
  std::optional<timestamp> period_end;
  std::optional<timestamp> end_date;     // expiry if it is not renewed
  std::optional<timestamp> purge_at;     // data may be deleted from then (cancelled)
  std::optional<timestamp> grace_until;  // DEPLOYED beyond `end_date`
  timer_table timers;
  std::uint32_t attempt = 1;          // of provisioning
  bool overdue_told = false;          // that this attempt takes long
  std::vector<operation> operations;  // the newest ones, oldest first; those that are open stay
  std::uint32_t last_operation = first_order;
  std::optional<core::commitment> commitment;
  // Of the invoices only these are here; each has a row of its own.
  std::vector<open_invoice> open_invoices;  // that do not count as paid, in the order of numbers
  std::uint32_t last_invoice = 0;
  std::optional<timestamp> last_invoice_at;
  bool owes_besides = false;  // something is owed that no invoice here stands for
  // What the vendor wants on the next invoice, and on each.
  std::vector<invoice_line> oneshot_costs, recurring_costs;
  string_map metadata;  // the marketplace's
  // The vendor's part:
  string_map vendor_metadata;
  std::vector<access_point> endpoints;
  string_map instructions;  // language -> text
  std::vector<credential> credentials;
  std::uint64_t version = 0;
  std::uint64_t seq = 0;  // last sequence of its stream
  timestamp created_at{};
  timestamp updated_at{};

  // Access is decided by the tenant's effective state as well (domain.md, 10.1, 4).
  bool usable() const noexcept { return status == subscription_status::deployed; }
  // The change that comes with the renewal, or the one that the vendor is asked about: at most one
  // of each (invariant 15 of domain.md 10.14).
  const operation* scheduled() const noexcept { return in_state(operation_state::scheduled); }
  const operation* in_progress() const noexcept { return in_state(operation_state::in_progress); }

 private:
  const operation* in_state(operation_state state) const noexcept {
    for (const operation& o : operations) {
      if (o.state == state) return &o;
    }
    return nullptr;
  }
};

// Ended: never returns to an earlier status (invariant 10).
bool ended(subscription_status status) noexcept;

// The instant at which the machine's `timer` has something to do; none = never.
std::optional<timestamp> next_timer(const subscription& s) noexcept;

}  // namespace syndicated::core
