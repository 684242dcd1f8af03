// What invoices do to `paid` and to a suspension, and what is told of them (domain.md 1.7, 10.5).
#include <boost/test/unit_test.hpp>

#include <array>
#include <map>

#include "core/base/limits.hpp"
#include "core/lifecycle/first_order.hpp"
#include "core/lifecycle/order_events.hpp"
#include "tests/core/subscription_world.hpp"

namespace syndicated::core {
namespace {

using namespace machine_test;
using enum invoice_state;

// A subscription and the rows of its invoices, as its actor keeps them.
struct books {
  explicit books(status s) : x(in(s)) { settle_timers(x, {}, noon); }

  result<subscription_decision> issue(new_invoice wanted, party by = party::billing) {
    subscription_command c;
    c.action = action::issue_invoice;
    c.by = by;
    c.invoice = std::move(wanted);
    return take(c);
  }
  result<subscription_decision> issue_due(std::chrono::hours in) {
    new_invoice wanted;
    wanted.due_at = now + in;
    return issue(wanted);
  }
  result<subscription_decision> edit(std::uint32_t number, std::optional<invoice_state> state,
                                     std::optional<timestamp> due = {}) {
    subscription_command c;
    c.action = action::edit_invoice;
    c.by = party::billing;
    c.invoice_edit = {number, state, due};
    return take(c);
  }
  result<subscription_decision> act(action a) { return take(command_for(a)); }
  result<subscription_decision> take(const subscription_command& c) {
    circumstances at = w.at(now);
    const auto named = rows.find(c.invoice_edit.number);
    if (named != rows.end()) at.invoice = &named->second;
    auto decided = decide(x, c, at);
    if (!decided) return decided;
    for (const invoice_step& step : decided->invoices) {
      if (decided->issued && number_of(decided->issued->id) == step.to.number) {
        rows[step.to.number] = *decided->issued;
      }
      apply(rows.at(step.to.number), step, now);
    }
    x = decided->next;
    return decided;
  }
  // To the next timer, which fires.
  result<subscription_decision> fire() {
    now = *next_timer(x);
    return act(action::timer);
  }

