// The codec of endpoints: every secret is sealed for its endpoint and its place in it.
#include "store/codec.hpp"
#include "store/records.pb.h"
#include "store/strongbox.hpp"
#include "store/wire.hpp"

namespace syndicated::store {

using namespace wire;

namespace {

void put_access(records::Endpoint& r, const core::endpoint& e, const strongbox& box) {
  for (const core::endpoint_header& h : e.headers) {
    records::EndpointHeader* out = r.add_headers();
    out->set_name(h.name);
    out->set_sealed_value(box.seal(h.value, header_place));
  }
  if (e.auth.kind != core::auth_kind::none) {
    records::EndpointAuth* out = r.mutable_auth();
    out->set_kind(number(e.auth.kind));
    out->set_name(e.auth.name);
    out->set_sealed_secret(box.seal(e.auth.secret, auth_place));
    out->set_token_url(e.auth.token_url);
    out->set_scope(e.auth.scope);
    out->set_audience(e.auth.audience);
  }
  r.set_client_certificate(e.identity.certificate);
  r.set_sealed_client_key(box.seal(e.identity.key, client_key_place));
  if (e.identity.expires_at) r.set_client_certificate_expires_at_ms(ms(*e.identity.expires_at));
  r.set_ca(e.ca);
}

void get_access(core::endpoint& e, const records::Endpoint& r, strongbox& box) {
  for (const records::EndpointHeader& h : r.headers()) {
    e.headers.push_back({h.name(), box.open(h.sealed_value(), header_place)});
  }
  if (r.has_auth()) {
    e.auth.kind = static_cast<core::auth_kind>(r.auth().kind());
    e.auth.name = r.auth().name();
    e.auth.secret = box.open(r.auth().sealed_secret(), auth_place);
    e.auth.token_url = r.auth().token_url();
    e.auth.scope = r.auth().scope();
    e.auth.audience = r.auth().audience();
  }
  e.identity.certificate = r.client_certificate();
  e.identity.key = box.open(r.sealed_client_key(), client_key_place);
  if (r.has_client_certificate_expires_at_ms()) {
    e.identity.expires_at = at(r.client_certificate_expires_at_ms());
  }
  e.ca = r.ca();
}

void put_signing(records::Endpoint& r, const core::endpoint& e, const strongbox& box) {
  r.set_sealed_secret(box.seal(e.secret));
  r.set_sealed_previous_secret(box.seal(e.previous_secret));
  if (e.previous_until) r.set_previous_until_ms(ms(*e.previous_until));
  r.set_sealed_signing_key(box.seal(e.signing_key, signing_place));
  r.set_sealed_previous_signing_key(box.seal(e.previous_signing_key, signing_place));
  if (e.previous_signing_until) r.set_previous_signing_until_ms(ms(*e.previous_signing_until));
}

void get_signing(core::endpoint& e, const records::Endpoint& r, strongbox& box) {
  e.secret = box.open(r.sealed_secret());
  e.previous_secret = box.open(r.sealed_previous_secret());
  if (r.has_previous_until_ms()) e.previous_until = at(r.previous_until_ms());
  e.signing_key = box.open(r.sealed_signing_key(), signing_place);
  e.previous_signing_key = box.open(r.sealed_previous_signing_key(), signing_place);
  if (r.has_previous_signing_until_ms()) {
    e.previous_signing_until = at(r.previous_signing_until_ms());
  }
}

void put_value(records::FilterValue& to, const core::filter_literal& from) {
  if (std::holds_alternative<std::nullptr_t>(from)) to.set_null(true);
  if (const auto* v = std::get_if<bool>(&from)) to.set_truth(*v);
  if (const auto* v = std::get_if<std::int64_t>(&from)) to.set_integer(*v);
  if (const auto* v = std::get_if<double>(&from)) to.set_real(*v);
  if (const auto* v = std::get_if<std::string>(&from)) to.set_text(*v);
}

core::filter_literal get_value(const records::FilterValue& from) {
  using kind = records::FilterValue;
  switch (from.value_case()) {
    case kind::kTruth: return from.truth();
    case kind::kInteger: return from.integer();
    case kind::kReal: return from.real();
    case kind::kText: return from.text();
    case kind::kNull:
    case kind::VALUE_NOT_SET: break;
  }
  return nullptr;
}

void put_filter(records::Endpoint& to, const core::content_filter& from) {
  for (const core::filter_node& node : from.nodes) {
    records::FilterNode* out = to.add_filter();
    out->set_op(number(node.op));
    out->set_field(node.field);
    for (const core::filter_literal& v : node.values) put_value(*out->add_values(), v);
    out->set_children(node.children);
  }
}

core::content_filter get_filter(const records::Endpoint& from) {
  core::content_filter out;
  for (const records::FilterNode& node : from.filter()) {
    core::filter_node n{static_cast<core::filter_op>(node.op()), node.field(), {}, node.children()};
    for (const records::FilterValue& v : node.values()) n.values.push_back(get_value(v));
    out.nodes.push_back(std::move(n));
  }
  return out;
}

void put_rules(records::Endpoint& r, const core::endpoint& e) {
  for (int code : e.success_codes) r.add_success_codes(code);
  r.set_timeout_ms(e.timeout_ms);
  r.set_concurrency_max(e.concurrency_max);
  for (auto pause : e.retry_schedule) r.add_retry_schedule_ms(pause.count());
  r.set_on_exhausted(number(e.on_exhausted));
  r.set_max_age_ms(e.max_age.count());
  r.set_rate_per_s(e.rate.per_s);
  r.set_rate_burst(e.rate.burst);
  r.set_ordering(number(e.ordering));
  r.set_coalesce_modified(e.coalesce_modified);
  r.set_termination(number(e.termination));
  r.set_http2(e.http2);
  r.set_receiver_control(e.receiver_control);
}

void get_rules(core::endpoint& e, const records::Endpoint& r) {
  e.success_codes.assign(r.success_codes().begin(), r.success_codes().end());
  e.timeout_ms = r.timeout_ms();
  e.concurrency_max = r.concurrency_max();
  for (std::int64_t pause : r.retry_schedule_ms()) e.retry_schedule.emplace_back(pause);
  e.on_exhausted = static_cast<core::exhausted_policy>(r.on_exhausted());
  e.max_age = std::chrono::milliseconds{r.max_age_ms()};
  e.rate = {r.rate_per_s(), r.rate_burst()};
  // Records of before these settings keep what was the only way then.
  if (r.ordering() != 0) e.ordering = static_cast<core::ordering_mode>(r.ordering());
  if (r.termination() != 0) e.termination = static_cast<core::termination_signal>(r.termination());
  e.coalesce_modified = r.coalesce_modified();
  e.http2 = r.http2();
  e.receiver_control = r.receiver_control();
}

}  // namespace

std::string encode(const core::endpoint& e, const vault& secrets) {
  records::Endpoint r;
  const strongbox box{secrets, stream_of(e.id)};
  r.set_id(e.id.value);
  r.set_scope(number(e.scope));
  r.set_scope_id(e.scope_id);
  r.set_url(e.url);
  r.set_origin(e.origin);
  r.set_form(number(e.form));
  put_signing(r, e, box);
  for (const std::string& pattern : e.events) r.add_events(pattern);
  r.set_description(e.description);
  r.set_id_format(number(e.id_format));
  r.set_with_event_id(e.with_event_id);
  r.set_with_metadata(e.with_metadata);
  put_rules(r, e);
  put_access(r, e, box);
  r.set_state(number(e.state));
  r.set_state_reason(e.state_reason);
  r.set_version(e.version);
  r.set_created_at_ms(ms(e.created_at));
  r.set_updated_at_ms(ms(e.updated_at));
  put_filter(r, e.filter);
  return framed(r);
}

core::result<core::endpoint> decode_endpoint(std::string_view value, const vault& secrets) {
  records::Endpoint r;
  if (auto e = parse(r, value, "endpoint")) return std::move(*e);
  core::endpoint e;
  e.id = {r.id()};
  strongbox box{secrets, stream_of(e.id)};
  e.scope = static_cast<core::endpoint_scope>(r.scope());
  e.scope_id = r.scope_id();
  e.url = r.url();
  e.origin = r.origin();
  e.form = static_cast<core::wire_form>(r.form());
  get_signing(e, r, box);
  e.events.assign(r.events().begin(), r.events().end());
  e.description = r.description();
  e.id_format = static_cast<core::id_format>(r.id_format());
  e.with_event_id = r.with_event_id();
  e.with_metadata = r.with_metadata();
  get_rules(e, r);
  get_access(e, r, box);
  e.state = static_cast<core::endpoint_state>(r.state());
  e.state_reason = r.state_reason();
  e.version = r.version();
  e.created_at = at(r.created_at_ms());
  e.updated_at = at(r.updated_at_ms());
  e.filter = get_filter(r);
  if (box.failure()) return std::move(*box.failure());
  return e;
}

}  // namespace syndicated::store
