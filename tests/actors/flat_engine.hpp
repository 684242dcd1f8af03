// Entities and one dispatcher without an actor system: mailboxes are queues that the test empties
// in the order it likes, the network is a list of requests that the test answers.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <variant>

#include "actors/dispatch.hpp"
#include "actors/inbox.hpp"
#include "tests/actors/world.hpp"

namespace syndicated::tests {

// A request on its way to a vendor.
struct on_the_wire {
  core::endpoint_id endpoint;
  core::event_id event;
  core::timestamp at{};
  net::attempt_request request;
  std::string origin;
  actors::breaker_view breaker;  // of the origin, when it was sent
  bool seen = false;             // for the test

  std::string header(const std::string& name) const {
    for (const std::string& line : request.headers) {
      if (line.starts_with(name + ": ")) return line.substr(name.size() + 2);
    }
    return {};
  }
  std::uint64_t seq() const { return std::stoull(header("CMW-Event-Seq")); }
};

class flat_engine {
 public:
  explicit flat_engine(world& w, actors::dispatch_settings settings = {})
      : w_(w), settings_(std::move(settings)) {
    settings_.monotonic = [&w] {
      return std::chrono::steady_clock::time_point{w.now.time_since_epoch()};
    };
    begin();
  }
  flat_engine(const flat_engine&) = delete;
  flat_engine& operator=(const flat_engine&) = delete;

  // The process dies and starts again. `prepared` runs between, on the new services.
  void restart(const std::function<void()>& prepared = {}) {
    begin_again(prepared);
    settle();
  }
  // The same, and nothing has moved yet.
  void begin_again(const std::function<void()>& prepared = {}, bool power_cut = false) {
    dispatch.reset();
    journal_.reset();
    entities.clear();
    without_lanes_.clear();
    entity_mail.clear();
    catalog_mail.clear();
    inbox.clear();
    changed.clear();
    wire.clear();
    w_.crash(power_cut);
    if (prepared) prepared();
    begin();
  }

  // Notes what is in flight from the next restart on.
  void keep_journal() { journaling_ = true; }
  // The process ends by itself: nothing will be suspect.
  void close_journal() { journal_->close(); }
  // What was in flight at the last unclean end.
  std::size_t suspects() { return journal_->of(0).suspects().size(); }

  core::endpoint_id new_endpoint(core::endpoint e) {
    e.url += "/" + std::to_string(endpoint_by_url.size());
    const std::string url = e.url;
    const core::endpoint_id id = w_.new_endpoint(std::move(e));
    endpoint_by_url[url] = id;
    return id;
  }

  // As a shard does it, if nothing of the entity is under way.
  void put_to_sleep(core::stream_id stream) {
    const auto it = entities.find(stream);
    if (!it->second->idle()) return;
    if (it->second->without_lanes()) without_lanes_.insert(stream);
    entities.erase(it);
  }

  outcome_ptr ask(std::shared_ptr<actors::entity_request> request) {
    auto seen = watch(*request);
    entity_mail.emplace_back(std::move(request));
    return seen;
  }

  // One letter of a queue; false when it was empty.
  bool entity_turn() {
    if (entity_mail.empty()) return false;
    const auto letter = std::move(entity_mail.front());
    entity_mail.pop_front();
    std::visit([this](const auto& m) { deliver(m); }, letter);
    return true;
  }
  bool catalog_turn() {
    if (catalog_mail.empty()) return false;
    auto command = std::move(catalog_mail.front());
    catalog_mail.pop_front();
    w_.catalog(std::move(command));
    return true;
  }
  bool dispatch_turn() {
    const bool any = !inbox.empty() || !changed.empty();
    for (core::endpoint_id id : std::exchange(changed, {})) dispatch->endpoint_changed(id);
    for (auto& item : std::exchange(inbox, {})) {
      std::visit([this](auto& m) { give(m); }, item);
    }
    dispatch->pump();
    return any;
  }
  // Until nothing moves by itself.
  void settle() {
    while (entity_turn() || w_.commit() || catalog_turn() || dispatch_turn()) {
    }
  }
  void advance(std::chrono::milliseconds by) {
    w_.now += by;
    if (w_.committer().space_ran_out()) w_.committer().submit({});  // as the ticker looks for space
    dispatch->tick(w_.now);
    settle();
  }

