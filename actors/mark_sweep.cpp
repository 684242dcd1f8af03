#include "actors/mark_sweep.hpp"

#include "core/base/log.hpp"

namespace syndicated::actors {
namespace {

constexpr std::size_t page_marks_max = 128;   // settled at a time
constexpr std::size_t page_rows_max = 4'096;  // looked at in one turn
constexpr std::chrono::milliseconds look_interval = std::chrono::seconds{5};
constexpr std::chrono::milliseconds vain_pause = std::chrono::seconds{10};

}  // namespace

void mark_sweep::tick(core::timestamp now) {
  if (draining_ || under_way_.use_count() > 1) return;
  if (sought_.empty()) {
    // A clock that was set back must not stop the looks.
    if (core::waits(next_look_, look_interval, now)) return;
    next_look_ = now + look_interval;
    look(now);
  }
  if (!sought_.empty()) read_page();
}

void mark_sweep::look(core::timestamp now) {
  at_ = {};
  for (const auto& [number, endpoint] : s_.catalog.load()->all_endpoints()) {
    if (endpoint->state != core::endpoint_state::deleted) continue;
    const std::uint64_t parked = s_.committer.counters_of(endpoint->id).parked;
    if (parked == 0) continue;
    const auto before = last_walks_.find(endpoint->id);
    const bool in_vain = before != last_walks_.end() && before->second.parked == parked &&
                         before->second.at <= now && now - before->second.at < vain_pause;
    // With a lane, its dispatcher has not cancelled all of them yet.
    if (in_vain || has_lane(endpoint->id)) continue;
    sought_.insert(endpoint->id);
    last_walks_[endpoint->id] = {parked, now};
  }
}

bool mark_sweep::has_lane(core::endpoint_id id) const {
  bool any = false;
  const auto scanned = s_.repo.due_lanes(id, store::due_side::fresh, store::due_side::parked, {},
                                         [&any](const core::lane_key&, std::string_view) {
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
  for (const store::skip_mark& mark : page) settle(mark);
  if (!more) sought_.clear();
}

void mark_sweep::settle(const store::skip_mark& mark) {
  const auto event = s_.repo.find(mark.event);
  if (!event || !*event) return;  // nobody can say whose the mark is
  auto request = system_request((*event)->stream);
  request->body = discard_request{{(*event)->stream, mark.endpoint, {}}, mark.event};
  // What is refused now is found by the next walk.
  request->reply = [open = under_way_](core::result<answer>&&) {};
  s_.to_shard(std::move(request));
}

}  // namespace syndicated::actors
