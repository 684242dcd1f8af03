// The watchdog's rounds: complete only when every part has answered this round.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "daemon/heartbeat.hpp"

using syndicated::daemon::heartbeat;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(daemon_heartbeat)

BOOST_AUTO_TEST_CASE(a_round_is_complete_when_all_have_answered) {
  std::function<void()> late;
  heartbeat beat({{"quick", [](const std::function<void()>& answer) { answer(); }},
                  {"slow", [&late](std::function<void()> answer) { late = std::move(answer); }}});
  BOOST_TEST(!beat.complete());  // nobody was asked yet
  beat.begin();
  BOOST_TEST(!beat.complete());
  BOOST_TEST(beat.silent() == std::vector<std::string>{"slow"}, boost::test_tools::per_element());
  late();
  BOOST_TEST(beat.complete());
}

BOOST_AUTO_TEST_CASE(an_answer_to_an_old_round_does_not_count) {
  std::vector<std::function<void()>> answers;
  heartbeat beat({{"one", [&](std::function<void()> a) { answers.push_back(std::move(a)); }}});
  beat.begin();
  beat.begin();
  answers[0]();
  BOOST_TEST(!beat.complete());
  answers[1]();
  BOOST_TEST(beat.complete());
}

BOOST_AUTO_TEST_CASE(an_answer_after_the_end_is_harmless) {
  std::function<void()> late;
  {
    heartbeat beat({{"one", [&late](std::function<void()> answer) { late = std::move(answer); }}});
    beat.begin();
  }
  late();
  BOOST_TEST(static_cast<bool>(late));
}

BOOST_AUTO_TEST_CASE(the_lag_of_each_part_is_kept) {
  heartbeat::clock::time_point now{};
  std::vector<std::function<void()>> slow;
  heartbeat beat({{"quick", [](const std::function<void()>& answer) { answer(); }},
                  {"slow", [&slow](std::function<void()> a) { slow.push_back(std::move(a)); }}},
                 [&now] { return now; });
  const auto of = [&beat](std::size_t part) { return beat.pulses().at(part); };
  BOOST_TEST((of(0).name == "quick" && of(0).lag == 0us && of(1).lag == 0us));
  beat.begin();
  now += 40ms;
  BOOST_TEST((of(1).lag == 40ms));  // and it has not answered yet
  slow[0]();
  slow[0]();  // counts once
  now += 1s;
  BOOST_TEST((of(0).lag == 0us && of(1).lag == 40ms));
  BOOST_TEST(of(1).stalls == 0U);
  beat.begin();
  BOOST_TEST((of(1).lag == 40ms));  // it may be no slower than before
  now += 300ms;
  slow[1]();
  BOOST_TEST((of(1).lag == 300ms));
  BOOST_TEST(of(1).stalls == 1U);
  BOOST_TEST(of(0).stalls == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
