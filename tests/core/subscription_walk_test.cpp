// Seeded walks of the subscription machine that hold the invariants of domain.md, 10.14: commands
// of every party in every order, with the timers between them.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "core/base/limits.hpp"
#include "core/lifecycle/subscription_rules.hpp"
#include "tests/core/subscription_world.hpp"

namespace syndicated::core {
namespace {

using namespace machine_test;

// May the one follow the other, when the first is a beginning of the end (invariant 10)?
bool may_follow(status before, status after) {
  switch (before) {
    case status::undeploy_sent: return after == before || after == status::undeployed;
    case status::undeployed:
    case status::rejected:
    case status::payment_expired: return after == before || after == status::purged;
    case status::purged: return after == before;
    default: return true;
  }
}

std::size_t count(const subscription& s, operation_state state) {
  return static_cast<std::size_t>(std::ranges::count(s.operations, state, &operation::state));
}

class walk {
 public:
  explicit walk(unsigned seed) : random_(seed) {
    w_.sold.changes.mode = pick(2) == 0 ? change_mode::notify : change_mode::confirm;
    w_.sold.changes.on_silence = static_cast<silence_policy>(1 + pick(3));
    w_.sold.approval_required = pick(4) == 0;
    w_.settings.grace = std::chrono::hours{24 * pick(3)};
    w_.settings.cancel_grace = std::chrono::hours{24 * 7 * pick(3)};
    w_.settings.deprovision_force = pick(3) != 0;
    for (plan* p : {&w_.offered, &w_.other}) {
      p->unkillable = pick(3) == 0;
      p->minimum_duration_months = static_cast<int>(pick(6));
      p->auto_renewable = pick(4) != 0;
      p->trial_wo_payment_method = pick(2) == 0;
      p->resources[1].value_type = pick(2) == 0 ? value_type::prepaid : value_type::postpaid;
      if (pick(3) == 0) continue;
      commitment_option& o = p->commitment_options.emplace_back();
      o.term_months = 3;
      o.auto_renew = pick(2) == 0;
      o.window_before_days = static_cast<int>(pick(2) * 14);
      o.window_after_days = static_cast<int>(pick(2) * 14);
      o.allow_increase = pick(4) != 0;
      o.allow_decrease = pick(4) == 0;
      o.allow_early_cancel = pick(2) == 0;
      o.cancel_fee = pick(2) == 0;
      o.transferable = pick(2) == 0;
    }
    owners_ = {a_customer(), a_customer()};
    owners_[1].id = {8};
    owners_[1].parent = {5};
    owners_[1].path = {{1}, {5}};
  }

  void run() {
    new_subscription wanted;
    wanted.plan = {3};
    wanted.paid = pick(2) == 0;
    wanted.type = static_cast<subscription_type>(1 + pick(3));
    wanted.auto_renew = pick(2) == 0;
    if (pick(3) == 0) wanted.start_date = now_ + 48h;
    const bool commits = !w_.offered.commitment_options.empty() && pick(4) != 0 &&
                         wanted.type != subscription_type::sandbox;
    if (commits) wanted.commitment_months = 3;
    auto made = create_subscription({1}, wanted, owners_[0], circumstances_now());
    BOOST_REQUIRE(made.ok());
    note_events(*made);
    s_ = made->next;
    for (step_ = 0; step_ < 300; ++step_) {
      if (pick(3) == 0) {
        let_time_pass();
      } else {
        now_ += std::chrono::hours{pick(72)};
      }
      const subscription_command c = some_command();
      BOOST_TEST_CONTEXT("step " << step_ << " " << to_string(c.action) << " by " << to_string(c.by)
                                 << " in " << to_string(s_.status)) {
        take(c);
      }
    }
  }

 private:
  unsigned pick(unsigned of) { return static_cast<unsigned>(random_() % of); }

  circumstances circumstances_now() {
    circumstances c = w_.at(now_);
    c.plan = s_.plan == w_.other.id ? &w_.other : &w_.offered;
    c.other_plans = {&w_.offered, &w_.other, nullptr};
    c.new_owner = &owners_[owner_];
    const auto named = invoices_.find(invoice_number_);
    if (named != invoices_.end()) c.invoice = &named->second;
    return c;
  }

  subscription_command some_command() {
    subscription_command c = command_for(static_cast<action>(pick(subscription_action_count)));
    if (pick(3) == 0) c.by = static_cast<party>(pick(6));
    if (pick(3) == 0) c.reason = static_cast<suspension_reason>(1U << pick(6));
    if (pick(4) == 0) c.new_plan = plan_id{pick(2) == 0 ? 3U : 5U};
    c.new_quantities = quantities{{"seats", 1 + pick(20)}, {"packs", 10 * pick(6)}};
    c.when = static_cast<change_time>(pick(3));
    c.success = pick(2) == 0;
    if (c.action == action::edit && pick(2) == 0) c.auto_renew = pick(2) == 0;
    if (c.action == action::issue_invoice) c.invoice = some_invoice(c.by);
    invoice_number_ = s_.last_invoice == 0 ? 1 : 1 + pick(s_.last_invoice);
    c.invoice_edit = {invoice_number_, static_cast<invoice_state>(1 + pick(5)), {}};
    if (pick(3) == 0) c.invoice_edit.due_at = now_ + std::chrono::hours{pick(96)};
    if (const operation* open = s_.in_progress()) c.operation = open->number;
    owner_ = c.action == action::transfer ? pick(2) : (s_.tenant == owners_[0].id ? 0 : 1);
    return c;
  }