  void answer(std::size_t index, core::attempt_result result) {
    auto sent = std::move(wire.at(index));
    wire.erase(wire.begin() + static_cast<std::ptrdiff_t>(index));
    sent.request.done(std::move(result));
  }
  void answer(std::size_t index, int status, std::string retry_after = {}) {
    core::attempt_result result;
    result.status = status;
    result.retry_after = std::move(retry_after);
    answer(index, std::move(result));
  }
  std::size_t under_way(core::endpoint_id id) const {
    return static_cast<std::size_t>(std::count_if(
        wire.begin(), wire.end(), [id](const auto& sent) { return sent.endpoint == id; }));
  }
  std::optional<std::size_t> first_of(core::endpoint_id id) const {
    for (std::size_t i = 0; i < wire.size(); ++i) {
      if (wire[i].endpoint == id) return i;
    }
    return std::nullopt;
  }

  std::deque<std::variant<actors::request_ptr, actors::report_ptr>> entity_mail;
  std::deque<actors::catalog_command> catalog_mail;
  std::vector<actors::inbox_item> inbox;
  std::vector<core::endpoint_id> changed;
  std::vector<on_the_wire> wire;
  std::map<std::string, core::endpoint_id> endpoint_by_url;
  std::map<core::stream_id, std::unique_ptr<actors::entity>> entities;
  std::unique_ptr<actors::dispatch> dispatch;

 private:
  void begin() {
    auto& s = w_.s();
    s.to_shard = [this](auto r) { entity_mail.emplace_back(std::move(r)); };
    s.report_to_shard = [this](auto r) { entity_mail.emplace_back(std::move(r)); };
    s.lane_is_ready = [this](auto work) {
      inbox.emplace_back(actors::lane_ready{std::move(work)});
    };
    s.lane_is_resting = [this](const core::lane_key& lane, auto due) {
      inbox.emplace_back(actors::lane_rests{lane, due});
    };
    s.lane_is_barred = [this](const core::lane_key& lane, core::timestamp until) {
      inbox.emplace_back(actors::lane_barred{lane, until});
    };
    s.endpoint_was_changed = [this](core::endpoint_id id) { changed.push_back(id); };
    s.start_cascade = [](auto) {};
    s.change_catalog = [this](auto c) { catalog_mail.push_back(std::move(c)); };
    auto send = [this](net::attempt_request&& r) {
      on_the_wire sent;
      sent.at = w_.now;
      sent.request = std::move(r);
      const std::string standard = sent.header("webhook-id");  // evt_17
      sent.event = {
          std::stoull(standard.empty() ? sent.header("CMW-Event-Id") : standard.substr(4))};
      sent.endpoint = endpoint_by_url.at(sent.request.url);
      sent.origin = w_.s().catalog.load()->find(sent.endpoint)->origin;
      sent.breaker = w_.s().breakers.get(sent.origin, w_.now);
      wire.push_back(std::move(sent));
    };
    auto complete = [this](actors::work_handle work, actors::attempt_start started,
                           core::attempt_result&& result) {
      inbox.emplace_back(actors::attempt_done{std::move(work), started, std::move(result)});
    };
    if (journaling_) open_journal();
    dispatch = std::make_unique<actors::dispatch>(s, settings_, send, complete);
    for (const auto& [id, e] : s.catalog.load()->all_endpoints()) {
      endpoint_by_url[e->url] = {id};
      changed.push_back({id});
    }
  }

  actors::entity& entity_of(core::stream_id stream) {
    auto& slot = entities[stream];
    if (slot) return *slot;
    slot = actors::make_entity(w_.s(), stream);
    if (without_lanes_.erase(stream) > 0) slot->has_no_lanes();
    return *slot;
  }
  void deliver(const actors::request_ptr& r) { entity_of(r->stream).handle(*r); }
  void deliver(const actors::report_ptr& r) { entity_of(r->lane.stream).handle(r); }
  void give(actors::lane_ready& m) { dispatch->lane_ready(std::move(m.work)); }
  void give(actors::lane_rests& m) { dispatch->lane_rests(m.lane, m.due); }
  void give(actors::lane_barred& m) { dispatch->lane_barred(m.lane, m.until); }
  void give(actors::attempt_done& m) { dispatch->attempt_ended(m.work, m.started, m.result); }

  void open_journal() {
    auto opened = actors::flight_journal::open(place_.path() + "/in_flight", "this boot", 1, 64,
                                               [](auto) { return std::size_t{0}; });
    BOOST_REQUIRE(opened.ok());
    journal_ = std::move(*opened);
    settings_.journal = &journal_->of(0);
  }

  world& w_;
  actors::dispatch_settings settings_;
  bool journaling_ = false;
  std::set<core::stream_id> without_lanes_;  // of those asleep
  temporary_directory place_{temporary_directory::place::in_memory};
  std::unique_ptr<actors::flight_journal> journal_;
};

}  // namespace syndicated::tests
