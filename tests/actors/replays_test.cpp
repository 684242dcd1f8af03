// Replay jobs: what each choice sends again, at which rate, and that neither a crash nor a full
// disk ends one.
#include "actors/replays.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "actors/publisher.hpp"
#include "core/base/limits.hpp"
#include "tests/actors/flat_engine.hpp"

namespace syndicated::tests {
namespace {

class archive : public world {
 public:
  archive() {
    vendor = new_vendor();
    plan = new_plan(vendor);
    customer = add_tenant();
    first = new_endpoint(endpoint_of(vendor));
    begin_engine();
  }

  void begin_engine() {
    engine = std::make_unique<flat_engine>(*this);
    jobs = std::make_unique<actors::replays>(
        s(), [this](std::uint64_t job, core::event_id event, std::optional<core::error> refusal) {
          steps.push_back({job, event, std::move(refusal)});
        });
    jobs->load();
    engine->settle();
  }
  void kill() {
    engine.reset();
    jobs.reset();
    steps.clear();
    crash();
    begin_engine();
  }

  void answer_all(int status = 204) {
    engine->settle();
    while (!engine->wire.empty()) {
      ++sent[engine->wire.front().event];
      engine->answer(0, status);
      engine->settle();
    }
  }
  // Everything that moves by itself; what is on the wire is answered with `status`.
  void settle(int status = 204) {
    do {
      engine->settle();
      for (const auto& taken : std::exchange(steps, {})) {
        jobs->stepped(taken.job, taken.event, taken.refusal);
      }
      answer_all(status);
      commit();
    } while (!steps.empty() || !engine->wire.empty() || engine->dispatch_turn());
  }
  void pass(std::chrono::milliseconds by, int status = 204) {
    engine->advance(by);
    jobs->tick(now);
    settle(status);
  }

  std::vector<core::event_id> order_many(int n, int status = 204) {
    std::vector<core::event_id> out;
    for (int i = 0; i < n; ++i) {
      engine->ask(order(customer, plan));
      settle(status);
      out.push_back(ids().last_event());
      now += 1s;
    }
    return out;
  }

  core::replay_job start(actors::replay_order wanted) {
    if (!wanted.endpoint) wanted.endpoint = first;
    if (wanted.until == core::timestamp{}) wanted.until = now;
    core::replay_job made;
    actors::job_request request;
    request.body = wanted;
    request.render = [&made](const core::replay_job& j, bool) {
      made = j;
      return actors::answer{202, "{}"};
    };
    const auto seen = watch(request);
    jobs->handle(request);
    commit();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
    sent.clear();
    return made;
  }
  core::replay_job run(actors::replay_order wanted) {
    const auto id = start(wanted).id;
    for (int i = 0; i < 50 && job(id).phase == core::replay_phase::running; ++i) pass(100ms);
    return job(id);
  }
  core::replay_job run(core::replay_choice choice) {
    actors::replay_order wanted;
    wanted.choice = choice;
    return run(wanted);
  }
  core::replay_job job(std::uint64_t id) const {
    const auto found = repo().replay_job(id);
    BOOST_REQUIRE(found.ok() && found->has_value());
    return **found;
  }
  std::size_t notes() const {
    std::size_t n = 0;
    const auto scanned = repo().job_notes([&n](store::job_note&&) { return ++n > 0; });
    BOOST_REQUIRE(scanned.ok());
    return n;
  }
  std::string cancelled(std::uint64_t id) {
    actors::job_request request;
    request.body = actors::cancel_job{id};
    const auto seen = watch(request);
    jobs->handle(request);
    commit();
    return seen->code();
  }
  std::set<core::event_id> sent_again() const {
    std::set<core::event_id> out;
    for (const auto& [event, times] : sent) out.insert(event);
    return out;
  }
  store::counters counters() { return committer().counters_of(first); }

