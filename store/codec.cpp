#include "store/codec.hpp"

#include <algorithm>

#include "store/records.pb.h"
#include "store/wire.hpp"

namespace syndicated::store {

using namespace wire;

std::string encode(const core::token& t) {
  records::Token r;
  r.set_id(t.id.value);
  r.set_role(number(t.role));
  r.set_scope(t.scope);
  r.set_name(t.name);
  r.set_secret_sha256(t.secret_sha256.data(), t.secret_sha256.size());
  if (t.expires_at) r.set_expires_at_ms(ms(*t.expires_at));
  r.set_revoked(t.revoked);
  r.set_version(t.version);
  r.set_created_at_ms(ms(t.created_at));
  return framed(r);
}

core::result<core::token> decode_token(std::string_view value) {
  records::Token r;
  if (auto e = parse(r, value, "token")) return std::move(*e);
  core::token t;
  if (r.secret_sha256().size() != t.secret_sha256.size()) return damaged("token");
  t.id = {r.id()};
  t.role = static_cast<core::role>(r.role());
  t.scope = r.scope();
  t.name = r.name();
  std::transform(r.secret_sha256().begin(), r.secret_sha256().end(), t.secret_sha256.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  if (r.has_expires_at_ms()) t.expires_at = at(r.expires_at_ms());
  t.revoked = r.revoked();
  t.version = r.version();
  t.created_at = at(r.created_at_ms());
  return t;
}

std::string encode(const core::event_type& t) {
  records::EventType r;
  r.set_id(t.id.value);
  r.set_name(t.name);
  r.set_description(t.description);
  r.set_schema(t.schema);
  r.set_example(t.example);
  r.set_deleted(t.deleted);
  r.set_version(t.version);
  r.set_created_at_ms(ms(t.created_at));
  r.set_updated_at_ms(ms(t.updated_at));
  return framed(r);
}

core::result<core::event_type> decode_event_type(std::string_view value) {
  records::EventType r;
  if (auto e = parse(r, value, "event type")) return std::move(*e);
  return core::event_type{
      {r.id()},    r.name(),    r.description(),       r.schema(),           r.example(),
      r.deleted(), r.version(), at(r.created_at_ms()), at(r.updated_at_ms())};
}

}  // namespace syndicated::store
