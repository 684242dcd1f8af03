// The event and the endpoint that the measurements are about: 300 bytes of data, as in the
// scenarios.
#pragma once

#include <string>

#include "core/delivery/endpoint.hpp"
#include "core/lifecycle/event.hpp"

namespace syndicated::bench {

inline core::event sample_event() {
  core::event e;
  e.id = {4'711};
  e.stream = {core::entity_kind::subscription, 2'388};
  e.seq = 17;
  e.name = "subscription.suspended";
  e.type = core::wire_type::modified;
  e.at = core::from_unix_ms(1'770'000'000'000);
  e.entity_version = 18;
  e.data = R"({"id":2388,"status":"STOPPED","note":")" + std::string(258, 'x') + R"("})";
  return e;
}

inline core::endpoint sample_endpoint(core::wire_form form) {
  core::endpoint e;
  e.id = {3};
  e.url = "https://vendor.example/hook";
  e.form = form;
  e.secret = core::secret_bytes{form == core::wire_form::standard
                                    ? "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
                                    : "a secret of exactly 32 bytes ..."};
  return e;
}

}  // namespace syndicated::bench
