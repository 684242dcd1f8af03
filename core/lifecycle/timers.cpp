#include "core/lifecycle/timers.hpp"

#include <algorithm>

namespace syndicated::core {

std::string_view to_string(timer_kind kind) noexcept {
  switch (kind) {
    case timer_kind::first_payment: return "first_payment";
    case timer_kind::start: return "start";
    case timer_kind::provisioning_overdue: return "provisioning_overdue";
    case timer_kind::provisioning_fail: return "provisioning_fail";
    case timer_kind::unpaid_stop: return "unpaid_stop";
    case timer_kind::unpaid_cancel: return "unpaid_cancel";
    case timer_kind::period_end: return "period_end";
    case timer_kind::grace_end: return "grace_end";
    case timer_kind::hold_end: return "hold_end";
    case timer_kind::purge: return "purge";
    case timer_kind::deprovision: return "deprovision";
    case timer_kind::retention: return "retention";
    case timer_kind::reminder: return "reminder";
    case timer_kind::operation: return "operation";
    case timer_kind::commitment_end: return "commitment_end";
    case timer_kind::invoice_due: return "invoice_due";
  }
  return "";
}

void timer_table::arm(timer_kind kind, timestamp due, std::uint64_t version) {
  const auto at = std::ranges::lower_bound(timers_, kind, {}, &armed_timer::kind);
  if (at == timers_.end() || at->kind != kind) {
    timers_.insert(at, {kind, due, version});
  } else if (at->due != due) {
    *at = {kind, due, version};
  }
}

void timer_table::disarm(timer_kind kind) noexcept {
  std::erase_if(timers_, [kind](const armed_timer& t) { return t.kind == kind; });
}

const armed_timer* timer_table::find(timer_kind kind) const noexcept {
  const auto at = std::ranges::find(timers_, kind, &armed_timer::kind);
  return at == timers_.end() ? nullptr : &*at;
}

const armed_timer* timer_table::next() const noexcept {
  const auto at = std::ranges::min_element(timers_, {}, &armed_timer::due);
  return at == timers_.end() ? nullptr : &*at;
}

}  // namespace syndicated::core