  struct step {
    std::uint64_t job;
    core::event_id event;
    std::optional<core::error> refusal;
  };
  core::vendor_id vendor;
  core::plan_id plan;
  core::tenant_id customer;
  core::endpoint_id first;
  std::unique_ptr<flat_engine> engine;
  std::unique_ptr<actors::replays> jobs;
  std::vector<step> steps;
  std::map<core::event_id, int> sent;
};

std::set<core::event_id> set_of(const std::vector<core::event_id>& events) {
  return {events.begin(), events.end()};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(replays, archive)

BOOST_AUTO_TEST_CASE(all_that_was_sent_goes_out_again_once) {
  const auto events = order_many(300);
  const auto done = run(core::replay_choice::sent);
  BOOST_TEST((done.phase == core::replay_phase::done));
  BOOST_TEST(done.matched == 300U);
  BOOST_TEST(done.replayed == 300U);
  BOOST_TEST((sent_again() == set_of(events)));
  for (const auto& [event, times] : sent) BOOST_TEST(times == 1);
  BOOST_TEST(done.ended_at.has_value());
  BOOST_TEST(counters().delivered == 600U);
}

BOOST_AUTO_TEST_CASE(a_time_range_has_both_its_ends) {
  const auto events = order_many(10);
  const auto at = [&](std::size_t i) {
    return (*repo().find(events[i]))->at;  // NOLINT(bugprone-unchecked-optional-access)
  };
  actors::replay_order wanted;
  wanted.since = at(2);
  wanted.until = at(5);
  run(wanted);
  BOOST_TEST((sent_again() == set_of({events[2], events[3], events[4], events[5]})));
}

BOOST_AUTO_TEST_CASE(each_choice_takes_its_own) {
  const auto retry_after = [&](std::vector<std::chrono::milliseconds> schedule) {
    actors::update_endpoint u;
    u.id = first;
    u.retry_schedule = std::move(schedule);
    catalog(u);
    engine->changed.push_back(first);
    engine->settle();
  };
  order_many(3);
  retry_after({0ms});
  const auto parked = order_many(2, 500);
  retry_after({0ms, 1h});
  order_many(1, 500);  // tried once, waits for its next attempt
  const auto choose = [&](core::replay_choice which) {
    actors::replay_order wanted;
    wanted.choice = which;
    wanted.dry_run = true;
    return run(wanted).matched;
  };
  using choice = core::replay_choice;
  BOOST_TEST(choose(choice::sent) == 6U);
  BOOST_TEST(choose(choice::delivered) == 3U);
  BOOST_TEST(choose(choice::parked) == 2U);
  BOOST_TEST(choose(choice::failed) == 3U);
  BOOST_TEST(choose(choice::never_attempted) == 0U);
  BOOST_TEST(sent.empty());
  run(core::replay_choice::parked);
  BOOST_TEST((sent_again() == set_of(parked)));
  BOOST_TEST(counters().parked == 0U);
}

BOOST_AUTO_TEST_CASE(a_newcomer_gets_what_happened_before_it_came) {
  const auto before = order_many(4);
  auto wanted = endpoint_of(vendor);
  wanted.url += "/late";
  wanted.events = {"subscription.*"};
  const auto late = engine->new_endpoint(wanted);
  auto stranger = endpoint_of(new_vendor());
  stranger.url += "/stranger";
  const auto other = engine->new_endpoint(stranger);
  engine->changed = {late, other};
  order_many(2);
  actors::replay_order order;
  order.choice = core::replay_choice::never_attempted;
  order.endpoint = late;
  BOOST_TEST(run(order).replayed == 4U);
  BOOST_TEST((sent_again() == set_of(before)));
  BOOST_TEST(run(order).matched == 0U);
  order.endpoint = other;  // another vendor's: none of it concerns it
  BOOST_TEST(run(order).matched == 0U);
}

BOOST_AUTO_TEST_CASE(the_rate_is_kept) {
  order_many(100);
  actors::replay_order wanted;
  wanted.rate_per_s = 10;
  const auto id = start(wanted).id;
  jobs->tick(now);
  settle();
  BOOST_TEST(sent.size() == 10U);
  for (int i = 0; i < 9; ++i) pass(100ms);
  BOOST_TEST(sent.size() == 10U);
  pass(100ms);
  BOOST_TEST(sent.size() == 20U);
  for (int i = 0; i < 100; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::done));
}

BOOST_AUTO_TEST_CASE(it_goes_on_after_a_crash) {
  const auto events = order_many(60);
  actors::replay_order wanted;
  wanted.rate_per_s = 20;
  const auto id = start(wanted).id;
  pass(1ms);
  pass(1s);
  const auto before = sent_again();
  BOOST_TEST(before.size() == 40U);
  kill();
  BOOST_TEST((job(id).phase == core::replay_phase::running));
  for (int i = 0; i < 50; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::done));
  BOOST_TEST((sent_again() == set_of(events)));
}

// The page is with the entities when the process dies: on disk, and its place is not.
BOOST_AUTO_TEST_CASE(a_crash_in_a_page_repeats_nothing) {
  for (const auto choice : {core::replay_choice::sent, core::replay_choice::parked}) {
    actors::update_endpoint once;
    once.id = first;
    once.retry_schedule = std::vector<std::chrono::milliseconds>{0ms};
    catalog(once);
    engine->changed.push_back(first);
    const core::timestamp since = now;
    const auto events = order_many(60, 500);
    actors::replay_order wanted;
    wanted.since = since;
    wanted.choice = choice;
    wanted.rate_per_s = 20;
    const auto id = start(wanted).id;
    pass(1ms);
    now += 1s;
    jobs->tick(now);
    // Half of it is on disk, and delivered.
    for (int i = 0; i < 10; ++i) engine->entity_turn();
    commit();
    BOOST_REQUIRE(engine->entity_mail.size() == 10U);
    engine->entity_mail.clear();
    answer_all();
    BOOST_TEST(sent.size() == 30U);
    BOOST_TEST(notes() == 10U);
    kill();
    for (int i = 0; i < 50; ++i) pass(100ms);
    const auto done = job(id);
    BOOST_TEST((done.phase == core::replay_phase::done));
    BOOST_TEST(done.examined == 60U);
    BOOST_TEST(done.matched == 60U);
    BOOST_TEST(done.replayed == 60U);
    BOOST_TEST((sent_again() == set_of(events)));
    for (const auto& [event, times] : sent) BOOST_TEST(times == 1);
    BOOST_TEST(notes() == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_cancelled_job_leaves_no_notes) {
  order_many(20);
  const auto id = start({}).id;
  jobs->tick(now);
  BOOST_TEST(cancelled(id) == "");
  engine->settle();
  BOOST_TEST(notes() == 20U);  // its events were under way
  settle();
  BOOST_TEST(notes() == 0U);
  const auto other = start({}).id;
  jobs->tick(now);
  BOOST_TEST(cancelled(other) == "");
  engine->settle();
  BOOST_TEST(notes() == 20U);
  kill();
  settle();
  BOOST_TEST(notes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_job_that_waits_says_why) {
  order_many(5);
  const auto id = start({}).id;
  fill_disk();
  pass(100ms);
  empty_disk();
  commit();
  BOOST_TEST(job(id).waiting == "");  // that could not be written either
  s().load.set_limits({0, 1'000, 0});
  const auto look = [this] {
    actors::load_sample sample;
    sample.pending = committer().pending();
    s().load.take(sample, *s().catalog.load());
  };
  look();
  for (int i = 0; i < 60; ++i) pass(100ms);
  BOOST_TEST(job(id).waiting == "backlog_full");
  BOOST_TEST((s().jobs_waiting == 1U && s().jobs_running == 0U));
  BOOST_TEST((job(id).phase == core::replay_phase::running));
  s().load.set_limits({1'000, 1'000, 0});
  look();
  for (int i = 0; i < 60; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::done));
  BOOST_TEST(job(id).waiting == "");
  BOOST_TEST(job(id).replayed == 5U);
  BOOST_TEST((s().jobs_waiting == 0U && s().jobs_running == 0U && s().events_replayed == 5U));
}

BOOST_AUTO_TEST_CASE(as_many_replays_of_a_stream_wait_as_may_and_the_job_says_so) {
  constexpr std::size_t most = core::limits::lanes_of_stream_max;
  core::endpoint e;
  e.url = "http://market.example/hook";
  e.origin = "http://market.example:80";
  e.form = core::wire_form::standard;
  e.secret = core::secret_bytes{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  const auto platform = engine->new_endpoint(e);
  engine->changed.push_back(platform);
  std::vector<actors::published_event> events(most + 10);
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].line = i;
    events[i].name = "shop.paid";
    events[i].data = "{}";
    events[i].stream = "s";
  }
  actors::publish(
      s(), std::move(events), {},
      [](const actors::publish_outcomes&) {
        return core::result<actors::answer>{actors::answer{202, {}}};
      },
      [](core::result<actors::answer>&&) {});
  settle();
  for (int i = 0; i < 10; ++i) pass(100ms);
  BOOST_REQUIRE(committer().counters_of(platform).delivered == most + 10);
  set_state(platform, core::endpoint_state::paused);
  engine->changed.push_back(platform);
  actors::replay_order wanted;
  wanted.endpoint = platform;
  wanted.rate_per_s = 10'000;
  const auto id = start(wanted).id;
  for (int i = 0; i < 20; ++i) pass(100ms);
  BOOST_TEST(job(id).waiting == "too_many_replays");
  set_state(platform, core::endpoint_state::active);
  engine->changed.push_back(platform);
  for (int i = 0; i < 80; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::done));
  BOOST_TEST(job(id).waiting == "");
  BOOST_TEST(job(id).replayed == most + 10);
}

// Between the choice and its turn the event goes, as retention may have it.
BOOST_AUTO_TEST_CASE(what_cannot_be_sent_again_is_counted_and_says_why) {
  const auto events = order_many(5);
  const auto id = start({}).id;
  jobs->tick(now);
  store::write_plan gone;
  gone.erase(store::family::events, store::id_key(events[2].value));
  committer().submit(std::move(gone));
  commit();
  settle();
  for (int i = 0; i < 20; ++i) pass(100ms);
  const auto done = job(id);
  BOOST_TEST((done.phase == core::replay_phase::done));
  BOOST_TEST(done.matched == 5U);
  BOOST_TEST(done.replayed == 4U);
  BOOST_TEST(done.refused == 1U);
  BOOST_TEST(done.refusal == "not_found");
  BOOST_TEST((sent_again() == set_of({events[0], events[1], events[3], events[4]})));
}

BOOST_AUTO_TEST_CASE(an_entity_that_cannot_be_read_is_asked_again) {
  const auto events = order_many(3);
  const auto id = start({}).id;
  jobs->tick(now);
  engine->entity_mail.clear();
  steps.clear();
  for (const auto event : events) {
    jobs->stepped(id, event, core::error{core::errc::io, "store_io", "cannot be read", {}, {}});
  }
  commit();
  BOOST_TEST(job(id).waiting == "store_io");
  for (int i = 0; i < 80; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::done));
  BOOST_TEST(job(id).replayed == 3U);
  BOOST_TEST(job(id).refused == 0U);
  BOOST_TEST((sent_again() == set_of(events)));
}

BOOST_AUTO_TEST_CASE(a_cancelled_job_stays_so) {
  order_many(60);
  actors::replay_order wanted;
  wanted.rate_per_s = 20;
  const auto id = start(wanted).id;
  pass(1ms);
  BOOST_TEST(cancelled(id) == "");
  BOOST_TEST((job(id).phase == core::replay_phase::cancelled));
  for (int i = 0; i < 30; ++i) pass(100ms);
  BOOST_TEST(sent.size() == 20U);
  kill();
  for (int i = 0; i < 30; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::cancelled));
  BOOST_TEST(cancelled(424'242) == "not_found");
}

// The second comes before the first is on disk.
BOOST_AUTO_TEST_CASE(a_job_that_is_cancelled_twice_stays_so) {
  order_many(60);
  actors::replay_order wanted;
  wanted.rate_per_s = 20;
  const auto id = start(wanted).id;
  pass(1ms);
  actors::job_request request;
  request.body = actors::cancel_job{id};
  const auto seen = watch(request);
  jobs->handle(request);
  BOOST_TEST(cancelled(id) == "");
  BOOST_TEST(seen->ok());
  BOOST_TEST((job(id).phase == core::replay_phase::cancelled));
  kill();
  for (int i = 0; i < 30; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::cancelled));
  BOOST_TEST(sent.size() == 20U);
}

BOOST_AUTO_TEST_CASE(an_end_that_the_disk_refused_is_told_later) {
  order_many(3);
  actors::replay_order wanted;
  wanted.dry_run = true;
  const auto id = start(wanted).id;
  fill_disk();
  pass(100ms);
  pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::running));
  empty_disk();
  for (int i = 0; i < 60; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::done));
  BOOST_TEST(job(id).matched == 3U);
}

