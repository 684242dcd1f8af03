#include "actors/told_entity.hpp"

namespace syndicated::actors {
namespace {

constexpr std::size_t told_page = 64;  // in one commit

std::string with_seq(std::string object, std::uint64_t seq) {
  object.pop_back();
  return object + ",\"seq\":" + std::to_string(seq) + '}';
}

}  // namespace

core::result<void> told_entity::load_record() {
  auto last = s_.repo.last_seq(stream_);
  if (!last) return std::move(last).failure();
  seq_ = *last;
  told_ = 0;
  return {};
}

void told_entity::decide(entity_request& request) {
  if (std::holds_alternative<untold_events>(request.body)) return tell(request);
  refuse(request, core::not_found("the stream has no such command"));
}

void told_entity::tell(entity_request& request) {
  std::vector<core::event> news;
  auto scanned = s_.repo.untold(stream_, [&](core::event&& e) {
    if (e.entity_version > told_) news.push_back(std::move(e));
    return news.size() < told_page;
  });
  if (!scanned) return refuse(request, std::move(scanned).failure());
  if (news.empty()) return answer_unchanged(request, {});
  store::write_plan plan;
  follow_ups follow;
  for (core::event& e : news) {
    event_facts facts;
    facts.tenant = e.tenant;
    facts.vendor = e.vendor;
    facts.product = {stream_.kind == core::entity_kind::product ? stream_.entity : 0};
    facts.entity_version = e.entity_version;
    facts.cause = e.cause;
    std::vector<core::event_draft> drafts;
    drafts.push_back({std::move(e.name), e.type, std::move(e.metadata), {}});
    // It is no new load, so nothing refuses it.
    (void)outbox_.publish(plan, follow, std::move(drafts), seq_, facts,
                          [&e](const core::event_draft&, std::uint64_t seq) {
                            return with_seq(std::move(e.data), seq);
                          });
    s_.repo.erase_untold(plan, stream_, e.entity_version);
    told_ = e.entity_version;
  }
  s_.repo.put_last_seq(plan, stream_, seq_);
  commit(request, std::move(plan), std::move(follow), {},
         [mark = outbox_.committed_mark(), seq = seq_] { mark->store(seq); });
}

}  // namespace syndicated::actors
