// Random lives of a small market by seed: commands, answers of every kind, endpoints that fail or
// hang for a while and recover, pauses, replays, sleeping entities, full disks, crashes and power
// cuts at any point, in any order of the mailboxes; breakers open and close, retries wait for their
// budget, what was in flight at a crash is tried alone. Each endpoint has its own ordering, rate
// and wish for coalescing. At the end everything must add up (reliability.md R26; invariants of
// domain.md 10.14).
//
// SYNDICATED_SIM_SEED=4017 in the environment lives that life alone, after those before it in its
// store, which give it the same ids.
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <random>
#include <set>

#include "tests/actors/flat_engine.hpp"

namespace syndicated {
namespace {

using namespace tests;
using core::endpoint_state;
using core::subscription_action;

constexpr int seeds = 100;  // of each weather
constexpr int steps = 300;

// What may happen in a life. Without crashes and replays more can be counted exactly.
struct weather {
  bool crashes = false;
  bool replays = false;
  bool full_disks = false;
  bool power_cuts = false;  // some of the crashes
};

// How an endpoint answers for a while.
enum class mood : std::uint8_t { mixed, well, failing, hanging };

// What happened in many lives: a simulation without it would prove nothing.
struct tally {
  std::uint64_t openings = 0;  // of breakers
  std::uint64_t probes = 0;
  std::uint64_t retries = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t crashes = 0;
  std::uint64_t bytes_lost = 0;  // of the log, by power cuts
  std::uint64_t coalesced = 0;
  std::map<core::ordering_mode, std::uint64_t> sent;
  std::uint64_t sent_limited = 0;  // to endpoints with a rate
};

class life {
 public:
  life(world& w, std::uint64_t seed, weather sky, tally& seen)
      : w_(w), seed_(seed), dice_(seed), sky_(sky), seen_(seen) {
    revive();
    for (int v = 0; v < 2; ++v) {
      const auto vendor = w_.new_vendor();
      plans_.push_back(w_.new_plan(vendor));
      for (int i = 0; i < 2; ++i) {
        auto e = world::endpoint_of(vendor);
        e.url += "/" + std::to_string(seed);
        e.origin = "http://vendor-" + std::to_string(vendor.value) + ".example:80";
        e.concurrency_max = 3;
        if (i == 1) e.on_exhausted = core::exhausted_policy::skip;
        if (i == 1 && v == 1) e.events = {"subscription.suspended", "subscription.resumed"};
        draw_wishes(e);
        const core::endpoint kept = e;
        const auto id = engine_->new_endpoint(std::move(e));
        endpoints_.push_back(id);
        vendor_of_[id] = vendor;
        wishes_[id] = kept;
      }
    }
    customer_ = w_.add_tenant();
    engine_->settle();
  }

  void run() {
    for (int i = 0; i < steps; ++i) {
      step();
      collect();
    }
    if (disk_is_full_) flip_disk();
    heal();
    check();
    count_openings();
  }

 private:
  std::uint64_t roll(std::uint64_t sides) { return dice_() % sides; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[roll(from.size())];
  }

  void draw_wishes(core::endpoint& e) {
    const auto dice = roll(4);
    if (dice == 0) e.ordering = core::ordering_mode::none;
    if (dice == 1) {
      e.ordering = core::ordering_mode::endpoint;
      // A parked head would hold the line to the end of this life.
      e.on_exhausted = core::exhausted_policy::skip;
    }
    if (roll(3) == 0) e.rate = {5, 3};
    e.coalesce_modified = roll(3) == 0;
  }
  core::ordering_mode ordering(core::endpoint_id id) const { return wishes_.at(id).ordering; }

  void revive() {
    protect();
    engine_ = std::make_unique<flat_engine>(w_);
    engine_->keep_journal();
    engine_->dispatch_turn();
  }
  // Each life has its own strictness.
  void protect() {
    const std::int64_t pause_ms = seed_ % 4 == 0 ? 0 : 150;
    w_.set_protection({{std::chrono::milliseconds{pause_ms}, 600ms}, seed_ % 3 == 0 ? 0.2 : 1.0});
  }

