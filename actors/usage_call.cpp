#include "actors/usage_call.hpp"

#include <algorithm>
#include <atomic>
#include <map>

namespace syndicated::actors {
namespace {

class usage_call : public std::enable_shared_from_this<usage_call> {
 public:
  usage_call(services& s, std::size_t count, write_options options, usage_renderer render,
             write_reply reply)
      : s_(s),
        options_(std::move(options)),
        render_(std::move(render)),
        reply_(std::move(reply)),
        outcomes_(count, core::result<core::usage_outcome>{core::error{}}) {}

  void start(std::vector<usage_item>&& items) {
    std::map<core::subscription_id, std::vector<std::size_t>> places;
    for (std::size_t i = 0; i < items.size(); ++i) places[items[i].subscription].push_back(i);
    open_ = places.size();
    if (places.empty()) return finish();
    for (const auto& [owner, mine] : places) post(owner, mine, items);
  }

 private:
  void post(core::subscription_id owner, const std::vector<std::size_t>& mine,
            std::vector<usage_item>& items) {
    auto request = std::make_shared<entity_request>();
    request->stream = core::stream_of(owner);
    request->options.by = options_.by;
    usage_intake intake;
    for (const std::size_t i : mine) intake.reports.push_back(std::move(items[i].report));
    // Each owner writes its own places, and the last one to end reads them all.
    intake.tell = [self = shared_from_this(), mine](usage_outcomes&& told) {
      for (std::size_t i = 0; i < mine.size(); ++i) self->outcomes_[mine[i]] = std::move(told[i]);
    };
    request->body = std::move(intake);
    request->reply = [self = shared_from_this(), mine](core::result<answer>&& ended) {
      for (const std::size_t i : mine) {
        if (!ended) self->outcomes_[i] = ended.failure();
      }
      if (self->open_.fetch_sub(1, std::memory_order_acq_rel) == 1) self->finish();
    };
    s_.to_shard(std::move(request));
  }

  void finish() {
    const auto lost = [](const core::result<core::usage_outcome>& o) {
      return !o.ok() &&
             (o.failure().kind == core::errc::unavailable || o.failure().kind == core::errc::io);
    };
    // Nothing was judged: the whole call can be made again.
    if (!outcomes_.empty() && std::ranges::all_of(outcomes_, lost)) {
      return reply_(core::error{outcomes_.front().failure()});
    }
    answer a = render_(outcomes_);
    // A call of which a part was lost must be judged again when it is repeated.
    if (!options_.idempotency || std::ranges::any_of(outcomes_, lost)) return reply_(std::move(a));
    store::write_plan plan;
    keep_answer(s_, plan, options_.idempotency, a);
    plan.done = answers_with(std::move(reply_), std::move(a));
    s_.committer.submit(std::move(plan));
  }

  services& s_;
  write_options options_;
  usage_renderer render_;
  write_reply reply_;
  usage_outcomes outcomes_;
  std::atomic<std::size_t> open_{0};  // subscriptions that have not ended
};

}  // namespace

void report_usage(services& s, std::vector<usage_item> items, write_options options,
                  usage_renderer render, write_reply reply) {
  const std::size_t count = items.size();
  std::make_shared<usage_call>(s, count, std::move(options), std::move(render), std::move(reply))
      ->start(std::move(items));
}

}  // namespace syndicated::actors
