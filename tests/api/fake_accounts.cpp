// Tenants and users of the engine in memory.
#include "tests/api/fake_engine_parts.hpp"

namespace syndicated::tests {

void fake_engine::create_tenant(core::new_tenant wanted, actors::write_options options,
                                actors::renderer<core::tenant> render, actors::write_reply reply) {
  const auto parent = tenant(wanted.parent);
  if (!parent) return reply(parent.failure());
  auto decided = core::create_tenant(core::tenant_id{next_id_}, wanted, *parent,
                                     tenant_effective(*parent), now());
  if (!decided) return reply(std::move(decided).failure());
  ++next_id_;
  all_tenants[decided->next.id.value] = decided->next;
  commit(options, decided->next, true, render, std::move(reply));
}

void fake_engine::command(core::tenant_id id, core::tenant_command command,
                          actors::write_options options, actors::renderer<core::tenant> render,
                          actors::write_reply reply) {
  const auto present = tenant(id);
  if (!present) return reply(present.failure());
  if (options.if_match && *options.if_match != present->version) return reply(stale());
  core::tenant_circumstances c;
  c.now = now();
  core::move_target target;
  if (command.edit.parent) {
    const auto parent = tenant(*command.edit.parent);
    if (parent) target.parent = *parent;
    if (parent) c.target = &target;
  }
  auto decided = core::decide(*present, command, c);
  if (!decided) return reply(std::move(decided).failure());
  all_tenants[id.value] = decided->next;
  commit(options, decided->next, decided->changed, render, std::move(reply));
}

void fake_engine::set_offerings(core::tenant_id id, core::offering_list wanted,
                                actors::write_options options,
                                actors::renderer<core::tenant> render, actors::write_reply reply) {
  const auto owner = tenant(id);
  if (!owner) return reply(owner.failure());
  const core::offering_list above =
      owner->parent ? core::for_child(*offerings(owner->parent)) : core::offering_list{};
  auto next = core::set_items(all_offerings[id.value], wanted, owner->parent ? &above : nullptr);
  if (!next) return reply(std::move(next).failure());
  all_offerings[id.value] = std::move(*next);
  commit(options, *owner, true, render, std::move(reply));
}

core::result<core::offering_list> fake_engine::offerings(core::tenant_id id) const {
  const auto owner = tenant(id);
  if (!owner) return owner.failure();
  const auto found = all_offerings.find(id.value);
  core::offering_list own = found == all_offerings.end() ? core::offering_list{} : found->second;
  return owner->parent ? core::in_effect(std::move(own), *offerings(owner->parent)) : own;
}

void fake_engine::create_user(core::new_user wanted, actors::write_options options,
                              actors::renderer<core::user> render, actors::write_reply reply) {
  if (*user_of_login(wanted.login)) {
    return reply(core::error{core::errc::conflict, "login_taken", "taken", {}, {}});
  }
  const auto owner = tenant(wanted.tenant);
  if (!owner) return reply(owner.failure());
  auto decided = core::create_user(core::user_id{next_id_}, wanted, *owner,
                                   tenant_effective(*owner), {}, now());
  if (!decided) return reply(std::move(decided).failure());
  ++next_id_;
  all_users[decided->next.id.value] = decided->next;
  commit(options, decided->next, true, render, std::move(reply));
}

void fake_engine::command(core::user_id id, core::user_command command,
                          actors::write_options options, actors::renderer<core::user> render,
                          actors::write_reply reply) {
  const auto present = user(id);
  if (!present) return reply(present.failure());
  if (options.if_match && *options.if_match != present->version) return reply(stale());
  auto decided = core::decide(*present, command, {now()});
  if (!decided) return reply(std::move(decided).failure());
  all_users[id.value] = decided->next;
  commit(options, decided->next, decided->changed, render, std::move(reply));
}

core::result<core::tenant> fake_engine::tenant(core::tenant_id id) const {
  return look_up(all_tenants, id.value);
}

core::result<actors::page<core::tenant>> fake_engine::tenants(const actors::tenant_filter& f,
                                                              const actors::page_request& p) const {
  return select(all_tenants, p, [&](const core::tenant& t) {
    return (!f.parent || t.parent == f.parent) && (!f.within || tenant_within(t.id, f.within)) &&
           (!f.kind || t.kind == *f.kind) && (!f.state || t.state == *f.state);
  });
}

bool fake_engine::has_children(core::tenant_id id) const {
  return std::ranges::any_of(all_tenants, [id](const auto& t) { return t.second.parent == id; });
}

core::result<core::user> fake_engine::user(core::user_id id) const {
  return look_up(all_users, id.value);
}

core::result<std::optional<core::user_id>> fake_engine::user_of_login(
    std::string_view login) const {
  for (const auto& [id, u] : all_users) {
    if (core::login_key(u.login) == core::login_key(login)) return std::optional{u.id};
  }
  return std::optional<core::user_id>{};
}

core::result<actors::page<core::user>> fake_engine::users(const actors::user_filter& f,
                                                          const actors::page_request& p) const {
  return select(all_users, p, [&](const core::user& u) {
    return (!f.tenant || u.tenant == f.tenant) && (!f.within || tenant_within(u.tenant, f.within));
  });
}

bool fake_engine::hidden_from(const core::tenant& t, core::tenant_id caller) const {
  return !tenant_within(t.id, caller) || (t.id != caller && !t.ancestral_access);
}

bool fake_engine::tenant_effective(const core::tenant& t) const {
  if (t.state != core::tenant_state::enabled) return false;
  return std::ranges::all_of(t.path, [&](core::tenant_id id) {
    const auto found = all_tenants.find(id.value);
    return found != all_tenants.end() && found->second.state == core::tenant_state::enabled;
  });
}

bool fake_engine::tenant_within(core::tenant_id inner, core::tenant_id outer) const {
  const auto found = all_tenants.find(inner.value);
  if (found == all_tenants.end()) return false;
  return inner == outer || std::ranges::find(found->second.path, outer) != found->second.path.end();
}

}  // namespace syndicated::tests
