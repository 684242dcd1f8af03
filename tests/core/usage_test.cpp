// Usage records: the key, corrections, windows, counters and gauges, quota levels.
// Source of the expectations: domain.md 5.3, 10.2, 10.9, 10.14.
#include <boost/test/unit_test.hpp>

#include <random>

#include "core/base/limits.hpp"
#include "core/lifecycle/metric_poll.hpp"
#include "core/lifecycle/usage.hpp"

namespace syndicated::core {
namespace {

using namespace std::chrono_literals;
using sub = subscription_status;

const timestamp noon = *parse_rfc3339("2026-03-31T12:00:00Z");

struct meter {
  usage_book book;
  timestamp now = noon + 10min;
  sub status = sub::deployed;
  std::optional<timestamp> period_start = noon - 24h;
  std::map<std::string, allowance, std::less<>> limits;
  bool tell = false;
  std::map<usage_key, usage_record> stored;

  usage_circumstances at() {
    usage_circumstances c;
    c.now = now;
    c.subscription = {9};
    c.status = status;
    c.period_start = period_start;
    c.allowed = [this](std::string_view metric) {
      const auto found = limits.find(metric);
      return found == limits.end() ? allowance{} : found->second;
    };
    c.tell_records = tell;
    return c;
  }
  std::vector<std::string> names;  // of the events of the last step
  void take(usage_work& w) {
    names.clear();
    for (const auto& e : w.events()) names.push_back(e.name);
    for (const auto& [key, r] : w.written()) stored[key] = r;
    book = w.book();
  }
  result<usage_outcome> report(const usage_report& r) {
    usage_work w(book, at());
    std::optional<usage_record> past;
    const auto key = w.key_of(r);
    if (!book.open.contains(key) && stored.contains(key)) past = stored.at(key);
    auto outcome = w.accept(r, past);
    take(w);
    return outcome;
  }
  static usage_report of(std::string metric, std::int64_t value, timestamp start,
                         metric_kind kind = metric_kind::gauge) {
    usage_report r;
    r.metric = std::move(metric);
    r.value = whole(value);
    r.window_start = start;
    r.window_end = start + 1h;
    r.kind = kind;
    return r;
  }
  std::string effect(const usage_report& r) {
    const auto outcome = report(r);
    return outcome ? std::string{to_string(outcome->effect)} : outcome.failure().code;
  }
  void close_due() {
    usage_work w(book, at());
    w.close_due();
    take(w);
  }
};

using list = std::vector<std::string>;
#define TEST_NAMES(got, ...) \
  BOOST_TEST((got) == (list{__VA_ARGS__}), boost::test_tools::per_element())

}  // namespace

BOOST_AUTO_TEST_SUITE(usage)

BOOST_AUTO_TEST_CASE(decimals_are_exact) {
  BOOST_TEST(to_string(decimal{31'670'000}) == "31.67");
  BOOST_TEST(to_string(whole(3)) == "3");
  BOOST_TEST(to_string(decimal{1}) == "0.000001");
  BOOST_TEST(to_string(decimal{-500'000}) == "-0.5");
}

BOOST_AUTO_TEST_CASE(the_same_again_is_a_success_and_another_value_a_correction_until_it_closes) {
  meter m;
  m.tell = true;
  const auto first = meter::of("disk", 5, noon);
  BOOST_TEST(m.effect(first) == "recorded");
  TEST_NAMES(m.names, "usage.recorded");
  BOOST_TEST(m.effect(first) == "repeated");
  TEST_NAMES(m.names, );
  BOOST_TEST(m.effect(meter::of("disk", 4, noon)) == "corrected");
  BOOST_TEST(m.book.open.begin()->second.corrections == 1U);
  m.now = noon + 1h + std::chrono::seconds{limits::usage_close_s} - 1ms;
  BOOST_TEST(m.effect(meter::of("disk", 6, noon)) == "corrected");
  m.now += 1ms;
  // Closed by the clock, though the timer was late.
  BOOST_TEST(m.effect(meter::of("disk", 7, noon)) == "window_closed");
  BOOST_TEST((*next_close(m.book) == m.now));
  m.close_due();
  TEST_NAMES(m.names, "usage.window_closed");
  BOOST_TEST(!next_close(m.book));
  m.close_due();
  TEST_NAMES(m.names, );
  BOOST_TEST(m.effect(meter::of("disk", 6, noon)) == "repeated");
  BOOST_TEST(m.effect(meter::of("disk", 7, noon)) == "window_closed");
  // Another source, or a window nobody reported in time.
  auto other = meter::of("disk", 6, noon);
  other.source = "other";
  BOOST_TEST(m.effect(other) == "window_closed");
}

BOOST_AUTO_TEST_CASE(counters_never_go_down_within_a_period_and_gauges_may) {
  meter m;
  const auto counter = [&](std::int64_t value, timestamp start) {
    return m.effect(meter::of("mails", value, start, metric_kind::counter));
  };
  m.now = noon + 4h + 30min;
  BOOST_TEST(counter(10, noon + 3h) == "recorded");
  BOOST_TEST(counter(9, noon + 4h) == "counter_went_down");
  BOOST_TEST(counter(15, noon + 4h) == "recorded");
  BOOST_TEST(counter(16, noon + 3h) == "counter_went_down");  // above a later window
  BOOST_TEST(counter(12, noon + 3h) == "corrected");
  m.now += 3h;
  m.close_due();
  BOOST_TEST(counter(14, m.now - 1h) == "counter_went_down");
  BOOST_TEST(counter(15, m.now - 1h) == "recorded");
  m.period_start = m.now - 10min;  // renewed, or converted from a trial
  BOOST_TEST(counter(0, m.now) == "recorded");
  BOOST_TEST(m.effect(meter::of("disk", 5, m.now - 1h)) == "recorded");
  BOOST_TEST(m.effect(meter::of("disk", 1, m.now)) == "recorded");
  BOOST_TEST(m.effect(meter::of("disk", 1, m.now, metric_kind::counter)) == "invalid_field");
}

BOOST_AUTO_TEST_CASE(input_is_checked_with_its_place) {
  meter m;
  const auto pointer = [&](usage_report r) {
    const auto outcome = m.report(r);
    return outcome ? std::string{"taken"} : outcome.failure().fields.at(0).pointer;
  };
  auto r = meter::of("disk", -1, noon);
  BOOST_TEST(pointer(r) == "/value");
  r = meter::of("disk", 1, noon);
  r.window_end = noon;
  BOOST_TEST(pointer(r) == "/window_end");
  r.window_end = noon + 31 * 24h + 1ms;
  BOOST_TEST(pointer(r) == "/window_end");
  r.window_end.reset();
  BOOST_TEST(pointer(r) == "/window_end");
  BOOST_TEST(pointer(meter::of("disk", 1, m.now + 6min)) == "/window_start");
  BOOST_TEST(pointer(meter::of("disk", 1, m.now + 4min)) == "taken");
  usage_report hour;
  hour.metric = "disk";
  BOOST_TEST((m.report(hour)->record.key.window_start == noon));
}

BOOST_AUTO_TEST_CASE(levels_are_told_once_and_a_hard_limit_blocks) {
  meter m;
  m.limits["disk"] = {10, 5};
  BOOST_TEST(m.effect(meter::of("disk", 9, noon)) == "recorded");
  TEST_NAMES(m.names, );
  BOOST_TEST(m.effect(meter::of("disk", 10, noon)) == "corrected");
  TEST_NAMES(m.names, "quota.reached");
  BOOST_TEST(m.effect(meter::of("disk", 15, noon)) == "corrected");
  TEST_NAMES(m.names, "quota.exceeded");
  BOOST_TEST(m.effect(meter::of("disk", 16, noon)) == "quota_blocked");
  TEST_NAMES(m.names, "quota.blocked");
  BOOST_TEST(m.effect(meter::of("disk", 17, noon)) == "quota_blocked");
  TEST_NAMES(m.names, );
  // What stood before a refused correction stands.
  BOOST_TEST((m.book.open.begin()->second.value == whole(15)));
  // Sources add up; a refused new record is kept as rejected and does not count.
  auto other = meter::of("disk", 1, noon);
  other.source = "vps-2";
  BOOST_TEST(m.effect(other) == "quota_blocked");
  BOOST_TEST((m.stored.at({noon, "disk", "vps-2"}).state == usage_state::rejected));
  BOOST_TEST(m.effect(other) == "quota_blocked");
  BOOST_TEST(m.effect(meter::of("disk", 2, noon)) == "corrected");
  BOOST_TEST(m.effect(other) == "quota_blocked");  // the same key and value is the same answer
  other.value = whole(2);
  BOOST_TEST(m.effect(other) == "corrected");
  // A fall was silent, and the next rise is told again.
  BOOST_TEST(m.effect(meter::of("disk", 8, noon)) == "corrected");
  TEST_NAMES(m.names, "quota.reached");
  // Soft: told, never blocked.
  m.limits["calls"] = {3, {}};
  BOOST_TEST(m.effect(meter::of("calls", 100, noon)) == "recorded");
  TEST_NAMES(m.names, "quota.reached", "quota.exceeded");
}

BOOST_AUTO_TEST_CASE(the_last_window_closes_an_hour_after_the_vendor_was_asked_to_release) {
  meter m;
  BOOST_TEST(m.effect(meter::of("disk", 5, noon)) == "recorded");
  {
    usage_work w(m.book, m.at());
    w.begin_final();
    m.take(w);
  }
  m.status = sub::undeploy_sent;
  m.now += 59min;
  BOOST_TEST(m.effect(meter::of("disk", 6, noon)) == "corrected");
  BOOST_TEST((*next_close(m.book) == noon + 70min));
  m.now += 1min;
  BOOST_TEST(m.effect(meter::of("disk", 7, noon)) == "window_closed");
  m.close_due();
  TEST_NAMES(m.names, "usage.window_closed");
  BOOST_TEST(m.effect(meter::of("disk", 7, noon + 1h)) == "window_closed");
  m.status = sub::undeployed;
  BOOST_TEST(m.effect(meter::of("disk", 7, noon + 1h)) == "transition_not_allowed");
  for (const sub s : {sub::pending, sub::failed, sub::rejected, sub::waiting_payment}) {
    m.status = s;
    BOOST_TEST(m.effect(meter::of("disk", 1, noon)) == "transition_not_allowed");
  }
}

BOOST_AUTO_TEST_CASE(answers_of_a_window_become_one_record) {
  meter m;
  const auto folded = [&m](usage_fold how, std::vector<std::int64_t> values) {
    m.book = {};
    m.stored.clear();
    for (const std::int64_t value : values) {
      auto r = meter::of("users", value, noon);
      r.fold = how;
      BOOST_REQUIRE(m.report(r).ok());
    }
    return to_string(m.book.open.begin()->second.value);
  };
  BOOST_TEST(folded(usage_fold::average, {10, 20, 30}) == "20");
  BOOST_TEST(folded(usage_fold::average, {10, 10, 10, 40}) == "17.5");
  BOOST_TEST(folded(usage_fold::peak, {10, 30, 20}) == "30");
  BOOST_TEST(folded(usage_fold::newest, {10, 30, 20}) == "20");
}

BOOST_AUTO_TEST_CASE(bounds_hold) {
  meter m;
  for (std::size_t i = 0; i < limits::usage_series_max; ++i) {
    BOOST_REQUIRE(m.effect(meter::of("m" + std::to_string(i), 1, noon)) == "recorded");
  }
  BOOST_TEST(m.effect(meter::of("more", 1, noon)) == "too_many_series");
  for (int i = 1; m.book.open.size() < limits::usage_open_windows_max; ++i) {
    BOOST_REQUIRE(m.effect(meter::of("m0", 1, noon - i * 1s)) == "recorded");
  }
  BOOST_TEST(m.effect(meter::of("m1", 1, noon - 1s)) == "too_many_windows");
}

BOOST_AUTO_TEST_CASE(a_metric_with_an_address_is_asked_for_in_its_rhythm) {
  product p;
  metric asked;
  asked.name = "disk";
  asked.url = "https://metrics.example/disk";
  asked.frequency = 300s;
  metric told;
  told.name = "mails";
  p.metrics = {asked, told};
  auto polls = polls_for({}, p, {7}, sub::deployed, noon);
  BOOST_REQUIRE_EQUAL(polls.size(), 1U);
  const timestamp first = polls.at("disk").due;
  BOOST_TEST((first >= noon && first < noon + 300s));
  BOOST_TEST((*next_poll(polls) == first));
  // Others of the same instant are asked at other times.
  BOOST_TEST((polls_for({}, p, {8}, sub::deployed, noon).at("disk").due != first));
  BOOST_TEST((polls_for(polls, p, {7}, sub::stopped, noon + 1h) == polls));
  for (const sub s : {sub::pending, sub::undeploy_sent, sub::undeployed}) {
    BOOST_TEST(polls_for(polls, p, {7}, s, noon).empty());
  }
  BOOST_TEST(take_due(polls, p, first - 1ms).empty());
  TEST_NAMES(take_due(polls, p, first), "disk");
  BOOST_TEST((polls.at("disk").due == first + 300s));
  // After a pause it asks once.
  TEST_NAMES(take_due(polls, p, first + 1000s), "disk");
  BOOST_TEST((polls.at("disk").due == first + 1200s));
  note_answer(polls.at("disk"), whole(3), "", noon);
  note_answer(polls.at("disk"), {}, "http_500", noon + 1s);
  note_answer(polls.at("disk"), {}, "timeout", noon + 2s);
  BOOST_TEST(polls.at("disk").failures == 2U);
  BOOST_TEST(polls.at("disk").problem == "timeout");
  BOOST_TEST((polls.at("disk").value == whole(3) && polls.at("disk").answered_at == noon));
  p.metrics[0].frequency = 30s;  // more often: from now on
  BOOST_TEST((polls_for(polls, p, {7}, sub::deployed, noon).at("disk").due == noon + 30s));
  p.metrics.clear();
  BOOST_TEST(polls_for(polls, p, {7}, sub::deployed, noon).empty());
}

// Whatever comes, in whatever order: counters in stored windows never fall within a period, hard
// limits hold, and what was closed never changes.
BOOST_AUTO_TEST_CASE(seeded_walks_hold_the_invariants) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::mt19937 random(seed);
    meter m;
    m.limits["gauge"] = {20, 5};
    std::map<usage_key, decimal> closed;
    for (int step = 0; step < 400; ++step) {
      m.now += std::chrono::minutes{random() % 20};
      if (random() % 90 == 0) m.period_start = m.now;
      const bool counter = random() % 2 == 0;
      auto r = meter::of(
          counter ? "counter" : "gauge", std::int64_t(random() % 30),
          std::chrono::floor<std::chrono::hours>(m.now) - std::chrono::hours{random() % 4},
          counter ? metric_kind::counter : metric_kind::gauge);
      if (random() % 3 == 0) r.source = "second";
      (void)m.report(r);
      if (random() % 5 == 0) m.close_due();
      for (const auto& [key, record] : m.stored) {
        if (record.state != usage_state::closed) continue;
        const auto [known, fresh] = closed.emplace(key, record.value);
        BOOST_REQUIRE((known->second == record.value));
      }
      decimal gauge;
      for (const char* source : {"vendor", "second"}) {
        std::optional<decimal> newest;
        std::optional<decimal> last;
        for (const auto& [key, record] : m.stored) {
          if (key.source != source || record.state == usage_state::rejected) continue;
          if (key.metric == "gauge") newest = record.value;
          if (key.metric != "counter" || key.window_start < *m.period_start) continue;
          if (last) BOOST_REQUIRE((record.value >= *last));
          last = record.value;
        }
        if (newest) gauge.micros += newest->micros;
      }
      BOOST_REQUIRE_LE(gauge.micros, whole(25).micros);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace syndicated::core
