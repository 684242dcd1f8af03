#include "store/codec_commitment.hpp"

#include "store/aggregates.hpp"
#include "store/wire.hpp"

namespace syndicated::store {

using namespace wire;

void put_option(records::CommitmentOption& out, const core::commitment_option& o) {
  out.set_term_months(o.term_months);
  out.set_auto_renew(o.auto_renew);
  out.set_window_before_days(o.window_before_days);
  out.set_window_after_days(o.window_after_days);
  out.set_allow_increase(o.allow_increase);
  out.set_allow_decrease(o.allow_decrease);
  out.set_decrease_window_hours(o.decrease_window_hours);
  out.set_allow_early_cancel(o.allow_early_cancel);
  out.set_cancel_fee(o.cancel_fee);
  out.set_transferable(o.transferable);
  out.set_volume_min(o.volume_min);
  out.set_volume_max(o.volume_max);
  out.set_volume_unit(o.volume_unit);
}

core::commitment_option get_option(const records::CommitmentOption& r) {
  return {r.term_months(),
          r.auto_renew(),
          r.window_before_days(),
          r.window_after_days(),
          r.allow_increase(),
          r.allow_decrease(),
          r.decrease_window_hours(),
          r.allow_early_cancel(),
          r.cancel_fee(),
          r.transferable(),
          r.volume_min(),
          r.volume_max(),
          r.volume_unit()};
}

void put_commitment(records::Commitment& out, const core::commitment& c) {
  put_option(*out.mutable_terms(), c.terms);
  out.set_state(number(c.state));
  out.set_term(c.term);
  out.set_starts_at_ms(ms(c.starts_at));
  out.set_ends_at_ms(ms(c.ends_at));
  for (const core::unit_lot& lot : c.lots) {
    records::UnitLot* l = out.add_lots();
    l->set_resource(lot.resource);
    l->set_units(lot.units);
    l->set_added_at_ms(ms(lot.added_at));
  }
  out.set_fee(c.fee);
}

core::commitment get_commitment(const records::Commitment& r) {
  core::commitment c;
  c.terms = get_option(r.terms());
  c.state = static_cast<core::commitment_state>(r.state());
  c.term = r.term();
  c.starts_at = at(r.starts_at_ms());
  c.ends_at = at(r.ends_at_ms());
  for (const records::UnitLot& l : r.lots()) {
    c.lots.push_back({l.resource(), l.units(), at(l.added_at_ms())});
  }
  c.fee = r.fee();
  return c;
}

std::string encode(const core::aggregate& a) {
  records::Aggregate r;
  r.set_id(a.id.value);
  r.set_reseller(a.group.reseller.value);
  r.set_group_kind(number(a.group.kind));
  r.set_group_id(a.group.of);
  r.set_resource(a.group.resource);
  r.set_vendor(a.vendor.value);
  r.mutable_tiers()->Add(a.tiers.begin(), a.tiers.end());
  r.set_committed(a.committed);
  if (a.wanted) r.set_wanted(*a.wanted);
  r.set_term_months(a.term_months);
  r.set_auto_renew(a.auto_renew);
  r.set_allow_early_cancel(a.allow_early_cancel);
  r.set_cancel_fee(a.cancel_fee);
  r.set_state(number(a.state));
  r.set_term(a.term);
  r.set_starts_at_ms(ms(a.starts_at));
  if (a.ends_at) r.set_ends_at_ms(ms(*a.ends_at));
  r.set_tier(a.tier);
  r.set_counter(a.counter);
  r.set_shortfall(a.shortfall);
  r.set_fee(a.fee);
  if (a.snapshot_at) r.set_snapshot_at_ms(ms(*a.snapshot_at));
  r.set_next_snapshot_ms(ms(a.next_snapshot));
  r.set_next_recount_ms(ms(a.next_recount));
  r.set_version(a.version);
  r.set_seq(a.seq);
  r.set_created_at_ms(ms(a.created_at));
  r.set_updated_at_ms(ms(a.updated_at));
  return framed(r);
}

core::result<core::aggregate> decode_aggregate(std::string_view value) {
  records::Aggregate r;
  if (auto e = parse(r, value, "commitment")) return std::move(*e);
  core::aggregate a;
  a.id = {r.id()};
  a.group = {
      {r.reseller()}, static_cast<core::entity_kind>(r.group_kind()), r.group_id(), r.resource()};
  a.vendor = {r.vendor()};
  a.tiers = {r.tiers().begin(), r.tiers().end()};
  a.committed = r.committed();
  if (r.has_wanted()) a.wanted = r.wanted();
  a.term_months = r.term_months();
  a.auto_renew = r.auto_renew();
  a.allow_early_cancel = r.allow_early_cancel();
  a.cancel_fee = r.cancel_fee();
  a.state = static_cast<core::commitment_state>(r.state());
  a.term = r.term();
  a.starts_at = at(r.starts_at_ms());
  if (r.has_ends_at_ms()) a.ends_at = at(r.ends_at_ms());
  a.tier = r.tier();
  a.counter = r.counter();
  a.shortfall = r.shortfall();
  a.fee = r.fee();
  if (r.has_snapshot_at_ms()) a.snapshot_at = at(r.snapshot_at_ms());
  a.next_snapshot = at(r.next_snapshot_ms());
  a.next_recount = at(r.next_recount_ms());
  a.version = r.version();
  a.seq = r.seq();
  a.created_at = at(r.created_at_ms());
  a.updated_at = at(r.updated_at_ms());
  // A tier that the record does not have would be read outside of it.
  const auto known = a.tiers.size();
  if (a.committed > known || a.wanted.value_or(0) > known) return damaged("commitment");
  return a;
}

}  // namespace syndicated::store
