// Tenants, users and what they may use: the commands and reads of the engine.
#include <caf/all.hpp>

#include <algorithm>
#include <map>

#include "actors/engine_body.hpp"
#include "actors/lineage.hpp"
#include "actors/pages.hpp"
#include "store/usages.hpp"

namespace syndicated::actors {
namespace {

// One tenant is moved at a time: two moves could each be right and make a circle together.
constexpr const char* moving_key = "tenant_move";

// Holds the key until the last copy is gone; none when somebody else does.
std::shared_ptr<const void> hold(held_keys& keys, const std::string& key) {
  if (!keys.hold(key)) return nullptr;
  return {&keys, [key](held_keys* k) { k->release(key); }};
}

// Who reads the answer may come back at once.
write_reply released_first(std::shared_ptr<const void> pass, write_reply reply) {
  return [pass = std::move(pass), reply = std::move(reply)](core::result<answer>&& a) mutable {
    pass.reset();
    reply(std::move(a));
  };
}

core::error login_taken() {
  return {core::errc::conflict, "login_taken", "the login is taken by another account", {}, {}};
}

core::error purged(std::string_view what) {
  const std::string name{what};
  return {core::errc::gone, name + "_purged", "the " + name + " was purged", {}, "PURGED"};
}

}  // namespace

void engine_body::create_tenant(core::new_tenant wanted, write_options options,
                                renderer<core::tenant> render, write_reply reply) {
  if (!admit_load(reply)) return;
  auto parent = repo_->find(wanted.parent);
  if (!parent) return reply(std::move(parent).failure());
  if (!*parent) return reply(core::invalid_field("/parent_id", "no such tenant"));
  auto request =
      request_for(core::stream_of(ids_.next_tenant()), std::move(options), std::move(reply));
  request->body = tenant_creation{std::move(wanted), std::move(**parent), std::move(render)};
  post(std::move(request));
}

void engine_body::command(core::tenant_id id, core::tenant_command command, write_options options,
                          renderer<core::tenant> render, write_reply reply) {
  if (!(adds_load(command) ? admit_load(reply) : admit(reply))) return;
  if (command.edit.parent) {
    auto pass = hold(services_->keys, moving_key);
    if (!pass) {
      return reply(core::error{core::errc::unavailable,
                               "move_in_progress",
                               "another tenant is being moved at this moment",
                               {},
                               {}});
    }
    reply = released_first(std::move(pass), std::move(reply));
  }
  auto request = request_for(core::stream_of(id), std::move(options), std::move(reply));
  request->body = tenant_change{std::move(command), std::move(render)};
  post(std::move(request));
}

void engine_body::set_offerings(core::tenant_id id, core::offering_list items,
                                write_options options, renderer<core::tenant> render,
                                write_reply reply) {
  if (!admit(reply)) return;
  auto request = request_for(core::stream_of(id), std::move(options), std::move(reply));
  request->body = offerings_change{std::move(items), std::move(render)};
  post(std::move(request));
}

void engine_body::create_user(core::new_user wanted, write_options options,
                              renderer<core::user> render, write_reply reply) {
  if (!admit_load(reply)) return;
  const std::string key = core::login_key(wanted.login);
  // Held until the answer, so that the look below stays true until the user is on disk.
  auto pass = hold(services_->keys, "login\n" + key);
  if (!pass) return reply(login_taken());
  auto owner = repo_->user_of_login(key);
  if (!owner) return reply(std::move(owner).failure());
  if (*owner) return reply(login_taken());
  const core::stream_id stream = core::stream_of(ids_.next_user());
  auto request =
      request_for(stream, std::move(options), released_first(std::move(pass), std::move(reply)));
  request->body = user_creation{std::move(wanted), ids_.next_tenant(), std::move(render)};
  post(std::move(request));
}

void engine_body::command(core::user_id id, core::user_command command, write_options options,
                          renderer<core::user> render, write_reply reply) {
  if (!admit(reply)) return;
  auto request = request_for(core::stream_of(id), std::move(options), std::move(reply));
  request->body = user_change{std::move(command), std::move(render)};
  post(std::move(request));
}

core::result<core::tenant> engine_body::tenant(core::tenant_id id) const {
  auto found = repo_->find(id);
  if (!found) return std::move(found).failure();
  if (!*found) return core::not_found("no such tenant");
  if ((*found)->state == core::tenant_state::purged) return purged("tenant");
  auto path = path_to(*repo_, (*found)->parent);
  if (!path) return std::move(path).failure();
  (*found)->path = std::move(*path);
  return std::move(**found);
}

core::result<page<core::tenant>> engine_body::tenants(const tenant_filter& f,
                                                      const page_request& p) const {
  auto after = id_cursor(p.after);
  if (!after) return std::move(after).failure();
  page_filler<core::tenant> filler(p.limit);
  family_tree tree{*repo_};
  const auto wanted = [&](const core::tenant& t) {
    if (f.state ? t.state != *f.state : t.state == core::tenant_state::purged) return false;
    if (f.without_deleted && t.state == core::tenant_state::deleted) return false;
    if (f.updated_since && t.updated_at < *f.updated_since) return false;
    return (!f.parent || t.parent == f.parent) && (!f.kind || t.kind == *f.kind) &&
           (f.name.empty() || t.name == f.name) &&
           (f.external_ref.empty() || t.external_ref == f.external_ref) &&
           (!f.within || tree.within(t.id, f.within)) &&
           (!f.visible_above || !hidden_from(t, f.within));
  };
  core::result<void> scanned;
  core::result<void> problem;
  if (f.parent) {
    scanned = repo_->children_of(f.parent, *after, [&](core::tenant_id&& id) {
      auto t = repo_->find(id);
      if (!t) problem = std::move(t).failure();
      if (!problem || !*t) return problem.ok();
      const bool fits = wanted(**t);
      return filler.offer(id.value, std::move(**t), fits);
    });
  } else {
    scanned = repo_->tenants(*after, [&](core::tenant&& t) {
      const bool fits = wanted(t);
      const std::uint64_t id = t.id.value;
      return filler.offer(id, std::move(t), fits);
    });
  }
  if (!scanned) return std::move(scanned).failure();
  if (!problem) return std::move(problem).failure();
  return std::move(filler).take();
}

core::result<core::offering_list> engine_body::offerings(core::tenant_id id) const {
  return offerings_in_effect(*repo_, id);
}

core::result<std::vector<tenant_usage_view>> engine_body::tenant_usages(core::tenant_id id) const {
  auto items = offerings_in_effect(*repo_, id);
  if (!items) return std::move(items).failure();
  const store::usages stored{*db_};
  std::map<core::offering_key, core::tenant_usage> rows;
  auto scanned = stored.of_tenant(id, [&rows](core::tenant_usage&& row) {
    core::offering_key item = row.item;
    rows.emplace(std::move(item), std::move(row));
    return rows.size() < core::limits::scan_rows_max;
  });
  if (!scanned) return std::move(scanned).failure();
  std::vector<tenant_usage_view> out;
  const core::timestamp range = core::range_of(now());
  for (core::offering_item& item : *items) {
    tenant_usage_view one;
    one.usage.item = item;
    if (auto row = rows.extract(item)) one.usage = std::move(row.mapped());
    one.item = std::move(item);
    out.push_back(std::move(one));
  }
  for (auto& [item, row] : rows) {
    if (row.total == core::usage_sum{}) continue;
    tenant_usage_view one;
    static_cast<core::offering_key&>(one.item) = item;
    one.item.on = false;
    if (row.counter) one.item.measurement_unit = "seconds";
    one.usage = std::move(row);
    out.push_back(std::move(one));
  }
  for (tenant_usage_view& one : out) {
    one.usage = core::as_of(std::move(one.usage), range);
    auto told = stored.told(id, store::usage_item_id(one.item));
    if (!told) return std::move(told).failure();
    const auto now_told =
        core::told_after(one.item.quota, one.usage.total.value(), core::as_of(*told, one.usage));
    one.level = now_told.level;
    one.blocked = now_told.blocked;
  }
  return out;
}

bool engine_body::has_children(core::tenant_id id) const {
  bool any = false;
  (void)repo_->children_of(id, 0, [&any](core::tenant_id&&) {
    any = true;
    return false;
  });
  return any;
}

core::result<core::user> engine_body::user(core::user_id id) const {
  auto found = repo_->find(id);
  if (!found) return std::move(found).failure();
  if (!*found) return core::not_found("no such user");
  if ((*found)->purged) return purged("user");
  return std::move(**found);
}

core::result<std::optional<core::user_id>> engine_body::user_of_login(
    std::string_view login) const {
  return repo_->user_of_login(core::login_key(login));
}

core::result<page<core::user>> engine_body::users(const user_filter& f,
                                                  const page_request& p) const {
  auto after = id_cursor(p.after);
  if (!after) return std::move(after).failure();
  page_filler<core::user> filler(p.limit);
  family_tree tree{*repo_};
  const auto wanted = [&](const core::user& u) {
    if (f.status ? core::status_of(u) != *f.status : u.purged) return false;
    return (!f.tenant || u.tenant == f.tenant) && (f.email.empty() || u.contact.email == f.email) &&
           (!f.updated_since || u.updated_at >= *f.updated_since) &&
           (!f.within || tree.within(u.tenant, f.within));
  };
  core::result<void> scanned;
  core::result<void> problem;
  if (f.tenant) {
    scanned = repo_->users_of(f.tenant, *after, [&](core::user_id&& id) {
      auto u = repo_->find(id);
      if (!u) problem = std::move(u).failure();
      if (!problem || !*u) return problem.ok();
      const bool fits = wanted(**u);
      return filler.offer(id.value, std::move(**u), fits);
    });
  } else {
    scanned = repo_->users(*after, [&](core::user&& u) {
      const bool fits = wanted(u);
      const std::uint64_t id = u.id.value;
      return filler.offer(id, std::move(u), fits);
    });
  }
  if (!scanned) return std::move(scanned).failure();
  if (!problem) return std::move(problem).failure();
  return std::move(filler).take();
}

// Those above see it as long as nothing on the way down keeps them out.
bool engine_body::hidden_from(const core::tenant& t, core::tenant_id caller) const {
  const auto chain = lineage(*repo_, t.id);
  if (!chain) return true;
  for (const core::tenant& one : *chain) {
    if (one.id == caller) return false;
    if (!one.ancestral_access) return true;
  }
  return true;
}

bool engine_body::tenant_effective(const core::tenant& t) const {
  if (t.state != core::tenant_state::enabled) return false;
  auto enabled = all_enabled(*repo_, t.parent);
  return enabled.ok() && *enabled;
}

bool engine_body::tenant_within(core::tenant_id inner, core::tenant_id outer) const {
  return family_tree{*repo_}.within(inner, outer);
}

}  // namespace syndicated::actors
