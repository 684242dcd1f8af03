// Invoices and orders in the engine: one write with their subscription's change, told once in
// streams of their own, whatever crashes in between.
#include <boost/test/unit_test.hpp>

#include "core/lifecycle/json.hpp"
#include "store/invoices.hpp"
#include "tests/actors/room.hpp"

namespace syndicated {
namespace {

using namespace tests;
using action = core::subscription_action;
using state = core::invoice_state;

class till : public room {
 public:
  till() {
    core::endpoint e;
    e.scope = core::endpoint_scope::platform;
    e.url = "https://billing.example/hook";
    e.origin = "https://billing.example:443";
    e.with_metadata = true;
    billing = engine.new_endpoint(std::move(e));
    shop = open_stall();  // its endpoint wants everything
    sold = {ordered(true)};
  }

  std::uint64_t ordered(bool paid) {
    const auto seen = engine.ask(order(shop.customer, shop.plan, paid));
    engine.settle();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
    return seen->number();
  }
  static core::subscription_command issuing(std::optional<core::timestamp> due = {}) {
    core::subscription_command c;
    c.action = action::issue_invoice;
    c.by = core::party::billing;
    c.invoice.emplace();
    c.invoice->due_at = due;
    c.invoice->reference = "R-1";
    c.invoice->lines.resize(1);
    c.invoice->lines[0].description = "Jane Doe";
    c.invoice->lines[0].price = 5;
    return c;
  }
  static core::subscription_command settling(core::invoice_id id, state to) {
    core::subscription_command c;
    c.action = action::edit_invoice;
    c.by = core::party::billing;
    c.invoice_edit = {core::number_of(id), to, {}};
    return c;
  }
  outcome_ptr post(core::subscription_id owner, core::subscription_command command,
                   std::optional<std::uint64_t> if_match = {}) {
    actors::invoice_change change;
    change.command = std::move(command);
    change.render = [](const core::invoice& i, bool) {
      return actors::answer{200, std::to_string(i.id.value)};
    };
    auto r = request(core::stream_of(owner), std::move(change));
    r->options.if_match = if_match;
    return engine.ask(std::move(r));
  }
  core::invoice_id issue(std::optional<core::timestamp> due = {}) {
    const auto seen = post(sold, issuing(due));
    engine.settle();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
    return {seen->number()};
  }
  void do_it(action a, core::party by = core::party::provider) {
    auto r = act(sold, a);
    std::get<actors::subscription_change>(r->body).command.by = by;
    const auto seen = engine.ask(std::move(r));
    engine.settle();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
  }
  core::invoice row(core::invoice_id id) {
    auto found = store::invoices(repo().db()).find(id);
    BOOST_REQUIRE(found.ok() && *found);
    return **found;
  }
  std::string told(core::stream_id stream) {
    std::string out;
    const auto scanned = repo().stream_events(stream, 1, [&](core::event_id&& id) {
      const core::event e = **repo().find(id);
      BOOST_TEST(e.data.ends_with(",\"seq\":" + std::to_string(e.seq) + '}'), e.data);
      BOOST_TEST((e.recipients == std::vector<core::endpoint_id>{billing}));
      BOOST_TEST((e.tenant == shop.customer && e.vendor == shop.vendor));
      out += std::to_string(e.seq) + ' ' + e.name + '\n';
      return true;
    });
    BOOST_REQUIRE(scanned.ok());
    return out;
  }
  // The catalogue's news come first, and nobody asks for them here.
  bool untold() { return repo().next_untold({core::entity_kind::published, 0})->has_value(); }
  // Bodies of the platform's endpoint with this in them; each is accepted.
  std::vector<std::string> drained(const std::string& part) {
    std::vector<std::string> out;
    while (const auto next = engine.first_of(billing)) {
      const std::string body = *engine.wire[*next].request.body;
      if (body.find(part) != std::string::npos) out.push_back(body);
      engine.answer(*next, 204);
      engine.settle();
    }
    return out;
  }