// What was handed out keeps its note until the job has ended on disk.
BOOST_AUTO_TEST_CASE(a_cancel_that_the_disk_refused_repeats_nothing) {
  const auto events = order_many(20);
  const auto id = start({}).id;
  jobs->tick(now);
  for (int i = 0; i < 10; ++i) engine->entity_turn();
  commit();
  auto rest = std::exchange(engine->entity_mail, {});
  answer_all();
  engine->entity_mail = std::move(rest);
  fill_disk();
  BOOST_TEST(cancelled(id) == "no_space");
  settle();
  empty_disk();
  kill();
  for (int i = 0; i < 60; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::done));
  BOOST_TEST((sent_again() == set_of(events)));
  for (const auto& [event, times] : sent) BOOST_TEST(times == 1);
  BOOST_TEST(notes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_waited_for) {
  const auto events = order_many(5);
  const auto id = start({}).id;
  fill_disk();
  pass(100ms);
  BOOST_TEST(sent.empty());
  empty_disk();
  for (int i = 0; i < 80; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::done));
  BOOST_TEST((sent_again() == set_of(events)));
}

BOOST_AUTO_TEST_CASE(a_deleted_endpoint_ends_its_job) {
  order_many(30);
  actors::replay_order wanted;
  wanted.rate_per_s = 10;
  const auto id = start(wanted).id;
  pass(1ms);
  set_state(first, core::endpoint_state::deleted);
  for (int i = 0; i < 20; ++i) pass(100ms);
  BOOST_TEST((job(id).phase == core::replay_phase::failed));
  BOOST_TEST(job(id).problem == "the endpoint was deleted");
}

