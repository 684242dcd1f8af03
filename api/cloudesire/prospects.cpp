#include "api/cloudesire/prospects.hpp"

#include "api/access.hpp"
#include "core/lifecycle/subscription_machine.hpp"

namespace syndicated::api::cloudesire {
namespace {

using core::subscription_action;
using core::subscription_command;

class oracle {
 public:
  oracle(const call& c, const core::subscription& s)
      : caller_(c),
        s_(s),
        catalog_(c.engine().catalog()),
        plan_(catalog_->find(s.plan)),
        product_(catalog_->find(s.product)) {
    if (const core::operation* o = s.scheduled(); o != nullptr && o->plan_to) {
      scheduled_ = catalog_->find(*o->plan_to);
    }
  }

  bool would_do(subscription_command command) const {
    if (!plan_) return false;
    command.by = party_of(caller_, command.action);
    // As in patch.cpp: a vendor's order of a renewal is a seller's.
    if (command.action == subscription_action::renew && command.by == core::party::vendor) {
      command.by = core::party::reseller;
    }
    const auto wanted = command.new_plan ? catalog_->find(*command.new_plan) : nullptr;
    core::circumstances now;
    now.now = caller_.now();
    now.plan = plan_.get();
    now.product = product_.get();
    now.other_plans = {wanted.get(), scheduled_.get(), nullptr};
    const auto decided = core::decide(s_, command, now);
    return decided && decided->changed;
  }

  bool would_do(subscription_action action) const {
    subscription_command command;
    command.action = action;
    return would_do(std::move(command));
  }

  std::vector<core::plan_id> upgrades() const {
    std::vector<core::plan_id> out;
    std::uint64_t after = 0;
    for (std::size_t seen = 0; seen < core::limits::scan_rows_max;) {
      const auto plans = catalog_->plans(after, core::limits::page_items_max);
      for (const auto& p : plans) {
        after = p->id.value;
        if (p->product != s_.product || p->id == s_.plan ||
            p->state != core::publication_state::published) {
          continue;
        }
        subscription_command command;
        command.action = subscription_action::change;
        command.new_plan = p->id;
        if (would_do(std::move(command))) out.push_back(p->id);
        if (out.size() == core::limits::map_entries_max) return out;
      }
      seen += plans.size();
      if (plans.size() < core::limits::page_items_max) break;
    }
    return out;
  }

  // Some quantity can be another than it is.
  bool quantities_change() const {
    for (const auto& [name, value] : s_.quantities) {
      for (const std::int64_t step : {1, -1}) {
        subscription_command command;
        command.action = subscription_action::change;
        command.new_quantities = core::quantities{{name, value + step * step_of(name)}};
        if (would_do(std::move(command))) return true;
      }
    }
    return false;
  }

 private:
  std::int64_t step_of(const std::string& name) const {
    for (const core::plan_resource& r : plan_->resources) {
      if (r.name == name) return r.step;
    }
    return 1;
  }

  const call& caller_;
  const core::subscription& s_;
  const std::shared_ptr<const actors::catalog> catalog_;
  const std::shared_ptr<const core::plan> plan_;
  const std::shared_ptr<const core::product> product_;
  std::shared_ptr<const core::plan> scheduled_;
};

}  // namespace

prospects prospects_of(const call& c, const core::subscription& s) {
  prospects out;
  const oracle ask(c, s);
  const bool vendor = c.by.role == core::role::vendor;
  const auto offer = [&](std::string_view word, bool possible) {
    if (possible) out.operations.push_back(word);
  };
  offer("APPROVE", ask.would_do(subscription_action::approve));
  subscription_command renewal;
  renewal.action = subscription_action::edit;
  renewal.auto_renew = !s.auto_renew;
  offer("AUTORENEW", ask.would_do(std::move(renewal)));
  out.upgrades = ask.upgrades();
  offer("BILLING_ITEM_UPGRADE", ask.quantities_change());
  offer("DEPLOY", ask.would_do(subscription_action::redeploy));
  offer("KILL", ask.would_do(subscription_action::terminate));
  offer("RENEW", ask.would_do(subscription_action::renew));
  offer("SET_NAME", !core::ended(s.status));
  offer("START",
        ask.would_do(vendor ? subscription_action::report_deployed : subscription_action::resume));
  offer("STOP",
        ask.would_do(vendor ? subscription_action::report_stopped : subscription_action::suspend));
  offer("SYNDICATED_UPGRADE", !out.upgrades.empty());
  return out;
}

}  // namespace syndicated::api::cloudesire
