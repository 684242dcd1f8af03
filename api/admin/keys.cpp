// The master keys: which are in use, and the change to a new one (docs/operations.md).
#include "api/routes.hpp"
#include "core/base/json_writer.hpp"

namespace syndicated::api {
namespace {

std::string keys_json(const actors::master_key_status& s) {
  core::json_writer out;
  out.begin_object();
  out.key("state").text(actors::to_string(s.state));
  out.key("keys").begin_array();
  for (const actors::master_key_use& k : s.keys) {
    out.begin_object();
    out.key("id").text(k.id);
    out.key("primary").boolean(k.primary);
    out.key("needed").boolean(k.needed);
    out.key("values");
    if (k.values) {
      out.number(*k.values);
    } else {
      out.null();
    }
    out.end_object();
  }
  out.end_array();
  out.key("resealed").number(s.resealed);
  out.key("unreadable").number(s.unreadable);
  out.end_object();
  return std::move(out).str();
}

void list_keys(const call_ptr& c) { c->send(200, keys_json(c->engine().master_keys())); }

void rotate_key(const call_ptr& c) {
  c->engine().rotate_master_key([c](core::result<actors::master_key_status>&& done) {
    if (!done) return c->fail(done.failure());
    c->send(202, keys_json(*done));
  });
}

}  // namespace

route_list admin_key_routes() {
  return {
      {"GET", "/admin/keys", face::admin, false, list_keys},
      {"POST", "/admin/keys/rotate", face::admin, true, rotate_key},
  };
}

}  // namespace syndicated::api