  void step() {
    const auto dice = roll(100);
    if (dice < 8) return order();
    if (dice < 18) return command();
    if (dice < 40) return answer_one();
    if (dice < 42) return endpoint_switch();
    if (dice < 44 && sky_.replays) return replay();
    if (dice < 46 && sky_.replays) return discard();
    if (dice < 47 && sky_.crashes) return crash();
    if (dice < 49 && sky_.full_disks) return flip_disk();
    if (dice < 52) return change_mood();
    if (dice < 57) return sleep_one();
    if (dice < 70) {
      w_.now += std::chrono::milliseconds{roll(400)};
      return engine_->dispatch->tick(w_.now);
    }
    turn();
  }
  // Some of the machinery moves a little.
  void turn() {
    switch (roll(4)) {
      case 0:
      case 1: engine_->entity_turn(); break;
      case 2: w_.commit_once(); break;
      default:
        if (!disk_is_full_) engine_->catalog_turn();
        engine_->dispatch_turn();
    }
  }

  void order() {
    auto request = w_.order(customer_, pick(plans_), roll(4) != 0);
    subscriptions_.push_back({request->stream.entity});
    asked_.push_back({core::subscription_id{request->stream.entity}, engine_->ask(request)});
  }
  void command() {
    if (subscriptions_.empty()) return;
    static const std::vector<subscription_action> actions{
        subscription_action::suspend,         subscription_action::resume,
        subscription_action::report_deployed, subscription_action::pay,
        subscription_action::report_stopped,  subscription_action::cancel,
        subscription_action::reinstate,       subscription_action::renew};
    const auto id = pick(subscriptions_);
    asked_.push_back({id, engine_->ask(world::act(id, pick(actions)))});
  }
  void change_mood() {
    static const std::vector<mood> moods{mood::mixed, mood::well, mood::failing, mood::hanging};
    moods_[pick(endpoints_)] = pick(moods);
  }
  void answer_one() {
    if (engine_->wire.empty()) return;
    const auto index = roll(engine_->wire.size());
    const auto& sent = engine_->wire[index];
    switch (moods_[sent.endpoint]) {
      case mood::mixed: return answer_somehow(index, roll(20));
      case mood::well: return answer(index, 204);
      case mood::failing: return answer_somehow(index, 8 + roll(8));
      case mood::hanging:
        if (w_.now - sent.at >= 1s) fail(index, core::attempt_error::timeout);
    }
  }
  void answer_somehow(std::size_t index, std::uint64_t dice) {
    if (dice < 8) return answer(index, 204);
    if (dice < 13) return answer(index, 500);
    if (dice < 14) return answer(index, 404);
    if (dice < 16) return answer(index, 503, "1");
    if (dice < 17) return answer(index, 410);
    fail(index, dice < 19 ? core::attempt_error::timeout : core::attempt_error::local);
  }
  void fail(std::size_t index, core::attempt_error error) {
    core::attempt_result result;
    result.error = error;
    if (error == core::attempt_error::timeout) {
      ++seen_.timeouts;
      note_failure(engine_->wire[index]);
    }
    engine_->answer(index, result);
  }
  void note_failure(const on_the_wire& sent) {
    auto& failed = failures_[{sent.endpoint, sent.event}];
    failed.at = w_.now;
    ++failed.times;
  }
  void answer(std::size_t index, int status, std::string retry_after = {}) {
    if (status == 204) {
      ++good_answers_[engine_->wire[index].endpoint];
    } else {
      note_failure(engine_->wire[index]);
    }
    engine_->answer(index, status, std::move(retry_after));
  }
  void endpoint_switch() {
    if (disk_is_full_) return;
    const bool pause = roll(2) == 0;
    w_.set_state(pick(endpoints_), pause ? endpoint_state::paused : endpoint_state::active);
  }
  void replay() {
    if (first_attempts_.empty()) return;
    const auto& [key, seqs] = *std::next(first_attempts_.begin(),
                                         static_cast<std::ptrdiff_t>(roll(first_attempts_.size())));
    const auto event = w_.repo().event_at(key.first, pick(seqs));
    BOOST_REQUIRE(event.ok() && event->has_value());
    engine_->ask(world::request(key.first, actors::replay_request{**event, {key.second}}));
  }
  void discard() {
    if (subscriptions_.empty()) return;
    const core::lane_key lane{core::stream_of(pick(subscriptions_)), pick(endpoints_), {}};
    engine_->ask(world::request(lane.stream, actors::discard_request{lane, {}}));
  }
  // Of this process, which ends.
  void count_openings() {
    seen_.openings += w_.s().breakers.totals(w_.now).openings;
    seen_.coalesced += w_.s().coalesced.load();
  }
  void crash() {
    ++seen_.crashes;
    count_openings();
    // A power cut takes what was reported and is on disk without a sync.
    engine_->begin_again([this] { protect(); }, sky_.power_cuts && roll(2) == 0);
    buckets_.clear();
    // What was not answered promises nothing.
    std::erase_if(asked_, [](const auto& one) { return !one.second->done(); });
    engine_->dispatch_turn();
  }
  void flip_disk() {
    disk_is_full_ = !disk_is_full_;
    disk_is_full_ ? w_.fill_disk() : w_.empty_disk();
  }
  void sleep_one() {
    auto& awake = engine_->entities;
    if (awake.empty()) return;
    const auto it = std::next(awake.begin(), static_cast<std::ptrdiff_t>(roll(awake.size())));
    engine_->put_to_sleep(it->first);
  }

