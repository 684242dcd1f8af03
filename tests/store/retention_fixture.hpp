// A store with retention and a clock of its own, for the tests of what goes and when.
#pragma once

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "store/retention.hpp"
#include "tests/support/temporary_directory.hpp"

namespace syndicated::store {

inline constexpr core::stream_id shop{core::entity_kind::published, 77};
inline constexpr core::endpoint_id vendor{5};
inline constexpr std::chrono::hours a_day{24};
inline const core::timestamp start = core::from_unix_ms(1'800'000'000'000);

// Opened again at will.
struct store_under_test {
  tests::temporary_directory directory{tests::temporary_directory::place::in_memory};
  retention_limits limits;
  core::timestamp now = start;
  vault secrets = std::move(vault::with_key(std::string(32, 'k'))).value();
  std::unique_ptr<database> db;
  id_source ids;
  std::unique_ptr<repository> repo;
  std::unique_ptr<committer> writer;
  retention_gate gate;
  std::unique_ptr<retention> kept;

  explicit store_under_test(retention_limits l = {a_day, a_day, 0, 0}) : limits(l) { open(); }
  ~store_under_test() { close(); }

  // `reserve_bytes`: as database_options. Without a thread, the test calls writer->run_once().
  void open(std::uint64_t reserve_bytes = 0, bool with_thread = true) {
    database_options options;
    options.directory = directory.path();
    options.reserve_bytes = reserve_bytes;
    auto opened = database::open(options);
    BOOST_REQUIRE(opened.ok());
    db = std::move(*opened);
    BOOST_REQUIRE(check_store(*db, secrets, ids).ok());
    repo = std::make_unique<repository>(*db, secrets);
    auto made = committer::create(*db, ids, {});
    BOOST_REQUIRE(made.ok());
    writer = std::move(*made);
    if (with_thread) writer->start();
    kept =
        std::make_unique<retention>(*db, *repo, *writer, ids, gate, limits, [this] { return now; });
    BOOST_REQUIRE(kept->load().ok());
  }
  void close() {
    kept.reset();
    writer.reset();
    repo.reset();
    db.reset();
  }
  commit_result outcome_of(write_plan plan) {
    std::promise<commit_result> done;
    plan.done = [&done](commit_result r) { done.set_value(r); };
    writer->submit(std::move(plan));
    return done.get_future().get();
  }
  void commit(write_plan plan) {
    // Not with Boost's macros: other threads commit, too.
    if (outcome_of(std::move(plan)) != commit_result::committed) __builtin_trap();
  }

  core::event_id publish(const core::stream_id& stream, std::uint64_t seq, write_plan plan = {}) {
    const auto pass = gate.enter();
    core::event e;
    e.id = ids.next_event();
    e.stream = stream;
    e.seq = seq;
    e.name = "shop.sold";
    e.at = now;
    e.data = std::string(400, static_cast<char>('a' + e.id.value % 26));
    e.recipients = {vendor};
    repo->put(plan, e);
    repo->put_last_seq(plan, stream, seq);
    attempt_row row;
    row.event = e.id;
    row.endpoint = vendor;
    row.at = now;
    row.number = 1;
    repo->put(plan, row);
    commit(std::move(plan));
    return e.id;
  }
  core::lane lane(const core::stream_id& stream, core::event_id head, std::uint64_t seq,
                  core::event_id replay = {}) {
    core::lane l;
    l.key = {stream, vendor, replay};
    l.head = head;
    l.next_seq = seq;
    l.backlog = 1;
    return l;
  }
  void put(const core::lane& l) {
    write_plan plan;
    repo->put(plan, l, nullptr);
    commit(std::move(plan));
  }
  void erase(const core::lane& l) {
    write_plan plan;
    repo->erase(plan, l);
    commit(std::move(plan));
  }
  dropped_rows all() {
    auto done = kept->round(retention::extent::all);
    BOOST_REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.failure().detail));
    return *done;
  }
  bool has(core::event_id id) const { return repo->find(id)->has_value(); }
  bool has_place(const core::stream_id& stream, std::uint64_t seq) const {
    return repo->event_at(stream, seq)->has_value();
  }
  bool has_attempt(core::event_id id) const { return repo->last_attempt(id, vendor)->has_value(); }
  std::size_t marks() const {
    std::size_t count = 0;
    BOOST_REQUIRE(repo->attempts_at(vendor, {}, now + std::chrono::hours{1}, {},
                                    [&](attempt_mark&&) {
                                      ++count;
                                      return true;
                                    })
                      .ok());
    return count;
  }
};

}  // namespace syndicated::store
