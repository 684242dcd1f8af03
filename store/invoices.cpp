#include "store/invoices.hpp"

namespace syndicated::store {
namespace {

constexpr char invoice_row = 'i';

key_bytes rows_of(core::subscription_id owner) {
  return key_bytes{}.u64(owner.value).byte(static_cast<std::uint8_t>(invoice_row));
}

}  // namespace

key_bytes invoice_key(core::invoice_id id) {
  return rows_of(core::subscription_of(id)).u64(id.value);
}

core::result<std::optional<core::invoice>> invoices::find(core::invoice_id id) const {
  auto raw = db_.get(family::parts, invoice_key(id).view());
  if (!raw) return std::move(raw).failure();
  if (!*raw) return std::optional<core::invoice>{};
  auto found = decode_invoice(id, **raw);
  if (!found) return std::move(found).failure();
  return std::optional{std::move(*found)};
}

core::result<void> invoices::of(core::subscription_id owner, core::invoice_id after,
                                const std::function<bool(core::invoice&&)>& visit) const {
  core::result<void> problem;
  const key_bytes begin = rows_of(owner).u64(after.value + 1);
  const key_bytes end = rows_of(owner).successor();
  auto scanned = db_.scan(family::parts, begin.view(), end.view(),
                          [&](std::string_view key, std::string_view value) {
                            auto i = decode_invoice({read_u64(key, 9)}, value);
                            if (i) return visit(std::move(*i));
                            problem = std::move(i).failure();
                            return false;
                          });
  return scanned.ok() ? problem : scanned;
}

void invoices::put(write_plan& plan, const core::invoice& i) {
  plan.put(family::parts, invoice_key(i.id), encode(i));
}

}  // namespace syndicated::store
