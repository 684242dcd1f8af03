// A new master key while the store is in use: what it seals, what it leaves, and what a crash does.
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <thread>

#include "store/codec.hpp"
#include "store/committer.hpp"
#include "store/key_rotation.hpp"
#include "store/repository.hpp"
#include "store/sealed_fields.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait_until.hpp"

namespace syndicated::store {
namespace {

using tests::temporary_directory;

const std::string key_a(32, 'a');
const std::string key_b(32, 'b');
const std::string key_c(32, 'c');

vault with(const std::string& primary, const std::vector<std::string>& others = {}) {
  return std::move(vault::with_key(primary, others)).value();
}
key_id id_of(const std::string& key) { return with(key).primary(); }

core::endpoint an_endpoint(std::uint64_t id) {
  core::endpoint e;
  e.id = {id};
  e.secret = core::secret_bytes{"secret-" + std::to_string(id)};
  e.previous_secret = core::secret_bytes{"older"};
  e.signing_key = core::secret_bytes{"signing"};
  e.previous_signing_key = core::secret_bytes{"older signing"};
  e.headers = {{"X-Key", core::secret_bytes{"header"}}};
  e.auth.kind = core::auth_kind::bearer;
  e.auth.secret = core::secret_bytes{"token"};
  e.identity.key = core::secret_bytes{"client key"};
  return e;
}
constexpr std::uint64_t values_of_an_endpoint = 7;

core::subscription a_subscription(std::uint64_t id, const vault& secrets) {
  core::subscription s;
  s.id = {id};
  s.credentials = {{"k", secrets.seal("password", credential_context), {}, 0}};
  return s;
}

// A store with its committer's thread, as the daemon has it.
struct running_store {
  running_store(const std::string& directory, vault keys)
      : secrets(std::move(keys)), db(std::move(database::open({directory})).value()) {
    checked = check_store(*db, secrets, ids);
    if (!checked) return;
    c = std::move(committer::create(*db, ids, {})).value();
    c->start();
    rotation = std::move(key_rotation::create(*db, *c, secrets)).value();
  }
  ~running_store() {
    if (rotation) rotation->stop();
    if (c) c->stop();
  }

  commit_result write(write_plan plan) const {
    std::atomic<int> result{-1};
    plan.done = [&result](commit_result r) { result = static_cast<int>(r); };
    c->submit(std::move(plan));
    tests::wait_until([&] { return result >= 0; });
    return static_cast<commit_result>(result.load());
  }
  void must_write(write_plan plan) const {
    const commit_result outcome = write(std::move(plan));
    BOOST_REQUIRE((outcome == commit_result::committed));
  }
  void fill(std::uint64_t endpoints) const {
    write_plan plan;
    for (std::uint64_t id = 1; id <= endpoints; ++id) repo.put(plan, an_endpoint(id));
    repo.put(plan, a_subscription(1, secrets), nullptr);
    repo.put_answer(plan, "key", {core::from_unix_ms(1), "h", 200, "body"});
    must_write(std::move(plan));
  }
  core::result<rotation_report> change(const std::string& primary,
                                       std::vector<std::string> previous) const {
    std::optional<core::result<rotation_report>> answer;
    std::atomic<bool> answered{false};
    rotation->change(
        [&] {
          return master_keys{primary, std::move(previous)};
        },
        [&](core::result<rotation_report>&& r) {
          answer = std::move(r);
          answered = true;
        });
    tests::wait_until([&] { return answered.load(); });
    return std::move(*answer);
  }
  void wait_for(rotation_state state) const {
    tests::wait_until([&] { return rotation->report().state == state; });
  }
  // Rows in which a value sealed with the key may be found.
  std::size_t rows_with(const std::string& key) const {
    const std::string mark = vault::mark_of(id_of(key));
    std::size_t rows = 0;
    for (const auto f :
         {family::meta, family::catalog, family::subscriptions, family::idempotency}) {
      BOOST_REQUIRE(db->scan(f, {}, {}, [&](std::string_view, std::string_view value) {
                        rows += value.find(mark) != std::string_view::npos ? 1 : 0;
                        return true;
                      }).ok());
    }
    return rows;
  }
  void check_contents(std::uint64_t endpoints) const {
    const auto all = repo.all_endpoints();
    BOOST_REQUIRE(all.ok());
    BOOST_TEST(all->size() == endpoints);
    for (const core::endpoint& e : *all) {
      BOOST_TEST(e.secret.reveal() == "secret-" + std::to_string(e.id.value));
      BOOST_TEST(e.previous_secret.reveal() == "older");
      BOOST_TEST(e.signing_key.reveal() == "signing");
      BOOST_TEST(e.previous_signing_key.reveal() == "older signing");
      BOOST_TEST(e.headers.at(0).value.reveal() == "header");
      BOOST_TEST(e.auth.secret.reveal() == "token");
      BOOST_TEST(e.identity.key.reveal() == "client key");
    }
    const auto s = repo.find(core::subscription_id{1});
    BOOST_TEST(*secrets.open((*s)->credentials.at(0).sealed_value, credential_context) ==
               "password");
    BOOST_TEST((*repo.answer("key"))->body == "body");
  }

