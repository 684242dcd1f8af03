#include "actors/mark_sweep.hpp"

#include "core/base/log.hpp"

namespace syndicated::actors {
namespace {

constexpr std::size_t page_marks_max = 128;   // settled at a time
constexpr std::size_t page_rows_max = 4'096;  // looked at in one turn
constexpr std::chrono::milliseconds look_interval = std::chrono::seconds{5};

}  // namespace

void mark_sweep::tick(core::timestamp now) {
  if (draining_ || under_way_.use_count() > 1) return;
  if (sought_.empty()) {
    // A clock that was set back must not stop the looks.
    if (now < next_look_ && next_look_ - now <= look_interval) return;
    next_look_ = now + look_interval;
    look();
  }
  if (!sought_.empty()) read_page();
}

void mark_sweep::look() {
  at_ = {};
  found_.clear();
  for (const auto& [number, endpoint] : s_.catalog.load()->all_endpoints()) {
    if (endpoint->state != core::endpoint_state::deleted) continue;
    const std::uint64_t parked = s_.committer.counters_of(endpoint->id).parked;
    if (parked == 0) continue;
    const auto before = in_vain_.find(endpoint->id);
    if (before != in_vain_.end() && before->second == parked) continue;
    // Its dispatcher has not cancelled all of them yet.
    if (!has_lane(endpoint->id)) sought_.emplace(endpoint->id, parked);
  }
}

bool mark_sweep::has_lane(core::endpoint_id id) const {
  bool any = false;
  const auto scanned = s_.repo.due_lanes(id, 0, store::parked_due_ms + 1, {},
                                         [&any](const core::lane_key&, std::uint64_t, auto) {
                                           any = true;
                                           return false;
                                         });
  return any || !scanned;
}

void mark_sweep::read_page() {
  std::vector<store::skip_mark> page;
  std::size_t rows = 0;
  bool more = false;
  const auto scanned = s_.repo.skip_marks(at_, [&](store::skip_mark&& mark) {
    at_ = mark;
    if (sought_.contains(mark.endpoint)) page.push_back(mark);
    more = page.size() >= page_marks_max || ++rows >= page_rows_max;
    return !more;
  });
  if (!scanned) {
    core::log(core::log_level::error, "replayer", "the marks of given-up events cannot be read",
              {{"detail", scanned.failure().detail}});
    return sought_.clear();  // the next look begins anew
  }
  under_way_ = std::make_shared<const char>();
  for (const store::skip_mark& mark : page) {
    if (settle(mark)) found_.insert(mark.endpoint);
  }
  if (!more) end_walk();
}

// False: the event is not there, so nobody can say whose the mark is.
bool mark_sweep::settle(const store::skip_mark& mark) {
  const auto event = s_.repo.find(mark.event);
  if (!event || !*event) return !event.ok();
  auto request = std::make_shared<entity_request>();
  request->stream = (*event)->stream;
  request->options.by = {core::role::operator_, 0, "system"};
  request->body = discard_request{{(*event)->stream, mark.endpoint, {}}, mark.event};
  // What is refused now is found by the next walk.
  request->reply = [open = under_way_](core::result<answer>&&) {};
  s_.to_shard(std::move(request));
  return true;
}

void mark_sweep::end_walk() {
  for (const auto& [id, parked] : sought_) {
    if (!found_.contains(id)) in_vain_[id] = parked;
  }
  sought_.clear();
}

}  // namespace syndicated::actors
