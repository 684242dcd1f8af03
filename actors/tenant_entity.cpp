#include "actors/tenant_entity.hpp"

#include "actors/endpoint_entity.hpp"
#include "actors/event_data.hpp"
#include "actors/published_entity.hpp"
#include "actors/subscription_entity.hpp"

namespace syndicated::actors {

tenant_entity::tenant_entity(services& s, core::stream_id stream) : entity(s, stream) {}

core::result<void> tenant_entity::load_record() {
  auto found = s_.repo.find(core::tenant_id{stream_.entity});
  if (!found) return std::move(found).failure();
  record_ = std::move(*found);
  return {};
}

void tenant_entity::decide(entity_request& request) {
  if (auto* creation = std::get_if<tenant_creation>(&request.body))
    return create(request, *creation);
  if (!record_) return refuse(request, core::not_found("no such tenant"));
  if (std::holds_alternative<reconsider_access>(request.body)) return reconsider(request);
  if (auto* change = std::get_if<tenant_change>(&request.body)) return apply(request, *change);
  refuse(request, core::not_found("no such tenant"));
}

void tenant_entity::create(entity_request& request, tenant_creation& creation) {
  if (record_)
    return refuse(request, {core::errc::internal, "internal", "the id is taken", {}, {}});
  auto path = creation.parent.path;
  path.push_back(creation.parent.id);
  auto enabled = all_enabled(s_.repo, path);
  if (!enabled) return refuse(request, std::move(enabled).failure());
  auto decided =
      core::create_tenant({stream_.entity}, creation.wanted, creation.parent, *enabled, s_.now());
  if (!decided) return refuse(request, std::move(decided).failure());
  write(request, std::move(*decided), true, creation.render);
}

void tenant_entity::apply(entity_request& request, tenant_change& change) {
  if (!version_fits(request, record_->version)) return;
  auto decided = core::decide(*record_, change.command, s_.now());
  if (!decided) return refuse(request, std::move(decided).failure());
  if (decided->events.empty()) {
    return answer_unchanged(request, change.render ? change.render(*record_, false) : answer{});
  }
  write(request, std::move(*decided), adds_load(change.command), change.render);
}

// An ancestor was disabled or enabled: tell the tenant's endpoints once for each real change.
void tenant_entity::reconsider(entity_request& request) {
  auto enabled = all_enabled(s_.repo, record_->path);
  if (!enabled) return refuse(request, std::move(enabled).failure());
  const bool gone = record_->state == core::tenant_state::deleted;
  if (gone || record_->ancestors_enabled == *enabled) return answer_unchanged(request, {});
  core::tenant_decision decided{*record_, {}};
  decided.next.ancestors_enabled = *enabled;
  ++decided.next.version;
  decided.next.updated_at = s_.now();
  decided.events.push_back({*enabled ? "tenant.access_restored" : "tenant.access_suspended",
                            core::wire_type::none,
                            {},
                            {}});
  write(request, std::move(decided), false, {});
}

void tenant_entity::write(entity_request& request, core::tenant_decision decided, bool is_load,
                          const renderer<core::tenant>& render) {
  store::write_plan plan;
  follow_ups follow;
  core::tenant& next = decided.next;
  const bool created = !record_;
  const bool switched = !created && record_->epoch != next.epoch;
  auto path = next.path;
  path.push_back(next.id);
  event_facts facts;
  facts.tenant = next.id;
  facts.path = path;
  facts.entity_version = next.version;
  facts.cause = cause_of(request.options.by);
  facts.new_load = is_load;
  const auto data = [&next](const core::event_draft& draft, std::uint64_t seq) {
    return event_data(next, draft, seq);
  };
  auto ok = outbox_.publish(plan, follow, std::move(decided.events), next.seq, facts, data);
  if (!ok) return refuse(request, std::move(ok).failure());
  s_.repo.put(plan, next, created);
  // The fan-out is remembered until it is done, so a crash cannot leave it half way.
  if (switched) s_.repo.put_cascade(plan, next.id);
  record_ = std::move(next);
  answer a = render ? render(*record_, true) : answer{};
  commit(request, std::move(plan), std::move(follow), std::move(a),
         [services = &s_, mark = outbox_.committed_mark(), seq = record_->seq, switched,
          id = record_->id] {
           mark->store(seq);
           if (!switched) return;
           services->access_epoch.fetch_add(1);
           services->start_cascade(id);
         });
}

std::unique_ptr<entity> make_entity(services& s, core::stream_id stream) {
  if (stream.kind == core::entity_kind::endpoint) {
    return std::make_unique<endpoint_entity>(s, stream);
  }
  if (stream.kind == core::entity_kind::tenant) return std::make_unique<tenant_entity>(s, stream);
  if (stream.kind == core::entity_kind::published || stream.kind == core::entity_kind::unordered) {
    return std::make_unique<published_entity>(s, stream);
  }
  return std::make_unique<subscription_entity>(s, stream);
}

}  // namespace syndicated::actors
