// Where scans of a queue's front begin.
#include "store/front_mark.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <thread>

#include "store/database.hpp"
#include "tests/support/temporary_directory.hpp"

namespace syndicated::store {
namespace {

BOOST_AUTO_TEST_SUITE(front_marks)

std::string first_of(front_mark& mark) { return front_mark::scan{mark}.first(); }

void met_first(front_mark& mark, std::string_view key) { front_mark::scan{mark}.none_before(key); }

BOOST_AUTO_TEST_CASE(scans_begin_at_the_first_row_that_was_met) {
  front_mark mark;
  BOOST_TEST(first_of(mark).empty());
  met_first(mark, "m");
  BOOST_TEST(first_of(mark) == "m");
  met_first(mark, "p");
  BOOST_TEST(first_of(mark) == "p");
}

BOOST_AUTO_TEST_CASE(a_row_before_the_mark_takes_it_back) {
  front_mark mark;
  met_first(mark, "m");
  mark.put("x");
  BOOST_TEST(first_of(mark) == "m");
  mark.put("c");
  mark.put("d");
  BOOST_TEST(first_of(mark) == "c");
}

BOOST_AUTO_TEST_CASE(a_row_put_while_a_scan_goes_on_is_not_passed_by) {
  front_mark mark;
  {
    front_mark::scan pass{mark};
    mark.put("k");  // behind where the scan began, before what it meets
    mark.put("n");
    pass.none_before("m");
  }
  BOOST_TEST(first_of(mark) == "k");
  met_first(mark, "m");
  BOOST_TEST(first_of(mark) == "m");
}

struct timer_rows {
  void commit(const std::vector<std::string>& put, const std::vector<std::string>& erased = {}) {
    write_plan plan;
    for (const auto& key : put) plan.put(family::timers, key_bytes{key}, {});
    for (const auto& key : erased) plan.erase(family::timers, key_bytes{key});
    BOOST_REQUIRE((db->write({&plan}, {}, true).result == commit_result::committed));
  }
  std::vector<std::string> scan(std::string_view begin, std::string_view end,
                                std::size_t limit = 100) const {
    std::vector<std::string> out;
    BOOST_REQUIRE(db->scan(family::timers, begin, end, [&](std::string_view key, std::string_view) {
      out.emplace_back(key);
      return out.size() < limit;
    }));
    return out;
  }
  tests::temporary_directory dir;
  std::unique_ptr<database> db = std::move(database::open({dir.path()})).value();
};

using keys = std::vector<std::string>;

BOOST_FIXTURE_TEST_CASE(the_database_finds_every_row_whatever_was_scanned_before, timer_rows) {
  commit({"b", "d", "f"});
  BOOST_TEST(scan("", "c") == keys{"b"}, boost::test_tools::per_element());
  commit({}, {"b"});
  BOOST_TEST(scan("", "c").empty());
  BOOST_TEST(scan("", "b").empty());  // an end before the mark
  BOOST_TEST((scan("", "", 1) == keys{"d"}));
  commit({"a"});
  BOOST_TEST((scan("", "") == keys{"a", "d", "f"}));
  BOOST_TEST((scan("b", "") == keys{"d", "f"}));
  commit({}, {"a", "d", "f"});
  BOOST_TEST(scan("", "").empty());
  commit({"e"});
  BOOST_TEST((scan("", "z") == keys{"e"}));
}

// One puts and takes rows in any order; each scan after a commit shows what is there.
BOOST_FIXTURE_TEST_CASE(scans_beside_writes_see_what_was_committed_before, timer_rows) {
  std::mutex mutex;
  std::map<std::string, int> committed;  // key -> the round that put it
  std::vector<std::string> passed_by;
  std::atomic<bool> done{false};
  std::thread reader{[&] {
    std::mt19937 dice{7};
    while (!done) {
      std::map<std::string, int> before;
      {
        const std::lock_guard lock(mutex);
        before = committed;
      }
      std::map<std::string, int> seen;
      const std::string end(1, static_cast<char>('a' + dice() % 26));
      (void)db->scan(family::timers, "", end, [&](std::string_view key, std::string_view) {
        seen.emplace(key, 0);
        return true;
      });
      const std::lock_guard lock(mutex);
      for (const auto& [key, round] : before) {
        const auto still = committed.find(key);
        const bool untouched = still != committed.end() && still->second == round;
        if (untouched && key < end && !seen.contains(key)) passed_by.push_back(key);
      }
    }
  }};
  std::mt19937 dice{42};
  for (int round = 1; round <= 3000; ++round) {
    const std::string key{static_cast<char>('a' + dice() % 26),
                          static_cast<char>('a' + dice() % 3)};
    if (dice() % 3 == 0) {
      {
        const std::lock_guard lock(mutex);
        committed.erase(key);
      }
      commit({}, {key});
    } else {
      commit({key});
      const std::lock_guard lock(mutex);
      committed[key] = round;
    }
  }
  done = true;
  reader.join();
  BOOST_TEST(passed_by.empty());
  std::vector<std::string> expected;
  for (const auto& [key, round] : committed) expected.push_back(key);
  BOOST_TEST(scan("", "") == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::store