  world w;
  subscription x;
  std::map<std::uint32_t, invoice> rows;
  timestamp now = noon;
};

void ok(const result<subscription_decision>& d) { BOOST_REQUIRE(d.ok()); }

new_invoice charge(micros price = 5) {
  new_invoice out;
  out.kind = invoice_kind::upsell;
  out.lines = {a_line(price)};
  return out;
}

std::string told(const result<subscription_decision>& d) {
  std::string out;
  for (const invoice_step& s : d->invoices) {
    out += std::to_string(s.to.number) + ' ' + std::string{s.told} + '\n';
  }
  for (const event_draft& e : d->events) out += e.name + '\n';
  return out;
}

BOOST_AUTO_TEST_SUITE(subscription_invoices)

BOOST_AUTO_TEST_CASE(an_invoice_makes_it_unpaid_and_the_last_one_that_is_paid_pays) {
  books b(status::deployed);
  BOOST_TEST(told(b.issue_due(24h)) == "1 invoice.issued\nsubscription.parameters_changed\n");
  BOOST_TEST(!b.x.paid);
  BOOST_TEST(told(b.issue_due(48h)) == "2 invoice.issued\n");
  BOOST_TEST(told(b.edit(1, paid)) == "1 invoice.paid\n");
  BOOST_TEST(!b.x.paid);
  BOOST_TEST(told(b.edit(2, delayed)) == "2 invoice.paid\nsubscription.parameters_changed\n");
  BOOST_TEST(b.x.paid);
  BOOST_TEST((b.x.status == status::deployed));
  BOOST_TEST(!b.edit(2, delayed)->changed);
  // The delayed payment did not come.
  BOOST_TEST(told(b.edit(2, unpaid)) == "2 invoice.changed\nsubscription.parameters_changed\n");
  BOOST_TEST(!b.x.paid);
  BOOST_TEST(b.rows.at(2).version == 3U);
}

BOOST_AUTO_TEST_CASE(the_first_invoice_pays_the_order_in_the_same_commit) {
  for (const bool at_once : {false, true}) {
    books b(status::waiting_payment);
    new_invoice wanted;
    if (at_once) wanted.state = paid;
    auto d = b.issue(wanted);
    if (!at_once) {
      BOOST_TEST(told(d) == "1 invoice.issued\n");
      BOOST_TEST((b.x.status == status::waiting_payment));
      d = b.edit(1, paid);
    }
    BOOST_TEST((b.x.status == status::pending));
    BOOST_TEST(b.x.paid);
    BOOST_TEST(has_event(*d, "subscription.provisioning_requested"));
  }
}

BOOST_AUTO_TEST_CASE(an_invoice_that_was_paid_before_it_is_told_of_pays_what_was_owed) {
  books b(status::deployed);
  ok(b.act(action::overdue));
  while (b.x.timers.armed(timer_kind::unpaid_stop)) ok(b.fire());
  BOOST_REQUIRE((b.x.status == status::stopped && b.x.reasons.has(suspension_reason::unpaid)));
  new_invoice gift;  // nobody said that there was money
  gift.lines = {a_line(0)};
  BOOST_TEST(told(b.issue(gift)) == "1 invoice.issued\n");
  BOOST_TEST(!b.x.paid);
  new_invoice wanted;
  wanted.state = paid;
  const auto d = b.issue(wanted);
  BOOST_TEST((b.x.paid && b.x.status == status::deployed));
  BOOST_TEST(told(d).starts_with("2 invoice.issued\nsubscription.resumed"), told(d));
}

BOOST_AUTO_TEST_CASE(an_order_that_costs_nothing_is_paid_by_its_invoice) {
  const auto after = [](invoice_kind kind, std::optional<invoice_state> state, party by) {
    books b(status::waiting_payment);
    new_invoice wanted;
    wanted.kind = kind;
    wanted.state = state;
    wanted.lines = {a_line(0), a_line(-5)};
    const auto d = b.issue(wanted, by);
    BOOST_TEST((d.ok() && b.rows.at(1).state == paid));
    BOOST_TEST(b.x.paid == (b.x.status == status::pending));
    return b.x.status;
  };
  using enum invoice_kind;
  BOOST_TEST((after(normal, paid, party::billing) == status::pending));
  BOOST_TEST((after(normal, {}, party::billing) == status::pending));
  BOOST_TEST((after(upsell, paid, party::billing) == status::pending));
  BOOST_TEST((after(normal, {}, party::vendor) == status::waiting_payment));
  for (const invoice_kind kind : {cashed, refund, upsell}) {
    BOOST_TEST((after(kind, {}, party::billing) == status::waiting_payment));
    BOOST_TEST((after(kind, unpaid, party::billing) == status::waiting_payment));
  }
}

// It would be the order's first invoice, and its payment the order's.
BOOST_AUTO_TEST_CASE(a_vendor_charges_nothing_before_the_order_is_its_own) {
  for (const status s : {status::requires_approval, status::postponed, status::waiting_payment}) {
    books b(s);
    const auto refused = b.issue(charge(), party::vendor);
    BOOST_TEST(refused.failure().code == "not_provisioned");
    BOOST_TEST(refused.failure().status == to_string(s));
    BOOST_TEST(b.issue(charge(-5), party::vendor).ok());
    BOOST_TEST(b.issue(charge(), party::billing).ok());
  }
  for (const status s : {status::pending, status::post_configuration, status::failed}) {
    books b(s);
    ok(b.issue(charge(), party::vendor));
    BOOST_TEST((b.x.status == s));
    BOOST_TEST(told(b.act(action::report_deployed)) == "subscription.activated\n");
    BOOST_TEST((b.x.status == status::deployed && !b.x.paid));
    BOOST_TEST(told(b.edit(1, paid)) == "1 invoice.paid\nsubscription.parameters_changed\n");
    BOOST_TEST((b.x.status == status::deployed && b.x.paid));
  }
}

BOOST_AUTO_TEST_CASE(what_owes_nothing_is_paid_at_once_and_pays_nothing) {
  for (const invoice_kind kind :
       {invoice_kind::cashed, invoice_kind::refund, invoice_kind::upsell}) {
    for (const status s : {status::waiting_payment, status::deployed}) {
      books b(s);
      const bool was = b.x.paid;
      new_invoice wanted;
      wanted.kind = kind;
      wanted.lines = {a_line(kind == invoice_kind::upsell ? -5 : 5)};
      BOOST_TEST(told(b.issue(wanted, party::vendor)) == "1 invoice.issued\n");
      BOOST_TEST((b.rows.at(1).state == paid));
      BOOST_TEST((b.x.status == s && b.x.paid == was));
    }
  }
  new_invoice mixed;
  mixed.lines = {a_line(5), a_line(-5)};
  BOOST_TEST(!owes_nothing(mixed));
  BOOST_TEST(!owes_nothing({}));
}

BOOST_AUTO_TEST_CASE(a_vendor_charges_and_does_not_say_what_is_paid) {
  books b(status::deployed);
  new_invoice wanted = charge();
  BOOST_TEST(b.issue(wanted, party::vendor).ok());
  wanted.state = paid;
  BOOST_TEST((b.issue(wanted, party::vendor).failure().kind == errc::forbidden));
  BOOST_TEST((b.issue(wanted, party::customer).failure().kind == errc::forbidden));
  subscription_command c = command_for(action::edit_invoice);
  c.by = party::vendor;
  BOOST_TEST((b.take(c).failure().kind == errc::forbidden));
  wanted.state = expired;
  wanted.lines.clear();
  BOOST_TEST(b.issue(wanted).failure().fields.at(0).pointer == "/state");
}

// S6: told when it is due, suspended two days later, cancelled three days after that.
BOOST_AUTO_TEST_CASE(an_overdue_invoice_suspends_after_a_while) {
  books b(status::deployed);
  b.x.period_end = b.x.end_date = noon + 9'000h;
  ok(b.issue_due(24h));
  BOOST_TEST(!b.x.timers.armed(timer_kind::unpaid_stop));
  BOOST_TEST((next_timer(b.x) == noon + 24h));
  const armed_timer armed = *b.x.timers.find(timer_kind::invoice_due);
  BOOST_TEST(armed.version == b.x.version);
  BOOST_TEST(told(b.fire()) == "1 invoice.overdue\n");
  BOOST_TEST(b.rows.at(1).overdue);
  BOOST_TEST((b.x.status == status::deployed));
  BOOST_TEST((b.x.timers.find(timer_kind::unpaid_stop)->due == noon + 72h));
  BOOST_TEST(told(b.fire()) == "subscription.suspended\n");
  BOOST_TEST(b.x.reasons.has(suspension_reason::unpaid));
  BOOST_TEST(told(b.edit(1, paid)) == "1 invoice.paid\nsubscription.resumed\n");
  BOOST_TEST((b.x.status == status::deployed && b.x.paid));
  BOOST_TEST(!b.x.timers.armed(timer_kind::unpaid_stop));
}

BOOST_AUTO_TEST_CASE(a_later_due_date_takes_the_clock_back) {
  books b(status::deployed);
  b.x.period_end = b.x.end_date = noon + 9'000h;
  ok(b.issue_due(24h));
  ok(b.fire());
  BOOST_TEST(b.x.timers.armed(timer_kind::unpaid_stop));
  BOOST_TEST(told(b.edit(1, {}, noon + 96h)) == "1 invoice.changed\n");
  BOOST_TEST(!b.rows.at(1).overdue);
  BOOST_TEST(!b.x.timers.armed(timer_kind::unpaid_stop));
  BOOST_TEST(told(b.fire()) == "1 invoice.overdue\n");
  BOOST_TEST((b.now == noon + 96h));
}

BOOST_AUTO_TEST_CASE(payments_without_a_named_invoice_go_on_working) {
  books b(status::deployed);
  b.x.period_end = b.x.end_date = noon + 9'000h;
  ok(b.act(action::overdue));
  BOOST_TEST(b.x.timers.armed(timer_kind::unpaid_stop));
  ok(b.issue_due(999h));  // for what was owed before there is more time
  BOOST_TEST(!b.x.timers.armed(timer_kind::unpaid_stop));
  ok(b.issue_due(999h));
  BOOST_TEST(told(b.act(action::pay)) ==
             "1 invoice.paid\n2 invoice.paid\nsubscription.parameters_changed\n");
  BOOST_TEST((b.x.paid && b.x.open_invoices.empty() && !b.x.owes_besides));
  BOOST_TEST(!b.act(action::pay)->changed);
  // `overdue` means the oldest one when there are invoices.
  ok(b.issue_due(999h));
  BOOST_TEST(told(b.act(action::overdue)) == "3 invoice.overdue\n");
  BOOST_TEST(!b.act(action::overdue)->changed);
  BOOST_TEST(told(b.fire()) == "subscription.suspended\n");
  subscription_command lift = command_for(action::resume);
  lift.reason = suspension_reason::unpaid;
  BOOST_TEST(told(b.take(lift)) == "3 invoice.paid\nsubscription.resumed\n");
  BOOST_TEST(b.x.paid);
}

BOOST_AUTO_TEST_CASE(an_invoice_of_the_billing_stands_for_what_was_owed) {
  for (const std::optional<timestamp> due :
       {std::optional<timestamp>{}, std::optional{noon}, std::optional{noon + 1h}}) {
    books b(status::deployed);
    b.x.period_end = b.x.end_date = noon + 9'000h;
    ok(b.act(action::overdue));
    const bool later = due > noon;
    new_invoice wanted;
    wanted.due_at = due;
    const armed_timer before = *b.x.timers.find(timer_kind::unpaid_stop);
    BOOST_TEST(told(b.issue(wanted)) == "1 invoice.issued\n");
    BOOST_TEST(b.rows.at(1).overdue == !later);
    const armed_timer* after = b.x.timers.find(timer_kind::unpaid_stop);
    BOOST_REQUIRE((after != nullptr) == !later);
    if (after != nullptr) BOOST_TEST((after->due == before.due));
    BOOST_TEST(told(b.fire()) == (later ? "1 invoice.overdue\n" : "subscription.suspended\n"));
    BOOST_TEST(b.edit(1, paid).ok());
    BOOST_TEST((b.x.paid && b.x.status == status::deployed));
  }
  books order(status::waiting_payment);  // is not overdue: it waits for its first payment
  ok(order.issue({}));
  BOOST_TEST(!order.rows.at(1).overdue);
}

BOOST_AUTO_TEST_CASE(a_charge_of_a_vendor_stands_for_nothing_else) {
  books b(status::deployed);
  b.x.period_end = b.x.end_date = noon + 9'000h;
  ok(b.act(action::overdue));
  new_invoice later = charge();
  later.due_at = noon + 999h;
  BOOST_TEST(told(b.issue(later, party::vendor)) == "1 invoice.issued\n");
  BOOST_TEST((b.x.owes_besides && !b.rows.at(1).overdue));
  BOOST_TEST((b.x.timers.find(timer_kind::unpaid_stop)->due == noon + 48h));
  // Paying it does not pay the rest.
  BOOST_TEST(told(b.edit(1, paid)) == "1 invoice.paid\n");
  BOOST_TEST((!b.x.paid && b.x.timers.find(timer_kind::unpaid_stop)->due == noon + 48h));
  ok(b.issue(later, party::vendor));
  new_invoice none;
  none.kind = invoice_kind::refund;
  ok(b.issue(none));
  BOOST_TEST(b.x.owes_besides);
  // The billing names what is owed: that one is overdue, and the clock goes on.
  BOOST_TEST(told(b.issue({})) == "4 invoice.issued\n");
  BOOST_TEST((!b.x.owes_besides && b.rows.at(4).overdue && !b.rows.at(2).overdue));
  BOOST_TEST((b.x.timers.find(timer_kind::unpaid_stop)->due == noon + 48h));
  ok(b.edit(4, paid));
  BOOST_TEST((!b.x.paid && !b.x.timers.armed(timer_kind::unpaid_stop)));
  BOOST_TEST(told(b.edit(2, paid)) == "2 invoice.paid\nsubscription.parameters_changed\n");
  BOOST_TEST(b.x.paid);
  // While all is paid, or another one is open, it leaves no mark.
  ok(b.issue(later, party::vendor));
  ok(b.issue(later, party::vendor));
  BOOST_TEST(!b.x.owes_besides);
}

BOOST_AUTO_TEST_CASE(a_delayed_payment_that_did_not_come_goes_on_with_the_clock) {
  books b(status::deployed);
  b.x.period_end = b.x.end_date = noon + 9'000h;
  new_invoice wanted;
  wanted.state = delayed;
  ok(b.issue(wanted));
  ok(b.act(action::overdue));
  BOOST_TEST(told(b.edit(1, unpaid)) == "1 invoice.changed\n");
  BOOST_TEST((b.rows.at(1).overdue && !b.x.owes_besides));
  BOOST_TEST((b.x.timers.find(timer_kind::unpaid_stop)->due == noon + 48h));
  ok(b.edit(1, paid));
  BOOST_TEST(b.x.paid);
}

BOOST_AUTO_TEST_CASE(with_the_end_of_the_subscription_nobody_waits_any_more) {
  books unpaid_order(status::waiting_payment);
  ok(unpaid_order.issue({}));
  ok(unpaid_order.issue({}));
  BOOST_TEST(told(unpaid_order.fire()) ==
             "1 invoice.expired\n2 invoice.expired\nsubscription.payment_expired\n");
  BOOST_TEST((unpaid_order.edit(1, paid).failure().kind == errc::conflict));
  BOOST_TEST(unpaid_order.edit(1, paid).failure().status == "PAYMENT_EXPIRED");
  BOOST_TEST((unpaid_order.issue({}).failure().kind == errc::conflict));

  books b(status::deployed);
  ok(b.issue_due(24h));
  ok(b.act(action::terminate));
  BOOST_TEST((b.rows.at(1).state == unpaid));  // the last one may still be paid
  BOOST_TEST(told(b.issue({})) == "2 invoice.issued\n");
  BOOST_TEST(told(b.edit(2, paid)) == "2 invoice.paid\n");
  BOOST_TEST(told(b.act(action::report_undeployed)) ==
             "1 invoice.expired\nsubscription.terminated\n");
}

BOOST_AUTO_TEST_CASE(an_expired_invoice_counts_as_unpaid_until_it_is_paid_late) {
  books b(status::deployed);
  ok(b.issue_due(24h));
  BOOST_TEST(told(b.edit(1, expired)) == "1 invoice.expired\n");
  BOOST_TEST(!b.x.paid);
  BOOST_TEST(b.x.timers.armed(timer_kind::unpaid_stop));
  BOOST_TEST(!b.x.timers.armed(timer_kind::invoice_due));
  BOOST_TEST(b.edit(1, unpaid).failure().status == "EXPIRED");
  BOOST_TEST(told(b.edit(1, paid)) == "1 invoice.paid\nsubscription.parameters_changed\n");
  for (const invoice_state s : {unpaid, pending, delayed, expired}) {
    BOOST_TEST(b.edit(1, s).failure().status == "PAID");
  }
  BOOST_TEST((b.edit(7, paid).failure().kind == errc::not_found));
}

// Every state to every state, of one that is open: 'x' refused, '=' nothing, else it changes.
BOOST_AUTO_TEST_CASE(the_states_of_an_invoice) {
  constexpr std::array<const char*, 5> table{
      "=....", ".=...", "..=..", "xxx=x", "xx..=",
  };
  for (int from = 1; from <= invoice_state_count; ++from) {
    for (int to = 1; to <= invoice_state_count; ++to) {
      const char wanted = table[static_cast<std::size_t>(from - 1)][to - 1];
      const bool allowed = may_go(static_cast<invoice_state>(from), static_cast<invoice_state>(to));
      if (wanted != '=') BOOST_TEST(allowed == (wanted == '.'), from << " to " << to);
    }
  }
  BOOST_TEST((parse_invoice_state("REQUIRES_CAPTURE") == pending));
  BOOST_TEST((parse_invoice_state("REQUIRES_ACTION") == pending));
  BOOST_TEST(!parse_invoice_state("paid").has_value());
}

BOOST_AUTO_TEST_CASE(there_are_bounds) {
  books b(status::deployed);
  for (std::size_t i = 0; i < limits::open_invoices_max; ++i) BOOST_REQUIRE(b.issue({}).ok());
  BOOST_TEST(b.issue({}).failure().code == "too_many_invoices");
  new_invoice settled;
  settled.state = paid;
  BOOST_TEST(b.issue(settled).ok());
  b.x.last_invoice = limits::subscription_invoices_max;
  BOOST_TEST(b.issue(settled).failure().code == "too_many_invoices");
}

BOOST_AUTO_TEST_CASE(a_vendor_leaves_room_to_the_billing) {
  books b(status::deployed);
  for (std::size_t i = 0; i < limits::open_invoices_max / 2; ++i) {
    BOOST_REQUIRE(b.issue(charge(), party::vendor).ok());
  }
  BOOST_TEST(b.issue(charge(), party::vendor).failure().code == "too_many_invoices");
  BOOST_TEST(b.issue(charge(-5), party::vendor).ok());
  BOOST_TEST(b.issue({}).ok());
  b.x.last_invoice = limits::subscription_invoices_max / 2;
  BOOST_TEST(b.issue(charge(-5), party::vendor).failure().code == "too_many_invoices");
  BOOST_TEST(b.issue({}).ok());
}

BOOST_AUTO_TEST_CASE(costs_are_replaced_and_told_when_they_change) {
  books b(status::deployed);
  subscription_command c = command_for(action::set_costs);
  const auto d = b.take(c);
  BOOST_TEST(d->events.at(0).name == "subscription.costs_changed");
  BOOST_TEST((d->events.at(0).type == wire_type::none));
  BOOST_TEST(d->events.at(0).change_json.starts_with(R"({"kind":"ONESHOT","lines":[{"desc)"));
  BOOST_TEST(!b.take(c)->changed);
  c.costs->recurring = true;
  BOOST_TEST(b.take(c)->changed);
  c.costs->lines.clear();
  BOOST_TEST(b.take(c)->changed);
  BOOST_TEST((b.x.recurring_costs.empty() && b.x.oneshot_costs.size() == 1));
}

BOOST_AUTO_TEST_CASE(the_event_of_an_invoice_says_what_it_is) {
  books b(status::deployed);
  ok(b.issue_due(24h));
  const event made = event_of(b.rows.at(1), "invoice.issued");
  BOOST_TEST(to_string(made.stream) == "invoice/" + std::to_string((9U << 20U) + 1));
  BOOST_TEST((made.type == wire_type::created && made.entity_version == 1));
  BOOST_TEST((made.metadata == string_map{{"paid", "false"}, {"subscription", "9"}}));
  ok(b.edit(1, paid));
  const event later = event_of(b.rows.at(1), "invoice.paid");
  BOOST_TEST((later.type == wire_type::modified && later.metadata.at("paid") == "true"));
  BOOST_TEST(later.data == to_json(b.rows.at(1)));
  invoice purged = b.rows.at(1);
  purged.lines = {a_line(5)};
  erase_lines(purged);
  BOOST_TEST(purged.lines.empty());
}

BOOST_AUTO_TEST_CASE(orders_are_told_when_they_are_made_and_when_they_change) {
  const auto names = [](const std::vector<event>& events) {
    std::string out;
    for (const event& e : events) {
      out += std::to_string(number_of(operation_id{e.stream.entity})) + ' ' + e.name + ' ' +
             e.metadata.at("state") + '\n';
    }
    return out;
  };
  const world w;
  subscription s = in(status::waiting_payment);
  s.operations.clear();
  s.last_operation = first_order;
  BOOST_TEST(names(order_events(nullptr, s)) == "1 order.created PENDING\n");
  const auto step = [&](action a) {
    auto d = decide(s, command_for(a), w.at(noon));
    BOOST_REQUIRE(d.ok());
    const std::string out = names(order_events(&s, d->next));
    s = d->next;
    return out;
  };
  BOOST_TEST(step(action::pay) == "1 order.changed IN_PROGRESS\n");
  BOOST_TEST(step(action::report_deployed) == "1 order.changed SUCCEEDED\n");
  BOOST_TEST(step(action::edit).empty());
  BOOST_TEST(step(action::change) == "2 order.created SUCCEEDED\n");
  BOOST_TEST(step(action::terminate) == "3 order.created SUCCEEDED\n");
  BOOST_TEST(step(action::report_undeployed).empty());
  const auto e = order_events(nullptr, s).front();
  BOOST_TEST((e.type == wire_type::created && e.entity_version == s.version));
}

// Eight that ended make room; one that ends with this very decision is still to be told of.
BOOST_AUTO_TEST_CASE(an_order_that_ends_is_told_before_it_makes_room) {
  const world w;
  subscription s = in(status::deployed);
  s.period_end = s.end_date = noon + 9'000h;
  s.operations = {an_operation(operation_state::scheduled)};  // the oldest
  while (s.operations.size() <= limits::operations_kept_max) {
    operation o = an_operation(operation_state::succeeded);
    o.number = s.operations.back().number + 1;
    o.ended_at = noon - 1h;
    s.operations.push_back(o);
  }
  s.last_operation = s.operations.back().number;
  const auto d = decide(s, command_for(action::terminate), w.at(noon));
  BOOST_REQUIRE(d.ok());
  std::string changes;
  for (const event& e : order_events(&s, d->next)) {
    changes += std::to_string(number_of(operation_id{e.stream.entity})) + ' ' + e.name + ' ' +
               e.metadata.at("state") + '\n';
  }
  BOOST_TEST(changes == "3 order.changed CANCELLED\n12 order.created SUCCEEDED\n");
  BOOST_TEST(find_operation(d->next, 3).has_value());
  BOOST_TEST(!find_operation(d->next, 4).has_value());
  BOOST_TEST(d->next.operations.size() == limits::operations_kept_max);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
