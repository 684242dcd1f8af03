#include "api/v1/common.hpp"

#include "api/contact_input.hpp"
#include "api/v1/endpoint_settings.hpp"

namespace syndicated::api::v1 {

actors::page_request page_query(query_reader& q) {
  actors::page_request page;
  const auto limit = q.integer("limit", 1, static_cast<std::int64_t>(core::limits::page_items_max));
  page.limit = limit ? static_cast<std::size_t>(*limit) : core::limits::page_items_default;
  page.after = q.text("after").value_or(std::string{});
  return page;
}

std::optional<core::contact> read_contact(object_reader& in) {
  using namespace core::limits;
  const json* given = in.value("contact");
  if (given == nullptr) return std::nullopt;
  object_reader nested{*given, "/contact"};
  core::contact out;
  out.email = nested.text("email", 320).value_or(std::string{});
  out.first_name = nested.text("first_name", name_bytes_max).value_or(std::string{});
  out.last_name = nested.text("last_name", name_bytes_max).value_or(std::string{});
  out.phone = nested.text("phone", 64).value_or(std::string{});
  read_contact_texts(nested, out, false);
  if (!out.email.empty() && !is_email(out.email)) {
    nested.refuse("email", "must be an e-mail address");
  }
  in.absorb(std::move(nested));
  return out;
}

actors::attempt_filter attempt_query(query_reader& q) {
  actors::attempt_filter filter;
  filter.since = q.time("since");
  filter.until = q.time("until");
  const auto choice = q.word(
      "outcome",
      [](std::string_view text) -> std::optional<actors::attempt_choice> {
        if (text == "delivered") return actors::attempt_choice::delivered;
        if (text == "failed") return actors::attempt_choice::failed;
        if (text == "parked") return actors::attempt_choice::parked;
        if (text == "still_parked") return actors::attempt_choice::still_parked;
        return std::nullopt;
      },
      "delivered, failed, parked, still_parked");
  filter.choice = choice.value_or(actors::attempt_choice::any);
  return filter;
}

std::string endpoint_json(const core::endpoint& e) {
  core::json_writer out;
  out.begin_object();
  out.key("id").number(e.id.value);
  out.key("scope").text(core::to_string(e.scope));
  out.key("scope_id");
  if (e.scope == core::endpoint_scope::platform) {
    out.null();
  } else {
    out.number(e.scope_id);
  }
  out.key("form").text(core::to_string(e.form));
  out.key("signed").boolean(!e.secret.empty());
  write_settings(out, e);
  out.key("id_format").text(core::to_string(e.id_format));
  out.key("with_event_id").boolean(e.with_event_id);
  out.key("with_metadata").boolean(e.with_metadata);
  out.key("termination_signal").text(core::to_string(e.termination));
  out.key("state").text(core::to_string(e.state));
  out.key("state_reason").text(e.state_reason);
  out.key("version").number(e.version);
  out.key("created_at").time(e.created_at);
  out.key("updated_at").time(e.updated_at);
  out.end_object();
  return std::move(out).str();
}

void write_breaker(core::json_writer& out, const actors::breaker_view& b) {
  const bool closed = b.state == core::breaker_state::closed;
  out.begin_object();
  out.key("state").text(core::to_string(b.state));
  out.key("until").time(closed ? std::nullopt : std::optional{b.until});
  out.key("reason").text(b.reason);
  out.end_object();
}

std::string endpoint_json(const core::endpoint& e, const actors::breaker_view& b) {
  core::json_writer breaker;
  write_breaker(breaker, b);
  std::string text = endpoint_json(e);
  text.pop_back();
  text += ",\"breaker\":" + std::move(breaker).str() + '}';
  return text;
}

std::string token_json(const core::token& t) {
  core::json_writer out;
  out.begin_object();
  out.key("id").number(t.id.value);
  out.key("role").text(core::to_string(t.role));
  out.key("scope_id");
  if (t.scope == 0) {
    out.null();
  } else {
    out.number(t.scope);
  }
  out.key("name").text(t.name);
  out.key("revoked").boolean(t.revoked);
  out.key("expires_at").time(t.expires_at);
  out.key("version").number(t.version);
  out.key("created_at").time(t.created_at);
  out.end_object();
  return std::move(out).str();
}

std::optional<core::entity_kind> parse_entity_kind(std::string_view text) {
  using core::entity_kind;
  for (const entity_kind kind :
       {entity_kind::tenant, entity_kind::vendor, entity_kind::product, entity_kind::plan,
        entity_kind::subscription, entity_kind::endpoint, entity_kind::user,
        entity_kind::commitment, entity_kind::invoice, entity_kind::operation,
        entity_kind::published, entity_kind::unordered}) {
    if (core::to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

std::optional<core::stream_id> parse_stream(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto kind = parse_entity_kind(text.substr(0, slash));
  const auto id = parse_id(text.substr(slash + 1));
  if (!kind || !id) return std::nullopt;
  return core::stream_id{*kind, *id};
}

std::string attempt_json(const actors::attempt_record& a) {
  core::json_writer out;
  out.begin_object();
  out.key("event_id").number(a.event.value);
  out.key("endpoint_id").number(a.endpoint.value);
  out.key("number").number(static_cast<std::uint64_t>(a.number));
  out.key("at").time(a.at);
  out.key("outcome").text(core::to_string(a.outcome));
  out.key("status").number(a.status);
  out.key("error").text(a.error);
  out.key("ended").text(a.ended);
  out.key("cause").text(a.cause);
  out.key("excerpt").text(a.excerpt);
  const auto ms = [](std::uint32_t us) { return static_cast<double>(us) / 1000.0; };
  out.key("timing_ms").begin_object();
  out.key("dns").real(ms(a.timing.dns_us));
  out.key("connect").real(ms(a.timing.connect_us));
  out.key("tls").real(ms(a.timing.tls_us));
  out.key("first_byte").real(ms(a.timing.first_byte_us));
  out.key("total").real(ms(a.timing.total_us));
  out.end_object();
  out.end_object();
  return std::move(out).str();
}

}  // namespace syndicated::api::v1
