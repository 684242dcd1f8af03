// Keys, records, sealing, and what a damaged or foreign store does.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

#include "core/delivery/signature.hpp"
#include "store/codec.hpp"
#include "store/committer.hpp"
#include "store/repository.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait_until.hpp"

namespace syndicated::store {
namespace {

namespace fs = std::filesystem;
using tests::temporary_directory;

vault a_vault(char fill = 'k') { return std::move(vault::with_key(std::string(32, fill))).value(); }

std::unique_ptr<database> opened(const std::string& path) {
  auto db = database::open({path});
  BOOST_REQUIRE_MESSAGE(db.ok(), (db.ok() ? "" : db.failure().detail));
  return std::move(*db);
}

write_plan put_event(const repository& repo, std::uint64_t id) {
  core::event e;
  e.id = {id};
  e.stream = {core::entity_kind::subscription, 1};
  e.seq = id;
  e.name = "subscription.created";
  e.data = std::string(500, 'x');
  write_plan plan;
  repo.put(plan, e);
  return plan;
}

BOOST_AUTO_TEST_SUITE(keys)

BOOST_AUTO_TEST_CASE(golden_bytes) {
  const core::lane_key lane{{core::entity_kind::subscription, 0x0102}, {7}, {9}};
  BOOST_TEST(core::hex_encode(lane_row_key(lane).view()) ==
             "05000000000000010200000000000000070000000000000009");
  BOOST_TEST(core::hex_encode(due_key(lane, {due_side::late, 0x1A}).view()) ==
             "000000000000000701000000000000001a0500000000000001020000000000000009");
  BOOST_TEST(core::hex_encode(stream_key(lane.stream, 3).view()) ==
             "0500000000000001020000000000000003");
  BOOST_TEST(core::hex_encode(index_key('t', 1, 2).view()) == "7400000000000000010000000000000002");
  BOOST_TEST((parse_lane_row_key(lane_row_key(lane).view()) == lane));
  BOOST_TEST((parse_due_key(due_key(lane, {due_side::parked, 5}).view()) == lane));
  BOOST_TEST(parse_due_ms(due_key(lane, {due_side::fresh, 5}).view()) == 5U);
}

BOOST_AUTO_TEST_CASE(the_successor_ends_a_prefix) {
  BOOST_TEST(core::hex_encode(key_bytes{"a\xFF"}.successor().view()) == "62");
  BOOST_TEST(id_key(5).successor().view() == id_key(6).view());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(records)

// A value of every field survives; the stored bytes are golden, so an accidental change of the
// format is seen here first.
BOOST_AUTO_TEST_CASE(a_subscription_keeps_everything) {
  core::subscription s;
  s.id = {1};
  s.tenant = {2};
  s.reseller = {3};
  s.path = {{1}, {3}, {2}};
  s.plan = {4};
  s.product = {5};
  s.vendor = {6};
  s.name = "n";
  s.type = core::subscription_type::trial;
  s.status = core::subscription_status::stopped;
  s.reasons.bits = 33;
  s.paid = true;
  s.quantities = {{"seats", -1}};
  s.config = {{"c", "v"}};
  s.auto_renew = false;
  s.start_date = core::from_unix_ms(1);
  s.purge_at = core::from_unix_ms(2);
  s.grace_until = core::from_unix_ms(3);
  s.timers.arm(core::timer_kind::purge, core::from_unix_ms(2), 5);
  s.timers.arm(core::timer_kind::reminder, core::from_unix_ms(9), 4);
  s.overdue_told = true;
  core::operation o;
  o.number = 7;
  o.kind = core::operation_kind::plan_change;
  o.state = core::operation_state::scheduled;
  o.requested_by = core::party::vendor;
  o.requested_at = core::from_unix_ms(11);
  o.due_at = core::from_unix_ms(12);
  o.plan_from = core::plan_id{4};
  o.plan_to = core::plan_id{8};
  o.from = {{"seats", 3}};
  o.to = {{"seats", 2}};
  o.message = "m";
  s.operations = {o};
  s.last_operation = 7;
  core::commitment& held = s.commitment.emplace();
  held.terms = {12, true, 3, 4, true, false, 168, true, true, true, 1, 9, "seats"};
  held.state = core::commitment_state::renewed;
  held.term = 2;
  held.starts_at = core::from_unix_ms(13);
  held.ends_at = core::from_unix_ms(14);
  held.lots = {{"seats", 3, core::from_unix_ms(13)}};
  held.fee = true;
  s.attempt = 4;
  s.endpoints = {{"https://a", "d", "APP"}};
  s.instructions = {{"en", "x"}};
  s.credentials = {{"k", std::string("\0\xFF", 2), {{"en", "y"}}, 9}};
  s.version = 5;
  s.seq = 6;
  const std::string bytes = encode(s);
  const auto back = decode_subscription(bytes);
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(encode(*back) == bytes);
  BOOST_TEST(back->credentials.at(0).sealed_value == s.credentials.at(0).sealed_value);
  BOOST_TEST((back->path == s.path));
  BOOST_TEST((back->timers == s.timers));
  BOOST_TEST((back->operations == s.operations));
  BOOST_TEST((back->grace_until == s.grace_until && back->commitment->lots == held.lots));
  BOOST_TEST((back->overdue_told && back->last_operation == s.last_operation));
  BOOST_TEST(!back->end_date.has_value());
}

BOOST_AUTO_TEST_CASE(an_event_has_golden_bytes) {
  core::event e;
  e.id = {300};
  e.stream = {core::entity_kind::subscription, 7};
  e.seq = 2;
  e.name = "a.b";
  e.type = core::wire_type::modified;
  e.at = core::from_unix_ms(1000);
  e.data = "{}";
  e.recipients = {{1}, {2}};
  BOOST_TEST(core::hex_encode(encode(e)) ==
             "0108ac021005180720022a03612e62300238e8076a027b7d72020102");
  BOOST_TEST(encode(*decode_event(encode(e))) == encode(e));
}

BOOST_AUTO_TEST_CASE(the_horizon_has_golden_bytes) {
  const retention_record r{{5}, {300}, {4}, {200}, core::from_unix_ms(1000)};
  BOOST_TEST(core::hex_encode(encode(r)) == "01080510ac02180420c80128e807");
  BOOST_TEST(encode(*decode_retention(encode(r))) == encode(r));
}

BOOST_AUTO_TEST_CASE(a_vendor_of_before_weights_has_one) {
  core::vendor v{{1}, "acme", {}, 1, {}, {}};
  const std::string before = encode(v);
  BOOST_TEST(decode_vendor(before)->weight == 1);
  v.weight = 7;
  BOOST_TEST(decode_vendor(encode(v))->weight == 7);
  BOOST_TEST(encode(v).size() > before.size());
}

BOOST_AUTO_TEST_CASE(a_breaker_has_golden_bytes) {
  const core::breaker_record b{"https://a.example:443", 3, core::from_unix_ms(1000),
                               core::from_unix_ms(2000), "http_503"};
  BOOST_TEST(
      core::hex_encode(encode(b)) ==
      "010a1568747470733a2f2f612e6578616d706c653a343433100318e80720d00f2a08687474705f353033");
  BOOST_TEST(encode(*decode_breaker(encode(b))) == encode(b));
}

BOOST_AUTO_TEST_CASE(a_filter_and_an_event_type_survive) {
  const vault secrets = a_vault();
  core::endpoint e;
  e.id = {5};
  e.filter.nodes = {{core::filter_op::all_of, {}, {}, 2},
                    {core::filter_op::in, "a.b", {nullptr, true, std::int64_t{-3}, 1.5, "x"}, 0},
                    {core::filter_op::exists, "c", {false}, 0}};
  const auto back = decode_endpoint(encode(e, secrets), secrets);
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((back->filter == e.filter));
  core::event_type t{
      core::type_id_of("a.b"), "a.b", "d", "{}", R"({"x":1})", true, 3, core::from_unix_ms(1),
      core::from_unix_ms(2)};
  const auto type = decode_event_type(encode(t));
  BOOST_REQUIRE(type.ok());
  BOOST_TEST(encode(*type) == encode(t));
  BOOST_TEST(type->example == t.example);
  BOOST_TEST(type->deleted);
}

BOOST_AUTO_TEST_CASE(an_endpoint_journal_has_golden_bytes) {
  const endpoint_journal j{{7}, 300, core::endpoint_state::paused, true, core::from_unix_ms(1000)};
  BOOST_TEST(core::hex_encode(encode(j)) == "0108ac021002180120e807");
  const auto back = decode_journal({7}, encode(j));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(encode(*back) == encode(j));
  BOOST_TEST((back->endpoint == core::endpoint_id{7}));
}

BOOST_AUTO_TEST_CASE(damage_and_newer_formats_are_refused) {
  std::string bytes = encode(core::vendor{{1}, "acme", {}, 1, {}, {}});
  bytes[0] = 2;
  BOOST_TEST((decode_vendor(bytes).failure().kind == core::errc::corrupt));
  BOOST_TEST(!decode_vendor("").ok());
  BOOST_TEST(!decode_vendor(std::string("\x01\x0a\xFF", 3)).ok());
}

BOOST_AUTO_TEST_CASE(secrets_are_sealed_for_their_place_and_key) {
  const vault mine = a_vault();
  const std::string sealed = mine.seal("whsec_canary", "endpoint/1");
  BOOST_TEST(sealed.find("canary") == std::string::npos);
  BOOST_TEST(*mine.open(sealed, "endpoint/1") == "whsec_canary");
  BOOST_TEST(!mine.open(sealed, "endpoint/2").ok());
  BOOST_TEST(!a_vault('x').open(sealed, "endpoint/1").ok());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string flipped = sealed;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    BOOST_TEST(!mine.open(flipped, "endpoint/1").ok());
  }
  BOOST_TEST(*mine.open(mine.seal("", "c"), "c") == "");
  core::endpoint e;
  e.id = {1};
  e.secret = core::secret_bytes{"canary-secret"};
  BOOST_TEST(encode(e, mine).find("canary") == std::string::npos);
  BOOST_TEST(decode_endpoint(encode(e, mine), mine)->secret.reveal() == "canary-secret");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(opening)

BOOST_AUTO_TEST_CASE(a_second_process_is_refused) {
  const temporary_directory dir;
  const auto db = opened(dir.path());
  const auto second = database::open({dir.path()});
  BOOST_REQUIRE(!second.ok());
  BOOST_TEST(second.failure().code == "state_locked");
}

BOOST_AUTO_TEST_CASE(a_store_that_was_there_before_is_never_made_anew) {
  const temporary_directory dir;
  opened(dir.path()).reset();
  fs::remove(fs::path{dir.path()} / "db" / "CURRENT");
  auto again = database::open({dir.path()});
  BOOST_REQUIRE(!again.ok());
  BOOST_TEST(again.failure().code == "state_lost");
  fs::remove_all(fs::path{dir.path()} / "db");
  again = database::open({dir.path()});
  BOOST_REQUIRE(!again.ok());
  BOOST_TEST(again.failure().code == "state_lost");
}

BOOST_AUTO_TEST_CASE(the_wrong_master_key_is_refused) {
  const temporary_directory dir;
  const auto db = opened(dir.path());
  id_source ids;
  BOOST_TEST(check_store(*db, a_vault(), ids).ok());
  BOOST_TEST(check_store(*db, a_vault(), ids).ok());
  const auto wrong = check_store(*db, a_vault('x'), ids);
  BOOST_REQUIRE(!wrong.ok());
  BOOST_TEST(wrong.failure().code == "wrong_master_key");
}

fs::path newest_log(const fs::path& directory) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(directory / "db")) {
    if (entry.path().extension() == ".log" && entry.path() > newest) newest = entry.path();
  }
  return newest;
}

// Fills a store with events 1..n, each synced, and leaves as a crash would: without a flush.
void fill(const std::string& path, std::uint64_t n) {
  const vault secrets = a_vault();
  const auto db = opened(path);
  const repository repo(*db, secrets);
  for (std::uint64_t id = 1; id <= n; ++id) {
    const write_plan plan = put_event(repo, id);
    BOOST_REQUIRE((db->write({&plan}, {}, true).result == commit_result::committed));
  }
}

std::uint64_t events_in(const database& db) {
  std::uint64_t count = 0;
  BOOST_REQUIRE(db.scan(family::events, {}, {}, [&count](std::string_view, std::string_view) {
                    ++count;
                    return true;
                  }).ok());
  return count;
}

// Batches are written family by family.
BOOST_AUTO_TEST_CASE(the_last_write_of_a_key_in_a_batch_counts) {
  const temporary_directory dir;
  const auto db = opened(dir.path());
  std::vector<write_plan> plans(3);
  plans[0].put(family::tenants, id_key(1), "first");
  plans[0].erase(family::events, id_key(1));
  plans[1].put(family::events, id_key(1), "second");
  plans[1].put(family::tenants, id_key(1), "second");
  plans[2].erase(family::tenants, id_key(1));
  plans[2].put(family::events, id_key(2), "third");
  const std::vector<write_op> extra{{family::events, false, id_key(2), "extra"}};
  const auto report = db->write({&plans[0], &plans[1], &plans[2]}, extra, false);
  BOOST_REQUIRE((report.result == commit_result::committed));
  BOOST_TEST(db->get(family::events, id_key(1).view())->value() == "second");
  BOOST_TEST(!db->get(family::tenants, id_key(1).view())->has_value());
  BOOST_TEST(db->get(family::events, id_key(2).view())->value() == "extra");
}

BOOST_AUTO_TEST_CASE(a_torn_tail_loses_only_the_tail) {
  const temporary_directory dir;
  fill(dir.path(), 50);
  const fs::path log = newest_log(dir.path());
  fs::resize_file(log, fs::file_size(log) - 100);
  const auto db = opened(dir.path());
  BOOST_TEST(events_in(*db) == 49U);
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_the_middle_of_the_log_is_refused) {
  const temporary_directory dir;
  fill(dir.path(), 50);
  const fs::path log = newest_log(dir.path());
  std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(fs::file_size(log) / 2));
  file.put('\x55').put('\x55').put('\x55');
  file.close();
  const auto db = database::open({dir.path()});
  BOOST_REQUIRE(!db.ok());
  BOOST_TEST((db.failure().kind == core::errc::corrupt));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(committing)

struct committed_store {
  temporary_directory dir;
  vault secrets = a_vault();
  std::unique_ptr<database> db = opened(dir.path());
  id_source ids;
  repository repo{*db, secrets};
  std::unique_ptr<committer> c;

