// The engine's commands and reads of aggregate commitments.
#include <caf/all.hpp>

#include "actors/engine_body.hpp"
#include "actors/lineage.hpp"
#include "actors/pages.hpp"
#include "store/aggregates.hpp"

namespace syndicated::actors {

core::result<void> engine_body::open_commitments() {
  return store::aggregates(*db_).all({}, [this](core::aggregate&& a) {
    if (!a.in_force()) return true;
    services_->aggregates.take(a.id, a.group);
    services_->aggregates.counted(a.id, a.counter);
    return true;
  });
}

void engine_body::create_commitment(core::new_aggregate wanted, write_options options,
                                    renderer<core::aggregate> render, write_reply reply) {
  if (!admit_load(reply)) return;
  auto request =
      request_for(core::stream_of(ids_.next_commitment()), std::move(options), std::move(reply));
  request->body = aggregate_creation{std::move(wanted), std::move(render)};
  post(std::move(request));
}

void engine_body::command(core::commitment_id id, core::aggregate_command command,
                          write_options options, renderer<core::aggregate> render,
                          write_reply reply) {
  if (!admit(reply)) return;
  auto request = request_for(core::stream_of(id), std::move(options), std::move(reply));
  request->body = aggregate_change{std::move(command), std::move(render)};
  post(std::move(request));
}

core::result<core::aggregate> engine_body::commitment(core::commitment_id id) const {
  auto found = store::aggregates(*db_).find(id);
  if (!found) return std::move(found).failure();
  if (!*found) return core::not_found("no such commitment");
  return std::move(**found);
}

core::result<page<core::aggregate>> engine_body::commitments(const aggregate_filter& f,
                                                             const page_request& p) const {
  auto after = id_cursor(p.after);
  if (!after) return std::move(after).failure();
  page_filler<core::aggregate> filler(p.limit);
  family_tree tree{*repo_};
  const auto wanted = [&](const core::aggregate& a) {
    const bool by_product = a.group.kind == core::entity_kind::product;
    return (!f.reseller || a.group.reseller == f.reseller) && (!f.vendor || a.vendor == f.vendor) &&
           (!f.product || (by_product && a.group.of == f.product.value)) &&
           (!f.state || a.state == *f.state) &&
           (!f.within || tree.within(a.group.reseller, f.within));
  };
  auto scanned = store::aggregates(*db_).all({*after}, [&](core::aggregate&& a) {
    const bool fits = wanted(a);
    const std::uint64_t id = a.id.value;
    return filler.offer(id, std::move(a), fits);
  });
  if (!scanned) return std::move(scanned).failure();
  return std::move(filler).take();
}

}  // namespace syndicated::actors
