// A commitment's part in a subscription's life: what it lets be when (domain.md, 10.8), and what
// becomes of it with the order, the periods and the end (S1, S5, S9, S11, S12, S14, S18).
#include <algorithm>

#include "core/lifecycle/subscription_rules.hpp"

namespace syndicated::core::rules {
namespace {

void tell(draft& d, std::string name, const std::optional<proration>& left = std::nullopt) {
  json_writer change;
  change.begin_object().key("commitment");
  write_commitment(change, *d.next.commitment);
  if (left) write_proration(change.key("proration"), *left);
  change.end_object();
  d.emit(std::move(name), wire_type::none, std::move(change).str());
}

proration_unit unit_of(const circumstances& c) {
  const bool csp = c.product != nullptr && c.product->lifecycle.profile == lifecycle_profile::csp;
  return csp ? proration_unit::day : proration_unit::hour;
}

int billing_months(const plan* p) { return p != nullptr ? p->billing_period_months : 1; }

std::int64_t count_of(const quantities& counts, const std::string& name) {
  const auto at = counts.find(name);
  return at == counts.end() ? 0 : at->second;
}

// What of the fewer units goes back at once; the plan's steps hold in between, too.
std::int64_t given_back(const commitment& held, const plan_resource* rule, const std::string& name,
                        std::int64_t fewer, timestamp now) {
  const std::int64_t back = std::min(fewer, returnable(held, name, now));
  if (back == fewer || rule == nullptr || rule->step <= 1) return back;
  return back - back % rule->step;
}

}  // namespace

result<void> order_commitment(subscription& s, const new_subscription& wanted, const plan& p) {
  if (!wanted.commitment_months) return {};
  const commitment_option* option = find_option(p, *wanted.commitment_months);
  if (option == nullptr) {
    return invalid_field("/commitment/term_months", "the plan offers no such commitment");
  }
  if (s.type == subscription_type::sandbox) {
    return invalid_field("/commitment", "a sandbox is for tests and ends");
  }
  if (auto ok = check_volume(*option, s.quantities); !ok) return ok;
  s.commitment.emplace().terms = *option;
  return {};
}

void begin_commitment(draft& d, const circumstances& c) {
  subscription& s = d.next;
  const bool waits = s.commitment && s.commitment->state == commitment_state::pending;
  if (!waits || s.type != subscription_type::normal || !s.period_start) return;
  begin_term(*s.commitment, s.quantities, *s.period_start, billing_months(c.plan));
  tell(d, "commitment.created");
}

bool comes_with_term(const subscription& s, timestamp renewal) noexcept {
  return s.commitment && s.commitment->in_force() && renewal < s.commitment->ends_at;
}

std::optional<timestamp> change_due(const subscription& s) noexcept {
  if (s.period_end && comes_with_term(s, *s.period_end)) return s.commitment->ends_at;
  return s.period_end;
}

result<void> may_renew(const subscription& s, party by, const circumstances& c) {
  const bool ends_term = s.commitment && s.commitment->in_force() && s.period_end &&
                         *s.period_end >= s.commitment->ends_at;
  if (!ends_term || by == party::system || renewal_open(*s.commitment, c.now)) return {};
  const auto opens =
      s.commitment->ends_at - std::chrono::days{s.commitment->terms.window_before_days};
  return conflict(s, "renewal_not_open",
                  "the commitment can be renewed from " + format_rfc3339_seconds(opens));
}

// `before`: as it was ahead of the renewal. Who renews by hand wants the commitment, too.
void renew_commitment(draft& d, const subscription& before, party by, const circumstances& c) {
  subscription& s = d.next;
  if (!s.commitment || !s.commitment->in_force()) return;
  if (comes_with_term(s, *s.period_start)) return;
  const plan* p = c.find(s.plan);
  const bool moved = s.plan != before.plan;
  const commitment_option* offered =
      p != nullptr ? find_option(*p, s.commitment->terms.term_months) : nullptr;
  const bool wanted = s.commitment->terms.auto_renew || by != party::system;
  if (!wanted || (moved && offered == nullptr))
    return end_commitment(d, commitment_state::lapsed, c);
  if (moved) s.commitment->terms = *offered;
  begin_term(*s.commitment, s.quantities, *s.period_start, billing_months(p));
  tell(d, "commitment.renewed");
}

decision commitment_over(const subscription& s, const circumstances& c) {
  draft d(s, c);
  end_commitment(d, commitment_state::lapsed, c);
  return std::move(d).done();
}

void end_commitment(draft& d, commitment_state how, const circumstances& c) {
  auto& held = d.next.commitment;
  if (!held) return;
  const bool begun = held->in_force();
  if (!begun && held->state != commitment_state::pending) return;
  // Of a cancelled one it was decided when it was cancelled (S12).
  const bool decided = d.next.reasons.has(suspension_reason::cancelled);
  if (begun && how == commitment_state::cancelled && !decided) {
    held->fee = early_end_of(*held, c.now).fee;
  }
  if (how == commitment_state::lapsed) held->fee = false;
  held->state = how;
  held->lots.clear();
  if (begun) {
    tell(d, "commitment.ended", prorate(held->starts_at, held->ends_at, c.now, unit_of(c)));
  }
}

result<void> may_cancel(const subscription& s, party by, const circumstances& c) {
  if (!s.commitment || by == party::system || early_end_of(*s.commitment, c.now).allowed) return {};
  return conflict(s, "commitment_in_force",
                  "it is committed until " + format_rfc3339_seconds(s.commitment->ends_at));
}

void cancel_commitment(draft& d, const circumstances& c, json_writer& change) {
  auto& held = d.next.commitment;
  if (!held || !held->in_force()) return;
  held->fee = early_end_of(*held, c.now).fee;
  change.key("commitment").begin_object().key("fee").boolean(held->fee);
  write_proration(change.key("proration"),
                  prorate(held->starts_at, held->ends_at, c.now, unit_of(c)));
  change.end_object();
}

result<void> may_transfer(const subscription& s, const circumstances& c) {
  const bool bound = s.commitment && s.commitment->binds(c.now);
  if (!bound || s.commitment->terms.transferable) return {};
  return conflict(s, "commitment_not_transferable",
                  "its commitment stays with the customer until " +
                      format_rfc3339_seconds(s.commitment->ends_at));
}

result<put_off> held_by_commitment(const subscription& s, const plan& target,
                                   const quantities& wanted, timestamp now) {
  const commitment& held = *s.commitment;
  const bool other_plan = target.id != s.plan;
  const commitment_option* offered = find_option(target, held.terms.term_months);
  if (auto ok = check_volume(other_plan && offered ? *offered : held.terms, wanted); !ok) {
    return std::move(ok).failure();
  }
  put_off out;
  out.all = other_plan && offered == nullptr;
  quantities all = s.quantities;
  all.insert(wanted.begin(), wanted.end());
  for (const auto& [name, ignored] : all) {
    const std::int64_t before = count_of(s.quantities, name);
    const std::int64_t after = count_of(wanted, name);
    const auto rule = std::ranges::find(target.resources, name, &plan_resource::name);
    const plan_resource* sold = rule == target.resources.end() ? nullptr : &*rule;
    std::int64_t meanwhile = after;
    if (after > before && !held.terms.allow_increase) meanwhile = before;
    if (after < before) {
      if (sold != nullptr && !sold->downgradable) {
        return invalid_field("/quantities/" + name, "cannot be lowered");
      }
      if (!held.terms.allow_decrease) {
        meanwhile = before - given_back(held, sold, name, before - after, now);
      }
    }
    if (meanwhile == after) continue;
    out.later[name] = after;
    out.meanwhile[name] = meanwhile;
  }
  out.all = out.all || (other_plan && !out.later.empty());
  return out;
}

error renewal_locked(const subscription& s) {
  return conflict(s, "commitment_locked",
                  "in the last 24 hours of a term nothing is changed that comes with its renewal");
}

std::optional<proration> left_of_period(const subscription& s, const circumstances& c) {
  if (!s.period_start || !s.period_end) return std::nullopt;
  return prorate(*s.period_start, *s.period_end, c.now, unit_of(c));
}

}  // namespace syndicated::core::rules
