#include "config/validate.hpp"

namespace syndicated::config {

std::vector<broken_rule> check_together(const settings& s) {
  std::vector<broken_rule> broken;
  if (s.api.tls_certificate.empty() != s.api.tls_key.empty()) {
    broken.push_back({s.api.tls_key.empty() ? "api.tls_certificate" : "api.tls_key",
                      "api.tls_certificate and api.tls_key go together"});
  }
  if (!s.metrics.listen.empty() && s.metrics.listen == s.api.listen &&
      !s.metrics.listen.ends_with(":0")) {
    broken.push_back({"metrics.listen", "must differ from api.listen"});
  }
  if (s.delivery.sockets_max < s.delivery.curl_loops) {
    broken.push_back({"delivery.sockets_max", "must be at least delivery.curl_loops"});
  }
  // The first attempt is due at once: a wait there would delay every event that meets no trouble.
  if (s.delivery.schedule.front() != milliseconds{0}) {
    broken.push_back({"delivery.schedule", "must begin with \"0s\""});
  }
  const milliseconds grace = s.lifecycle.cancel_grace;
  if (grace != milliseconds{0} && grace < std::chrono::days{7} && !s.lifecycle.destroy_on_cancel) {
    broken.push_back({"lifecycle.cancel_grace",
                      "must be \"0s\" or at least \"7d\" without lifecycle.destroy_on_cancel"});
  }
  return broken;
}

}  // namespace syndicated::config