  new_invoice some_invoice(party by) {
    new_invoice out;
    out.kind = static_cast<invoice_kind>(1 + pick(5));
    if (by != party::vendor && pick(2) == 0) out.state = static_cast<invoice_state>(1 + pick(4));
    if (pick(3) != 0) out.due_at = now_ + std::chrono::hours{pick(96)};
    if (pick(4) == 0) out.lines = {machine_test::a_line(pick(2) == 0 ? 5 : -5)};
    return out;
  }

  // To the next instant at which something is due; a timer that is due must do something, or it
  // would be due for ever.
  void let_time_pass() {
    const auto due = next_timer(s_);
    if (!due) return;
    if (*due > now_) {
      const auto early = decide(s_, command_for(action::timer), circumstances_now());
      BOOST_REQUIRE((early.ok() && !early->changed));  // 17
      now_ = *due;
    }
    owner_ = s_.tenant == owners_[0].id ? 0 : 1;
    const armed_timer fired = *s_.timers.next();
    BOOST_TEST_CONTEXT("step " << step_ << " timer " << to_string(fired.kind)) {
      const auto decided = decide(s_, command_for(action::timer), circumstances_now());
      BOOST_REQUIRE(decided.ok());
      BOOST_REQUIRE(decided->changed);  // 20
      check(*decided, command_for(action::timer));
    }
  }

  void take(const subscription_command& c) {
    const std::string before = to_json(s_);
    const auto decided = decide(s_, c, circumstances_now());
    BOOST_REQUIRE(to_json(s_) == before);
    if (!decided.ok()) return;
    const auto repeated = [&] {
      subscription was = std::exchange(s_, decided->next);
      const auto rows = invoices_;
      adopt_invoices(*decided);
      auto again = decide(s_, c, circumstances_now());
      s_ = std::move(was);
      invoices_ = rows;
      return again;
    }();
    const bool moves_on = c.action == action::renew || c.action == action::set_credentials ||
                          c.action == action::timer || c.action == action::resume ||
                          c.action == action::issue_invoice;
    if (!moves_on && repeated.ok()) BOOST_REQUIRE(!repeated->changed);  // 5
    check(*decided, c);
  }

  void check(const subscription_decision& d, const subscription_command& c) {
    const subscription& before = s_;
    const subscription& s = d.next;
    if (rules::provisioned(s)) {
      BOOST_REQUIRE((s.status == status::stopped) == !s.reasons.empty());  // 7
    }
    BOOST_REQUIRE(may_follow(before.status, s.status));                                   // 10
    BOOST_REQUIRE(s.version == before.version + (d.changed ? 1 : 0));                     // 5
    BOOST_REQUIRE((d.changed || d.events.empty()));                                       // 1
    if (s.status != before.status) BOOST_REQUIRE(!d.events.empty());                      // 1
    if (s.status == status::waiting_payment) BOOST_REQUIRE(!s.paid);                      // 22
    if (before.purge_at && s.purge_at) BOOST_REQUIRE((*s.purge_at >= *before.purge_at));  // 11
    if (before.purge_at && s.status == status::undeploy_sent) {
      BOOST_REQUIRE((now_ >= *before.purge_at || c.action == action::terminate));  // 11
    }
    BOOST_REQUIRE(count(s, operation_state::scheduled) <= 1U);    // 15
    BOOST_REQUIRE(count(s, operation_state::in_progress) <= 1U);  // 15
    BOOST_REQUIRE(s.operations.size() <= limits::operations_kept_max + 2);
    if (rules::closing(s)) BOOST_REQUIRE((s.scheduled() == nullptr && s.in_progress() == nullptr));
    const auto renewals = std::ranges::count(d.events, "subscription.renewed", &event_draft::name);
    BOOST_REQUIRE(renewals <= 1);  // 16
    if (renewals == 1) {           // 16
      BOOST_REQUIRE((s.scheduled() == nullptr || rules::comes_with_term(s, *s.period_start)));
    }
    check_commitment(s, c);
    adopt_invoices(d);
    check_invoices(s);
    BOOST_REQUIRE(
        rules::checked_quantities(s.quantities, s.plan == w_.other.id ? w_.other : w_.offered)
            .ok());  // 14
    check_timers(s);
    note_events(d);
    s_ = s;
  }

