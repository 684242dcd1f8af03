// What is asked of a subscription's sub-resources and usage: the requests of part_keeper.hpp.
#include <algorithm>

#include "actors/subscription_entity.hpp"

namespace syndicated::actors {

void subscription_entity::change_part(entity_request& request, const resource_change& change) {
  auto changes = parts_.decide(*record_, change.order, request.options.if_match);
  if (!changes) return refuse(request, std::move(changes).failure());
  const core::resource_id subject = changes->resources.subject;
  if (!changes->any()) {
    return answer_unchanged(request, change.render(*parts_.find(subject), false));
  }
  const bool completes = parts_.completes(*record_, *changes);
  const bool is_load = std::holds_alternative<core::new_resource>(change.order);
  core::subscription_decision nothing{*record_, {}, true};
  auto render = [this, subject, render = change.render](const core::subscription&, bool) {
    return render(*parts_.find(subject), true);
  };
  if (!completes) {
    return persist(request, std::move(nothing), std::move(*changes), is_load, render, {});
  }
  // The last one of those that the plan provides is ready: that is the vendor's word.
  core::subscription_command command;
  command.action = core::subscription_action::report_deployed;
  command.by = core::party::vendor;
  const auto catalog = s_.catalog.load();
  auto decided = core::decide(*record_, command, circumstances_now(*catalog, record_->plan));
  if (!decided || !decided->changed) {
    return persist(request, std::move(nothing), std::move(*changes), is_load, render, {});
  }
  auto after = parts_.follow_with(*changes, *record_, decided->next);
  if (!after) return refuse(request, std::move(after).failure());
  persist(request, std::move(*decided), std::move(*after), is_load, render, {});
}

void subscription_entity::take_usage(entity_request& request, usage_intake& intake) {
  usage_outcomes outcomes;
  auto changes = parts_.take(*record_, intake.reports, outcomes);
  if (!changes) return refuse(request, std::move(changes).failure());
  intake.tell(std::move(outcomes));
  if (intake.polled) parts_.note(*record_, *intake.polled, *changes);
  if (!changes->any()) return answer_unchanged(request, {});
  core::subscription_decision nothing{*record_, {}, true};
  persist(request, std::move(nothing), std::move(*changes), false, {}, {});
}

bool subscription_entity::part_timer(entity_request& request) {
  auto changes = parts_.timer(*record_);
  if (!changes) return refuse(request, std::move(changes).failure()), true;
  if (!*changes) return false;
  // The next instant is on disk before the question is asked, so a crash loses one at most.
  std::vector<core::metric> asked;
  const auto product = s_.catalog.load()->find(record_->product);
  for (const std::string& name : (*changes)->asked) {
    const auto found = std::ranges::find_if(
        product->metrics, [&name](const core::metric& m) { return m.name == name; });
    if (found != product->metrics.end()) asked.push_back(*found);
  }
  auto ask = [services = &s_, id = record_->id, asked = std::move(asked)] {
    for (const core::metric& m : asked) services->ask_metric(id, m);
  };
  core::subscription_decision nothing{*record_, {}, true};
  persist(request, std::move(nothing), std::move(**changes), false, {}, std::move(ask));
  return true;
}

}  // namespace syndicated::actors
