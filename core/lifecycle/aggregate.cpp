#include "core/lifecycle/aggregate.hpp"

#include <algorithm>

#include "core/base/limits.hpp"

namespace syndicated::core {
namespace {

constexpr std::chrono::hours lock_before_renewal{24};  // 10.8, rule 5
constexpr std::chrono::hours recount_pause{24};

using decision = result<aggregate_decision>;

// The copy that will become the next state, and its events.
struct draft {
  aggregate next;
  std::vector<event_draft> events;

  void emit(std::string name, const json_writer& change) {
    event_draft e;
    e.name = std::move(name);
    e.change_json = change.str();
    events.push_back(std::move(e));
  }
  decision done(timestamp now) && {
    ++next.version;
    next.updated_at = now;
    for (event_draft& e : events) {
      e.metadata["tier"] = std::to_string(next.tier);
      e.metadata["counter"] = std::to_string(next.counter);
    }
    return aggregate_decision{std::move(next), std::move(events), true};
  }
};

decision unchanged(const aggregate& a) { return aggregate_decision{a, {}, false}; }

error conflict(const aggregate& a, std::string code, std::string detail) {
  return {errc::conflict, std::move(code), std::move(detail), {}, std::string{to_string(a.state)}};
}

// Months of the term, so that the days of the month stay those of its beginning.
timestamp snapshot_after(const aggregate& a, timestamp now) {
  timestamp next = a.starts_at;
  for (int month = 1; next <= now; ++month) next = add_months(a.starts_at, month);
  return next;
}

void set_tier(draft& d, std::uint32_t tier) {
  aggregate& a = d.next;
  if (tier == a.tier) return;
  json_writer change;
  change.begin_object().key("from").number(static_cast<std::uint64_t>(a.tier));
  change.key("to").number(static_cast<std::uint64_t>(tier));
  change.key("tier").number(static_cast<std::uint64_t>(tier));
  change.key("counter").number(a.counter).end_object();
  a.tier = tier;
  d.emit("commitment.tier_changed", change);
}

void look_at_tier(draft& d) {
  aggregate& a = d.next;
  const std::uint32_t reached = tier_of(a.tiers, a.counter);
  if (a.committed != 0) a.committed = std::max(a.committed, reached);
  set_tier(d, a.committed != 0 ? a.committed : reached);
}

void look_at_shortfall(draft& d) {
  aggregate& a = d.next;
  a.shortfall = std::max<std::int64_t>(0, a.minimum() - a.counter);
  if (a.shortfall == 0) return;
  json_writer change;
  change.begin_object().key("minimum").number(a.minimum());
  change.key("counter").number(a.counter);
  change.key("shortfall").number(a.shortfall).end_object();
  d.emit("commitment.shortfall", change);
}

decision take_snapshot(const aggregate& a, timestamp now) {
  draft d{a, {}};
  look_at_tier(d);
  look_at_shortfall(d);
  d.next.snapshot_at = now;
  d.next.next_snapshot = snapshot_after(d.next, now);
  return std::move(d).done(now);
}

void end(draft& d, commitment_state how, timestamp now) {
  aggregate& a = d.next;
  json_writer change;
  change.begin_object().key("state").text(to_string(how)).key("fee").boolean(a.fee);
  if (a.ends_at) {
    write_proration(change.key("proration"),
                    prorate(a.starts_at, *a.ends_at, now, proration_unit::day));
  }
  change.end_object();
  a.state = how;
  d.emit("commitment.ended", change);
}

// What was asked for the new term takes effect with it.
decision term_over(const aggregate& a, timestamp now) {
  draft d{a, {}};
  aggregate& next = d.next;
  if (!a.auto_renew) {
    end(d, commitment_state::lapsed, now);
    return std::move(d).done(now);
  }
  next.state = commitment_state::renewed;
  ++next.term;
  next.starts_at = *a.ends_at;
  next.ends_at = add_months(next.starts_at, next.term_months);
  if (a.wanted) next.committed = *a.wanted;
  next.wanted.reset();
  next.next_snapshot = snapshot_after(next, now);
  json_writer change;
  change.begin_object().key("term").number(static_cast<std::uint64_t>(next.term));
  change.key("starts_at").time(next.starts_at).key("ends_at").time(next.ends_at);
  change.key("committed_tier").number(static_cast<std::uint64_t>(next.committed)).end_object();
  d.emit("commitment.renewed", change);
  look_at_tier(d);
  return std::move(d).done(now);
}

// At one instant the month is looked at before the term ends.
decision timer(const aggregate& a, timestamp now) {
  if (!a.in_force()) return unchanged(a);
  const bool snapshot = a.next_snapshot <= now;
  if (snapshot && (!a.ends_at || a.next_snapshot <= *a.ends_at)) return take_snapshot(a, now);
  if (a.ends_at && *a.ends_at <= now) return term_over(a, now);
  return unchanged(a);
}

result<void> check_tier(const aggregate& a, std::uint32_t tier, std::string_view pointer) {
  if (tier >= 1 && tier <= a.tiers.size()) return {};
  return invalid_field(std::string{pointer}, "1 to " + std::to_string(a.tiers.size()));
}

error no_commitment(const aggregate& a) {
  return conflict(a, "not_committed", "there is no commitment: the tier is what the counter says");
}

result<void> check_term(int months) {
  if (months >= 1 && months <= limits::plan_months_max) return {};
  return invalid_field("/term_months", "1 to " + std::to_string(limits::plan_months_max));
}

// The terms were agreed with the commitment: only together with the first one they can be given.
result<void> fits_terms(const aggregate& a, const aggregate_command& cmd) {
  const bool first = a.committed == 0 && cmd.committed;
  const char* const why = a.committed == 0 ? "needs a committed_tier" : "stays as it was agreed";
  const auto given = [&](const auto& wanted, const auto& present) {
    return !first && wanted && *wanted != present;
  };
  if (given(cmd.term_months, a.term_months)) return invalid_field("/term_months", why);
  if (given(cmd.allow_early_cancel, a.allow_early_cancel)) {
    return invalid_field("/allow_early_cancel", why);
  }
  if (given(cmd.cancel_fee, a.cancel_fee)) return invalid_field("/cancel_fee", why);
  return first ? check_term(cmd.term_months.value_or(0)) : result<void>{};
}

// From now on there is a term; the months of the snapshots are counted from its beginning.
void begin_commitment(draft& d, const aggregate_command& cmd, timestamp now) {
  aggregate& next = d.next;
  next.committed = *cmd.committed;
  next.term_months = *cmd.term_months;
  next.allow_early_cancel = cmd.allow_early_cancel.value_or(false);
  next.cancel_fee = cmd.cancel_fee.value_or(false);
  next.starts_at = now;
  next.ends_at = add_months(now, next.term_months);
  next.next_snapshot = snapshot_after(next, now);
  json_writer change;
  change.begin_object().key("committed_tier").number(std::uint64_t{*cmd.committed});
  change.key("term_months").number(next.term_months);
  change.key("starts_at").time(next.starts_at).key("ends_at").time(next.ends_at).end_object();
  d.emit("commitment.committed", change);
}

result<bool> edit_tier(draft& d, const aggregate_command& cmd, timestamp now) {
  const aggregate& a = d.next;
  if (!cmd.committed || *cmd.committed == a.committed) return false;
  if (auto ok = check_tier(a, *cmd.committed, "/committed_tier"); !ok) {
    return std::move(ok).failure();
  }
  if (*cmd.committed < a.committed) {
    return conflict(a, "not_before_renewal", "a lower tier comes with the next term: step down");
  }
  if (a.committed == 0) {
    begin_commitment(d, cmd, now);
  } else {
    d.next.committed = *cmd.committed;
    d.next.wanted.reset();
  }
  look_at_tier(d);
  return true;
}

decision edit(const aggregate& a, const aggregate_command& cmd, timestamp now) {
  if (auto ok = fits_terms(a, cmd); !ok) return std::move(ok).failure();
  draft d{a, {}};
  const auto moved = edit_tier(d, cmd, now);
  if (!moved) return moved.failure();
  bool changed = *moved;
  if (cmd.auto_renew && *cmd.auto_renew != a.auto_renew) {
    d.next.auto_renew = *cmd.auto_renew;
    changed = true;
  }
  if (!changed) return unchanged(a);
  return std::move(d).done(now);
}

decision step_down(const aggregate& a, const aggregate_command& cmd, timestamp now) {
  if (a.committed == 0) return no_commitment(a);
  if (auto ok = check_tier(a, cmd.tier, "/tier"); !ok) return std::move(ok).failure();
  if (cmd.tier > a.committed) {
    return invalid_field("/tier", "at most " + std::to_string(a.committed) + ", the present one");
  }
  const auto wanted = cmd.tier == a.committed ? std::nullopt : std::optional{cmd.tier};
  if (wanted == a.wanted) return unchanged(a);
  if (a.ends_at && now >= *a.ends_at - lock_before_renewal) {
    return conflict(
        a, "commitment_locked",
        "in the last 24 hours of a term nothing is changed that comes with its renewal");
  }
  draft d{a, {}};
  d.next.wanted = wanted;
  return std::move(d).done(now);
}

decision cancel(const aggregate& a, timestamp now) {
  const bool early = a.committed != 0 && a.ends_at && now < *a.ends_at;
  if (early && !a.allow_early_cancel) {
    return conflict(a, "commitment_in_force",
                    "it is committed until " + format_rfc3339_seconds(*a.ends_at));
  }
  draft d{a, {}};
  d.next.fee = early && a.cancel_fee;
  end(d, commitment_state::cancelled, now);
  return std::move(d).done(now);
}

result<void> check(const new_aggregate& wanted) {
  const auto& tiers = wanted.tiers;
  if (tiers.empty() || tiers.size() > limits::commitment_tiers_max) {
    return invalid_field("/tiers", "1 to " + std::to_string(limits::commitment_tiers_max));
  }
  if (tiers.front() != 0)
    return invalid_field("/tiers/0", "must be 0: the first tier has no minimum");
  for (std::size_t i = 1; i < tiers.size(); ++i) {
    if (tiers[i] > tiers[i - 1] && tiers[i] <= limits::units_max) continue;
    return invalid_field("/tiers/" + std::to_string(i), "must be above the one before it");
  }
  if (wanted.committed > tiers.size()) {
    return invalid_field("/committed_tier", "1 to " + std::to_string(tiers.size()));
  }
  if (wanted.committed != 0) return check_term(wanted.term_months);
  if (wanted.term_months != 0) {
    return invalid_field("/term_months", "needs a committed_tier");
  }
  return {};
}

}  // namespace

bool counted(const subscription& s) noexcept {
  return s.status == subscription_status::deployed || s.status == subscription_status::stopped;
}

bool counted_differently(const subscription* before, const subscription& after) noexcept {
  if (before == nullptr) return counted(after);
  if (counted(*before) != counted(after)) return true;
  if (!counted(after)) return false;
  return before->quantities != after.quantities || before->path != after.path;
}

std::int64_t counted_units(const subscription& s, const counted_group& group) noexcept {
  const bool sold =
      group.kind == entity_kind::vendor ? s.vendor.value == group.of : s.product.value == group.of;
  if (!counted(s) || !sold || std::ranges::find(s.path, group.reseller) == s.path.end()) return 0;
  std::int64_t units = 0;
  for (const auto& [name, count] : s.quantities) {
    if (group.resource.empty() || group.resource == name) units += count;
  }
  return units;
}

std::uint32_t tier_of(const std::vector<std::int64_t>& tiers, std::int64_t counter) noexcept {
  const auto above = std::ranges::upper_bound(tiers, counter);
  return std::max(1U, static_cast<std::uint32_t>(above - tiers.begin()));
}

result<aggregate_decision> create_aggregate(commitment_id id, const new_aggregate& wanted,
                                            timestamp now) {
  if (auto ok = check(wanted); !ok) return std::move(ok).failure();
  draft d;
  aggregate& a = d.next;
  a.id = id;
  a.group = wanted.group;
  a.vendor = wanted.vendor;
  a.tiers = wanted.tiers;
  a.committed = wanted.committed;
  a.tier = std::max(1U, wanted.committed);
  a.term_months = wanted.term_months;
  a.auto_renew = wanted.auto_renew;
  a.allow_early_cancel = wanted.allow_early_cancel;
  a.cancel_fee = wanted.cancel_fee;
  a.starts_at = a.created_at = now;
  if (a.term_months > 0) a.ends_at = add_months(now, a.term_months);
  a.next_snapshot = snapshot_after(a, now);
  recounted(a, now);
  d.emit("commitment.created", {});
  return std::move(d).done(now);
}

result<aggregate_decision> decide(const aggregate& a, const aggregate_command& cmd, timestamp now) {
  if (cmd.action == aggregate_action::timer) return timer(a, now);
  if (!a.in_force()) {
    if (cmd.action == aggregate_action::cancel && a.state == commitment_state::cancelled) {
      return unchanged(a);
    }
    return conflict(a, "transition_not_allowed", "the commitment has ended");
  }
  switch (cmd.action) {
    case aggregate_action::edit: return edit(a, cmd, now);
    case aggregate_action::step_down: return step_down(a, cmd, now);
    case aggregate_action::snapshot: return take_snapshot(a, now);
    case aggregate_action::cancel: return cancel(a, now);
    case aggregate_action::timer: break;
  }
  return unchanged(a);
}

std::optional<timestamp> next_timer(const aggregate& a) noexcept {
  if (!a.in_force()) return std::nullopt;
  const timestamp next = std::min(a.next_snapshot, a.next_recount);
  return a.ends_at ? std::min(next, *a.ends_at) : next;
}

void recounted(aggregate& a, timestamp now) noexcept { a.next_recount = now + recount_pause; }

bool recount_due(const aggregate& a, timestamp now) noexcept {
  return a.in_force() && a.next_recount <= now;
}

void write_members(json_writer& out, const aggregate& a) {
  const auto tier = [&out](json_name name, std::uint32_t value) {
    out.key(name);
    if (value == 0) {
      out.null();
    } else {
      out.number(static_cast<std::uint64_t>(value));
    }
  };
  out.key("id").number(a.id.value);
  out.key("reseller_id").number(a.group.reseller.value);
  out.key("vendor_id").number(a.vendor.value);
  out.key("product_id");
  if (a.group.kind == entity_kind::product) {
    out.number(a.group.of);
  } else {
    out.null();
  }
  out.key("resource").text(a.group.resource);
  out.key("state").text(to_string(a.state));
  out.key("tiers").begin_array();
  for (const std::int64_t minimum : a.tiers) out.number(minimum);
  out.end_array();
  tier("committed_tier", a.committed);
  tier("next_tier", a.wanted.value_or(0));
  tier("tier", a.tier);
  out.key("counter").number(a.counter);
  out.key("minimum").number(a.minimum());
  out.key("shortfall").number(a.shortfall);
  out.key("term").number(static_cast<std::uint64_t>(a.term));
  out.key("term_months").number(a.term_months);
  out.key("starts_at").time(a.starts_at);
  out.key("ends_at").time(a.ends_at);
  out.key("auto_renew").boolean(a.auto_renew);
  out.key("allow_early_cancel").boolean(a.allow_early_cancel);
  out.key("cancel_fee").boolean(a.cancel_fee);
  out.key("fee").boolean(a.fee);
  out.key("snapshot_at").time(a.snapshot_at);
  out.key("next_snapshot_at").time(a.in_force() ? std::optional{a.next_snapshot} : std::nullopt);
  out.key("version").number(a.version);
  out.key("created_at").time(a.created_at);
  out.key("updated_at").time(a.updated_at);
}

std::string to_json(const aggregate& a) {
  json_writer out;
  out.begin_object();
  write_members(out, a);
  out.end_object();
  return std::move(out).str();
}

}  // namespace syndicated::core
