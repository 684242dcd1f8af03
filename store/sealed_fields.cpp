#include "store/sealed_fields.hpp"

#include "store/records.pb.h"
#include "store/strongbox.hpp"
#include "store/wire.hpp"

namespace syndicated::store {
namespace {

// An empty field is none.
void offer(std::string* field, const std::string& context, const sealed_visitor& visit) {
  if (!field->empty()) visit(*field, context);
}

core::result<std::string> visit_endpoint(std::string_view row, const sealed_visitor& visit) {
  records::Endpoint r;
  if (auto e = wire::parse(r, row, "endpoint")) return std::move(*e);
  const auto at = [id = r.id()](std::string_view place) { return endpoint_context(id, place); };
  offer(r.mutable_sealed_secret(), at(secret_place), visit);
  offer(r.mutable_sealed_previous_secret(), at(secret_place), visit);
  offer(r.mutable_sealed_signing_key(), at(signing_place), visit);
  offer(r.mutable_sealed_previous_signing_key(), at(signing_place), visit);
  offer(r.mutable_sealed_client_key(), at(client_key_place), visit);
  for (records::EndpointHeader& h : *r.mutable_headers()) {
    offer(h.mutable_sealed_value(), at(header_place), visit);
  }
  if (r.has_auth()) offer(r.mutable_auth()->mutable_sealed_secret(), at(auth_place), visit);
  return wire::framed(r);
}

core::result<std::string> visit_subscription(std::string_view row, const sealed_visitor& visit) {
  records::Subscription r;
  if (auto e = wire::parse(r, row, "subscription")) return std::move(*e);
  for (records::Credential& c : *r.mutable_credentials()) {
    offer(c.mutable_sealed_value(), credential_context, visit);
  }
  return wire::framed(r);
}

core::result<std::string> visit_answer(std::string_view row, const sealed_visitor& visit) {
  records::Answer r;
  if (auto e = wire::parse(r, row, "answer")) return std::move(*e);
  offer(r.mutable_body(), answer_context, visit);
  return wire::framed(r);
}

std::vector<sealed_area> all_areas() {
  const key_bytes endpoints =
      key_bytes{}.byte(static_cast<std::uint8_t>(core::entity_kind::endpoint));
  return {
      {family::catalog, std::string{endpoints.view()}, std::string{endpoints.successor().view()}},
      {family::subscriptions, {}, {}},
      {family::idempotency, {}, {}}};
}

}  // namespace

const std::vector<sealed_area>& sealed_areas() {
  static const std::vector<sealed_area> areas = all_areas();
  return areas;
}

core::result<std::string> visit_sealed(family where, std::string_view row,
                                       const sealed_visitor& visit) {
  if (where == family::catalog) return visit_endpoint(row, visit);
  if (where == family::subscriptions) return visit_subscription(row, visit);
  if (where == family::idempotency) return visit_answer(row, visit);
  __builtin_trap();  // not one of the areas
}

}  // namespace syndicated::store
