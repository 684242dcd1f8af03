// Sub-resources and usage of the engine in memory.
#include "tests/api/fake_engine_parts.hpp"

namespace syndicated::tests {

void fake_engine::command(core::subscription_id id, actors::resource_order order,
                          actors::write_options options, actors::renderer<core::resource> render,
                          actors::write_reply reply) {
  const auto owner = subscription(id);
  if (!owner) return reply(owner.failure());
  core::resource_set& set = all_resources[id];
  const auto rules = core::rules_of(*items->find(owner->product), *items->find(owner->plan));
  core::resource_circumstances c;
  c.now = now();
  c.subscription = id;
  c.status = owner->status;
  c.rules = &rules;
  c.next_id = [this] { return core::resource_id{next_id_++}; };
  core::result<core::resource_decision> d = core::error{};
  if (const auto* wanted = std::get_if<core::new_resource>(&order)) {
    d = core::create_resource(set, *wanted, c);
  } else if (const auto* step = std::get_if<actors::resource_step>(&order)) {
    d = core::decide(set, step->id, step->command, c);
  } else {
    const auto& l = std::get<actors::link_step>(order);
    d = l.take_off ? core::unlink(set, l.id, l.link, l.by, c)
                   : core::link(set, l.id, l.link, l.by, c);
  }
  if (!d) return reply(std::move(d).failure());
  core::adopt(set, *d);
  commit(options, *set.find(d->subject), d->changed, render, std::move(reply));
}

actors::usage_outcomes fake_engine::judged(const std::vector<actors::usage_item>& given) {
  actors::usage_outcomes out;
  for (const auto& item : given) {
    const auto owner = subscription(item.subscription);
    if (!owner) {
      out.emplace_back(owner.failure());
      continue;
    }
    core::usage_circumstances c;
    c.now = now();
    c.subscription = owner->id;
    c.status = owner->status;
    c.allowed = [](std::string_view) { return core::allowance{}; };
    core::usage_work w(all_usage[owner->id], c);
    out.push_back(w.accept(item.report, {}));
    all_usage[owner->id] = w.book();
  }
  ++writes;
  return out;
}

void fake_engine::report_usage(std::vector<actors::usage_item> given, actors::write_options,
                               actors::usage_renderer render, actors::write_reply reply) {
  reply(render(judged(given)));
}

// Of the tenant itself only: sums are the ledger's.
void fake_engine::push_usages(actors::usage_push push, actors::write_options,
                              actors::usage_push_renderer render, actors::write_reply reply) {
  actors::tenant_usage_outcomes out;
  for (const actors::tenant_usage_report& r : push.tenants) {
    const auto has = offerings(r.tenant);
    if (!has) {
      out.emplace_back(has.failure());
      continue;
    }
    std::vector<core::offering_key> fitting;
    for (const core::offering_item& item : *has) {
      const bool fits = item.on && item.name == r.name &&
                        (!r.application_id || *r.application_id == item.application_id) &&
                        (!push.may || push.may(item));
      if (fits) fitting.push_back(item);
    }
    if (fitting.size() != 1) {
      out.emplace_back(core::error{
          core::errc::conflict, fitting.empty() ? "not_offered" : "ambiguous_item", "no", {}, {}});
      continue;
    }
    core::tenant_usage& row = all_tenant_usages[fitting.front()][r.tenant];
    row.own.ever = row.total.ever = r.value;
    out.emplace_back(actors::tenant_usage_taken{r.tenant, fitting.front(), r.value});
  }
  const auto subscriptions = judged(push.subscriptions);
  reply(render(out, subscriptions));
}

core::result<std::vector<actors::tenant_usage_view>> fake_engine::tenant_usages(
    core::tenant_id id) const {
  const auto has = offerings(id);
  if (!has) return has.failure();
  std::vector<actors::tenant_usage_view> out;
  for (const core::offering_item& item : *has) {
    actors::tenant_usage_view one;
    one.item = item;
    if (const auto rows = all_tenant_usages.find(item); rows != all_tenant_usages.end()) {
      if (const auto row = rows->second.find(id); row != rows->second.end()) {
        one.usage = row->second;
      }
    }
    one.level = core::crossing(item.quota, one.usage.total.value(), core::quota_crossing::within);
    out.push_back(std::move(one));
  }
  return out;
}

core::result<core::resource> fake_engine::resource(core::subscription_id owner,
                                                   core::resource_id id) const {
  const auto set = all_resources.find(owner);
  const core::resource* found = set == all_resources.end() ? nullptr : set->second.find(id);
  if (found == nullptr) return core::not_found("no such sub-resource");
  return *found;
}

core::result<actors::page<core::resource>> fake_engine::resources(
    core::subscription_id owner, const actors::resource_filter& f,
    const actors::page_request&) const {
  actors::page<core::resource> out;
  const auto set = all_resources.find(owner);
  if (set == all_resources.end()) return out;
  for (const auto& [id, r] : set->second.all) {
    const bool wanted =
        (f.type.empty() || r.type == f.type) && (!f.status || r.status == *f.status);
    if (wanted) out.items.push_back(r);
  }
  return out;
}

core::result<actors::page<core::usage_record>> fake_engine::usage(
    core::subscription_id owner, const actors::usage_filter& f, const actors::page_request&) const {
  actors::page<core::usage_record> out;
  const auto book = all_usage.find(owner);
  if (book == all_usage.end()) return out;
  for (const auto& [key, r] : book->second.open) {
    if (f.metric.empty() || key.metric == f.metric) out.items.push_back(r);
  }
  return out;
}

}  // namespace syndicated::tests
