// Questions that a caller waits for: what is sent, and the bounds.
#include <boost/test/unit_test.hpp>

#include <deque>

#include "actors/vendor_asker.hpp"
#include "core/base/limits.hpp"

using namespace syndicated;

namespace {

struct desk {
  std::deque<net::attempt_request> sent;
  std::deque<std::function<void()>> elsewhere;
  std::vector<core::attempt_result> told;
  std::shared_ptr<const char> open = std::make_shared<const char>('\0');
  actors::vendor_asker asker{[this](net::attempt_request&& r) { sent.push_back(std::move(r)); },
                             [this](std::function<void()> f) { elsewhere.push_back(std::move(f)); },
                             open};

  void ask(std::uint64_t vendor) {
    asker.ask({{vendor}, "https://v.example/", "{}"},
              [this](core::attempt_result&& r) { told.push_back(std::move(r)); });
  }
  void answer(int status) {
    core::attempt_result r;
    r.status = status;
    if (status == 0) r.error = core::attempt_error::timeout;
    auto request = std::move(sent.front());
    sent.pop_front();
    request.done(std::move(r));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(vendor_asker)

BOOST_AUTO_TEST_CASE(a_question_is_posted_and_answered_elsewhere) {
  desk d;
  BOOST_TEST(d.open.use_count() == 1);
  d.ask(1);
  BOOST_TEST_REQUIRE(d.sent.size() == 1U);
  const auto& r = d.sent.front();
  BOOST_TEST(r.url == "https://v.example/");
  BOOST_TEST(*r.body == "{}");
  BOOST_TEST(!r.get);
  BOOST_TEST(r.timeout_ms == core::limits::vendor_question_ms);
  BOOST_TEST(r.excerpt_bytes_max == core::limits::response_body_bytes_max);
  BOOST_TEST(d.open.use_count() > 1);  // simulated time waits
  d.answer(204);
  BOOST_TEST(d.told.empty());  // not on the loop's thread
  d.elsewhere.front()();
  d.elsewhere.clear();
  BOOST_TEST_REQUIRE(d.told.size() == 1U);
  BOOST_TEST(d.told.front().status == 204);
  BOOST_TEST(d.open.use_count() == 1);
  d.ask(1);
  d.answer(0);
  BOOST_TEST(d.asker.answered() == 1U);
  BOOST_TEST(d.asker.failed() == 1U);
}

BOOST_AUTO_TEST_CASE(one_vendor_leaves_room_for_the_others) {
  desk d;
  const std::size_t his = core::limits::vendor_questions_max / 8;
  for (std::size_t i = 0; i < his + 1; ++i) d.ask(1);
  BOOST_TEST(d.sent.size() == his);
  BOOST_TEST_REQUIRE(d.told.size() == 1U);
  BOOST_TEST((d.told.front().error == core::attempt_error::local));
  BOOST_TEST(d.told.front().detail == "overloaded");
  for (std::uint64_t vendor = 2; vendor < 20; ++vendor) {
    for (std::size_t i = 0; i < his; ++i) d.ask(vendor);
  }
  BOOST_TEST(d.sent.size() == core::limits::vendor_questions_max);
  d.answer(500);
  d.ask(1);
  BOOST_TEST(d.sent.size() == core::limits::vendor_questions_max);
}

BOOST_AUTO_TEST_SUITE_END()
