// The engine's secrets: what seals them, and the change of the master key.
#include "actors/engine_body.hpp"

namespace syndicated::actors {
namespace {

key_rotation_state converted(store::rotation_state state) {
  switch (state) {
    case store::rotation_state::settled: return key_rotation_state::settled;
    case store::rotation_state::working: return key_rotation_state::working;
    case store::rotation_state::blocked: return key_rotation_state::blocked;
  }
  return key_rotation_state::settled;
}

master_key_status converted(const store::rotation_report& from) {
  master_key_status out;
  out.state = converted(from.state);
  for (const store::key_use& k : from.keys) {
    out.keys.push_back({store::key_name(k.id), k.primary, k.needed, k.values});
  }
  out.resealed = from.resealed;
  out.unreadable = from.unreadable;
  return out;
}

}  // namespace

std::string_view to_string(key_rotation_state state) noexcept {
  switch (state) {
    case key_rotation_state::settled: return "settled";
    case key_rotation_state::working: return "working";
    case key_rotation_state::blocked: return "blocked";
  }
  return "";
}

master_key_status engine_body::master_keys() const { return converted(rotation_->report()); }

void engine_body::rotate_master_key(std::function<void(core::result<master_key_status>&&)> reply) {
  if (!options_.read_master_keys) {
    return reply(core::error{
        core::errc::conflict, "no_key_files", "the master key does not come from files", {}, {}});
  }
  rotation_->change(options_.read_master_keys,
                    [reply = std::move(reply)](core::result<store::rotation_report>&& done) {
                      if (!done) return reply(std::move(done).failure());
                      reply(converted(*done));
                    });
}

std::string engine_body::seal(std::string_view plain) const {
  return vault_->seal(plain, store::credential_context);
}

}  // namespace syndicated::actors
