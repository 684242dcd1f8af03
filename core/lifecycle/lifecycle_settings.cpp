#include "core/lifecycle/lifecycle_settings.hpp"

namespace syndicated::core {
namespace {

template <class T, class Wanted>
void take(T& field, const Wanted& wanted) noexcept {
  if (wanted) field = *wanted;
}

}  // namespace

lifecycle_settings settings_for(const lifecycle_settings& configured, const product& p) noexcept {
  lifecycle_settings out = configured;
  if (p.lifecycle.profile == lifecycle_profile::csp) {
    out.grace = std::chrono::days{30};
    out.hold = std::chrono::days{90};
  } else if (p.lifecycle.profile == lifecycle_profile::ms_saas) {
    out.unpaid_cancel = std::chrono::days{30};
    out.cancel_grace = std::chrono::days{7};
    out.provisioning_fail = std::chrono::days{30};
  }
  if (p.lifecycle.destroy_on_cancel) out.cancel_grace = std::chrono::milliseconds{0};
  take(out.first_payment, p.lifecycle.first_payment);
  take(out.provisioning_overdue, p.provisioning.overdue_after);
  take(out.provisioning_fail, p.provisioning.fail_after);
  take(out.provisioning_attempts_max, p.provisioning.max_attempts);
  take(out.unpaid_stop, p.lifecycle.unpaid_stop_after);
  take(out.unpaid_cancel, p.lifecycle.unpaid_cancel_after);
  take(out.grace, p.lifecycle.grace);
  take(out.hold, p.lifecycle.hold);
  take(out.cancel_grace, p.lifecycle.cancel_grace);
  take(out.deprovision_timeout, p.deprovision.timeout);
  out.deprovision_force = p.deprovision.force;
  take(out.retention, p.lifecycle.retention);
  return out;
}

}  // namespace syndicated::core
