#include "actors/usage_call.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>

#include "actors/usage_ledger.hpp"

namespace syndicated::actors {
namespace {

// Nothing was judged: it can be asked again.
template <class T>
bool lost(const core::result<T>& outcome) {
  return !outcome.ok() && (outcome.failure().kind == core::errc::unavailable ||
                           outcome.failure().kind == core::errc::io);
}

class usage_call : public std::enable_shared_from_this<usage_call> {
 public:
  usage_call(services& s, write_options options, usage_push_renderer render, write_reply reply)
      : s_(s), options_(std::move(options)), render_(std::move(render)), reply_(std::move(reply)) {}

  void start(usage_push&& push) {
    std::vector<usage_item>& items = push.subscriptions;
    outcomes_.assign(items.size(), core::error{});
    tenants_.assign(push.tenants.size(), core::error{});
    std::map<core::subscription_id, std::vector<std::size_t>> places;
    for (std::size_t i = 0; i < items.size(); ++i) places[items[i].subscription].push_back(i);
    open_ = places.size() + (push.tenants.empty() ? 0 : 1);
    if (open_ == 0) return finish();
    for (const auto& [owner, mine] : places) post(owner, mine, items);
    if (!push.tenants.empty()) post(std::move(push.tenants), std::move(push.may));
  }

 private:
  void post(core::subscription_id owner, const std::vector<std::size_t>& mine,
            std::vector<usage_item>& items) {
    usage_intake intake;
    for (const std::size_t i : mine) intake.reports.push_back(std::move(items[i].report));
    // Each owner writes its own places, and the last one to end reads them all.
    intake.tell = [self = shared_from_this(), mine](usage_outcomes&& told) {
      for (std::size_t i = 0; i < mine.size(); ++i) self->outcomes_[mine[i]] = std::move(told[i]);
    };
    ask(core::stream_of(owner), std::move(intake), [this, mine](const core::error& why) {
      for (const std::size_t i : mine) outcomes_[i] = why;
    });
  }
  void post(std::vector<tenant_usage_report>&& reports, item_check&& may) {
    tenant_usage_intake intake{std::move(reports), std::move(may), {}};
    intake.tell = [self = shared_from_this()](tenant_usage_outcomes&& told) {
      self->tenants_ = std::move(told);
    };
    ask(usage_ledger_stream, std::move(intake), [this](const core::error& why) {
      std::ranges::fill(tenants_, core::result<tenant_usage_taken>{why});
    });
  }
  template <class Body, class Fail>
  void ask(core::stream_id owner, Body&& intake, Fail fail) {
    auto request = std::make_shared<entity_request>();
    request->stream = owner;
    request->options.by = options_.by;
    request->body = std::forward<Body>(intake);
    request->reply = [self = shared_from_this(), fail](core::result<answer>&& ended) {
      if (!ended) fail(ended.failure());
      if (self->open_.fetch_sub(1, std::memory_order_acq_rel) == 1) self->finish();
    };
    s_.to_shard(std::move(request));
  }

  void finish() {
    bool some_lost = false;
    bool all_lost = true;
    std::optional<core::error> first;
    const auto look = [&](const auto& outcome) {
      const bool gone = lost(outcome);
      if (gone && !first) first = outcome.failure();
      some_lost = some_lost || gone;
      all_lost = all_lost && gone;
    };
    std::ranges::for_each(tenants_, look);
    std::ranges::for_each(outcomes_, look);
    // Nothing was judged: the whole call can be made again.
    if (first && all_lost) return reply_(std::move(*first));
    answer a = render_(tenants_, outcomes_);
    // A call of which a part was lost must be judged again when it is repeated.
    if (!options_.idempotency || some_lost) return reply_(std::move(a));
    store::write_plan plan;
    keep_answer(s_, plan, options_.idempotency, a);
    plan.done = answers_with(std::move(reply_), std::move(a));
    s_.committer.submit(std::move(plan));
  }

  services& s_;
  write_options options_;
  usage_push_renderer render_;
  write_reply reply_;
  usage_outcomes outcomes_;
  tenant_usage_outcomes tenants_;
  std::atomic<std::size_t> open_{0};  // owners that have not ended
};

}  // namespace

void push_usages(services& s, usage_push push, write_options options, usage_push_renderer render,
                 write_reply reply) {
  std::make_shared<usage_call>(s, std::move(options), std::move(render), std::move(reply))
      ->start(std::move(push));
}

void report_usage(services& s, std::vector<usage_item> items, write_options options,
                  usage_renderer render, write_reply reply) {
  usage_push push;
  push.subscriptions = std::move(items);
  push_usages(
      s, std::move(push), std::move(options),
      [render = std::move(render)](const tenant_usage_outcomes&, const usage_outcomes& each) {
        return render(each);
      },
      std::move(reply));
}

}  // namespace syndicated::actors
