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
  const auto at = [owner = stream_of(core::endpoint_id{r.id()})](std::string_view place) {
    return sealed_context(owner, place);
  };
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

core::result<std::string> visit_product(std::string_view row, const sealed_visitor& visit) {
  records::Product r;
  if (auto e = wire::parse(r, row, "product")) return std::move(*e);
  const std::string context = sealed_context(stream_of(core::product_id{r.id()}), metric_place);
  for (records::Metric& m : *r.mutable_metrics()) {
    for (records::EndpointHeader& h : *m.mutable_headers()) {
      offer(h.mutable_sealed_value(), context, visit);
    }
  }
  return wire::framed(r);
}

core::result<std::string> visit_instance(std::string_view row, const sealed_visitor& visit) {
  records::Instance r;
  if (auto e = wire::parse(r, row, "instance")) return std::move(*e);
  const std::string context = sealed_context(stream_of(core::instance_id{r.id()}), setting_place);
  for (records::EndpointHeader& h : *r.mutable_settings()) {
    offer(h.mutable_sealed_value(), context, visit);
  }
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

sealed_area kind_area(core::entity_kind kind, sealed_row_visit visit) {
  const key_bytes begin = key_bytes{}.byte(static_cast<std::uint8_t>(kind));
  return {family::catalog, std::string{begin.view()}, std::string{begin.successor().view()}, visit};
}

std::vector<sealed_area> all_areas() {
  return {kind_area(core::entity_kind::endpoint, visit_endpoint),
          kind_area(core::entity_kind::product, visit_product),
          kind_area(core::entity_kind::instance, visit_instance),
          {family::subscriptions, {}, {}, visit_subscription},
          {family::idempotency, {}, {}, visit_answer}};
}

}  // namespace

const std::vector<sealed_area>& sealed_areas() {
  static const std::vector<sealed_area> areas = all_areas();
  return areas;
}

}  // namespace syndicated::store
