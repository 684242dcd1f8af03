// The index of lanes by endpoint, side and due time, and its older form.
#include <boost/test/unit_test.hpp>

#include "core/lifecycle/subscription.hpp"
#include "store/id_source.hpp"
#include "store/repository.hpp"
#include "store/upgrade.hpp"
#include "tests/support/temporary_directory.hpp"

namespace syndicated::store {
namespace {

struct new_store {
  tests::temporary_directory dir;
  vault secrets = std::move(vault::with_key(std::string(32, 'k'))).value();
  std::unique_ptr<database> db = std::move(database::open({dir.path()})).value();
  repository repo{*db, secrets};
};

BOOST_AUTO_TEST_SUITE(due_index)

BOOST_FIXTURE_TEST_CASE(a_lane_has_two_rows_while_it_lasts, new_store) {
  core::lane lane;
  lane.key = {{core::entity_kind::subscription, 1}, {2}, {}};
  lane.head = {3};
  lane.next_seq = 1;
  lane.backlog = 1;
  lane.due = core::from_unix_ms(1000);
  const auto commit = [this](auto&& fill) {
    write_plan plan;
    fill(plan);
    BOOST_REQUIRE((db->write({&plan}, {}, true).result == commit_result::committed));
  };
  const auto due_rows = [this](due_side last) {
    std::size_t rows = 0;
    BOOST_REQUIRE(repo.due_lanes({2}, due_side::fresh, last, {},
                                 [&](const core::lane_key&, std::string_view) {
                                   ++rows;
                                   return true;
                                 })
                      .ok());
    return rows;
  };
  commit([&](write_plan& p) { repo.put(p, lane, nullptr); });
  BOOST_TEST(due_rows(due_side::late) == 1U);
  core::lane parked = lane;
  parked.state = core::lane_state::parked;
  commit([&](write_plan& p) { repo.put(p, parked, &lane); });
  BOOST_TEST(due_rows(due_side::late) == 0U);
  BOOST_TEST(due_rows(due_side::parked) == 1U);
  commit([&](write_plan& p) { repo.erase(p, parked); });
  BOOST_TEST(due_rows(due_side::parked) == 0U);
  BOOST_TEST(repo.lanes_of(lane.key.stream)->empty());
}

// Four lanes, due one second after the other: the third failed before, the last is parked.
write_plan four_lanes(const repository& repo) {
  write_plan plan;
  for (std::uint64_t n = 1; n <= 4; ++n) {
    core::lane lane;
    lane.key = {{core::entity_kind::subscription, n}, {2}, {}};
    lane.due = core::from_unix_ms(static_cast<std::int64_t>(1000 * n));
    lane.attempts = n >= 3 ? 1 : 0;
    if (n == 4) lane.state = core::lane_state::parked;
    repo.put(plan, lane, nullptr);
  }
  return plan;
}

BOOST_FIXTURE_TEST_CASE(fresh_lanes_late_ones_and_parked_ones_stand_apart, new_store) {
  const write_plan plan = four_lanes(repo);
  BOOST_REQUIRE((db->write({&plan}, {}, true).result == commit_result::committed));
  const auto seen = [this](due_place from) {
    std::vector<std::uint64_t> out;
    BOOST_REQUIRE(repo.due_rows({2}, from,
                                [&](due_row&& row) {
                                  out.push_back(row.due_ms);
                                  return true;
                                })
                      .ok());
    return out;
  };
  BOOST_TEST((seen({due_side::fresh, 0}) == std::vector<std::uint64_t>{1000, 2000}));
  BOOST_TEST((seen({due_side::fresh, 1001}) == std::vector<std::uint64_t>{2000}));
  BOOST_TEST((seen({due_side::late, 0}) == std::vector<std::uint64_t>{3000}));
  BOOST_TEST((seen({due_side::parked, 0}) == std::vector<std::uint64_t>{0}));
  // A page goes on behind the last key of the one before, on whatever side that was.
  std::string last;
  std::vector<std::uint64_t> streams;
  for (bool more = true; more;) {
    more = false;
    BOOST_REQUIRE(repo.due_lanes({2}, due_side::fresh, due_side::parked, last,
                                 [&](const core::lane_key& key, std::string_view raw) {
                                   streams.push_back(key.stream.entity);
                                   last = raw;
                                   more = true;
                                   return false;
                                 })
                      .ok());
  }
  BOOST_TEST((streams == std::vector<std::uint64_t>{1, 2, 3, 4}));
}

// Rows as schema 1 had them, of the lanes of four_lanes and of one that is gone; those of the first
// two lanes were moved before the upgrade was cut.
write_plan as_schema_1() {
  write_plan plan;
  for (std::uint64_t n = 3; n <= 5; ++n) {
    const core::lane_key lane{{core::entity_kind::subscription, n}, {2}, {}};
    const std::uint64_t due = n == 4 ? 0x7FFF'FFFF'FFFF'FFFFULL : 1000 * n;
    plan.put(family::due, key_bytes{}.u64(2).u64(due).stream(lane.stream).u64(0),
             n == 3 ? "r" : "");
    if (n == 3) plan.erase(family::due, due_key(lane, {due_side::late, 3000}));
    if (n == 4) plan.erase(family::due, due_key(lane, {due_side::parked, 0}));
  }
  return plan;
}

struct older_store : new_store {
  std::vector<std::string> wanted;

