#include "core/lifecycle/commitment.hpp"

#include <algorithm>

#include "core/base/limits.hpp"
#include "core/lifecycle/json.hpp"

namespace syndicated::core {
namespace {

// Of the last day before the renewal (10.8, rule 5).
constexpr std::chrono::hours lock_before_renewal{24};

std::chrono::hours window_of(const commitment& c) noexcept {
  return std::chrono::hours{c.terms.decrease_window_hours};
}

bool inside(const commitment& c, timestamp began, timestamp now) noexcept {
  return began <= now && now - began < window_of(c);
}

void add_lot(commitment& c, const std::string& resource, std::int64_t units, timestamp now) {
  if (c.lots.size() >= limits::commitment_lots_max) c.lots.erase(c.lots.begin());
  c.lots.push_back({resource, units, now});
}

void take_newest(commitment& c, std::string_view resource, std::int64_t units) {
  for (auto lot = c.lots.rbegin(); lot != c.lots.rend() && units > 0; ++lot) {
    if (lot->resource != resource) continue;
    const std::int64_t taken = std::min(units, lot->units);
    lot->units -= taken;
    units -= taken;
  }
}

std::int64_t count_of(const quantities& counts, const std::string& name) {
  const auto at = counts.find(name);
  return at == counts.end() ? 0 : at->second;
}

template <class Unit>
std::int64_t ceil_count(timestamp from, timestamp to) noexcept {
  if (to <= from) return 0;
  return static_cast<std::int64_t>(std::chrono::ceil<Unit>(to - from).count());
}

}  // namespace

std::string_view to_string(commitment_state state) noexcept {
  switch (state) {
    case commitment_state::pending: return "PENDING";
    case commitment_state::active: return "ACTIVE";
    case commitment_state::renewed: return "RENEWED";
    case commitment_state::lapsed: return "LAPSED";
    case commitment_state::cancelled: return "CANCELLED";
  }
  return "";
}

std::optional<commitment_state> parse_commitment_state(std::string_view text) noexcept {
  using enum commitment_state;
  for (const commitment_state state : {pending, active, renewed, lapsed, cancelled}) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

std::string_view to_string(proration_unit unit) noexcept {
  return unit == proration_unit::day ? "day" : "hour";
}

const commitment_option* find_option(const plan& p, int term_months) noexcept {
  const auto at =
      std::ranges::find(p.commitment_options, term_months, &commitment_option::term_months);
  return at == p.commitment_options.end() ? nullptr : &*at;
}

timestamp term_end(timestamp start, int term_months, int billing_months) {
  const int step = std::max(billing_months, 1);
  timestamp end = start;
  for (int passed = 0; passed < term_months; passed += step) end = add_months(end, step);
  return end;
}

void begin_term(commitment& c, const quantities& counts, timestamp start, int billing_months) {
  c.state = c.term == 0 ? commitment_state::active : commitment_state::renewed;
  ++c.term;
  c.starts_at = start;
  c.ends_at = term_end(start, c.terms.term_months, billing_months);
  c.lots.clear();
  c.fee = false;
  for (const auto& [name, count] : counts) {
    if (count > 0) add_lot(c, name, count, start);
  }
}

std::int64_t returnable(const commitment& c, std::string_view resource, timestamp now) noexcept {
  std::int64_t sum = 0;
  for (const unit_lot& lot : c.lots) {
    if (lot.resource == resource && inside(c, lot.added_at, now)) sum += lot.units;
  }
  return sum;
}

void note_counts(commitment& c, const quantities& from, const quantities& to, timestamp now) {
  std::erase_if(c.lots, [&](const unit_lot& lot) { return now - lot.added_at >= window_of(c); });
  for (const auto& [name, before] : from) {
    const std::int64_t after = count_of(to, name);
    if (after < before) take_newest(c, name, before - after);
  }
  for (const auto& [name, after] : to) {
    const std::int64_t before = count_of(from, name);
    if (after > before) add_lot(c, name, after - before, now);
  }
  std::erase_if(c.lots, [](const unit_lot& lot) { return lot.units <= 0; });
}

bool locked(const commitment& c, timestamp now) noexcept {
  return c.binds(now) && now >= c.ends_at - lock_before_renewal;
}

bool renewal_open(const commitment& c, timestamp now) noexcept {
  const int days = c.terms.window_before_days;
  return days <= 0 || now >= c.ends_at - std::chrono::days{days};
}

timestamp lapses_at(const commitment& c) noexcept {
  return c.ends_at + std::chrono::days{c.terms.window_after_days};
}

early_end early_end_of(const commitment& c, timestamp now) noexcept {
  if (!c.binds(now) || inside(c, c.starts_at, now)) return {true, false};
  return {c.terms.allow_early_cancel, c.terms.cancel_fee};
}

result<void> check_volume(const commitment_option& terms, const quantities& counts) {
  const auto named = counts.find(terms.volume_unit);
  std::int64_t volume = 0;
  if (named != counts.end()) {
    volume = named->second;
  } else {
    for (const auto& [name, count] : counts) volume += count;
  }
  const std::string pointer =
      named == counts.end() ? std::string{"/quantities"} : "/quantities/" + named->first;
  if (volume < terms.volume_min) {
    return invalid_field(pointer,
                         "the commitment is for at least " + std::to_string(terms.volume_min));
  }
  if (terms.volume_max >= 0 && volume > terms.volume_max) {
    return invalid_field(pointer,
                         "the commitment is for at most " + std::to_string(terms.volume_max));
  }
  return {};
}

proration prorate(timestamp start, timestamp end, timestamp now, proration_unit unit) noexcept {
  const timestamp from = std::clamp(now, start, std::max(start, end));
  if (unit == proration_unit::day) {
    return {unit, ceil_count<std::chrono::days>(from, end),
            ceil_count<std::chrono::days>(start, end)};
  }
  return {unit, ceil_count<std::chrono::hours>(from, end),
          ceil_count<std::chrono::hours>(start, end)};
}

void write_proration(json_writer& out, const proration& p) {
  out.begin_object().key("unit").text(to_string(p.unit));
  out.key("remaining").number(p.remaining).key("total").number(p.total).end_object();
}

void write_commitment(json_writer& out, const commitment& c) {
  const bool begun = c.term > 0;
  out.begin_object();
  out.key("state").text(to_string(c.state));
  out.key("term").number(static_cast<std::uint64_t>(c.term));
  out.key("starts_at").time(begun ? std::optional{c.starts_at} : std::nullopt);
  out.key("ends_at").time(begun ? std::optional{c.ends_at} : std::nullopt);
  write_members(out, c.terms);
  out.key("lots").begin_array();
  for (const unit_lot& lot : c.lots) {
    out.begin_object().key("resource").text(lot.resource);
    out.key("units").number(lot.units);
    out.key("added_at").time(lot.added_at);
    out.key("returnable_until").time(lot.added_at + window_of(c)).end_object();
  }
  out.end_array();
  out.key("fee").boolean(c.fee);
  out.end_object();
}

}  // namespace syndicated::core