BOOST_AUTO_TEST_CASE(there_is_a_bound) {
  order_many(30);
  actors::replay_order wanted;
  wanted.rate_per_s = 1;
  for (std::size_t i = 0; i < core::limits::replay_jobs_running_max; ++i) start(wanted);
  wanted.endpoint = first;
  actors::job_request request;
  request.body = wanted;
  const auto seen = watch(request);
  jobs->handle(request);
  BOOST_TEST(seen->code() == "too_many_jobs");
}

BOOST_AUTO_TEST_CASE(an_event_that_was_passed_over_can_be_given_up) {
  catalog([&] {
    actors::update_endpoint u;
    u.id = first;
    u.retry_schedule = std::vector<std::chrono::milliseconds>{0ms};
    u.on_exhausted = core::exhausted_policy::skip;
    return u;
  }());
  engine->changed.push_back(first);
  const auto event = order_many(1, 500).front();
  BOOST_REQUIRE(counters().parked == 1U);
  const auto stream = (*repo().find(event))->stream;  // NOLINT(bugprone-unchecked-optional-access)
  const auto discard = [&] {
    const auto seen =
        engine->ask(request(stream, actors::discard_request{{stream, first, {}}, event}));
    settle();
    return seen->code();
  };
  BOOST_TEST(discard() == "");
  BOOST_TEST(counters().parked == 0U);
  BOOST_TEST(counters().cancelled == 1U);
  const auto last = repo().last_attempt(event, first);
  BOOST_REQUIRE((last.ok() && *last));
  BOOST_TEST((*last)->error == "discarded");
  BOOST_TEST((*last)->cause == "test (operator)");
  BOOST_TEST(discard() == "not_found");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace syndicated::tests
