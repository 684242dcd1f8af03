// The one owner of what tenants use: of all of them, since each total hangs on those below
// (domain.md, 5.4). See entity.hpp for the contract; it has no stream of its own.
//
// A call is one plan: rows of the tenants that it tells of, and of all above them. Hard quotas are
// held against the totals that the plan makes, so none is above one by what was taken. Levels
// belong to the tenants, which tell of them: the plan leaves a notice where one may have changed.
// Tenants that were moved, purged, or have other quotas leave marks, at which the ledger looks: so
// nothing has to arrive in time, and a crash loses nothing.
// Limits: limits::tenant_usages_max, ledger_rows_kept_max, ledger_marks_page.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/entity.hpp"
#include "store/usages.hpp"

namespace syndicated::actors {

// What it is asked goes here.
inline constexpr core::stream_id usage_ledger_stream{core::entity_kind::usages, 1};

class usage_ledger final : public entity {
 public:
  usage_ledger(services& s, core::stream_id stream) : entity(s, stream), rows_(s.repo.db()) {}

 private:
  core::result<void> load_record() override;
  void decide(entity_request& request) override;

  // A row that was written and is perhaps not yet on disk; and the notice that goes with it.
  struct recent_row {
    core::tenant_usage row;
    std::optional<store::quota_notice> notice;
    std::uint64_t plan = 0;
  };
  using recent_rows = std::map<std::pair<core::tenant_id, std::string>, recent_row>;
  // Of one request: what was read for it, and what it is about to write.
  struct work;
  core::result<std::optional<core::tenant>> tenant_of(work& w, core::tenant_id id);
  core::result<const core::offering_list*> own_items(work& w, core::tenant_id id);
  core::usage_sheet& sheet_of(work& w, const core::offering_key& item);
  // All that there are rows of.
  core::result<std::set<core::offering_key>> used_by(core::tenant_id id);

  void take(entity_request& request, tenant_usage_intake& intake);
  core::result<tenant_usage_taken> take_one(work& w, const tenant_usage_report& report,
                                            const item_check& may);
  // One that is not in effect is not on.
  core::result<core::offering_item> item_of(work& w, const tenant_usage_report& report,
                                            const item_check& may);
  // By the hard quotas of the tenants in the line.
  core::result<void> bears(work& w, core::usage_sheet& sheet,
                           const std::vector<core::tenant_id>& line, std::int64_t change);

  void look_at_marks(entity_request& request);
  // Those on disk; true: there are more.
  core::result<bool> settle_marks(work& w);
  core::result<void> look_at(work& w, core::tenant_id id);

  core::result<void> write(work& w);
  core::result<void> write_row(work& w, core::usage_sheet& sheet, core::tenant_id id);
  core::result<void> notify(work& w, const core::offering_key& item, core::tenant_id id,
                            core::tenant_usage& row, std::optional<store::quota_notice>& left);
  void submit(entity_request& request, work& w, std::function<void()> after = {});
  void forget_settled();

  const recent_row* recent(core::tenant_id id, const std::string& item) const;

  store::usages rows_;
  recent_rows recent_;
  std::uint64_t plans_ = 0;  // made
  std::shared_ptr<std::atomic<std::uint64_t>> settled_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);  // of these, on disk
};

}  // namespace syndicated::actors
