// What tenants use, summed up along the tree: arithmetic, moves, months, and when quotas are told.
#include <boost/test/unit_test.hpp>

#include <limits>
#include <random>

#include "core/base/limits.hpp"
#include "core/lifecycle/tenant_usage.hpp"

namespace syndicated::core {
namespace {

constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();

timestamp day(unsigned month, unsigned day_of_month) {
  using namespace std::chrono;
  return sys_days{year{2026} / month / day_of_month};
}

// Tenants of one item: where they stand, and what is written of them.
struct forest {
  std::map<tenant_id, tenant_id> parents{{{1}, {}}};
  std::map<tenant_id, tenant_usage> rows;
  timestamp now = day(3, 10);

  usage_sheet sheet() {
    return {{"app", "storage", "", ""},
            range_of(now),
            [this](tenant_id id) -> result<std::optional<tenant_usage>> {
              const auto found = rows.find(id);
              if (found == rows.end()) return std::optional<tenant_usage>{};
              return std::optional{found->second};
            },
            [this](tenant_id id) -> result<tenant_id> { return parents[id]; }};
  }
  void keep(usage_sheet& s) {
    for (const tenant_id id : s.changed()) rows[id] = *s.row(id);
  }
  std::string set(std::uint64_t id, std::int64_t value, bool counter = false) {
    usage_sheet s = sheet();
    if (!s.settle({id}).ok()) return "unsettled";
    auto change = s.change_to({id}, value, counter);
    if (!change) return change.failure().code;
    if (auto ok = s.add({id}, *change, counter); !ok) return ok.failure().code;
    keep(s);
    return "";
  }
  void settle(std::uint64_t id) {
    usage_sheet s = sheet();
    BOOST_REQUIRE(s.settle({id}).ok());
    keep(s);
  }
  tenant_usage row(std::uint64_t id) { return as_of(rows[{id}], range_of(now)); }
  std::int64_t total(std::uint64_t id) { return row(id).total.value(); }
  std::int64_t own(std::uint64_t id) { return row(id).own.value(); }
  void stand(std::uint64_t id, std::uint64_t under) { parents[{id}] = {under}; }
};

offering_quota quota(std::int64_t value, std::optional<std::int64_t> overage = {}) {
  return {value, overage, 1};
}

BOOST_AUTO_TEST_SUITE(tenant_usages)

BOOST_AUTO_TEST_CASE(what_one_uses_is_in_all_totals_above) {
  forest f;
  f.stand(2, 1);
  f.stand(3, 2);
  f.stand(4, 2);
  BOOST_TEST(f.set(3, 10) == "");
  BOOST_TEST(f.set(4, 5) == "");
  BOOST_TEST(f.set(2, 1) == "");
  BOOST_TEST(f.total(1) == 16);
  BOOST_TEST(f.total(2) == 16);
  BOOST_TEST(f.total(3) == 10);
  BOOST_TEST(f.own(2) == 1);
  BOOST_TEST(f.own(1) == 0);
  BOOST_TEST(f.set(3, 2) == "");  // what there is now
  BOOST_TEST(f.total(1) == 8);
  BOOST_TEST(f.set(3, 2) == "");
  BOOST_TEST(f.total(1) == 8);
  BOOST_TEST(f.set(3, -1) == "invalid_field");
}

BOOST_AUTO_TEST_CASE(seconds_begin_anew_each_month_and_never_go_down_in_it) {
  forest f;
  f.stand(2, 1);
  f.stand(3, 2);
  f.stand(4, 2);
  BOOST_TEST(f.set(3, 100, true) == "");
  BOOST_TEST(f.set(3, 99, true) == "counter_went_down");
  BOOST_TEST(f.set(3, 150, true) == "");
  BOOST_TEST(f.total(1) == 150);
  f.now = day(4, 1);
  BOOST_TEST(f.total(1) == 0);  // without anybody having looked
  BOOST_TEST(f.own(3) == 0);
  BOOST_TEST(f.set(4, 7, true) == "");
  BOOST_TEST(f.total(1) == 7);
  BOOST_TEST(f.row(1).total.ever == 157);
  BOOST_TEST(f.set(3, 5, true) == "");
  BOOST_TEST(f.total(2) == 12);
  BOOST_TEST(f.row(2).total.ever == 162);
  BOOST_TEST((f.row(3).range_start == day(4, 1)));
}

BOOST_AUTO_TEST_CASE(bytes_go_on_over_the_end_of_a_month) {
  forest f;
  f.stand(2, 1);
  f.set(2, 9);
  f.now = day(4, 1);
  BOOST_TEST(f.total(1) == 9);
  BOOST_TEST((f.row(1).range_start == day(4, 1)));
  f.set(2, 10);
  BOOST_TEST(f.total(1) == 10);
  BOOST_TEST(f.row(1).total.ever == 10);
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_changes_nothing) {
  forest f;
  f.stand(2, 1);
  f.set(2, 9, true);
  f.now = day(2, 1);
  BOOST_TEST(f.set(2, 11, true) == "");
  BOOST_TEST(f.total(1) == 11);
  BOOST_TEST((f.row(1).range_start == day(3, 1)));
}

BOOST_AUTO_TEST_CASE(a_move_takes_the_total_along_once) {
  forest f;
  f.stand(2, 1);
  f.stand(3, 1);
  f.stand(4, 2);
  f.stand(5, 4);
  f.set(5, 10, true);
  f.set(4, 1, true);
  f.stand(4, 3);
  f.settle(4);
  f.settle(4);  // again: nothing
  BOOST_TEST(f.total(1) == 11);
  BOOST_TEST(f.total(2) == 0);
  BOOST_TEST(f.total(3) == 11);
  BOOST_TEST(f.total(4) == 11);
  f.now = day(5, 2);  // what came along is of its month, too
  BOOST_TEST(f.total(3) == 0);
  BOOST_TEST(f.row(3).total.ever == 11);
}

// Who reports first finds the tree as it was counted, and settles it on the way.
BOOST_AUTO_TEST_CASE(a_report_after_a_move_needs_no_other_to_have_looked) {
  forest f;
  f.stand(2, 1);
  f.stand(3, 1);
  f.stand(4, 2);
  f.stand(5, 4);
  f.set(5, 10);
  f.stand(4, 3);
  f.set(5, 12);
  BOOST_TEST(f.total(2) == 0);
  BOOST_TEST(f.total(3) == 12);
  BOOST_TEST(f.total(1) == 12);
}

// Each under the other, one after the other: what is counted never goes round.
BOOST_AUTO_TEST_CASE(two_that_change_places_are_settled_in_any_order) {
  for (const std::uint64_t first : {2U, 3U}) {
    forest f;
    f.stand(2, 1);
    f.stand(3, 2);
    f.set(2, 1);
    f.set(3, 10);
    f.stand(3, 1);
    f.stand(2, 3);
    f.settle(first);
    f.settle(5 - first);
    BOOST_TEST(f.total(1) == 11);
    BOOST_TEST(f.total(2) == 1);
    BOOST_TEST(f.total(3) == 11);
  }
}

BOOST_AUTO_TEST_CASE(a_tree_without_an_end_is_refused) {
  forest f;
  f.stand(2, 3);
  f.stand(3, 2);
  usage_sheet s = f.sheet();
  BOOST_TEST(s.settle({2}).failure().code == "tree_in_motion");
}

BOOST_AUTO_TEST_CASE(what_goes_leaves_all_sums) {
  forest f;
  f.stand(2, 1);
  f.stand(3, 2);
  f.set(3, 8, true);
  f.set(2, 1, true);
  usage_sheet s = f.sheet();
  BOOST_REQUIRE(s.withdraw({3}).ok());
  f.keep(s);
  BOOST_TEST(f.total(1) == 1);
  BOOST_TEST(f.total(2) == 1);
  BOOST_TEST((f.row(3).total == usage_sum{}));
  BOOST_TEST((f.row(3).own == usage_sum{}));
}

BOOST_AUTO_TEST_CASE(sums_that_are_too_large_are_refused_whole) {
  forest f;
  f.stand(2, 1);
  f.stand(3, 1);
  BOOST_TEST(f.set(2, huge) == "");
  BOOST_TEST(f.set(3, 1) == "invalid_field");
  BOOST_TEST(f.total(3) == 0);
  BOOST_TEST(f.total(1) == huge);
  BOOST_TEST(f.set(2, 0) == "");
  BOOST_TEST(f.set(3, 1) == "");
}

BOOST_AUTO_TEST_CASE(random_trees_have_the_sums_of_what_is_below) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random{seed};
    forest f;
    std::map<std::uint64_t, std::int64_t> own;
    constexpr std::uint64_t tenants = 12;
    for (std::uint64_t id = 2; id <= tenants; ++id) f.stand(id, 1 + random() % (id - 1));
    const auto below = [&f](std::uint64_t inner, std::uint64_t outer) {
      for (tenant_id at{inner}; at; at = f.parents[at]) {
        if (at.value == outer) return true;
      }
      return false;
    };
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t id = 2 + random() % (tenants - 1);
      if (random() % 3 == 0) {
        const std::uint64_t to = 1 + random() % tenants;
        if (below(to, id)) continue;
        f.stand(id, to);
        if (random() % 2 == 0) f.settle(id);
      } else {
        const auto value = static_cast<std::int64_t>(random() % 100);
        BOOST_REQUIRE(f.set(id, value) == "");
        own[id] = value;
      }
    }
    for (std::uint64_t id = 1; id <= tenants; ++id) f.settle(id);
    for (std::uint64_t outer = 1; outer <= tenants; ++outer) {
      std::int64_t sum = 0;
      for (const auto& [inner, value] : own) sum += below(inner, outer) ? value : 0;
      BOOST_TEST(f.total(outer) == sum, "seed " << seed << " tenant " << outer);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_is_forgotten_a_tenth_below) {
  const offering_quota hard = quota(100, 10);
  const quota_told was{quota_crossing::exceeded, true};
  BOOST_TEST(told_after(hard, 110, was).blocked);
  BOOST_TEST(told_after(hard, 100, was).blocked);
  BOOST_TEST(!told_after(hard, 99, was).blocked);
  BOOST_TEST(!told_after(quota(100), 110, was).blocked);  // soft now
  BOOST_TEST(!told_after({}, 110, was).blocked);
  BOOST_TEST(!told_after(hard, 200, {quota_crossing::exceeded, false}).blocked);  // nobody was
  BOOST_TEST(told_after(quota(huge, huge), huge, was).blocked);
  BOOST_TEST((told_after({}, 1, was).level == quota_crossing::within));
}

BOOST_AUTO_TEST_CASE(what_was_told_of_seconds_counts_for_its_month) {
  tenant_usage row;
  row.range_start = day(4, 1);
  const quota_told was{quota_crossing::exceeded, true, day(3, 1)};
  BOOST_TEST(same(as_of(was, row), was));  // bytes
  row.counter = true;
  BOOST_TEST(same(as_of(was, row), {}));
  BOOST_TEST((as_of(was, row).range == day(4, 1)));
  row.range_start = day(3, 1);
  BOOST_TEST(same(as_of(was, row), was));
}

BOOST_AUTO_TEST_CASE(each_level_that_is_passed_is_told) {
  offering_item item;
  item.application_id = "app";
  item.name = "storage";
  item.quota = quota(100, 20);
  const auto names = [&](quota_crossing before, quota_crossing now) {
    std::string out;
    for (const event_draft& e : level_events(item, 130, before, now)) out += e.name + ' ';
    return out;
  };
  using enum quota_crossing;
  BOOST_TEST(names(within, exceeded) == "quota.reached quota.exceeded ");
  BOOST_TEST(names(reached, exceeded) == "quota.exceeded ");
  BOOST_TEST(names(exceeded, within) == "");
  const event_draft e = blocked_event(item, 130);
  BOOST_TEST(e.name == "quota.blocked");
  BOOST_TEST(e.change_json == R"({"metric":"storage","value":130,"limit":100,"overage":20,)"
                              R"("application_id":"app","edition":"","infra_id":""})");
  BOOST_TEST(e.metadata.at("value") == "130");
  BOOST_TEST(quota_blocked({42}, item).detail ==
             "the quota of tenant 42 (01000000-0000-85d1-8000-00000000002a) for storage is 100 and "
             "an overage of 20");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