  // Looks at each request once, when it is sent.
  void collect() {
    for (auto& sent : engine_->wire) {
      if (sent.seen) continue;
      sent.seen = true;
      ++seen_.sent[ordering(sent.endpoint)];
      check_breaker(sent);
      check_pause(sent);
      check_rate(sent);
      check_line(sent);
      const auto event = w_.repo().find(sent.event);
      BOOST_REQUIRE(event.ok() && event->has_value());
      const core::event& e = **event;
      BOOST_TEST(e.seq == sent.seq());
      BOOST_TEST(std::binary_search(e.recipients.begin(), e.recipients.end(), sent.endpoint));
      BOOST_TEST((e.vendor == vendor_of_.at(sent.endpoint)));
      const auto body = bodies_.emplace(std::pair{sent.endpoint, sent.event}, *sent.request.body);
      BOOST_TEST(body.first->second == *sent.request.body);
      if (!body.second) continue;
      auto& seqs = first_attempts_[{e.stream, sent.endpoint}];
      if (!seqs.empty() && ordering(sent.endpoint) != core::ordering_mode::none) {
        BOOST_TEST(seqs.back() < e.seq, core::to_string(e.stream)
                                            << " endpoint " << sent.endpoint.value << ": seq "
                                            << e.seq << " after " << seqs.back());
      }
      seqs.push_back(e.seq);
    }
  }

  // Nothing is sent past an open breaker, and one request at a time finds out (delivery.md, 1).
  void check_breaker(const on_the_wire& sent) {
    BOOST_TEST((sent.breaker.state != core::breaker_state::open),
               "endpoint " << sent.endpoint.value);
    if (sent.breaker.state != core::breaker_state::half_open) return;
    ++seen_.probes;
    const auto probes = std::ranges::count_if(engine_->wire, [&](const on_the_wire& other) {
      return other.origin == sent.origin && other.breaker.state == core::breaker_state::half_open;
    });
    BOOST_TEST(probes == 1, sent.origin);
  }
  // No retry comes before half of its pause, and none after the schedule (reliability.md, R15). A
  // crash or a full disk may take the memory of an attempt away, a replay begins anew.
  void check_pause(const on_the_wire& sent) {
    const auto failed = failures_.find({sent.endpoint, sent.event});
    if (failed == failures_.end()) return;
    ++seen_.retries;
    if (!nothing_is_forgotten()) return;
    const auto& schedule = w_.s().delivery.load()->schedule;
    BOOST_REQUIRE(failed->second.times < schedule.size());
    BOOST_TEST((sent.at - failed->second.at >= schedule[failed->second.times] / 2));
  }
  // What the endpoint wants at most, as the bucket of its wish would fill by itself.
  void check_rate(const on_the_wire& sent) {
    const core::rate_limit& rate = wishes_.at(sent.endpoint).rate;
    if (rate.per_s == 0) return;
    ++seen_.sent_limited;
    auto& bucket =
        buckets_.try_emplace(sent.endpoint, double{static_cast<double>(rate.burst)}, sent.at)
            .first->second;
    const std::chrono::duration<double> since = sent.at - bucket.second;
    bucket.first = std::min<double>(rate.burst, bucket.first + since.count() * rate.per_s) - 1;
    bucket.second = sent.at;
    BOOST_TEST(bucket.first >= -1e-6, "endpoint " << sent.endpoint.value);
  }
  // One line for all its streams: one request at a time, and nobody overtakes. A replay has a place
  // of its own, and what a crash or a full disk forgets is sent once more.
  void check_line(const on_the_wire& sent) {
    if (ordering(sent.endpoint) != core::ordering_mode::endpoint) return;
    BOOST_TEST(engine_->under_way(sent.endpoint) == 1U);
    auto& last = last_in_line_[sent.endpoint];
    if (nothing_is_forgotten()) BOOST_TEST((last <= sent.event));
    last = sent.event;
  }
  bool nothing_is_forgotten() const { return !sky_.crashes && !sky_.replays && !sky_.full_disks; }