  older_store() {
    id_source ids;
    BOOST_REQUIRE(check_store(*db, secrets, ids).ok());
    write(four_lanes(repo));
    wanted = rows();
    write(as_schema_1());
    BOOST_TEST((rows() != wanted));
  }
  void write(const write_plan& plan) {
    BOOST_REQUIRE((db->write({&plan}, {}, true).result == commit_result::committed));
  }
  void say_schema(std::string schema) {
    write_plan plan;
    plan.put(family::meta, key_bytes{"schema"}, std::move(schema));
    write(plan);
  }
  std::string schema() const { return db->get(family::meta, "schema")->value(); }
  std::vector<std::string> rows() const {
    std::vector<std::string> keys;
    const auto scanned =
        db->scan(family::due, {}, {}, [&](std::string_view key, std::string_view value) {
          keys.push_back(std::string{key} + '=' + std::string{value});
          return true;
        });
    BOOST_REQUIRE(scanned.ok());
    return keys;
  }
};

// A row whose lane is gone is not kept.
BOOST_FIXTURE_TEST_CASE(a_store_of_schema_1_is_brought_forward_with_the_start, older_store) {
  for (const char* began : {"1", "1>2"}) {
    say_schema(began);
    id_source ids;
    BOOST_REQUIRE(check_store(*db, secrets, ids).ok());
    BOOST_TEST((rows() == wanted));
    BOOST_TEST(schema() == "3");
    write(as_schema_1());
  }
}

BOOST_FIXTURE_TEST_CASE(an_upgrade_goes_on_page_by_page, older_store) {
  BOOST_REQUIRE(upgrade_due(*db, "2", 1).ok());
  BOOST_TEST((rows() == wanted));
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>(value | 0x80U);
  out += static_cast<char>(value);
}

// A subscription as schema 2 had it: one deadline, and a timer for it only when it waited. The
// message's fields by number: id, status, paid, auto_renew, period_end_ms, deadline_ms, version.
std::string old_subscription(std::uint64_t id, core::subscription_status status,
                             std::uint64_t deadline_ms, std::uint64_t period_end_ms) {
  std::string out(1, '\1');
  const auto field = [&out](std::uint64_t number, std::uint64_t value) {
    append_varint(out, number << 3U);
    append_varint(out, value);
  };
  field(1, id);
  field(10, static_cast<std::uint64_t>(status));
  field(12, 1);
  field(15, 1);
  field(18, period_end_ms);
  if (deadline_ms != 0) field(21, deadline_ms);
  field(28, 1);
  return out;
}

BOOST_FIXTURE_TEST_CASE(subscriptions_of_schema_2_get_their_timers, older_store) {
  for (const char* began : {"2", "2>3"}) {
    write_plan plan;
    plan.put(family::subscriptions, id_key(1),
             old_subscription(1, core::subscription_status::waiting_payment, 1'000, 0));
    plan.put(family::subscriptions, id_key(2),
             old_subscription(2, core::subscription_status::deployed, 0, 7'000));
    plan.put(family::subscriptions, id_key(3), "damaged");
    write(plan);
    say_schema(began);
    id_source ids;
    BOOST_REQUIRE(check_store(*db, secrets, ids).ok());
    std::vector<std::string> timers;
    BOOST_REQUIRE(db->scan(family::timers, {}, {}, [&](std::string_view key, std::string_view) {
                      timers.emplace_back(key);
                      return true;
                    }).ok());
    const auto key = [](std::int64_t due, std::uint64_t id) {
      return std::string{
          timer_key(core::from_unix_ms(due), {core::entity_kind::subscription, id}).view()};
    };
    BOOST_TEST((timers == std::vector<std::string>{key(1'000, 1), key(7'000, 2)}));
    BOOST_TEST(schema() == "3");
  }
}

BOOST_FIXTURE_TEST_CASE(a_start_with_a_wrong_key_upgrades_nothing, older_store) {
  say_schema("1");
  const auto before = rows();
  id_source ids;
  const vault other = std::move(vault::with_key(std::string(32, 'x'))).value();
  BOOST_TEST(!check_store(*db, other, ids).ok());
  BOOST_TEST((rows() == before));
  BOOST_TEST(schema() == "1");
}

BOOST_FIXTURE_TEST_CASE(a_lane_that_cannot_be_read_keeps_its_place, older_store) {
  write_plan damage;
  const core::lane_key third{{core::entity_kind::subscription, 3}, {2}, {}};
  damage.put(family::lanes, lane_row_key(third), "damaged");
  write(damage);
  BOOST_REQUIRE(upgrade_due(*db, "2").ok());
  BOOST_TEST((rows() == wanted));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::store
