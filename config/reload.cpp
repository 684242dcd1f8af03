#include "config/reload.hpp"

#include "config/keys.hpp"
#include "config/load.hpp"

namespace syndicated::config {

changes compare(const settings& running, const settings& wanted) {
  changes out;
  for (const key_spec& key : all_keys()) {
    if (key.show(running) == key.show(wanted)) continue;
    (key.reloadable ? out.taken : out.need_restart).push_back(key.name);
  }
  out.next = running;
  out.next.log.level = wanted.log.level;
  out.next.secrets = wanted.secrets;
  out.next.limits = wanted.limits;
  out.next.egress = wanted.egress;
  out.next.delivery.schedule = wanted.delivery.schedule;
  out.next.delivery.jitter = wanted.delivery.jitter;
  out.next.delivery.breaker_open = wanted.delivery.breaker_open;
  out.next.delivery.breaker_open_max = wanted.delivery.breaker_open_max;
  out.next.delivery.pause_after = wanted.delivery.pause_after;
  out.next.delivery.retry_share = wanted.delivery.retry_share;
  return out;
}

core::result<changes> load_and_diff(const std::string& path, const settings& running) {
  auto wanted = load_file(path);
  if (!wanted) return std::move(wanted).failure();
  return compare(running, *wanted);
}

}  // namespace syndicated::config