  // Vendors are well again, and time passes until nothing is left to send.
  void heal() {
    engine_->settle();
    collect();
    for (const auto id : endpoints_) w_.set_state(id, endpoint_state::active);
    for (int quiet = 0; quiet < 15;) {  // longer than a minute: budgets are full again
      engine_->settle();
      collect();
      quiet = engine_->wire.empty() ? quiet + 1 : 0;
      while (!engine_->wire.empty()) {
        answer(0, 204);
        engine_->settle();
        collect();
      }
      w_.now += 7s;  // longer than any pause, and than the dispatcher's sweep
      engine_->dispatch->tick(w_.now);
    }
  }

  void check() {
    std::map<core::endpoint_id, std::uint64_t> addressed;
    std::set<core::stream_id> streams;
    for (const auto id : subscriptions_) streams.insert(core::stream_of(id));
    for (const auto& stream : streams) check_stream(stream, addressed);
    for (const auto id : endpoints_) check_endpoint(id, addressed[id]);
    for (const auto& [id, seen] : asked_) {
      BOOST_TEST(seen->done());
      if (!seen->ok() || (*seen->value)->status != 200) continue;
      BOOST_TEST(w_.subscription(id).version >= seen->number());  // what was promised was kept
    }
  }
  void check_stream(const core::stream_id& stream,
                    std::map<core::endpoint_id, std::uint64_t>& addressed) {
    std::uint64_t last = 0;
    std::map<core::endpoint_id, std::vector<std::uint64_t>> expected;
    const auto scanned = w_.repo().stream_events(stream, 1, [&](core::event_id&& id) {
      const auto e = w_.repo().find(id);
      BOOST_REQUIRE(e.ok() && e->has_value());
      BOOST_TEST((*e)->seq == ++last);
      for (const auto to : (*e)->recipients) {
        ++addressed[to];
        if (!ended_unsent(**e, to)) expected[to].push_back((*e)->seq);
      }
      return true;
    });
    BOOST_REQUIRE(scanned.ok());
    const auto record = w_.repo().find(core::subscription_id{stream.entity});
    BOOST_REQUIRE(record.ok());
    BOOST_TEST((*record ? (*record)->seq : 0) == last);
    for (const auto& [endpoint, seqs] : expected) {
      const auto lane = w_.repo().find({stream, endpoint, {}});
      BOOST_REQUIRE(lane.ok());
      std::vector<std::uint64_t> due = seqs;
      auto& first = first_attempts_[{stream, endpoint}];
      if (ordering(endpoint) == core::ordering_mode::none) std::ranges::sort(first);
      if (*lane) {  // only a parked head may hold back the rest
        BOOST_TEST(((*lane)->state == core::lane_state::parked));
        std::erase_if(due, [&](std::uint64_t seq) { return seq > (*lane)->next_seq; });
      }
      BOOST_TEST(due == first, boost::test_tools::per_element());
    }
  }
  // Before its first attempt it was parked (and perhaps discarded) because its endpoint was
  // disabled, or a newer one told the same.
  bool ended_unsent(const core::event& e, core::endpoint_id to) const {
    if (bodies_.contains({to, e.id})) return false;
    const auto last = w_.repo().last_attempt(e.id, to);
    BOOST_REQUIRE(last.ok());
    return *last && (*last)->number == 0 && (*last)->end != store::delivery_end::delivered;
  }
  void check_endpoint(core::endpoint_id id, std::uint64_t addressed) {
    std::uint64_t backlog = 0;
    std::uint64_t parked_lanes = 0;
    const auto scanned =
        w_.repo().due_lanes(id, store::due_side::fresh, store::due_side::parked, {},
                            [&](const core::lane_key& key, std::string_view) {
                              const auto lane = w_.repo().find(key);
                              BOOST_REQUIRE(lane.ok() && lane->has_value());
                              BOOST_TEST(((*lane)->state == core::lane_state::parked));
                              backlog += (*lane)->backlog;
                              ++parked_lanes;
                              return true;
                            });
    BOOST_REQUIRE(scanned.ok());
    const auto c = w_.committer().counters_of(id);
    const auto pending = c.accepted - c.delivered - c.parked - c.cancelled;
    BOOST_TEST(pending == backlog - parked_lanes, "endpoint " << id.value);
    BOOST_TEST(c.parked >= parked_lanes);
    if (!sky_.replays) BOOST_TEST(c.accepted == addressed);
    BOOST_TEST(c.accepted >= addressed);
    if (nothing_is_forgotten()) BOOST_TEST(c.delivered == good_answers_[id]);
    BOOST_TEST(c.delivered <= good_answers_[id]);
  }

