// What new load is told, with figures that the tests give; and who passes by the gate.
#include "actors/load_gate.hpp"

#include "actors/load_watch.hpp"
#include "actors/publisher.hpp"
#include "core/base/limits.hpp"
#include "tests/actors/stage.hpp"
#include "tests/support/wait_until.hpp"

namespace syndicated {
namespace {

using namespace std::chrono_literals;
using actors::overload;

struct gate_room {
  actors::load_gate gate;
  actors::load_sample sample;
  std::shared_ptr<const actors::catalog_snapshot> catalog =
      std::make_shared<const actors::catalog_snapshot>();

  void limit(std::uint64_t all, std::uint64_t owner, std::uint64_t memory = 0) {
    gate.set_limits({all, owner, memory});
  }
  void look() { gate.take(sample, *catalog); }
  std::string told() const {
    const auto why = gate.refusal();
    return why ? why->code : "";
  }
};

BOOST_AUTO_TEST_SUITE(gate)

BOOST_FIXTURE_TEST_CASE(pending_notifications_close_it_until_five_percent_are_gone, gate_room) {
  limit(100, 1'000);
  const std::pair<std::uint64_t, const char*> steps[] = {{99, ""},
                                                         {100, "backlog_full"},
                                                         {120, "backlog_full"},
                                                         {96, "backlog_full"},
                                                         {95, ""},
                                                         {99, ""},
                                                         {100, "backlog_full"},
                                                         {0, ""}};
  for (const auto& [pending, word] : steps) {
    sample.pending = {{{1}, pending / 2}, {{2}, pending - pending / 2}};
    look();
    BOOST_TEST(told() == word, pending);
  }
  BOOST_TEST(gate.refusals(overload::backlog_full) == 4U);
}

BOOST_FIXTURE_TEST_CASE(memory_closes_it_at_its_share_of_the_bound, gate_room) {
  limit(100, 100, 1'000);
  const std::pair<std::uint64_t, const char*> steps[] = {
      {849, ""}, {850, "memory"}, {808, "memory"}, {807, ""}};
  for (const auto& [bytes, word] : steps) {
    sample.resident_bytes = bytes;
    look();
    BOOST_TEST(told() == word, bytes);
  }
  limit(100, 100, 0);  // no bound
  sample.resident_bytes = 1ULL << 50U;
  look();
  BOOST_TEST(told() == "");
}

BOOST_FIXTURE_TEST_CASE(a_hung_disk_is_the_gravest_reason, gate_room) {
  limit(10, 10, 1'000);
  sample.resident_bytes = 900;
  sample.pending = {{{1}, 10}};
  sample.stalled = std::chrono::milliseconds{core::limits::store_stalled_ms};
  look();
  BOOST_TEST(told() == "store_stalled");
  BOOST_TEST((gate.refusal()->kind == core::errc::unavailable));
  sample.stalled -= 1ms;
  look();
  BOOST_TEST(told() == "memory");
}

BOOST_FIXTURE_TEST_CASE(an_owners_levels_are_told_as_they_change, gate_room) {
  using enum core::quota_level;
  limit(1'000'000, 100);
  core::endpoint e;
  e.id = {1};
  e.scope = core::endpoint_scope::vendor;
  e.scope_id = 4;
  catalog = catalog->with(std::move(e));
  const auto changes = [this](std::uint64_t pending) {
    sample.pending = {{{1}, pending}};
    return gate.take(sample, *catalog);
  };
  const auto only = [](const std::vector<actors::quota_change>& all) {
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    BOOST_TEST((all[0].owner == actors::endpoint_owner{core::endpoint_scope::vendor, 4}));
    BOOST_TEST(all[0].limit == 100U);
    return all[0];
  };
  BOOST_TEST(changes(79).empty());
  BOOST_TEST((only(changes(80)).level == reached));
  BOOST_TEST(changes(90).empty());
  const auto blocked_now = only(changes(130));
  BOOST_TEST((blocked_now.level == blocked));
  BOOST_TEST(blocked_now.value == 130U);
  BOOST_TEST(changes(97).empty());
  gate.not_told(blocked_now.owner);
  BOOST_TEST((only(changes(97)).level == blocked));  // said again
  sample.pending.clear();
  const auto gone = only(gate.take(sample, *catalog));
  BOOST_TEST((gone.level == within));
  BOOST_TEST(gone.value == 0U);
  gate.not_told(gone.owner);
  BOOST_TEST((only(gate.take(sample, *catalog)).level == within));
  BOOST_TEST(gate.take(sample, *catalog).empty());
}

// A process that died told two levels; one of them is not so any more.
BOOST_FIXTURE_TEST_CASE(what_an_earlier_process_told_is_not_told_again, gate_room) {
  limit(1'000'000, 100);
  for (std::uint64_t vendor = 1; vendor <= 2; ++vendor) {
    core::endpoint e;
    e.id = {vendor};
    e.scope = core::endpoint_scope::vendor;
    e.scope_id = vendor;
    catalog = catalog->with(std::move(e));
    gate.restore({core::endpoint_scope::vendor, vendor}, core::quota_level::blocked);
  }
  sample.pending = {{{1}, 97}};
  const auto changes = gate.take(sample, *catalog);
  BOOST_REQUIRE_EQUAL(changes.size(), 1U);
  BOOST_TEST(changes[0].owner.id == 2U);
  BOOST_TEST((changes[0].level == core::quota_level::within));
  BOOST_TEST(gate.full_owners() == 1U);
}

BOOST_FIXTURE_TEST_CASE(an_owner_is_named_and_others_are_not_refused, gate_room) {
  limit(1'000, 10);
  const auto put = [this](std::uint64_t id, core::endpoint_scope scope, std::uint64_t of) {
    core::endpoint e;
    e.id = {id};
    e.scope = scope;
    e.scope_id = of;
    catalog = catalog->with(std::move(e));
  };
  core::product p;
  p.id = {5};
  p.vendor = {7};
  catalog = catalog->with(std::move(p));
  put(1, core::endpoint_scope::vendor, 7);
  put(2, core::endpoint_scope::product, 5);  // of the same vendor
  put(3, core::endpoint_scope::tenant, 7);
  put(4, core::endpoint_scope::platform, 0);
  sample.pending = {{{1}, 6}, {{2}, 4}, {{3}, 9}, {{99}, 50}};  // 99 is of nobody
  look();
  BOOST_TEST(gate.owners_full());
  BOOST_TEST(gate.full_owners() == 1U);
  BOOST_TEST(told() == "");
  const std::vector<core::endpoint_id> theirs{{2}, {3}};
  const auto why = gate.refusal(*catalog, theirs);
  BOOST_REQUIRE(why.has_value());
  BOOST_TEST(why->code == "tenant_backlog_full");
  BOOST_TEST((why->kind == core::errc::too_many));
  BOOST_TEST(why->detail.ends_with("for the vendor 7"));
  const std::vector<core::endpoint_id> others{{3}, {4}};
  BOOST_TEST(!gate.refusal(*catalog, others).has_value());
  sample.pending = {{{1}, 10}, {{4}, 10}};
  look();
  BOOST_TEST(gate.refusal(*catalog, others)->detail.ends_with("for the platform"));
  sample.pending = {{{1}, 9}, {{4}, 10}};  // at 95 %
  look();
  BOOST_TEST(gate.full_owners() == 1U);
  sample.pending.clear();
  look();
  BOOST_TEST(!gate.owners_full());
}

BOOST_AUTO_TEST_CASE(what_vendors_and_timers_do_and_what_ends_something_is_no_load) {
  using core::subscription_action;
  core::subscription_command c;
  for (const auto action : {subscription_action::pay, subscription_action::resume,
                            subscription_action::change, subscription_action::edit}) {
    c.action = action;
    c.by = core::party::provider;
    BOOST_TEST(actors::adds_load(c));
    c.by = core::party::system;
    BOOST_TEST(!actors::adds_load(c));
    c.by = core::party::vendor;
    BOOST_TEST(!actors::adds_load(c));
  }
  c.by = core::party::provider;
  for (const auto action :
       {subscription_action::cancel, subscription_action::terminate, subscription_action::reject,
        subscription_action::report_deployed, subscription_action::timer}) {
    c.action = action;
    BOOST_TEST(!actors::adds_load(c));
  }
  BOOST_TEST(actors::adds_load(core::tenant_command{core::tenant_action::enable}));
  BOOST_TEST(!actors::adds_load(core::tenant_command{core::tenant_action::disable}));
  BOOST_TEST(!actors::adds_load(core::tenant_command{core::tenant_action::erase}));
}

BOOST_AUTO_TEST_CASE(the_process_knows_its_size) {
  BOOST_TEST(actors::resident_bytes() > 1'000'000U);
}

BOOST_AUTO_TEST_SUITE_END()

// ---- who meets it

struct full_vendor : tests::stage {
  full_vendor() {
    tenant = add_tenant();
    full = new_endpoint(standard_at(vendor));
    known = deployed(tenant);
    other = new_vendor();
    new_endpoint(standard_at(other));
    other_plan = new_plan(other);
    s().load.set_limits({1'000, 1, 0});
    look();
    BOOST_REQUIRE(s().load.owners_full());
  }
  static core::endpoint standard_at(core::vendor_id v) {
    core::endpoint e = endpoint_of(v);
    e.form = core::wire_form::standard;
    e.secret = core::secret_bytes{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    return e;
  }
  void look() {
    actors::load_sample sample;
    sample.pending = committer().pending();
    s().load.take(sample, *s().catalog.load());
  }
  std::string told(std::shared_ptr<actors::entity_request> request) {
    const auto seen = send(std::move(request));
    settle();
    BOOST_REQUIRE(seen->done());
    return seen->ok() ? "" : seen->code();
  }
  // The outcomes of one event for each vendor, published in one call.
  std::string published(const std::vector<core::vendor_id>& to) {
    std::vector<actors::published_event> events;
    for (const core::vendor_id v : to) {
      actors::published_event& e = events.emplace_back();
      e.line = events.size() - 1;
      e.name = "shop.paid";
      e.data = "{}";
      e.scope = core::endpoint_scope::vendor;
      e.scope_id = v.value;
    }
    std::string text;
    actors::publish(
        s(), std::move(events), {},
        [&text](const actors::publish_outcomes& outcomes) {
          for (const auto& o : outcomes) text += (o ? "taken" : o.failure().code) + ' ';
          return core::result<actors::answer>{actors::answer{202, {}}};
        },
        [&text](core::result<actors::answer>&& a) {
          if (!a) text = a.failure().code;
        });
    settle();
    return text;
  }

  core::tenant_id tenant;
  core::endpoint_id full;
  core::subscription_id known;
  core::vendor_id other;
  core::plan_id other_plan;
};

BOOST_FIXTURE_TEST_SUITE(refused_load, full_vendor)

BOOST_AUTO_TEST_CASE(creations_and_changes_are_refused_and_leave_nothing) {
  const auto before = committer().counters_total().accepted;
  BOOST_TEST(told(order(tenant, plan)) == "tenant_backlog_full");
  BOOST_TEST(told(act(known, core::subscription_action::suspend,
                      core::suspension_reason::admin_hold)) == "tenant_backlog_full");
  BOOST_TEST(committer().counters_total().accepted == before);
  BOOST_TEST((subscription(known).status == core::subscription_status::deployed));
  // Nobody of the full owner would hear of these.
  BOOST_TEST(told(order(tenant, other_plan)) == "");
}

BOOST_AUTO_TEST_CASE(an_outbox_asks_with_the_event_that_it_will_write) {
  actors::outbox box(s(), core::stream_of(known));
  BOOST_REQUIRE(box.load().ok());
  int rendered = 0;
  std::uint64_t seq = 40;
  store::write_plan written;
  actors::follow_ups follow;
  const auto publish = [&](core::vendor_id to, bool new_load) {
    actors::event_facts facts;
    facts.vendor = to;
    facts.new_load = new_load;
    return box.publish(
        written, follow,
        {{"subscription.created", {}, {}, {}}, {"subscription.approved", {}, {}, {}}}, seq, facts,
        [&rendered](const core::event_draft&, std::uint64_t at) {
          ++rendered;
          return R"({"seq":)" + std::to_string(at) + "}";
        });
  };
  BOOST_TEST(publish(other, true).ok());
  BOOST_TEST(rendered == 2);
  BOOST_TEST(seq == 42U);
  BOOST_TEST(follow.ready.size() == 1U);
  BOOST_TEST(follow.ready.front()->event->name == "subscription.created");
  BOOST_TEST(follow.ready.front()->event->data == R"({"seq":41})");
  const std::size_t planned = written.ops.size();
  const auto refused = publish(vendor, true);
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.failure().code == "tenant_backlog_full");
  BOOST_TEST(seq == 42U);
  BOOST_TEST(written.ops.size() == planned);
  BOOST_TEST(follow.ready.size() == 1U);
  BOOST_TEST(publish(vendor, false).ok());
  BOOST_TEST(seq == 44U);
}

BOOST_AUTO_TEST_CASE(what_ends_something_is_taken) {
  BOOST_TEST(told(act(known, core::subscription_action::cancel)) == "");
  BOOST_TEST(told(act(known, core::subscription_action::terminate)) == "");
}

BOOST_AUTO_TEST_CASE(each_published_line_has_its_own_answer) {
  BOOST_TEST(published({vendor, other, vendor}) ==
             "tenant_backlog_full taken tenant_backlog_full ");
  BOOST_TEST(published({vendor}) == "tenant_backlog_full");
}

BOOST_AUTO_TEST_CASE(replays_are_refused_and_taken_again_later) {
  core::event_id first;
  BOOST_REQUIRE(repo()
                    .stream_events(core::stream_of(known), 1,
                                   [&](core::event_id&& id) {
                                     first = id;
                                     return false;
                                   })
                    .ok());
  const auto replay = [&] {
    return told(request(core::stream_of(known), actors::replay_request{first, {full}}));
  };
  BOOST_TEST(replay() == "tenant_backlog_full");
  s().load.set_limits({1, 1'000, 0});
  look();
  BOOST_TEST(replay() == "backlog_full");
  s().load.set_limits({1'000, 1'000, 0});
  look();
  BOOST_TEST(replay() == "");
  BOOST_TEST(told(order(tenant, plan)) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