  vault secrets;
  std::unique_ptr<database> db;
  id_source ids;
  core::result<void> checked;
  repository repo{*db, secrets};
  std::unique_ptr<committer> c;
  std::unique_ptr<key_rotation> rotation;
};

BOOST_AUTO_TEST_SUITE(keys_of_a_vault)

BOOST_AUTO_TEST_CASE(one_key_seals_and_all_of_them_open) {
  vault v = with(key_a);
  const std::string before = v.seal("x", "c");
  BOOST_REQUIRE(v.change(key_b, {}).ok());
  const std::string after = v.seal("x", "c");
  BOOST_TEST(*vault::key_of(before) == id_of(key_a));
  BOOST_TEST(*vault::key_of(after) == id_of(key_b));
  BOOST_TEST(*v.open(before, "c") == "x");
  BOOST_TEST(*v.open(after, "c") == "x");
  BOOST_TEST(*with(key_b, {key_a}).open(before, "c") == "x");
  BOOST_TEST(!with(key_b).open(before, "c").ok());
  BOOST_TEST((v.keys() == std::vector<key_id>{id_of(key_b), id_of(key_a)}));
}

BOOST_AUTO_TEST_CASE(a_key_of_another_length_changes_nothing) {
  vault v = with(key_a);
  BOOST_TEST(v.change("short", {}).failure().code == "bad_master_key");
  BOOST_TEST(v.change(key_b, {"short"}).failure().code == "bad_master_key");
  BOOST_TEST(v.primary() == id_of(key_a));
}

BOOST_AUTO_TEST_CASE(a_holder_keeps_the_replaced_keys_from_being_gone) {
  vault v = with(key_a);
  BOOST_TEST(v.replaced_are_gone());
  auto held = v.hold();
  BOOST_REQUIRE(v.change(key_b, {}).ok());
  BOOST_TEST(!v.replaced_are_gone());
  BOOST_REQUIRE(v.change(key_c, {}).ok());
  BOOST_TEST(!v.replaced_are_gone());
  held.reset();
  BOOST_TEST(v.replaced_are_gone());
}

BOOST_AUTO_TEST_CASE(what_a_newer_version_wrote_into_a_row_stays) {
  const vault v = with(key_a);
  const std::string unknown{"\x82\x7d\x03new", 6};  // field 2000, text
  const auto visited =
      sealed_areas().front().visit(encode(an_endpoint(1), v) + unknown,
                                   [](std::string& sealed, const std::string&) { sealed = "s"; });
  BOOST_REQUIRE(visited.ok());
  BOOST_TEST(visited->find("new") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(writing_again)

struct one_row {
  temporary_directory dir;
  running_store s{dir.path(), with(key_a)};
  key_bytes key = id_key(9);

  one_row() { put("first"); }
  void put(const std::string& value) {
    write_plan plan;
    plan.put(family::jobs, key, value);
    s.must_write(std::move(plan));
  }
  write_plan again(const std::string& as_read) const {
    write_plan plan;
    plan.again.push_back({family::jobs, key, as_read, "again"});
    return plan;
  }
  std::string stored() const { return *s.db->get(family::jobs, key.view()).value(); }
};

BOOST_FIXTURE_TEST_CASE(what_nobody_wrote_meanwhile_is_replaced, one_row) {
  BOOST_REQUIRE((s.write(again("first")) == commit_result::committed));
  BOOST_TEST(stored() == "again");
}

BOOST_FIXTURE_TEST_CASE(a_value_that_was_written_since_stays, one_row) {
  put("second");
  BOOST_REQUIRE((s.write(again("first")) == commit_result::committed));
  BOOST_TEST(stored() == "second");
}

BOOST_FIXTURE_TEST_CASE(a_row_that_is_gone_stays_gone, one_row) {
  write_plan plan;
  plan.erase(family::jobs, key);
  s.must_write(std::move(plan));
  BOOST_REQUIRE((s.write(again("first")) == commit_result::committed));
  BOOST_TEST(!s.db->get(family::jobs, key.view())->has_value());
}

BOOST_AUTO_TEST_CASE(a_plan_of_the_same_batch_wins) {
  const temporary_directory dir;
  auto db = std::move(database::open({dir.path()})).value();
  id_source ids;
  const vault v = with(key_a);
  BOOST_REQUIRE(check_store(*db, v, ids).ok());
  const auto c = std::move(committer::create(*db, ids, {})).value();
  const key_bytes key = id_key(9);
  const auto submit = [&](bool again, const std::string& value) {
    write_plan plan;
    if (again) {
      plan.again.push_back({family::jobs, key, "first", value});
    } else {
      plan.put(family::jobs, key, value);
    }
    c->submit(std::move(plan));
  };
  submit(false, "first");
  BOOST_REQUIRE(c->run_once());
  for (const bool later : {false, true}) {
    submit(later, "second");
    submit(!later, "second");
    BOOST_REQUIRE(c->run_once());
    BOOST_TEST(db->get(family::jobs, key.view())->value() == "second");
    submit(false, "first");
    BOOST_REQUIRE(c->run_once());
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rotating)

BOOST_AUTO_TEST_CASE(everything_is_sealed_anew_and_the_old_key_can_go) {
  const temporary_directory dir;
  constexpr std::uint64_t endpoints = 2'000;
  {
    running_store s{dir.path(), with(key_a)};
    s.fill(endpoints);
    s.rotation->start();
    BOOST_TEST(s.rotation->report().keys.size() == 1U);
    const auto began = std::chrono::steady_clock::now();
    const auto changed = s.change(key_b, {key_a});
    BOOST_REQUIRE(changed.ok());
    BOOST_TEST(changed->keys.at(0).id == id_of(key_b));
    BOOST_TEST(changed->keys.at(1).needed);
    s.wait_for(rotation_state::settled);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const auto report = s.rotation->report();
    BOOST_TEST(report.resealed == endpoints * values_of_an_endpoint + 2);
    BOOST_TEST(report.keys.at(1).id == id_of(key_a));
    BOOST_TEST(!report.keys.at(1).needed);
    BOOST_TEST(*report.keys.at(1).values == 0U);
    BOOST_TEST_MESSAGE("values sealed anew per second: " << static_cast<double>(report.resealed) /
                                                                took.count());
    BOOST_TEST(s.rows_with(key_a) == 0U);
    s.check_contents(endpoints);
  }
  const running_store after{dir.path(), with(key_b)};
  BOOST_REQUIRE(after.checked.ok());
  after.check_contents(endpoints);
}

BOOST_AUTO_TEST_CASE(the_present_key_must_be_among_the_new_ones) {
  const temporary_directory dir;
  running_store s{dir.path(), with(key_a)};
  s.rotation->start();
  const auto refused = s.change(key_b, {key_c});
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.failure().code == "key_missing");
  BOOST_TEST(refused.failure().detail.find(key_name(id_of(key_a))) != std::string::npos);
  BOOST_TEST(s.secrets.primary() == id_of(key_a));
  BOOST_TEST((s.rotation->report().state == rotation_state::settled));
}

// The old key has sealed a plan that reaches the disk after the change.
BOOST_AUTO_TEST_CASE(plans_of_before_the_change_are_waited_for) {
  const temporary_directory dir;
  running_store s{dir.path(), with(key_a)};
  s.rotation->start();
  write_plan late;
  s.repo.put(late, an_endpoint(1));
  BOOST_REQUIRE(s.change(key_b, {key_a}).ok());
  BOOST_TEST((s.rotation->report().state == rotation_state::working));
  s.must_write(std::move(late));
  s.wait_for(rotation_state::settled);
  BOOST_TEST(s.rows_with(key_a) == 0U);
}

// An entity in memory keeps credentials that were sealed when they came.
BOOST_AUTO_TEST_CASE(a_credential_of_an_older_key_is_written_with_the_new_one) {
  const temporary_directory dir;
  running_store s{dir.path(), with(key_a)};
  s.rotation->start();
  const core::subscription known = a_subscription(1, s.secrets);
  BOOST_REQUIRE(s.change(key_b, {key_a}).ok());
  s.wait_for(rotation_state::settled);
  write_plan plan;
  s.repo.put(plan, known, nullptr);
  s.must_write(std::move(plan));
  BOOST_TEST(s.rows_with(key_a) == 0U);
}

// Ten rows sealed with key_a, and key_b noted as the primary key.
void leave_change_unfinished(const temporary_directory& dir) {
  running_store s{dir.path(), with(key_a)};
  s.fill(10);
  s.rotation->start();
  const auto held = s.secrets.hold();  // so that nothing is sealed anew
  BOOST_REQUIRE(s.change(key_b, {key_a}).ok());
  s.rotation->stop();
  BOOST_TEST(s.rotation->report().resealed == 0U);
}

// A start with both keys seals all with `primary`, which is then enough.
void goes_on(const temporary_directory& dir, const std::string& primary, const std::string& other) {
  {
    running_store s{dir.path(), with(primary, {other})};
    BOOST_REQUIRE(s.checked.ok());
    s.rotation->start();
    s.wait_for(rotation_state::settled);
    BOOST_TEST(s.rows_with(other) == 0U);
    s.check_contents(10);
  }
  BOOST_TEST(running_store(dir.path(), with(primary)).checked.ok());
}

// A crash before the end, seen from the next start.
BOOST_AUTO_TEST_CASE(a_start_needs_every_key_that_may_be_in_use_and_goes_on) {
  const temporary_directory dir;
  leave_change_unfinished(dir);
  for (const std::string& given : {key_a, key_b}) {
    const running_store s{dir.path(), with(given)};
    BOOST_REQUIRE(!s.checked.ok());
    BOOST_TEST(s.checked.failure().code == "wrong_master_key");
    const std::string missing = key_name(id_of(given == key_a ? key_b : key_a));
    BOOST_TEST(s.checked.failure().detail.find(missing) != std::string::npos);
  }
  goes_on(dir, key_b, key_a);
}

BOOST_AUTO_TEST_CASE(a_start_with_the_former_key_in_front_goes_back_to_it) {
  const temporary_directory dir;
  leave_change_unfinished(dir);
  goes_on(dir, key_a, key_b);
}

BOOST_AUTO_TEST_CASE(a_change_that_is_asked_for_at_the_end_is_answered) {
  const temporary_directory dir;
  running_store s{dir.path(), with(key_a)};
  s.rotation->start();
  s.rotation->stop();
  const auto refused = s.change(key_b, {key_a});
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.failure().code == "ending");
}

// Without the running daemon: the next start has the new key, and the old one as a previous one.
BOOST_AUTO_TEST_CASE(a_new_primary_key_at_the_start_is_noted_before_it_seals) {
  const temporary_directory dir;
  running_store{dir.path(), with(key_a)}.fill(3);
  {
    // Nothing notes the keys of stores of before; the proof says which it is.
    const auto db = std::move(database::open({dir.path()})).value();
    write_plan plan;
    plan.erase(family::meta, key_bytes{"master_keys"});
    BOOST_REQUIRE((db->write({&plan}, {}, true).result == commit_result::committed));
    BOOST_TEST((*keys_in_use(*db) == std::vector<key_id>{id_of(key_a)}));
  }
  {
    const running_store s{dir.path(), with(key_b, {key_a})};
    BOOST_REQUIRE(s.checked.ok());
    BOOST_TEST((*keys_in_use(*s.db) == std::vector<key_id>{id_of(key_b), id_of(key_a)}));
  }
  BOOST_TEST(!running_store(dir.path(), with(key_a)).checked.ok());
  running_store s{dir.path(), with(key_b, {key_a})};
  s.rotation->start();
  s.wait_for(rotation_state::settled);
  BOOST_TEST((*keys_in_use(*s.db) == std::vector<key_id>{id_of(key_b)}));
  s.check_contents(3);
}

BOOST_AUTO_TEST_CASE(a_value_that_cannot_be_read_keeps_its_key_needed) {
  const temporary_directory dir;
  running_store s{dir.path(), with(key_a)};
  s.fill(2);
  std::string row =
      *s.db->get(family::catalog, catalog_key(core::entity_kind::endpoint, 1).view()).value();
  const std::string mark = vault::mark_of(id_of(key_a));
  row[row.find(mark) + mark.size()] ^= 1;  // its nonce
  write_plan damage;
  damage.put(family::catalog, catalog_key(core::entity_kind::endpoint, 1), row);
  s.must_write(std::move(damage));
  s.rotation->start();
  BOOST_REQUIRE(s.change(key_b, {key_a}).ok());
  s.wait_for(rotation_state::blocked);
  BOOST_TEST(s.rotation->report().unreadable == 1U);
  BOOST_TEST(*s.rotation->report().keys.at(1).values == 1U);
  BOOST_TEST(s.rotation->report().keys.at(1).needed);
  BOOST_TEST(s.rows_with(key_a) == 1U);
}

BOOST_AUTO_TEST_CASE(a_second_change_before_the_first_has_ended) {
  const temporary_directory dir;
  running_store s{dir.path(), with(key_a)};
  s.fill(5);
  s.rotation->start();
  auto held = s.secrets.hold();
  BOOST_REQUIRE(s.change(key_b, {key_a}).ok());
  BOOST_TEST(s.change(key_c, {key_b}).failure().code == "key_missing");  // a is needed still
  BOOST_REQUIRE(s.change(key_c, {key_b, key_a}).ok());
  held.reset();
  s.wait_for(rotation_state::settled);
  BOOST_TEST(s.rows_with(key_a) == 0U);
  BOOST_TEST(s.rows_with(key_b) == 0U);
  s.check_contents(5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::store
