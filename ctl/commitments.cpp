#include "ctl/listing.hpp"

namespace syndicated::ctl {

void list_commitments(session& s, const commitment_query& q, const list_options& o) {
  const core::timestamp now = s.now();
  std::string target = "/v1/commitments";
  add_filter(target, "reseller_id", std::to_string(q.reseller));
  add_filter(target, "vendor_id", std::to_string(q.vendor));
  add_filter(target, "product_id", std::to_string(q.product));
  add_filter(target, "state", q.state);
  print_list(s, target, o,
             table{{{"ID", table::align::right},
                    {"STATE"},
                    {"RESELLER", table::align::right},
                    {"VENDOR", table::align::right},
                    {"PRODUCT", table::align::right},
                    {"TIER", table::align::right},
                    {"COMMITTED", table::align::right},
                    {"COUNTER", table::align::right},
                    {"SHORTFALL", table::align::right},
                    {"SNAPSHOT", table::align::right}}},
             "there are no such commitments", [now](const document& c) -> std::vector<std::string> {
               return {c.id("id"),
                       c.text("state"),
                       c.id("reseller_id"),
                       c.id("vendor_id"),
                       c.id("product_id"),
                       c.count("tier"),
                       c.id("committed_tier"),
                       c.count("counter"),
                       c.count("shortfall"),
                       human_when(c.time("snapshot_at"), now)};
             });
}

void show_commitment(session& s, std::uint64_t id) {
  show_one(s, "/v1/commitments/" + std::to_string(id));
}

}  // namespace syndicated::ctl
