#include "actors/usage_ledger.hpp"

#include "actors/lineage.hpp"
#include "core/base/limits.hpp"

namespace syndicated::actors {
namespace {

// Rows of tenants with marks that are looked at in one go, about.
constexpr std::size_t rows_looked_at = 4'096;

// Not of one item: nothing can be said of the others either.
bool ends_request(const core::error& why) {
  return why.kind == core::errc::io || why.kind == core::errc::corrupt ||
         why.kind == core::errc::unavailable || why.kind == core::errc::internal;
}

bool fits(const tenant_usage_report& report, const core::offering_key& item) {
  const auto same = [](const std::optional<std::string>& wanted, const std::string& is) {
    return !wanted || *wanted == is;
  };
  return report.name == item.name && same(report.application_id, item.application_id) &&
         same(report.edition, item.edition) && same(report.infra_id, item.infra_id);
}

core::error not_offered() {
  return {core::errc::conflict, "not_offered", "the tenant has no such item in effect", {}, {}};
}
// Who tells of some items only is not told whose quota it is, nor how large.
core::error blocked_somewhere() {
  return {core::errc::conflict,
          "quota_blocked",
          "a hard quota of the tenant, or of one above it, does not bear that",
          {},
          {}};
}
core::error ambiguous() {
  return {core::errc::conflict,
          "ambiguous_item",
          "several items have this name: application_id, edition and infra_id tell them apart",
          {},
          {}};
}

}  // namespace

struct usage_ledger::work {
  core::timestamp range{};
  std::map<core::tenant_id, std::optional<core::tenant>> tenants;
  std::map<core::tenant_id, core::offering_list> own, effective;
  std::map<core::offering_key, core::usage_sheet> sheets;
  // Also where no total changes: what was tried in vain; none: the level is to be looked at.
  std::map<std::pair<core::offering_key, core::tenant_id>, std::optional<std::int64_t>> noted;
  store::write_plan plan;
  recent_rows written;
};

core::result<void> usage_ledger::load_record() {
  recent_.clear();
  return {};
}

void usage_ledger::decide(entity_request& request) {
  forget_settled();
  if (recent_.size() > core::limits::ledger_rows_kept_max) {
    return refuse(request, unavailable("too many usages are on their way to the disk"));
  }
  if (auto* intake = std::get_if<tenant_usage_intake>(&request.body)) {
    return take(request, *intake);
  }
  if (std::holds_alternative<usage_marks>(request.body)) return look_at_marks(request);
  refuse(request, core::not_found("the ledger of usages has no such command"));
}

void usage_ledger::forget_settled() {
  if (idle()) return recent_.clear();
  if (recent_.size() <= core::limits::ledger_rows_kept_max / 2) return;
  std::erase_if(recent_,
                [settled = settled_->load()](const auto& e) { return e.second.plan <= settled; });
}

const usage_ledger::recent_row* usage_ledger::recent(core::tenant_id id,
                                                     const std::string& item) const {
  const auto found = recent_.find({id, item});
  const bool on_disk = found == recent_.end() || found->second.plan <= settled_->load();
  return on_disk ? nullptr : &found->second;
}

core::result<std::optional<core::tenant>> usage_ledger::tenant_of(work& w, core::tenant_id id) {
  const auto known = w.tenants.find(id);
  if (known != w.tenants.end()) return known->second;
  auto found = s_.repo.find(id);
  if (found) w.tenants.emplace(id, *found);
  return found;
}

core::result<const core::offering_list*> usage_ledger::own_items(work& w, core::tenant_id id) {
  const auto known = w.own.find(id);
  if (known != w.own.end()) return &known->second;
  auto items = s_.repo.offerings(id);
  if (!items) return std::move(items).failure();
  return &w.own.emplace(id, std::move(*items)).first->second;
}

core::usage_sheet& usage_ledger::sheet_of(work& w, const core::offering_key& item) {
  const auto known = w.sheets.find(item);
  if (known != w.sheets.end()) return known->second;
  const auto row = [this, id = store::usage_item_id(item)](
                       core::tenant_id t) -> core::result<std::optional<core::tenant_usage>> {
    if (const recent_row* r = recent(t, id)) return std::optional{r->row};
    return rows_.find(t, id);
  };
  const auto parent = [this, &w](core::tenant_id t) -> core::result<core::tenant_id> {
    auto found = tenant_of(w, t);
    if (!found) return std::move(found).failure();
    return *found ? (*found)->parent : core::tenant_id{};
  };
  return w.sheets.try_emplace(item, item, w.range, row, parent).first->second;
}

core::result<std::set<core::offering_key>> usage_ledger::used_by(core::tenant_id id) {
  std::set<core::offering_key> out;
  auto scanned = rows_.of_tenant(id, [&out](core::tenant_usage&& row) {
    out.insert(std::move(row.item));
    return out.size() < core::limits::scan_rows_max;
  });
  if (!scanned) return std::move(scanned).failure();
  for (auto r = recent_.lower_bound({id, {}}); r != recent_.end() && r->first.first == id; ++r) {
    out.insert(r->second.row.item);
  }
  return out;
}

// ---- what is reported

void usage_ledger::take(entity_request& request, tenant_usage_intake& intake) {
  work w;
  w.range = core::range_of(s_.now());
  // Quotas are held against totals that count everybody where he stands now.
  auto more = settle_marks(w);
  if (!more) return refuse(request, std::move(more).failure());
  if (*more) {
    s_.tell(usage_ledger_stream, usage_marks{});
    return refuse(request, unavailable("many tenants are being moved at this moment"));
  }
  tenant_usage_outcomes outcomes;
  std::uint64_t taken = 0;
  for (const tenant_usage_report& report : intake.reports) {
    outcomes.push_back(take_one(w, report, intake.may));
    if (outcomes.back()) {
      ++taken;
    } else if (ends_request(outcomes.back().failure())) {
      return refuse(request, core::error{outcomes.back().failure()});
    }
  }
  if (auto ok = write(w); !ok) return refuse(request, std::move(ok).failure());
  const std::uint64_t refused = outcomes.size() - taken;
  intake.tell(std::move(outcomes));
  submit(request, w, [s = &s_, taken, refused] {
    s->usages_taken.fetch_add(taken);
    s->usages_refused.fetch_add(refused);
  });
}

core::result<core::offering_item> usage_ledger::item_of(work& w, const tenant_usage_report& report,
                                                        const item_check& may) {
  auto known = w.effective.find(report.tenant);
  if (known == w.effective.end()) {
    auto items = offerings_in_effect(s_.repo, report.tenant);
    if (!items) return std::move(items).failure();
    known = w.effective.emplace(report.tenant, std::move(*items)).first;
  }
  std::vector<core::offering_item> found;
  const auto wanted = [&](const core::offering_key& item) {
    return fits(report, item) && (!may || may(item));
  };
  for (const core::offering_item& item : known->second) {
    if (item.on && wanted(item)) found.push_back(item);
  }
  if (found.empty()) {
    // What it had may go down.
    auto used = used_by(report.tenant);
    if (!used) return std::move(used).failure();
    for (const core::offering_key& item : *used) {
      if (!wanted(item)) continue;
      auto row = sheet_of(w, item).row(report.tenant);
      if (!row) return std::move(row).failure();
      if (row->own.value() == 0) continue;
      core::offering_item one;
      static_cast<core::offering_key&>(one) = item;
      one.on = false;
      if (row->counter) one.measurement_unit = "seconds";
      found.push_back(std::move(one));
    }
  }
  if (found.empty()) return not_offered();
  if (found.size() > 1) return ambiguous();
  return std::move(found.front());
}

core::result<tenant_usage_taken> usage_ledger::take_one(work& w, const tenant_usage_report& report,
                                                        const item_check& may) {
  auto tenant = tenant_of(w, report.tenant);
  if (!tenant) return std::move(tenant).failure();
  if (!*tenant || (*tenant)->state == core::tenant_state::purged) {
    // Who tells of some items only is not told which tenants there are.
    return may ? not_offered() : core::not_found("no such tenant");
  }
  auto item = item_of(w, report, may);
  if (!item) return std::move(item).failure();
  core::usage_sheet& sheet = sheet_of(w, *item);
  auto line = sheet.settle(report.tenant);
  if (!line) return std::move(line).failure();
  const bool counter = core::is_counter(*item);
  auto change = sheet.change_to(report.tenant, report.value, counter);
  if (!change) return std::move(change).failure();
  if (*change > 0 && !item->on) return not_offered();
  if (*change > 0) {
    if (auto ok = bears(w, sheet, *line, *change); !ok) {
      const bool hide = may && ok.failure().code == "quota_blocked";
      return hide ? blocked_somewhere() : std::move(ok).failure();
    }
  }
  if (*change != 0) {
    if (auto ok = sheet.add(report.tenant, *change, counter); !ok) return std::move(ok).failure();
  }
  return tenant_usage_taken{report.tenant, *item, report.value};
}

core::result<void> usage_ledger::bears(work& w, core::usage_sheet& sheet,
                                       const std::vector<core::tenant_id>& line,
                                       std::int64_t change) {
  for (const core::tenant_id id : line) {
    auto items = own_items(w, id);
    if (!items) return std::move(items).failure();
    const core::offering_item* item = core::find_item(**items, sheet.item());
    if (item == nullptr) continue;
    auto row = sheet.row(id);
    if (!row) return std::move(row).failure();
    std::int64_t tried = 0;
    if (__builtin_add_overflow(row->total.value(), change, &tried)) {
      return core::invalid_field("/usage_value", "is more than can be summed up");
    }
    if (!core::blocked(item->quota, tried)) continue;
    w.noted[{sheet.item(), id}] = tried;
    return core::quota_blocked(id, *item);
  }
  return {};
}

// ---- what has changed around it

void usage_ledger::look_at_marks(entity_request& request) {
  work w;
  w.range = core::range_of(s_.now());
  auto more = settle_marks(w);
  if (!more) return refuse(request, std::move(more).failure());
  if (auto ok = write(w); !ok) return refuse(request, std::move(ok).failure());
  submit(request, w,
         *more ? std::function<void()>{[s = &s_] { s->tell(usage_ledger_stream, usage_marks{}); }}
               : std::function<void()>{});
}

core::result<bool> usage_ledger::settle_marks(work& w) {
  std::vector<store::usage_mark> marks;
  auto scanned = rows_.marks([&marks](store::usage_mark&& m) {
    marks.push_back(m);
    return marks.size() < core::limits::ledger_marks_page;
  });
  if (!scanned) return std::move(scanned).failure();
  core::tenant_id last;
  std::size_t done = 0;
  for (const store::usage_mark& mark : marks) {
    if (mark.tenant != last && w.noted.size() > rows_looked_at) break;
    if (mark.tenant != last) {
      if (auto ok = look_at(w, mark.tenant); !ok) return std::move(ok).failure();
    }
    last = mark.tenant;
    store::usages::erase(w.plan, mark);
    ++done;
  }
  return done < marks.size() || done == core::limits::ledger_marks_page;
}

core::result<void> usage_ledger::look_at(work& w, core::tenant_id id) {
  auto tenant = tenant_of(w, id);
  if (!tenant) return std::move(tenant).failure();
  if (!*tenant) return {};
  auto used = used_by(id);
  if (!used) return std::move(used).failure();
  for (const core::offering_key& item : *used) {
    core::usage_sheet& sheet = sheet_of(w, item);
    auto line = sheet.settle(id);
    if (!line) return std::move(line).failure();
    if ((*tenant)->state == core::tenant_state::purged) {
      if (auto ok = sheet.withdraw(id); !ok) return ok;
    }
    w.noted.try_emplace({item, id});
  }
  return {};
}

// ---- writing

core::result<void> usage_ledger::write(work& w) {
  ++plans_;
  for (auto& [item, sheet] : w.sheets) {
    for (const core::tenant_id id : sheet.changed()) w.noted.try_emplace({item, id});
  }
  for (const auto& [place, tried] : w.noted) {
    if (auto ok = write_row(w, w.sheets.at(place.first), place.second); !ok) return ok;
  }
  for (auto& [place, row] : w.written) recent_.insert_or_assign(place, std::move(row));
  return {};
}

core::result<void> usage_ledger::write_row(work& w, core::usage_sheet& sheet, core::tenant_id id) {
  auto row = sheet.row(id);
  if (!row) return std::move(row).failure();
  auto tenant = tenant_of(w, id);
  if (!tenant) return std::move(tenant).failure();
  const bool changed = sheet.changed().contains(id);
  const bool purged = !*tenant || (*tenant)->state == core::tenant_state::purged;
  if (changed) ++row->version;
  const std::uint64_t version = row->version;
  recent_row next{*row, {}, plans_};
  if (!purged) {
    if (auto ok = notify(w, sheet.item(), id, next.row, next.notice); !ok) return ok;
  }
  const std::string item = store::usage_item_id(sheet.item());
  const bool nothing = next.row.own == core::usage_sum{} && next.row.total == core::usage_sum{};
  if (purged && nothing) {
    store::usages::erase(w.plan, id, item);
  } else if (changed || next.row.version != version) {
    store::usages::put(w.plan, id, next.row);
  } else {
    return {};
  }
  w.written.insert_or_assign({id, item}, std::move(next));
  return {};
}

// Leaves a notice when the level is another one than was told, or when one is under way that may be
// read before this plan is on disk. One at a time: it takes the place of what was left before.
core::result<void> usage_ledger::notify(work& w, const core::offering_key& item, core::tenant_id id,
                                        core::tenant_usage& row,
                                        std::optional<store::quota_notice>& left) {
  const std::string name = store::usage_item_id(item);
  auto items = own_items(w, id);
  if (!items) return std::move(items).failure();
  const core::offering_item* own = core::find_item(**items, item);
  std::optional<store::quota_notice> before;
  if (const recent_row* r = recent(id, name)) before = r->notice;
  if (!before) {
    auto stored = rows_.notice(id, name);
    if (!stored) return std::move(stored).failure();
    before = std::move(*stored);
  }
  // After the notice: the tenant takes that away together with what it told.
  auto told = rows_.told(id, name);
  if (!told) return std::move(told).failure();
  std::optional<std::int64_t> tried = w.noted.at({item, id});
  told = core::as_of(*told, row);
  const auto level = core::told_after(own == nullptr ? core::offering_quota{} : own->quota,
                                      row.total.value(), *told);
  if (core::same(level, *told) && !before && (!tried || told->blocked)) return {};
  if (before) {
    store::usages::erase(w.plan, *before);
    if (!tried) tried = before->tried;
  }
  left = store::quota_notice{id, name, ++row.version, tried};
  store::usages::put(w.plan, *left);
  return {};
}

void usage_ledger::submit(entity_request& request, work& w, std::function<void()> after) {
  if (w.plan.ops.empty()) {
    if (after) after();
    return answer_unchanged(request, {});
  }
  commit(request, std::move(w.plan), {}, {},
         [settled = settled_, plan = plans_, after = std::move(after)] {
           settled->store(plan);
           if (after) after();
         });
}

}  // namespace syndicated::actors
