#include "actors/attempt_request.hpp"

#include <memory>
#include <string>
#include <utility>

#include "core/delivery/envelope.hpp"
#include "core/delivery/url.hpp"

namespace syndicated::actors {
namespace {

void add_cloudesire_headers(net::attempt_request& request, const core::event& e,
                            const dispatch_queue& q, std::uint32_t attempt) {
  if (std::string signature = q.signer().cloudesire(*request.body); !signature.empty()) {
    request.headers.push_back("CMW-Event-Signature: " + signature);
  }
  request.headers.push_back("CMW-Event-Id: " + std::to_string(e.id.value));
  request.headers.push_back("CMW-Event-Seq: " + std::to_string(e.seq));
  request.headers.push_back("CMW-Event-Version: " + std::to_string(e.entity_version));
  request.headers.push_back("CMW-Event-Name: " + e.name);
  request.headers.push_back("CMW-Delivery-Attempt: " + std::to_string(attempt));
}

void add_standard_headers(net::attempt_request& request, const core::event& e,
                          const dispatch_queue& q, core::timestamp now) {
  const std::string id = core::webhook_id(e.id);
  request.headers.push_back("webhook-id: " + id);
  request.headers.push_back("webhook-timestamp: " + std::to_string(core::to_unix_seconds(now)));
  request.headers.push_back("webhook-signature: " + q.signer().standard(id, now, *request.body));
  if (e.stream_name.empty()) return;
  // A publisher's data is sent as it came, so the place in the stream stands beside it.
  request.headers.push_back("webhook-stream: " + core::percent_encoded(e.stream_name));
  request.headers.push_back("webhook-seq: " + std::to_string(e.seq));
}

}  // namespace

core::result<net::attempt_request> make_request(const core::event& e, const core::endpoint& to,
                                                const dispatch_queue& q, std::uint32_t attempt,
                                                core::timestamp now) {
  net::attempt_request request;
  request.url = to.url;
  request.fixed_headers = q.fixed_headers();
  request.body = std::make_shared<const std::string>(core::render(e, to));
  request.timeout_ms = to.timeout_ms;
  request.receiver_control = to.receiver_control;
  request.tls = q.tls();
  request.http2 = to.http2;
  request.headers.reserve(6);
  if (!q.signer().usable()) {
    return core::error{core::errc::internal, "cannot_sign", "the secret cannot be used", {}, {}};
  }
  if (to.form == core::wire_form::cloudesire) {
    add_cloudesire_headers(request, e, q, attempt);
  } else {
    add_standard_headers(request, e, q, now);
  }
  return request;
}

}  // namespace syndicated::actors
