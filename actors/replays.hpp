// The replay jobs: reads the event log in pages, hands each chosen event to its entity, and goes on
// when the page is committed. Jobs take turns; each keeps to its rate.
//
// A job is stored when it is made, after every page, when it begins to wait, and when it ends, so
// it goes on after a restart. The plan that opens an event's lane also notes that the job has
// handed it out; the notes go with the next place. So a page that a crash cut is read again, and
// only what has no note is handed out. What an entity refuses for the time being is offered again
// later, and the job tells why it waits; what it refuses for good is counted. A job that has ended
// stays in memory until that is on disk and nothing of it is under way.
//
// CAF-free; one thread at a time (its actor's). Bounds: limits::replay_jobs_*; one page of each
// running job is under way.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/services.hpp"
#include "actors/work.hpp"
#include "core/base/error.hpp"

namespace syndicated::actors {

class replays {
 public:
  // Called on any thread with what became of an event; must reach stepped().
  using notice = std::function<void(std::uint64_t job, core::event_id, std::optional<core::error>)>;

  replays(services& s, notice tell) : s_(s), tell_(std::move(tell)) {}

  void load();  // the jobs that a stop or a crash interrupted
  void handle(job_request& request);
  void stepped(std::uint64_t job, core::event_id event, const std::optional<core::error>& refusal);
  void tick(core::timestamp now);
  void drain() { draining_ = true; }
  // Events that are under way to their entities, and when the next page is handed out.
  pending_work open() const;

 private:
  enum class ending : std::uint8_t { asked, written, refused };  // told by the committer's thread
  struct running {
    core::replay_job job;  // as of its stored place; what the present page adds stands below
    core::event_id next;   // where the page after the present one begins
    std::uint64_t examined = 0, matched = 0, replayed = 0, refused = 0;
    std::set<core::event_id> noted;  // have a note on disk
    bool at_end = false;
    core::timestamp not_before{};
    std::unordered_map<core::event_id, core::stream_id> under_way;
    std::vector<std::pair<core::event_id, core::stream_id>> again;  // refused for the time being
    std::string waiting;                                            // why, of the last of them
    // What became of the plan that tells the end; null while the job runs.
    std::shared_ptr<std::atomic<ending>> ended;
  };

  void start(job_request& request, const replay_order& order);
  void cancel(job_request& request, std::uint64_t id);
  static bool is_early(const running& r, core::timestamp now);
  void work(running& r, core::timestamp now);
  void read_page(running& r, std::vector<std::pair<core::event_id, core::stream_id>>& page);
  void hand_out(running& r, core::event_id event, core::stream_id stream);
  void wait(running& r);
  void end(running& r, core::replay_phase phase, std::string problem);
  void close(running& r, core::replay_phase phase, std::string problem) const;
  store::write_plan ending_plan(running& r) const;  // of a closed job
  // The page's share becomes part of the job, and notes that are not needed any more go.
  store::write_plan close_page(running& r) const;
  void sweep();                         // forgets the jobs that have ended
  void end_again(core::timestamp now);  // those whose end could not be written
  void forget_oldest(store::write_plan& plan);
  core::result<bool> chosen(const core::event& e, const core::replay_job& job) const;
  core::result<bool> never_attempted(const core::event& e, core::endpoint_id endpoint) const;
  void submit(const core::replay_job& job, store::write_plan plan, bool durable);
  void commit(job_request& request, const core::replay_job& job, store::write_plan plan,
              int status);

  services& s_;
  notice tell_;
  std::map<std::uint64_t, running> running_;
  bool draining_ = false;
};

}  // namespace syndicated::actors
