// Offering items and quotas: what flows down, which versions fit, what is told when.
#include <boost/test/unit_test.hpp>

#include <array>
#include <limits>
#include <random>

#include "core/base/limits.hpp"
#include "core/lifecycle/offering.hpp"

namespace syndicated::core {
namespace {

offering_item item(std::string name, bool on = true, std::optional<std::int64_t> value = {},
                   std::uint64_t version = 0) {
  offering_item i;
  i.application_id = "app";
  i.name = std::move(name);
  i.on = on;
  i.quota.value = value;
  i.quota.version = version;
  return i;
}

BOOST_AUTO_TEST_SUITE(offerings)

BOOST_AUTO_TEST_CASE(a_child_has_only_what_the_parent_has) {
  const offering_list parent{item("storage"), item("mail", false)};
  BOOST_TEST(set_items({}, {item("storage")}, &parent).ok());
  BOOST_TEST(set_items({}, {item("vault")}, &parent).failure().code == "not_offered");
  BOOST_TEST(set_items({}, {item("vault", false)}, &parent).ok());  // what is off may be told so
  offering_item elsewhere = item("storage");
  elsewhere.infra_id = "other";
  BOOST_TEST(!set_items({}, {elsewhere}, &parent).ok());

  const auto effective = in_effect({item("storage"), item("mail"), item("old")}, parent);
  BOOST_TEST(effective[0].on);
  BOOST_TEST(!effective[1].on);
  BOOST_TEST(!effective[2].on);
}

BOOST_AUTO_TEST_CASE(the_parent_describes_the_item) {
  offering_list parent{item("storage")};
  parent[0].measurement_unit = "bytes";
  parent[0].locked = true;
  auto child = set_items({}, {item("storage")}, &parent);
  BOOST_TEST(child->at(0).measurement_unit == "bytes");
  BOOST_TEST(set_items(*child, {item("storage", false)}, &parent).failure().code == "item_locked");
  BOOST_TEST(set_items(*child, {item("storage", false)}, nullptr).ok());  // who defines, may
}

BOOST_AUTO_TEST_CASE(what_is_counted_stays_counted) {
  offering_item hours = item("hours");
  hours.measurement_unit = "seconds";
  const offering_list present{hours, item("storage")};
  offering_item wanted = item("hours");
  BOOST_TEST(set_items(present, {wanted}, nullptr).failure().code == "measurement_unit_fixed");
  wanted = item("storage");
  wanted.measurement_unit = "seconds";
  BOOST_TEST(set_items(present, {wanted}, nullptr).failure().code == "measurement_unit_fixed");
  wanted.measurement_unit = "bytes";
  BOOST_TEST(set_items(present, {wanted}, nullptr).ok());
  BOOST_TEST(set_items(present, {item("hours")}, &present).ok());  // it is described from above
}

BOOST_AUTO_TEST_CASE(a_stale_quota_version_is_refused) {
  const offering_list parent{item("storage")};
  auto list = set_items({}, {item("storage", true, 10)}, &parent);
  BOOST_TEST(list->at(0).quota.version == 1U);
  const auto code = [&](std::uint64_t version) {
    const auto next = set_items(*list, {item("storage", true, 20, version)}, &parent);
    return next.ok() ? "" : next.failure().code;
  };
  BOOST_TEST(code(0) == "quota_version_mismatch");
  BOOST_TEST(code(2) == "quota_version_mismatch");
  BOOST_TEST(code(1) == "");
  BOOST_TEST(set_items({}, {item("storage", true, 1, 3)}, &parent).failure().code ==
             "quota_version_mismatch");
  // The same again changes nothing.
  BOOST_TEST(same_settings(*set_items(*list, {item("storage", true, 10, 1)}, &parent), *list));
  BOOST_TEST(!same_settings(*set_items(*list, {item("storage", true, 11, 1)}, &parent), *list));
  BOOST_TEST(set_items({}, {item("storage", true, -1)}, &parent).failure().fields.at(0).pointer ==
             "/offering_items/0/quota/value");
}

BOOST_AUTO_TEST_CASE(what_a_child_is_offered_has_no_quota) {
  const auto offered = for_child({item("storage", true, 5, 2), item("mail", false)});
  BOOST_REQUIRE(offered.size() == 1U);
  BOOST_TEST(!offered[0].quota.value);
  BOOST_TEST(offered[0].quota.version == 0U);
}

BOOST_AUTO_TEST_CASE(a_list_has_an_end) {
  offering_list many;
  for (std::size_t i = 0; i <= limits::offering_items_max; ++i)
    many.push_back(item("i" + std::to_string(i)));
  BOOST_TEST(!set_items({}, many, nullptr).ok());
  many.pop_back();
  BOOST_TEST(set_items({}, many, nullptr).ok());
}

BOOST_AUTO_TEST_CASE(each_crossing_is_told_once) {
  using qc = quota_crossing;
  const offering_quota quota{100, {}, 1};
  qc level = qc::within;
  std::string told;
  for (const std::int64_t used : {50, 79, 80, 95, 81, 75, 70, 69, 80, 100, 101, 95, 101, 91, 90}) {
    const qc next = crossing(quota, used, level);
    if (next != level) told += std::to_string(used) + ':' + std::string{to_string(next)} + ' ';
    level = next;
  }
  BOOST_TEST(told == "80:reached 69:within 80:reached 101:exceeded 90:reached ");
  BOOST_TEST((crossing({}, 1'000'000, qc::exceeded) == qc::within));
  BOOST_TEST((crossing({0, {}, 1}, 0, qc::within) == qc::within));
  BOOST_TEST((crossing({0, {}, 1}, 1, qc::within) == qc::exceeded));
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  BOOST_TEST((crossing({most, {}, 1}, most - 1, qc::within) == qc::reached));
}

BOOST_AUTO_TEST_CASE(only_a_hard_quota_blocks) {
  BOOST_TEST(!blocked({100, {}, 1}, 1'000));
  BOOST_TEST(!blocked({100, 10, 1}, 110));
  BOOST_TEST(blocked({100, 10, 1}, 111));
  BOOST_TEST(blocked({100, 0, 1}, 101));
  BOOST_TEST(!blocked({{}, 0, 1}, 101));
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  BOOST_TEST(!blocked({most, most, 1}, most));
}

// Invariant 14 of domain.md 10.14: whoever sets what and in whatever order, nobody has in effect
// what somebody above has not.
BOOST_AUTO_TEST_CASE(seeded_walks_leave_nobody_with_more_than_those_above) {
  constexpr std::array<const char*, 4> names{"storage", "mail", "vault", "seats"};
  for (unsigned seed = 1; seed <= 100; ++seed) {
    std::minstd_rand random(seed);
    const auto pick = [&random](unsigned of) { return static_cast<unsigned>(random() % of); };
    std::array<offering_list, 4> own;  // from the provider down
    const auto effective = [&own](std::size_t level) {
      offering_list all = own[0];
      for (std::size_t i = 1; i <= level; ++i) all = in_effect(own[i], all);
      return all;
    };
    int taken = 0;
    for (int step = 0; step < 200; ++step) {
      const std::size_t level = pick(4);
      const offering_list above = level == 0 ? offering_list{} : for_child(effective(level - 1));
      const auto known = find_item(own[level], item(names[pick(4)]));
      offering_item wanted = known != nullptr ? *known : item(names[pick(4)]);
      wanted.on = pick(3) != 0;
      wanted.quota.value = pick(2) == 0 ? std::nullopt : std::optional<std::int64_t>{pick(50)};
      const auto next = set_items(own[level], {wanted}, level == 0 ? nullptr : &above);
      if (!next) continue;
      ++taken;
      own[level] = *next;
      for (std::size_t below = 1; below < own.size(); ++below) {
        const offering_list parent = effective(below - 1);
        for (const offering_item& i : effective(below)) {
          const offering_item* source = find_item(parent, i);
          BOOST_REQUIRE((!i.on || (source != nullptr && source->on)));
        }
      }
    }
    BOOST_TEST(taken > 50);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
