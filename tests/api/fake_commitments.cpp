// Aggregate commitments of the engine in memory. Nothing is counted.
#include "tests/api/fake_engine_parts.hpp"

namespace syndicated::tests {

void fake_engine::create_commitment(core::new_aggregate wanted, actors::write_options options,
                                    actors::renderer<core::aggregate> render,
                                    actors::write_reply reply) {
  auto decided = core::create_aggregate({next_id_}, wanted, now());
  if (!decided) return reply(std::move(decided).failure());
  ++next_id_;
  all_commitments[decided->next.id.value] = decided->next;
  commit(options, decided->next, true, render, std::move(reply));
}

void fake_engine::command(core::commitment_id id, core::aggregate_command command,
                          actors::write_options options, actors::renderer<core::aggregate> render,
                          actors::write_reply reply) {
  const auto present = commitment(id);
  if (!present) return reply(present.failure());
  if (options.if_match && *options.if_match != present->version) return reply(stale());
  auto decided = core::decide(*present, command, now());
  if (!decided) return reply(std::move(decided).failure());
  all_commitments[id.value] = decided->next;
  commit(options, decided->next, decided->changed, render, std::move(reply));
}

core::result<core::aggregate> fake_engine::commitment(core::commitment_id id) const {
  return look_up(all_commitments, id.value);
}

core::result<actors::page<core::aggregate>> fake_engine::commitments(
    const actors::aggregate_filter& f, const actors::page_request& p) const {
  return select(all_commitments, p, [&](const core::aggregate& a) {
    const bool by_product = a.group.kind == core::entity_kind::product;
    return (!f.reseller || a.group.reseller == f.reseller) &&
           (!f.within || tenant_within(a.group.reseller, f.within)) &&
           (!f.vendor || a.vendor == f.vendor) &&
           (!f.product || (by_product && a.group.of == f.product.value)) &&
           (!f.state || a.state == *f.state);
  });
}

}  // namespace syndicated::tests
