// Plans and quantities: now, with the renewal, or when the vendor has said yes (S11a-S11d of
// domain.md, 10.5; 10.6).
#include <algorithm>

#include "core/lifecycle/first_order.hpp"
#include "core/lifecycle/json.hpp"
#include "core/lifecycle/subscription_rules.hpp"

namespace syndicated::core::rules {
namespace {

using status = subscription_status;

struct terms {
  const plan* of = nullptr;
  quantities counts;
};

bool sells(const plan& p, const std::string& name) {
  return std::ranges::find(p.resources, name, &plan_resource::name) != p.resources.end();
}

// What the subscription would have with these wishes. Resources that the plan does not know go.
result<terms> terms_with(const quantities& present, const plan& target, const quantities& wishes) {
  quantities counts;
  for (const auto& [name, count] : present) {
    if (sells(target, name)) counts[name] = count;
  }
  for (const auto& [name, count] : wishes) counts[name] = count;
  auto checked = checked_quantities(counts, target);
  if (!checked) return std::move(checked).failure();
  return terms{&target, std::move(*checked)};
}

// What is left of the period, for whoever charges for it.
void write_left(json_writer& out, const std::optional<proration>& left) {
  if (left) write_proration(out.key("proration"), *left);
}

void write_plans(json_writer& out, plan_id from, plan_id to,
                 const std::optional<proration>& left = std::nullopt) {
  out.begin_object().key("from").number(from.value).key("to").number(to.value);
  write_left(out, left);
  out.end_object();
}

void write_counts(json_writer& out, const quantities& from, const quantities& to,
                  const std::optional<proration>& left = std::nullopt) {
  out.begin_object();
  for (const auto& [name, count] : to) {
    const auto old = from.find(name);
    const std::int64_t before = old == from.end() ? 0 : old->second;
    if (before == count) continue;
    out.given_key(name).begin_object().key("from").number(before).key("to").number(count);
    write_left(out, left);
    out.end_object();
  }
  out.end_object();
}

// A plan that offers the same term takes the commitment over.
void take_on_commitment(subscription& s, const terms& wanted, timestamp now) {
  if (!s.commitment || !s.commitment->in_force()) return;
  const commitment_option* offered = find_option(*wanted.of, s.commitment->terms.term_months);
  if (wanted.of->id != s.plan && offered != nullptr) s.commitment->terms = *offered;
  note_counts(*s.commitment, s.quantities, wanted.counts, now);
}

void take_on(draft& d, terms&& wanted, const circumstances& c) {
  subscription& s = d.next;
  const auto left = left_of_period(s, c);
  if (wanted.of->id != s.plan) {
    json_writer change;
    write_plans(change, s.plan, wanted.of->id, left);
    d.emit("subscription.plan_changed", wire_type::modified, std::move(change).str());
  }
  if (wanted.counts != s.quantities) {
    json_writer change;
    write_counts(change, s.quantities, wanted.counts, left);
    d.emit("subscription.quantity_changed", wire_type::modified, std::move(change).str());
  }
  take_on_commitment(s, wanted, c.now);
  s.plan = wanted.of->id;
  s.quantities = std::move(wanted.counts);
}

operation& describe(operation& o, const subscription& s, plan_id plan_to, const quantities& to) {
  if (plan_to != s.plan) {
    o.plan_from = s.plan;
    o.plan_to = plan_to;
  }
  for (const auto& [name, count] : to) {
    const auto old = s.quantities.find(name);
    const std::int64_t before = old == s.quantities.end() ? 0 : old->second;
    if (before == count) continue;
    o.from[name] = before;
    o.to[name] = count;
  }
  return o;
}

operation_kind kind_of(const subscription& s, plan_id plan_to) {
  return plan_to != s.plan ? operation_kind::plan_change : operation_kind::quantity_change;
}

std::string operation_json(const operation& o, const subscription& s) {
  json_writer out;
  write_operation(out, o, s.id);
  return std::move(out).str();
}

operation* find(draft& d, operation_state state) {
  const auto at = std::ranges::find(d.next.operations, state, &operation::state);
  return at == d.next.operations.end() ? nullptr : &*at;
}

void end(operation& o, operation_state state, timestamp now, std::string_view message) {
  o.state = state;
  o.ended_at = now;
  o.due_at.reset();
  o.message = message.substr(0, limits::message_bytes_max);
}

void drop_scheduled(draft& d, std::string_view why, timestamp now) {
  operation* o = find(d, operation_state::scheduled);
  if (o == nullptr) return;
  end(*o, operation_state::cancelled, now, why);
  d.emit("subscription.change_unscheduled", wire_type::none, operation_json(*o, d.next));
}

// ---- what is asked for

result<const plan*> target_of(const subscription& s, const subscription_command& cmd,
                              const circumstances& c) {
  const plan* target = cmd.new_plan ? c.find(*cmd.new_plan) : c.plan;
  if (target == nullptr) return invalid_field("/plan_id", "no such plan");
  if (target->product != s.product) {
    return invalid_field("/plan_id", "the plan belongs to another product");
  }
  if (target->id == s.plan) return target;
  if (target->state != publication_state::published) {
    return invalid_field("/plan_id", "the plan is not published");
  }
  if (c.plan != nullptr && !c.plan->upgradable) {
    return conflict(s, "plan_not_upgradable", "subscriptions of this plan keep it");
  }
  return target;
}

// Without a commitment those of the wishes that take something away which is paid for in advance
// wait for the end of the period (domain.md, 1.13, 10.8).
result<put_off> to_be_put_off(const subscription& s, const plan& target, const quantities& wanted,
                              timestamp present) {
  if (s.commitment && s.commitment->binds(present)) {
    return held_by_commitment(s, target, wanted, present);
  }
  put_off out;
  if (target.id != s.plan || s.type != subscription_type::normal || !s.period_end) return out;
  for (const plan_resource& r : target.resources) {
    const auto now = s.quantities.find(r.name);
    const auto then = wanted.find(r.name);
    if (now == s.quantities.end() || then == wanted.end() || then->second >= now->second) continue;
    if (!r.downgradable) {
      return invalid_field("/quantities/" + r.name, "cannot be lowered");
    }
    if (r.value_type != value_type::prepaid) continue;
    out.later[r.name] = then->second;
    out.meanwhile[r.name] = now->second;
  }
  return out;
}

// The vendor is asked, and what was stays in force until it answers.
void ask_vendor(draft& d, const terms& wanted, party by, const circumstances& c) {
  const change_policy& policy = c.product->changes;
  const bool waits = policy.on_silence == silence_policy::wait;
  operation& o = d.note(kind_of(d.next, wanted.of->id), operation_state::in_progress, by);
  describe(o, d.next, wanted.of->id, wanted.counts);
  o.ended_at.reset();
  o.due_at = c.now + (waits ? std::chrono::days{limits::operation_wait_days_max} : policy.deadline);
  d.emit("operation.requested", wire_type::none, operation_json(o, d.next));
}

void schedule(draft& d, plan_id plan_to, const quantities& to, party by, const circumstances& c) {
  drop_scheduled(d, "another change took its place", c.now);
  operation& o = d.note(kind_of(d.next, plan_to), operation_state::scheduled, by);
  describe(o, d.next, plan_to, to);
  o.ended_at.reset();
  o.due_at = change_due(d.next);
  d.emit("subscription.change_scheduled", wire_type::none, operation_json(o, d.next));
}

// What waits already, and what is new of it.
quantities put_off_together(const operation* scheduled, const quantities& later) {
  quantities out = scheduled != nullptr ? scheduled->to : quantities{};
  for (const auto& [name, count] : later) out[name] = count;
  return out;
}

bool same_wish(const operation* scheduled, const subscription& s, plan_id plan_to,
               const quantities& to) {
  if (scheduled == nullptr) return false;
  operation asked;
  describe(asked, s, plan_to, to);
  return asked.plan_to == scheduled->plan_to && asked.to == scheduled->to;
}

bool asks_first(const subscription_command& cmd, const circumstances& c) {
  return c.product != nullptr && c.product->changes.mode == change_mode::confirm &&
         cmd.by != party::vendor;
}

decision with_renewal(const subscription& s, const subscription_command& cmd, terms&& wanted,
                      const circumstances& c) {
  if (!s.period_end || s.type != subscription_type::normal) {
    return conflict(s, "not_renewed", "a trial is not renewed: change it now");
  }
  const bool nothing = wanted.of->id == s.plan && wanted.counts == s.quantities;
  if (nothing || same_wish(s.scheduled(), s, wanted.of->id, wanted.counts)) return unchanged(s);
  if (s.commitment && locked(*s.commitment, c.now)) return renewal_locked(s);
  draft d(s, c);
  schedule(d, wanted.of->id, wanted.counts, cmd.by, c);
  return std::move(d).done();
}

error not_before_renewal(const subscription& s, const put_off& later) {
  error e = conflict(s, "not_before_renewal",
                     s.commitment ? "what was committed to comes with the renewal"
                                  : "what is paid in advance is lowered with the renewal");
  for (const auto& [name, count] : later.later) {
    e.fields.push_back({"/quantities/" + name, "comes with the renewal"});
  }
  return e;
}

}  // namespace

decision change(const subscription& s, const subscription_command& cmd, const circumstances& c) {
  if (s.status != status::deployed) return refused(s, subscription_action::change);
  if (const operation* open = s.in_progress()) {
    return conflict(s, "operation_open",
                    "operation " + std::to_string(operation_of(s.id, open->number).value) +
                        " waits for the vendor's answer");
  }
  const auto target = target_of(s, cmd, c);
  if (!target) return target.failure();
  auto wanted = terms_with(s.quantities, **target, cmd.new_quantities.value_or(quantities{}));
  if (!wanted) return std::move(wanted).failure();
  auto later = to_be_put_off(s, **target, wanted->counts, c.now);
  if (!later) return std::move(later).failure();
  if (cmd.when == change_time::renewal) return with_renewal(s, cmd, std::move(*wanted), c);
  if (cmd.when == change_time::now && (later->all || !later->later.empty())) {
    return not_before_renewal(s, *later);
  }
  if (later->all) return with_renewal(s, cmd, std::move(*wanted), c);
  for (const auto& [name, count] : later->meanwhile) wanted->counts[name] = count;
  const bool now = wanted->of->id != s.plan || wanted->counts != s.quantities;
  const operation* waits = s.scheduled();
  const plan_id plan_then = waits != nullptr ? waits->plan_to.value_or(s.plan) : s.plan;
  const quantities counts_then = put_off_together(waits, later->later);
  const bool then = !later->later.empty() && !same_wish(waits, s, plan_then, counts_then);
  if (!now && !then) return unchanged(s);
  if (then && s.commitment && locked(*s.commitment, c.now)) return renewal_locked(s);
  draft d(s, c);
  if (now && asks_first(cmd, c)) {
    ask_vendor(d, *wanted, cmd.by, c);
  } else if (now) {
    operation& o = d.note(kind_of(s, wanted->of->id), operation_state::succeeded, cmd.by);
    describe(o, s, wanted->of->id, wanted->counts);
    take_on(d, std::move(*wanted), c);
  }
  if (then) schedule(d, plan_then, counts_then, cmd.by, c);
  return std::move(d).done();
}

decision unschedule(const subscription& s, const circumstances& c) {
  if (closing(s)) return refused(s, subscription_action::unschedule);
  if (s.scheduled() == nullptr) return unchanged(s);
  if (s.commitment && locked(*s.commitment, c.now)) return renewal_locked(s);
  draft d(s, c);
  drop_scheduled(d, "it was taken back", c.now);
  return std::move(d).done();
}

void apply_scheduled(draft& d, const circumstances& c, json_writer& change) {
  operation* o = find(d, operation_state::scheduled);
  if (o == nullptr) return;
  const plan* target = c.find(o->plan_to.value_or(d.next.plan));
  auto wanted = target == nullptr ? result<terms>{not_found("no such plan")}
                                  : terms_with(d.next.quantities, *target, o->to);
  if (!wanted) {  // the plan is not what it was when this was scheduled
    return drop_scheduled(d, wanted.failure().detail, c.now);
  }
  if (target->id != d.next.plan) write_plans(change.key("plan"), d.next.plan, target->id);
  if (wanted->counts != d.next.quantities) {
    write_counts(change.key("quantities"), d.next.quantities, wanted->counts);
  }
  d.next.plan = target->id;
  d.next.quantities = std::move(wanted->counts);
  end(*o, operation_state::succeeded, c.now, {});
}

void drop_open_operations(draft& d, std::string_view why) {
  drop_scheduled(d, why, d.now());
  operation* o = find(d, operation_state::in_progress);
  if (o == nullptr) return;
  end(*o, operation_state::cancelled, d.now(), why);
  d.emit("operation.cancelled", wire_type::none, operation_json(*o, d.next));
}

// ---- the vendor's answer

namespace {

subscription_decision failed(const subscription& s, operation_state how, std::string_view message,
                             const circumstances& c) {
  draft d(s, c);
  operation& o = *find(d, operation_state::in_progress);
  end(o, how, c.now, message);
  d.emit(how == operation_state::failed ? "operation.failed" : "operation.cancelled",
         wire_type::none, operation_json(o, d.next));
  return std::move(d).done();
}

decision succeeded(const subscription& s, std::string_view message, const circumstances& c) {
  const operation& asked = *s.in_progress();
  const plan* target = c.find(asked.plan_to.value_or(s.plan));
  if (target == nullptr) return failed(s, operation_state::failed, "the plan is gone", c);
  auto wanted = terms_with(s.quantities, *target, asked.to);
  if (!wanted) return failed(s, operation_state::failed, wanted.failure().detail, c);
  draft d(s, c);
  operation& o = *find(d, operation_state::in_progress);
  end(o, operation_state::succeeded, c.now, message);
  d.emit("operation.succeeded", wire_type::none, operation_json(o, d.next));
  take_on(d, std::move(*wanted), c);
  return std::move(d).done();
}

const operation* named(const subscription& s, std::uint32_t number) {
  const auto at = std::ranges::find(s.operations, number, &operation::number);
  return at == s.operations.end() ? nullptr : &*at;
}

}  // namespace

decision answer_operation(const subscription& s, const subscription_command& cmd,
                          const circumstances& c) {
  const operation* o = named(s, cmd.operation);
  const bool known = cmd.operation >= first_order && cmd.operation <= s.last_operation;
  if (o == nullptr && !known) return not_found("no such operation");
  const auto wanted = cmd.success ? operation_state::succeeded : operation_state::failed;
  if (o != nullptr && o->state == wanted) return unchanged(s);
  if (o == nullptr || o->state != operation_state::in_progress) {
    operation_state is = o == nullptr ? operation_state::succeeded : o->state;
    if (cmd.operation == first_order) is = first_order_state(s);
    return conflict(
        s, "operation_superseded",
        "the operation does not wait for an answer: it is " + std::string{to_string(is)});
  }
  if (!provisioned(s)) return refused(s, subscription_action::answer_operation);
  if (cmd.success) return succeeded(s, cmd.message, c);
  return failed(s, operation_state::failed, cmd.message, c);
}

decision cancel_operation(const subscription& s, const subscription_command& cmd,
                          const circumstances& c) {
  const operation* o = named(s, cmd.operation);
  if (o == nullptr && cmd.operation == first_order) {
    return conflict(s, "first_order", "the first order is taken back by ending the subscription");
  }
  if (o == nullptr) return not_found("no such operation");
  if (o->state == operation_state::cancelled) return unchanged(s);
  if (!provisioned(s)) return refused(s, subscription_action::cancel_operation);
  if (o->state == operation_state::scheduled) return unschedule(s, c);
  if (o->state != operation_state::in_progress) {
    return conflict(s, "operation_ended", "the operation is " + std::string{to_string(o->state)});
  }
  return failed(s, operation_state::cancelled, "it was taken back", c);
}

decision operation_unanswered(const subscription& s, const circumstances& c) {
  const bool accepted =
      c.product != nullptr && c.product->changes.on_silence == silence_policy::accept;
  if (accepted) return succeeded(s, "the vendor was silent", c);
  return failed(s, operation_state::failed, "the vendor was silent", c);
}

}  // namespace syndicated::core::rules