  core::endpoint_id billing;
  stall shop;
  core::subscription_id sold;
};

BOOST_FIXTURE_TEST_SUITE(invoices, till)

BOOST_AUTO_TEST_CASE(an_invoice_is_told_in_its_own_stream_to_the_platform_only) {
  const auto id = issue();
  BOOST_TEST((core::subscription_of(id) == sold && core::number_of(id) == 1));
  BOOST_TEST(told(core::stream_of(id)) == "1 invoice.issued\n");
  BOOST_TEST(!subscription(sold).paid);
  const auto paid = post(sold, settling(id, state::paid));
  engine.settle();
  BOOST_TEST(paid->ok());
  BOOST_TEST(told(core::stream_of(id)) == "1 invoice.issued\n2 invoice.paid\n");
  BOOST_TEST(subscription(sold).paid);
  BOOST_TEST((row(id).state == state::paid && row(id).version == 2));
  BOOST_TEST(!untold());
  // One after the other, in the order of its changes.
  const auto bodies = drained("\"entity\":\"Invoice\"");
  BOOST_REQUIRE_EQUAL(bodies.size(), 2U);
  const std::string url = "\"entityUrl\":\"invoice/" + std::to_string(id.value) + '"';
  const auto has = [](const std::string& body, const std::string& part) {
    return body.find(part) != std::string::npos;
  };
  BOOST_TEST((has(bodies[0], url) && has(bodies[0], "\"type\":\"CREATED\"")), bodies[0]);
  BOOST_TEST((has(bodies[0], "\"paid\":\"false\"") && has(bodies[0], "\"subscription\":\"")));
  BOOST_TEST((has(bodies[1], "\"paid\":\"true\"") && has(bodies[1], "\"type\":\"MODIFIED\"")));
}

BOOST_AUTO_TEST_CASE(a_repeat_does_nothing_and_a_stale_version_is_refused) {
  const auto id = issue();
  const auto stale = post(sold, settling(id, state::paid), 7);
  const auto paid = post(sold, settling(id, state::paid), 1);
  const auto again = post(sold, settling(id, state::paid));
  const auto back = post(sold, settling(id, state::unpaid));
  const auto none = post(sold, settling(core::invoice_of(sold, 9), state::paid));
  engine.settle();
  BOOST_TEST(stale->code() == "version_mismatch");
  BOOST_TEST((paid->ok() && again->ok()));
  BOOST_TEST(back->code() == "transition_not_allowed");
  BOOST_TEST(back->value->failure().status == "PAID");
  BOOST_TEST(none->code() == "not_found");
  BOOST_TEST(row(id).version == 2U);
}

// The owner works ahead of the disk: what it has not written yet counts.
BOOST_AUTO_TEST_CASE(changes_that_follow_at_once_build_on_each_other) {
  const auto first = post(sold, issuing());
  const auto second = post(sold, settling(core::invoice_of(sold, 1), state::pending));
  const auto third = post(sold, settling(core::invoice_of(sold, 1), state::paid));
  while (engine.entity_turn()) {
  }
  engine.settle();
  BOOST_TEST((first->ok() && second->ok() && third->ok()));
  const core::invoice_id id = core::invoice_of(sold, 1);
  BOOST_TEST(row(id).version == 3U);
  BOOST_TEST(told(core::stream_of(id)) == "1 invoice.issued\n2 invoice.changed\n3 invoice.paid\n");
}

BOOST_AUTO_TEST_CASE(a_crash_delays_the_telling_and_loses_nothing) {
  const auto asked = post(sold, issuing(now + 24h));
  while (engine.entity_turn()) {
  }
  BOOST_REQUIRE(commit());  // on disk, and nobody was asked to tell
  engine.begin_again();
  BOOST_TEST(untold());
  const core::invoice_id id = core::invoice_of(sold, 1);
  BOOST_TEST(told(core::stream_of(id)).empty());
  BOOST_TEST(!subscription(sold).paid);
  for (int i = 0; i < 2; ++i) {  // as the ticker asks, each second
    (void)engine.ask(request(core::stream_of(id), actors::untold_events{}));
  }
  engine.settle();
  BOOST_TEST(told(core::stream_of(id)) == "1 invoice.issued\n");
  BOOST_TEST(!untold());
  // What was decided and not written is not there.
  (void)post(sold, settling(id, state::paid));
  while (engine.entity_turn()) {
  }
  engine.restart();
  BOOST_TEST((row(id).state == state::unpaid));
  const auto paid = post(sold, settling(id, state::paid));
  engine.settle();
  BOOST_TEST(paid->ok());
  BOOST_TEST(told(core::stream_of(id)) == "1 invoice.issued\n2 invoice.paid\n");
}

BOOST_AUTO_TEST_CASE(paying_the_subscription_pays_all_and_its_end_expires_the_rest) {
  const auto one = issue();
  const auto two = issue();
  do_it(action::pay, core::party::billing);
  for (const auto id : {one, two}) {
    BOOST_TEST(told(core::stream_of(id)) == "1 invoice.issued\n2 invoice.paid\n");
    BOOST_TEST((row(id).state == state::paid));
  }
  const auto three = issue();
  do_it(action::terminate);
  do_it(action::report_undeployed, core::party::vendor);
  BOOST_TEST(told(core::stream_of(three)) == "1 invoice.issued\n2 invoice.expired\n");
  BOOST_TEST((row(three).state == state::expired));
}

BOOST_AUTO_TEST_CASE(the_purge_erases_the_lines_and_keeps_the_states) {
  const auto one = issue();
  const auto two = issue();
  do_it(action::terminate);
  do_it(action::report_undeployed, core::party::vendor);
  BOOST_TEST(row(one).lines.size() == 1U);
  now += 365 * 24h;
  (void)engine.ask(request(core::stream_of(sold), actors::timer_due{}));
  engine.settle();
  BOOST_TEST((subscription(sold).status == core::subscription_status::purged));
  for (const auto id : {one, two}) {
    BOOST_TEST(row(id).lines.empty());
    BOOST_TEST((row(id).state == state::expired && row(id).reference == "R-1"));
  }
}

// Money that was agreed to come later may come after all; the lines stay erased.
BOOST_AUTO_TEST_CASE(late_money_after_the_purge_changes_its_row_alone) {
  const auto other = issue();
  const auto late = issue();
  (void)post(sold, settling(late, state::delayed));
  engine.settle();
  do_it(action::terminate);
  do_it(action::report_undeployed, core::party::vendor);
  now += 365 * 24h;
  (void)engine.ask(request(core::stream_of(sold), actors::timer_due{}));
  engine.settle();
  BOOST_REQUIRE((subscription(sold).status == core::subscription_status::purged));
  const auto before = row(other).version;
  const std::string already = told(core::stream_of(late));
  for (int i = 0; i < 2; ++i) {  // repeated: without an effect
    const auto paid = post(sold, settling(late, state::paid));
    engine.settle();
    BOOST_TEST(paid->ok(), paid->code());
    BOOST_TEST((row(late).state == state::paid && row(late).version == 3));
    BOOST_TEST(row(late).lines.empty());
    BOOST_TEST(told(core::stream_of(late)) == already + "3 invoice.changed\n");
  }
  BOOST_TEST((row(other).version == before && row(other).lines.empty()));
}

BOOST_AUTO_TEST_CASE(orders_are_told_if_that_is_wanted) {
  const auto first_of = [](core::subscription_id id) {
    return core::stream_of(core::operation_of(id, core::first_order));
  };
  BOOST_TEST(told(first_of(sold)).empty());
  BOOST_TEST(!untold());
  s().tell_orders = true;
  sold = {ordered(false)};
  BOOST_TEST(told(first_of(sold)) == "1 order.created\n");
  do_it(action::pay, core::party::billing);
  do_it(action::report_deployed, core::party::vendor);
  BOOST_TEST(told(first_of(sold)) == "1 order.created\n2 order.changed\n3 order.changed\n");
  do_it(action::renew);
  BOOST_TEST(told(core::stream_of(core::operation_of(sold, 2))) == "1 order.created\n");
  BOOST_TEST(drained("\"entity\":\"Cart\",\"entityUrl\":\"order/").size() == 4U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
