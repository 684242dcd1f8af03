// Published events: their streams, their repeats, and what a crash in the middle of a call leaves.
#include "actors/publisher.hpp"
#include "core/delivery/lane.hpp"
#include "tests/actors/stage.hpp"

namespace syndicated {
namespace {

using namespace std::chrono_literals;
using tests::outcome_ptr;

class publishing : public tests::stage {
 public:
  publishing() { endpoint = new_endpoint(platform_endpoint()); }

  static core::endpoint platform_endpoint() {
    core::endpoint e;
    e.url = "http://market.example/hook";
    e.origin = "http://market.example:80";
    e.form = core::wire_form::standard;
    e.secret = core::secret_bytes{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    return e;
  }
  static actors::published_event event(std::size_t line, std::string stream = {},
                                       std::string dedup = {}) {
    actors::published_event e;
    e.line = line;
    e.name = "shop.paid";
    e.data = R"({"n":)" + std::to_string(line) + "}";
    e.stream = std::move(stream);
    e.dedup_id = std::move(dedup);
    return e;
  }
  // The answer's body has the ids, or the codes of the refusals, one a line.
  outcome_ptr publish(std::vector<actors::published_event> events, std::string key = {}) {
    actors::write_options options;
    options.by.name = "token/1";
    if (!key.empty()) options.idempotency = actors::idempotency{"token/1\n" + key, "hash"};
    auto seen = std::make_shared<tests::outcome>();
    actors::publish(
        s(), std::move(events), std::move(options),
        [](const actors::publish_outcomes& outcomes) {
          std::string text;
          for (const auto& o : outcomes) {
            text += o ? std::to_string(o->value) : o.failure().code;
            text += '\n';
          }
          return core::result<actors::answer>{actors::answer{202, std::move(text)}};
        },
        [seen](core::result<actors::answer>&& a) {
          BOOST_REQUIRE_MESSAGE(!seen->done(), "answered twice");
          seen->value = std::move(a);
        });
    return seen;
  }
  std::string published(std::vector<actors::published_event> events, std::string key = {}) {
    const auto seen = publish(std::move(events), std::move(key));
    settle();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
    return (*seen->value)->body;
  }
  static std::vector<std::uint64_t> ids(const std::string& body) {
    std::vector<std::uint64_t> out;
    for (std::size_t at = 0; at < body.size(); at = body.find('\n', at) + 1) {
      out.push_back(std::stoull(body.substr(at)));
    }
    return out;
  }
  core::event stored(std::uint64_t id) const {
    const auto found = repo().find(core::event_id{id});
    BOOST_REQUIRE(found.ok() && found->has_value());
    return **found;
  }
  std::size_t events() const {
    std::size_t n = 0;
    const auto scanned = repo().events({1}, [&n](core::event&&) { return ++n > 0; });
    BOOST_REQUIRE(scanned.ok());
    return n;
  }
  void deliver(const core::lane_key& lane, core::event_id head) {
    s().report_to_shard(delivered(lane, head));
    settle();
  }

  core::endpoint_id endpoint;
};

BOOST_FIXTURE_TEST_SUITE(publish_suite, publishing)

BOOST_AUTO_TEST_CASE(a_stream_keeps_its_order_and_its_numbers_over_sleep) {
  const auto first = ids(published({event(0, "orders"), event(1, "orders"), event(2, "other")}));
  const core::stream_id orders = core::published_stream("orders");
  BOOST_TEST((stored(first[0]).stream == orders));
  BOOST_TEST(stored(first[0]).seq == 1U);
  BOOST_TEST(stored(first[1]).seq == 2U);
  BOOST_TEST(stored(first[2]).seq == 1U);
  BOOST_TEST(stored(first[0]).stream_name == "orders");
  BOOST_TEST(stored(first[1]).data == R"({"n":1})");
  BOOST_TEST(stored(first[1]).cause == "token/1 (operator)");
  // Delivered and forgotten: the lane is gone, the owner is asleep; the numbers go on.
  deliver({orders, endpoint, {}}, {first[0]});
  deliver({orders, endpoint, {}}, {first[1]});
  BOOST_TEST(repo().lanes_of(orders)->empty());
  now += 1h;
  tick_shard();
  settle();
  BOOST_TEST(awake() == 0U);
  BOOST_TEST(stored(ids(published({event(0, "orders")}))[0]).seq == 3U);
  BOOST_TEST(tests::names_of(*this, orders).size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_lane_of_a_stream_is_one_row_and_moves_in_order) {
  const auto all = ids(published({event(0, "s"), event(1, "s"), event(2, "s")}));
  const core::stream_id stream = core::published_stream("s");
  const auto lanes = repo().lanes_of(stream);
  BOOST_REQUIRE(lanes.ok() && lanes->size() == 1U);
  BOOST_TEST(lanes->front().backlog == 3U);
  BOOST_TEST((lanes->front().head == core::event_id{all[0]}));
  BOOST_TEST(ready.size() == 1U);
  BOOST_TEST(committer().counters_of(endpoint).accepted == 3U);
  deliver(lanes->front().key, {all[0]});
  BOOST_TEST_REQUIRE(ready.size() == 2U);
  BOOST_TEST((ready[1]->lane.head == core::event_id{all[1]}));
  BOOST_TEST(ready[1]->event->data == R"({"n":1})");
}

BOOST_AUTO_TEST_CASE(events_without_a_stream_wait_for_nobody) {
  const auto all = ids(published({event(0), event(1), event(2)}));
  BOOST_TEST_REQUIRE(ready.size() == 3U);
  const core::stream_id owner = stored(all[0]).stream;
  BOOST_TEST((owner.kind == core::entity_kind::unordered));
  const auto lanes = repo().lanes_of(owner);
  BOOST_REQUIRE(lanes.ok() && lanes->size() == 3U);
  // The last one first; the others are still there.
  deliver(ready[2]->lane.key, {all[2]});
  BOOST_TEST(repo().lanes_of(owner)->size() == 2U);
  // Out of memory soon, and woken by what comes late.
  now += 600ms;
  tick_shard();
  settle();
  BOOST_TEST(awake() == 0U);
  deliver(ready[0]->lane.key, {all[0]});
  deliver(ready[1]->lane.key, {all[1]});
  BOOST_TEST(repo().lanes_of(owner)->empty());
  const auto counted = committer().counters_of(endpoint);
  BOOST_TEST(counted.accepted == 3U);
  BOOST_TEST(counted.delivered == 3U);
  // Sent again on request, by its own owner.
  auto again = request(owner, actors::replay_request{{all[1]}, {endpoint}});
  done(std::move(again));
  BOOST_TEST((ready.back()->lane.head == core::event_id{all[1]}));
}

BOOST_AUTO_TEST_CASE(many_unordered_events_have_owners_of_bounded_size) {
  std::vector<actors::published_event> many;
  for (std::size_t i = 0; i < 130; ++i) many.push_back(event(i));
  const auto all = ids(published(std::move(many)));
  BOOST_TEST((stored(all[0]).stream == stored(all[63]).stream));
  BOOST_TEST((stored(all[63]).stream != stored(all[64]).stream));
  BOOST_TEST((stored(all[128]).stream == stored(all[129]).stream));
}

BOOST_AUTO_TEST_CASE(a_scope_decides_who_hears) {
  const auto mine = new_endpoint([&] {
    core::endpoint e = platform_endpoint();
    e.scope = core::endpoint_scope::vendor;
    e.scope_id = vendor.value;
    return e;
  }());
  auto scoped = event(1);
  scoped.scope = core::endpoint_scope::vendor;
  scoped.scope_id = vendor.value;
  auto unknown = scoped;
  unknown.line = 2;
  unknown.scope_id = 999;
  const std::string body = published({event(0), scoped, unknown});
  const core::event plain = stored(std::stoull(body));
  const core::event of_vendor = stored(std::stoull(body.substr(body.find('\n') + 1)));
  BOOST_TEST((plain.recipients == std::vector{endpoint}));
  BOOST_TEST((of_vendor.recipients == std::vector{endpoint, mine}));
  BOOST_TEST((of_vendor.vendor == vendor));
  BOOST_TEST(body.ends_with("invalid_field\n"), body);
}

BOOST_AUTO_TEST_CASE(filters_decide_who_hears) {
  core::endpoint e = platform_endpoint();
  e.filter.nodes = {{core::filter_op::gte, "order.total", {std::int64_t{100}}, 0}};
  const auto picky = new_endpoint(e);
  auto large = event(0);
  large.data = R"({"order":{"total":150.5}})";
  auto small = event(1);
  small.data = R"({"order":{"total":15}})";
  auto odd = event(2);
  odd.data = R"({"order":[]})";
  const auto all = ids(published({large, small, odd}));
  BOOST_TEST((stored(all[0]).recipients == std::vector{endpoint, picky}));
  BOOST_TEST((stored(all[1]).recipients == std::vector{endpoint}));
  BOOST_TEST((stored(all[2]).recipients == std::vector{endpoint}));
  // Entity events are judged by their data as well; null removes the filter.
  actors::update_endpoint change;
  change.id = picky;
  change.filter = core::content_filter{};
  catalog(change);
  BOOST_TEST(stored(ids(published({small}))[0]).recipients.size() == 2U);
}

BOOST_AUTO_TEST_CASE(events_that_nobody_wants_are_stored_and_counted) {
  actors::update_endpoint change;
  change.id = endpoint;
  change.events = std::vector<std::string>{"order.*"};
  catalog(change);
  const auto all = ids(published({event(0), event(1, "s")}));
  BOOST_TEST(stored(all[0]).recipients.empty());
  BOOST_TEST(s().published_unheard.load() == 2U);
  change.events = std::vector<std::string>{"shop.*"};
  catalog(change);
  published({event(0), event(1, "s")});
  BOOST_TEST(s().published_unheard.load() == 2U);
  BOOST_TEST(s().published.load() == 4U);
}

BOOST_AUTO_TEST_CASE(a_dedup_id_stands_for_one_event) {
  const auto first = ids(published({event(0, "s", "d1")}));
  const std::size_t before = events();
  BOOST_TEST((ids(published({event(0, "other", "d1")})) == first));
  // In one call, too: the second line is the first one's event.
  const auto pair = ids(published({event(0, "s", "d2"), event(1, {}, "d2")}));
  BOOST_TEST(pair[0] == pair[1]);
  BOOST_TEST(events() == before + 1);
  // While one is on its way to the disk, another waits outside.
  const auto open = publish({event(0, "s", "d3")});
  const auto meanwhile = publish({event(0, "t", "d3")});
  settle();
  BOOST_TEST((*meanwhile->value)->body == "dedup_id_in_use\n");
  BOOST_TEST((ids(published({event(0, "t", "d3")})) == ids((*open->value)->body)));
  // Forgotten when keys are.
  now += 25h;
  BOOST_TEST((ids(published({event(0, "s", "d1")})) != first));
}

BOOST_AUTO_TEST_CASE(a_refusal_that_passes_is_not_the_final_answer_of_a_key) {
  const auto open = publish({event(0, "s", "d3")});
  const auto meanwhile = publish({event(0, "t", "d3"), event(1, "t")}, "k1");
  settle();
  BOOST_TEST((*meanwhile->value)->body.starts_with("dedup_id_in_use\n"));
  const auto second = ids((*meanwhile->value)->body.substr(16));
  // The repeat finds the first line's event, and the second line is not sent again.
  const std::size_t before = events();
  const auto both = ids(published({event(0, "t", "d3"), event(1, "t")}, "k1"));
  BOOST_TEST((both[0] == ids((*open->value)->body)[0]));
  BOOST_TEST((both[1] == second[0]));
  BOOST_TEST(events() == before);
}

BOOST_AUTO_TEST_CASE(a_twin_shares_the_refusal_of_the_first) {
  auto first = event(0, "s", "d1");
  auto second = event(1, "s", "d1");
  first.scope = second.scope = core::endpoint_scope::vendor;
  first.scope_id = second.scope_id = 4'711;  // nobody
  const std::string refusals = published({first, second}, "k1");
  BOOST_TEST(refusals == "invalid_field\ninvalid_field\n");
  const auto kept = repo().answer("token/1\nk1");
  BOOST_REQUIRE(kept.ok() && kept->has_value());
  BOOST_TEST((*kept)->body == refusals);
}

BOOST_AUTO_TEST_CASE(a_line_does_not_inherit_what_was_wrong_with_another_of_its_dedup_id) {
  auto wrong = event(0, "s", "d1");
  wrong.scope = core::endpoint_scope::vendor;
  wrong.scope_id = 4'711;  // nobody
  const std::string body = published({wrong, event(1, "s", "d1"), event(2, "s", "d1")});
  BOOST_TEST_REQUIRE(body.starts_with("invalid_field\n"), body);
  const auto both = ids(body.substr(body.find('\n') + 1));
  BOOST_TEST_REQUIRE(both.size() == 2U);
  BOOST_TEST(both[0] == both[1]);
  BOOST_TEST((ids(published({event(0, "s", "d1")}))[0] == both[0]));
}

// An answer that cannot be rendered refuses its call, and the stream is as it was.
BOOST_AUTO_TEST_CASE(a_call_without_an_answer_leaves_nothing) {
  published({event(0, "s")});
  const auto before = committer().counters_of(endpoint).accepted;
  actors::write_options options;
  options.by.name = "token/1";
  options.idempotency = actors::idempotency{"token/1\nk1", "hash"};
  std::string code;
  actors::publish(
      s(), {event(0, "s"), event(1, "s")}, std::move(options),
      [](const actors::publish_outcomes&) {
        return core::result<actors::answer>{core::invalid_field("/lines", "is too long")};
      },
      [&code](core::result<actors::answer>&& a) { code = a ? "" : a.failure().code; });
  settle();
  BOOST_TEST(code == "invalid_field");
  BOOST_TEST(events() == 1U);
  const auto next = ids(published({event(0, "s")}));
  BOOST_TEST(stored(next[0]).seq == 2U);
  BOOST_TEST(events() == 2U);
  const auto lanes = repo().lanes_of(core::published_stream("s"));
  BOOST_REQUIRE(lanes.ok() && lanes->size() == 1U);
  BOOST_TEST(lanes->front().backlog == 2U);
  BOOST_TEST(committer().counters_of(endpoint).accepted == before + 1);
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_all_of_it) {
  fill_disk();
  const auto refused = publish({event(0, "a"), event(1, "b"), event(2)});
  settle();
  BOOST_TEST(refused->code() == "no_space");
  empty_disk();
  BOOST_TEST(ids(published({event(0, "a"), event(1, "b")})).size() == 2U);
  BOOST_TEST(stored(ids(published({event(0, "a")}))[0]).seq == 2U);
}

// What the store has under an idempotency key says whether a repeat has to look for parts.
BOOST_AUTO_TEST_CASE(the_answer_of_a_key_is_kept_whole) {
  const auto one = published({event(0, "a"), event(1, "a")}, "k1");
  auto kept = repo().answer("token/1\nk1");
  BOOST_REQUIRE(kept.ok() && kept->has_value());
  BOOST_TEST((*kept)->body == one);
  BOOST_TEST((*kept)->status == 202);
  const auto two = published({event(0, "a"), event(1, "b"), event(2)}, "k2");
  kept = repo().answer("token/1\nk2");
  BOOST_REQUIRE(kept.ok() && kept->has_value());
  BOOST_TEST((*kept)->body == two);
  BOOST_TEST((*kept)->status == 202);
}

// The process dies after some parts of a call were written: run on a committer that writes only
// what was posted by then.
BOOST_AUTO_TEST_CASE(a_call_that_was_cut_is_completed_by_its_repeat) {
  const std::vector call{event(0, "a"), event(1, "b"), event(2), event(3, "a", "d")};
  for (int parts = 0; parts <= 3; ++parts) {
    const std::string key = "cut" + std::to_string(parts);
    const std::size_t before = events();
    std::vector<std::shared_ptr<actors::entity_request>> held;
    auto forward = s().to_shard;
    s().to_shard = [&held](auto r) { held.push_back(std::move(r)); };
    auto mine = call;
    for (auto& e : mine) {
      e.stream += e.stream.empty() ? "" : key;
      e.dedup_id += e.dedup_id.empty() ? "" : key;
    }
    const auto cut = publish(mine, key);
    s().to_shard = forward;
    BOOST_TEST_REQUIRE(held.size() == 3U);
    for (int i = 0; i < parts; ++i) s().to_shard(held[static_cast<std::size_t>(i)]);
    settle();
    // The rest is dropped, as a dying process drops it.
    for (auto& request : held) request->reply = nullptr;
    held.clear();
    BOOST_TEST(cut->done() == (parts == 3));
    const auto known = repo().answer("token/1\n" + key);
    BOOST_REQUIRE(known.ok());
    BOOST_TEST(known->has_value() == (parts > 0));
    if (parts > 0) BOOST_TEST(((*known)->status == store::answer_unfinished) == (parts < 3));

    const auto again = ids(published(mine, key));
    BOOST_TEST(events() == before + 4);
    for (std::size_t i = 0; i < again.size(); ++i) {
      BOOST_TEST(stored(again[i]).data == call[i].data);
    }
    BOOST_TEST(stored(again[0]).seq == 1U);
    BOOST_TEST(stored(again[3]).seq == 2U);
    const auto kept = repo().answer("token/1\n" + key);
    BOOST_REQUIRE(kept.ok() && kept->has_value());
    BOOST_TEST((*kept)->status == 202);
    BOOST_TEST((ids((*kept)->body) == again));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
