#include "actors/part_keeper.hpp"

#include <algorithm>

#include "core/base/limits.hpp"

namespace syndicated::actors {
namespace {

core::result<void> version_of(const core::resource& r, const std::optional<std::uint64_t>& wanted) {
  if (!wanted || *wanted == r.version) return {};
  return version_mismatch(*wanted, r.version);
}

void move_events(std::vector<core::event_draft>& to, std::vector<core::event_draft>& from) {
  std::ranges::move(from, std::back_inserter(to));
  from.clear();
}

}  // namespace

core::result<void> part_keeper::load() {
  if (loaded_) return {};
  resources_ = {};
  auto ok = stored_.resources(id_, {}, [this](core::resource&& r) {
    const core::resource_id id = r.id;
    resources_.all.emplace(id, std::move(r));
    return true;
  });
  if (!ok) return ok;
  auto book = stored_.book(id_);
  if (!book) return std::move(book).failure();
  resources_.told = std::move(book->resources_told);
  usage_ = std::move(book->usage);
  polls_ = std::move(book->polls);
  loaded_ = true;
  return {};
}

core::resource_rules part_keeper::rules(const core::subscription& owner) const {
  const auto catalog = s_.catalog.load();
  const auto product = catalog->find(owner.product);
  const auto plan = catalog->find(owner.plan);
  if (!product || !plan) return {};
  return core::rules_of(*product, *plan);
}

core::resource_circumstances part_keeper::at(const core::subscription& owner,
                                             const core::resource_rules& rules) {
  core::resource_circumstances c;
  c.now = s_.now();
  c.subscription = id_;
  c.status = owner.status;
  c.rules = &rules;
  c.next_id = [this] { return s_.ids.next_resource(); };
  return c;
}

core::usage_work part_keeper::work(const core::subscription& owner) const {
  core::usage_circumstances c;
  c.now = s_.now();
  c.subscription = id_;
  c.status = owner.status;
  c.period_start = owner.period_start;
  c.allowed = [plan = s_.catalog.load()->find(owner.plan)](std::string_view metric) {
    return plan ? core::allowance_of(*plan, metric) : core::allowance{};
  };
  c.tell_records = s_.tell_usage_records;
  return {usage_, std::move(c)};
}

core::result<part_changes> part_keeper::follow(const core::subscription* before,
                                               const core::subscription& after) {
  part_changes out;
  const bool moved = before == nullptr || before->status != after.status;
  if (!moved && before->plan == after.plan) return out;
  if (before == nullptr) loaded_ = true;  // nobody knew it: nothing is on disk
  if (auto ok = load(); !ok) return std::move(ok).failure();
  const core::resource_rules now_sold = rules(after);
  out.resources =
      core::follow(resources_, before == nullptr ? std::nullopt : std::optional{before->status},
                   at(after, now_sold));
  if (auto asked = polls(after); asked != polls_) out.polls = std::move(asked);
  const bool ends = moved && core::ended(after.status);
  if (moved && (ends || after.status == core::subscription_status::undeploy_sent)) {
    out.usage = work(after);
    if (ends) {
      out.usage->close_all();
    } else {
      out.usage->begin_final();
    }
  }
  out.purge = after.status == core::subscription_status::purged && !resources_.all.empty();
  // Nothing is told of a subscription after its end.
  auto& told = ends ? out.first : out.then;
  move_events(told, out.resources.events);
  if (out.usage) move_events(told, out.usage->events());
  return out;
}

core::result<part_changes> part_keeper::decide(const core::subscription& owner,
                                               const resource_order& order,
                                               const std::optional<std::uint64_t>& if_match) {
  if (auto ok = load(); !ok) return std::move(ok).failure();
  const core::resource_rules sold = rules(owner);
  const core::resource_circumstances c = at(owner, sold);
  const auto fits = [&](core::resource_id id) -> core::result<void> {
    const core::resource* r = resources_.find(id);
    return r == nullptr ? core::result<void>{core::not_found("no such sub-resource")}
                        : version_of(*r, if_match);
  };
  core::result<core::resource_decision> decided = core::error{};
  if (const auto* wanted = std::get_if<core::new_resource>(&order)) {
    decided = core::create_resource(resources_, *wanted, c);
  } else if (const auto* step = std::get_if<resource_step>(&order)) {
    if (auto ok = fits(step->id); !ok) return std::move(ok).failure();
    decided = core::decide(resources_, step->id, step->command, c);
  } else {
    const auto& link = std::get<link_step>(order);
    if (auto ok = fits(link.id); !ok) return std::move(ok).failure();
    decided = link.take_off ? core::unlink(resources_, link.id, link.link, link.by, c)
                            : core::link(resources_, link.id, link.link, link.by, c);
  }
  if (!decided) return std::move(decided).failure();
  part_changes out;
  out.resources = std::move(*decided);
  move_events(out.first, out.resources.events);
  return out;
}

bool part_keeper::completes(const core::subscription& owner, const part_changes& changes) const {
  if (owner.status != core::subscription_status::pending || !changes.resources.changed)
    return false;
  const auto product = s_.catalog.load()->find(owner.product);
  if (!product || product->mode != core::fulfilment_mode::resource_driven) return false;
  return core::all_provided(resources_, changes.resources, rules(owner));
}

core::result<part_changes> part_keeper::follow_with(part_changes changes,
                                                    const core::subscription& before,
                                                    const core::subscription& after) {
  core::resource_set next = resources_;
  core::adopt(next, changes.resources);
  const core::resource_rules sold = rules(after);
  auto more = core::follow(next, before.status, at(after, sold));
  for (auto& [id, r] : more.put) changes.resources.put[id] = std::move(r);
  changes.resources.told = std::move(more.told);
  move_events(changes.then, more.events);
  return changes;
}

core::result<part_changes> part_keeper::take(const core::subscription& owner,
                                             const std::vector<core::usage_report>& reports,
                                             usage_outcomes& outcomes) {
  if (auto ok = load(); !ok) return std::move(ok).failure();
  part_changes out;
  out.usage = work(owner);
  for (const core::usage_report& report : reports) {
    const core::usage_key key = out.usage->key_of(report);
    if (report.resource && resources_.find(report.resource) == nullptr) {
      outcomes.emplace_back(core::invalid_field("/resource_id", "no such sub-resource"));
      continue;
    }
    std::optional<core::usage_record> past;
    if (!out.usage->book().open.contains(key)) {
      auto found = stored_.find(id_, key);
      if (!found) return std::move(found).failure();
      past = std::move(*found);
    }
    outcomes.push_back(out.usage->accept(report, past));
  }
  move_events(out.first, out.usage->events());
  return out;
}

core::metric_polls part_keeper::polls(const core::subscription& owner) const {
  const auto product = s_.catalog.load()->find(owner.product);
  if (!product) return {};
  return core::polls_for(polls_, *product, id_, owner.status, s_.now());
}

std::optional<core::timestamp> part_keeper::next_timer(const core::usage_book& usage,
                                                       const core::metric_polls& polls) {
  auto next = core::next_close(usage);
  if (const auto poll = core::next_poll(polls)) keep_earlier(next, *poll);
  return next;
}

void part_keeper::note(const core::subscription& owner, const poll_answer& answer,
                       part_changes& changes) {
  core::metric_polls now = polls(owner);
  const auto asked = now.find(answer.metric);
  if (asked == now.end()) return;  // it is no longer asked for
  core::note_answer(asked->second, answer.value, answer.problem, s_.now());
  changes.polls = std::move(now);
}

core::result<std::optional<part_changes>> part_keeper::timer(const core::subscription& owner) {
  if (auto ok = load(); !ok) return std::move(ok).failure();
  const auto next = next_timer(usage_, polls_);
  if (!next || *next > s_.now()) return std::optional<part_changes>{};
  part_changes out;
  out.usage = work(owner);
  out.usage->close_due();
  move_events(out.first, out.usage->events());
  // What the product asks for may have changed meanwhile.
  core::metric_polls now = polls(owner);
  if (const auto product = s_.catalog.load()->find(owner.product)) {
    out.asked = core::take_due(now, *product, s_.now());
  }
  out.polls = std::move(now);
  return std::optional{std::move(out)};
}

void part_keeper::drop_oldest_deleted(store::write_plan& plan) {
  auto deleted = static_cast<std::size_t>(
      std::ranges::count_if(resources_.all, [](const auto& row) { return !row.second.alive(); }));
  for (auto at = resources_.all.begin();
       deleted > core::limits::deleted_resources_kept_max && at != resources_.all.end();) {
    if (at->second.alive()) {
      ++at;
      continue;
    }
    store::subscription_parts::erase(plan, at->second);
    at = resources_.all.erase(at);
    --deleted;
  }
}

void part_keeper::write_resources(store::write_plan& plan, const core::resource_decision& d) {
  for (const auto& [id, r] : d.put) store::subscription_parts::put(plan, r);
  core::adopt(resources_, d);
  drop_oldest_deleted(plan);
}

void part_keeper::write_usage(store::write_plan& plan, core::usage_work& w) {
  bool closed = false;
  for (const auto& [key, r] : w.written()) {
    const bool open = w.book().open.contains(key);
    closed = closed || !open;
    store::subscription_parts::put(plan, r, open);
  }
  usage_ = w.book();
  if (!closed) return;
  const auto forgotten = s_.now() - std::chrono::seconds{core::limits::usage_kept_s};
  // What cannot be read now is forgotten with a later window.
  (void)stored_.forget_usage(plan, id_, forgotten);
}

void part_keeper::write(store::write_plan& plan, part_changes&& changes) {
  if (!changes.any()) return;
  if (changes.purge) {
    for (const auto& [id, r] : resources_.all) store::subscription_parts::erase(plan, r);
    resources_.all.clear();
  }
  const auto timer = next_timer(usage_, polls_);
  if (changes.resources.changed) write_resources(plan, changes.resources);
  if (changes.usage && changes.usage->changed()) write_usage(plan, *changes.usage);
  if (changes.polls) polls_ = std::move(*changes.polls);
  store::subscription_parts::move_timer(plan, id_, timer, next_timer(usage_, polls_));
  store::subscription_parts::put(plan, id_, {resources_.told, usage_, polls_});
}

}  // namespace syndicated::actors