  world& w_;
  std::uint64_t seed_;
  std::mt19937_64 dice_;
  weather sky_;
  tally& seen_;
  std::unique_ptr<flat_engine> engine_;
  std::vector<core::plan_id> plans_;
  std::vector<core::endpoint_id> endpoints_;
  std::map<core::endpoint_id, core::vendor_id> vendor_of_;
  std::map<core::endpoint_id, core::endpoint> wishes_;
  core::tenant_id customer_;
  std::vector<core::subscription_id> subscriptions_;
  std::vector<std::pair<core::subscription_id, outcome_ptr>> asked_;
  bool disk_is_full_ = false;

  std::map<std::pair<core::endpoint_id, core::event_id>, std::string> bodies_;
  std::map<std::pair<core::stream_id, core::endpoint_id>, std::vector<std::uint64_t>>
      first_attempts_;
  std::map<core::endpoint_id, std::uint64_t> good_answers_;
  std::map<core::endpoint_id, mood> moods_;
  std::map<core::endpoint_id, std::pair<double, core::timestamp>> buckets_;  // level, since when
  std::map<core::endpoint_id, core::event_id> last_in_line_;
  struct failure {
    core::timestamp at{};
    std::size_t times = 0;
  };
  std::map<std::pair<core::endpoint_id, core::event_id>, failure> failures_;
};

std::optional<std::uint64_t> only_seed() {
  const char* const text = std::getenv("SYNDICATED_SIM_SEED");
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

void live(weather sky, std::uint64_t first_seed) {
  constexpr int lives_each_store = 25;
  const auto only = only_seed();
  tally seen;
  for (int i = 0; i < seeds; i += lives_each_store) {
    const std::uint64_t first = first_seed + static_cast<std::uint64_t>(i);
    if (only && (*only < first || *only >= first + lives_each_store)) continue;
    world w;
    for (std::uint64_t seed = first; seed < first + lives_each_store; ++seed) {
      BOOST_TEST_CONTEXT("seed " << seed << "; alone with SYNDICATED_SIM_SEED=" << seed) {
        life(w, seed, sky, seen).run();
      }
      if (seed == only) return;
    }
    seen.bytes_lost += w.bytes_lost;
  }
  if (only) return;
  BOOST_TEST(seen.openings > 50U);
  BOOST_TEST(seen.probes > 50U);
  BOOST_TEST(seen.retries > 200U);
  BOOST_TEST(seen.timeouts > 50U);
  BOOST_TEST((seen.crashes > 50U) == sky.crashes);
  BOOST_TEST((seen.bytes_lost > 1'000U) == sky.power_cuts);
  BOOST_TEST(seen.coalesced > 10U);
  BOOST_TEST(seen.sent_limited > 500U);
  for (const auto mode :
       {core::ordering_mode::stream, core::ordering_mode::endpoint, core::ordering_mode::none}) {
    BOOST_TEST(seen.sent[mode] > 500U);
  }
}

BOOST_AUTO_TEST_SUITE(conservation)

BOOST_AUTO_TEST_CASE(in_fair_weather) { live({false, false, false}, 1'000); }
BOOST_AUTO_TEST_CASE(with_replays) { live({false, true, false}, 2'000); }
BOOST_AUTO_TEST_CASE(with_full_disks) { live({false, false, true}, 3'000); }
BOOST_AUTO_TEST_CASE(with_crashes_and_all_the_rest) { live({true, true, true}, 4'000); }
BOOST_AUTO_TEST_CASE(with_power_cuts) { live({true, true, false, true}, 5'000); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