  committed_store() {
    BOOST_REQUIRE(check_store(*db, secrets, ids).ok());
    c = std::move(committer::create(*db, ids, {})).value();
  }
};

BOOST_FIXTURE_TEST_CASE(callbacks_come_in_order_after_the_rows_can_be_read, committed_store) {
  std::vector<std::uint64_t> order;
  for (std::uint64_t id = 1; id <= 5; ++id) {
    write_plan plan = put_event(repo, id);
    plan.done = [&, id](commit_result r) {
      BOOST_TEST((r == commit_result::committed));
      BOOST_TEST(repo.find(core::event_id{id})->has_value());
      order.push_back(id);
    };
    c->submit(std::move(plan));
  }
  BOOST_TEST(c->run_once());
  BOOST_TEST(order == (std::vector<std::uint64_t>{1, 2, 3, 4, 5}),
             boost::test_tools::per_element());
  BOOST_TEST(c->stats().batches == 1U);  // one group
}

BOOST_FIXTURE_TEST_CASE(a_plan_that_waits_is_told_with_its_age, committed_store) {
  BOOST_TEST(c->stats().oldest_wait.count() == 0);
  c->submit(put_event(repo, 1));
  tests::wait_until([this] { return c->stats().oldest_wait.count() > 0; });
  tests::wait_until([this] { return c->stats().stalled.count() > 0; });
  BOOST_TEST(c->run_once());
  BOOST_TEST(c->stats().oldest_wait.count() == 0);
  BOOST_TEST(c->stats().stalled.count() == 0);
}

BOOST_FIXTURE_TEST_CASE(what_is_pending_is_told_by_endpoint, committed_store) {
  write_plan plan;
  plan.deltas = {counter_delta{{1}}, counter_delta{{2}}};
  plan.deltas[0].accepted = 3;
  plan.deltas[0].parked = 1;
  plan.deltas[1].accepted = 1;
  plan.deltas[1].delivered = 1;
  c->submit(std::move(plan));
  BOOST_TEST(c->run_once());
  const auto pending = c->pending();
  BOOST_REQUIRE(pending.size() == 1U);
  BOOST_TEST(pending[0].first.value == 1U);
  BOOST_TEST(pending[0].second == 2U);
}

BOOST_FIXTURE_TEST_CASE(counters_and_ids_survive, committed_store) {
  BOOST_TEST(ids.next_event().value == 1U);
  write_plan plan;
  counter_delta d;
  d.endpoint = {7};
  d.accepted = 3;
  d.parked = 1;
  plan.deltas = {d, d};
  c->submit(std::move(plan));
  BOOST_TEST(c->run_once());
  counter_delta back;
  back.endpoint = {7};
  back.parked = -1;
  back.delivered = 1;
  write_plan second;
  second.subscriptions_created = 2;
  second.deltas = {back};
  c->submit(std::move(second));
  c->stop();
  c.reset();
  db.reset();
  db = opened(dir.path());
  id_source again;
  BOOST_REQUIRE(check_store(*db, secrets, again).ok());
  BOOST_TEST(again.next_event().value == 2U);
  const auto reopened = std::move(committer::create(*db, again, {})).value();
  const counters row = reopened->counters_of({7});
  BOOST_TEST(row.accepted == 6U);
  BOOST_TEST(row.parked == 1U);
  BOOST_TEST(row.delivered == 1U);
  BOOST_TEST(reopened->counters_total().accepted == 6U);
  BOOST_TEST(reopened->entities().subscriptions == 2U);
  BOOST_TEST(reopened->entities().tenants == 1U);  // the provider
}

BOOST_FIXTURE_TEST_CASE(a_broken_chain_commits_nothing_more, committed_store) {
  const auto chain = std::make_shared<plan_chain>();
  chain->broken = true;
  bool refused = false;
  write_plan plan = put_event(repo, 1);
  plan.chain = chain;
  plan.done = [&refused](commit_result r) { refused = r != commit_result::committed; };
  c->submit(std::move(plan));
  BOOST_TEST(c->run_once());
  BOOST_TEST(refused);
  BOOST_TEST(chain->in_flight.load() == 0U);
  BOOST_TEST(!repo.find(core::event_id{1})->has_value());
}

BOOST_FIXTURE_TEST_CASE(after_the_stop_every_plan_is_answered, committed_store) {
  c->stop();
  bool answered = false;
  write_plan plan = put_event(repo, 1);
  plan.done = [&answered](commit_result r) { answered = r == commit_result::failed; };
  c->submit(std::move(plan));
  BOOST_TEST(answered);
}

BOOST_FIXTURE_TEST_CASE(marks_of_attempts_are_found_by_endpoint_and_time, committed_store) {
  attempt_row row;
  row.event = {7};
  row.endpoint = {2};
  row.at = core::from_unix_ms(1'000);
  row.outcome = static_cast<core::response_class>(2);
  row.end = delivery_end::parked;
  attempt_row other = row;
  other.endpoint = {3};
  attempt_row late = row;
  late.at = core::from_unix_ms(3'000);
  write_plan plan;
  repo.put(plan, row);
  repo.put(plan, other);
  repo.put(plan, late);
  BOOST_REQUIRE((db->write({&plan}, {}, true).result == commit_result::committed));
  int seen = 0;
  const auto look = [&](attempt_mark&& mark) {
    ++seen;
    BOOST_TEST((mark.event == row.event && mark.endpoint == row.endpoint && mark.at == row.at));
    BOOST_TEST((mark.outcome == row.outcome && mark.end == row.end));
    BOOST_TEST(!mark.place.empty());
    return true;
  };
  BOOST_TEST(
      repo.attempts_at({2}, core::from_unix_ms(500), core::from_unix_ms(2'000), {}, look).ok());
  BOOST_TEST(seen == 1);
}

BOOST_FIXTURE_TEST_CASE(breakers_and_skipped_events_are_kept_until_erased, committed_store) {
  const auto commit = [this](auto&& fill) {
    write_plan plan;
    fill(plan);
    BOOST_REQUIRE((db->write({&plan}, {}, true).result == commit_result::committed));
  };
  commit([&](write_plan& p) {
    repo.put(p, core::breaker_record{"http://a:80", 1, {}, {}, "dns"});
    repo.put(p, core::breaker_record{"http://b:80", 2, {}, {}, "tls"});
    repo.put_skipped(p, {7}, {2});
  });
  BOOST_TEST(repo.breakers()->size() == 2U);
  BOOST_TEST(*repo.is_skipped({7}, {2}));
  BOOST_TEST(!*repo.is_skipped({7}, {3}));
  commit([&](write_plan& p) {
    repo.erase_breaker(p, "http://a:80");
    repo.erase_skipped(p, {7}, {2});
  });
  commit([&](write_plan& p) {
    repo.put_notice(p, {{2}, {}, {}});
    repo.put_notice(p, {{2}, {9}, "exhausted"});
    repo.put_notice(p, {{5}, {1}, "expired"});
  });
  BOOST_TEST((**repo.next_noticed({}) == core::endpoint_id{2}));
  BOOST_TEST((**repo.next_noticed({2}) == core::endpoint_id{5}));
  BOOST_TEST(!repo.next_noticed({5})->has_value());
  std::vector<notice_row> seen;
  BOOST_REQUIRE(repo.notices({2},
                             [&](notice_row&& row) {
                               seen.push_back(std::move(row));
                               return true;
                             })
                    .ok());
  BOOST_REQUIRE_EQUAL(seen.size(), 2U);
  BOOST_TEST((seen[1].event == core::event_id{9}));
  BOOST_TEST(seen[1].reason == "exhausted");
  commit([&](write_plan& p) { repo.erase_notice(p, {5}, {1}); });
  BOOST_TEST(!repo.next_noticed({2})->has_value());
  BOOST_REQUIRE_EQUAL(repo.breakers()->size(), 1U);
  BOOST_TEST(repo.breakers()->front().origin == "http://b:80");
  BOOST_TEST(!*repo.is_skipped({7}, {2}));
}

BOOST_FIXTURE_TEST_CASE(marks_and_notes_of_jobs_are_read_in_order, committed_store) {
  write_plan p;
  for (const skip_mark& m : {skip_mark{{7}, {2}}, {{7}, {300}}, {{260}, {1}}}) {
    repo.put_skipped(p, m.event, m.endpoint);
  }
  repo.put(p, job_note{5, {7}});
  repo.put(p, job_note{5, {260}});
  repo.put(p, job_note{6, {1}});
  repo.erase(p, job_note{6, {1}});
  BOOST_REQUIRE((db->write({&p}, {}, true).result == commit_result::committed));
  const auto marks_behind = [this](const skip_mark& after) {
    std::string text;
    const auto scanned = repo.skip_marks(after, [&text](skip_mark&& m) {
      text += std::to_string(m.event.value) + '/' + std::to_string(m.endpoint.value) + ' ';
      return true;
    });
    return scanned ? text : scanned.failure().detail;
  };
  BOOST_TEST(marks_behind({}) == "7/2 7/300 260/1 ");
  BOOST_TEST(marks_behind({{7}, {2}}) == "7/300 260/1 ");
  BOOST_TEST(marks_behind({{7}, {300}}) == "260/1 ");
  BOOST_TEST(marks_behind({{260}, {1}}) == "");
  std::vector<std::uint64_t> noted;
  BOOST_REQUIRE(repo.job_notes([&noted](job_note&& n) {
                      BOOST_TEST(n.job == 5U);
                      noted.push_back(n.event.value);
                      return true;
                    })
                    .ok());
  BOOST_TEST((noted == std::vector<std::uint64_t>{7, 260}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::store