  void adopt_invoices(const subscription_decision& d) {
    std::set<std::uint32_t> once;
    for (const invoice_step& step : d.invoices) {
      BOOST_REQUIRE(once.insert(step.to.number).second);
      const bool made = d.issued && number_of(d.issued->id) == step.to.number;
      if (made) invoices_[step.to.number] = *d.issued;
      invoice& row = invoices_.at(step.to.number);
      const invoice_state was = row.state;
      apply(row, step, now_);
      if (made) BOOST_REQUIRE(row.version == 1U);
      const bool newly_paid = !made && counts_as_paid(row.state) && !counts_as_paid(was);
      BOOST_REQUIRE((step.told == "invoice.paid") == newly_paid);
      BOOST_REQUIRE((step.told == "invoice.issued") == made);
    }
  }

  // 22, and domain.md 1.7: `paid` when every invoice that was emitted counts as paid.
  void check_invoices(const subscription& s) {
    std::vector<open_invoice> open;
    for (const auto& [number, row] : invoices_) {
      if (counts_as_paid(row.state)) continue;
      open.push_back({number, row.state, row.due_at, row.overdue});
    }
    BOOST_REQUIRE((open == s.open_invoices));
    BOOST_REQUIRE((s.last_invoice == invoices_.size()));
    if (!open.empty()) BOOST_REQUIRE(!s.paid);
    if (ended(s.status)) {
      for (const open_invoice& i : open) BOOST_REQUIRE((i.state == invoice_state::expired));
      BOOST_REQUIRE(!s.timers.armed(timer_kind::invoice_due));
    } else {
      BOOST_REQUIRE(s.timers.armed(timer_kind::invoice_due) == rules::next_due(s).has_value());
    }
    if (s.timers.armed(timer_kind::unpaid_stop)) BOOST_REQUIRE(rules::is_overdue(s));
  }

  // domain.md 10.8: inside a term nothing goes that is older than its window, and nobody leaves.
  void check_commitment(const subscription& s, const subscription_command& c) {
    if (rules::closing(s) && s.commitment) BOOST_REQUIRE(!s.commitment->in_force());
    if (s.commitment) BOOST_REQUIRE(s.commitment->lots.size() <= limits::commitment_lots_max);
    if (!s_.commitment || !s_.commitment->binds(now_)) return;
    const commitment& held = *s_.commitment;
    if (s.status != s_.status && s.reasons.has(suspension_reason::cancelled) &&
        c.by != party::system) {
      BOOST_REQUIRE(early_end_of(held, now_).allowed);
    }
    if (s.tenant != s_.tenant) BOOST_REQUIRE(held.terms.transferable);
    if (s.commitment->term != held.term || held.terms.allow_decrease || !s.commitment->in_force()) {
      return;
    }
    for (const auto& [name, count] : s_.quantities) {
      const auto now = s.quantities.find(name);
      const std::int64_t after = now == s.quantities.end() ? 0 : now->second;
      // In confirm mode the vendor may take its time.
      const bool asked = c.action == action::answer_operation || c.action == action::timer;
      if (!asked) BOOST_REQUIRE(count - after <= returnable(held, name, now_));
    }
  }

  void check_timers(const subscription& s) {
    for (const armed_timer& t : s.timers.all()) BOOST_REQUIRE(t.version <= s.version);  // 17
    // Nothing waits for a vendor, a payment or a date without an end (invariant 20).
    const bool waits = rules::is_one_of(
        s.status, {status::pending, status::post_configuration, status::undeploy_sent,
                   status::waiting_payment, status::postponed});
    if (waits) BOOST_REQUIRE(s.timers.next() != nullptr);
    if (s.in_progress() != nullptr) BOOST_REQUIRE(s.timers.armed(timer_kind::operation));
    if (s.reasons.has(suspension_reason::cancelled)) {
      BOOST_REQUIRE(s.timers.armed(timer_kind::purge));
    }
  }

  void note_events(const subscription_decision& d) {
    for (const event_draft& e : d.events) {
      BOOST_REQUIRE((e.type == wire_type::created) == (told_++ == 0));  // 2
      if (e.type != wire_type::none) BOOST_REQUIRE(!deleted_);          // 2
      if (e.type == wire_type::deleted) deleted_ = true;
    }
  }

  std::minstd_rand random_;
  world w_;
  std::array<tenant, 2> owners_;
  std::size_t owner_ = 0;
  timestamp now_ = noon;
  subscription s_;
  std::map<std::uint32_t, invoice> invoices_;
  std::uint32_t invoice_number_ = 1;
  int step_ = 0;
  int told_ = 0;
  bool deleted_ = false;
};

BOOST_AUTO_TEST_SUITE(subscription_walk)

BOOST_AUTO_TEST_CASE(seeded_walks_hold_the_invariants) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) { walk{seed}.run(); }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
