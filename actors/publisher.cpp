#include "actors/publisher.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <unordered_map>

#include "actors/lineage.hpp"
#include "core/base/limits.hpp"

namespace syndicated::actors {
namespace {

using path_ptr = std::shared_ptr<const std::vector<core::tenant_id>>;

// Who owns an event, found from its scope.
struct ownership {
  core::tenant_id tenant;
  core::vendor_id vendor;
  core::product_id product;
  path_ptr path;
};

core::error no_such_owner(std::string_view what) {
  return core::invalid_field("/endpoint_scope/scope_id", "no such " + std::string{what});
}

core::result<ownership> owner_of(const services& s, const catalog_snapshot& catalog,
                                 core::endpoint_scope scope, std::uint64_t id) {
  ownership out;
  switch (scope) {
    case core::endpoint_scope::platform: return out;
    case core::endpoint_scope::vendor:
      if (!catalog.find(core::vendor_id{id})) return no_such_owner("vendor");
      out.vendor.value = id;
      return out;
    case core::endpoint_scope::product: {
      const auto product = catalog.find(core::product_id{id});
      if (!product) return no_such_owner("product");
      out.product = product->id;
      out.vendor = product->vendor;
      return out;
    }
    case core::endpoint_scope::tenant: {
      auto tenant = s.repo.find(core::tenant_id{id});
      if (!tenant) return std::move(tenant).failure();
      if (!*tenant || (*tenant)->state == core::tenant_state::deleted ||
          (*tenant)->state == core::tenant_state::purged) {
        return no_such_owner("tenant");
      }
      auto path = path_to(s.repo, {id});
      if (!path) return std::move(path).failure();
      out.tenant.value = id;
      out.path = std::make_shared<const std::vector<core::tenant_id>>(std::move(*path));
      return out;
    }
  }
  return core::error{};
}

// "line id" lines, as an owner writes them.
std::vector<std::pair<std::size_t, core::event_id>> parse_row(std::string_view text) {
  std::vector<std::pair<std::size_t, core::event_id>> out;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    std::size_t line = 0;
    std::uint64_t id = 0;
    const auto first = std::from_chars(at, end, line);
    if (first.ec != std::errc{} || first.ptr == end) break;
    const auto second = std::from_chars(first.ptr + 1, end, id);
    if (second.ec != std::errc{}) break;
    out.emplace_back(line, core::event_id{id});
    at = second.ptr + 1;
  }
  return out;
}

constexpr std::string_view in_use = "dedup_id_in_use";

// What refuses a line now may be over soon: a repeat of the call is to ask again.
bool passes(const core::error& why) {
  return why.kind == core::errc::unavailable || why.kind == core::errc::io ||
         why.kind == core::errc::too_many || why.code == in_use;
}

class publish_call : public std::enable_shared_from_this<publish_call> {
 public:
  publish_call(services& s, write_options options, publish_renderer render, write_reply reply)
      : s_(s),
        options_(std::move(options)),
        render_(std::move(render)),
        reply_(std::move(reply)),
        catalog_(s.catalog.load()) {}
  publish_call(const publish_call&) = delete;
  publish_call& operator=(const publish_call&) = delete;
  ~publish_call() { release(); }

  void begin(std::vector<published_event>&& events);

 private:
  struct part {
    core::stream_id stream;
    std::shared_ptr<publish_group> group = std::make_shared<publish_group>();
  };

  core::result<part*> part_of(const published_event& e);
  core::result<void> settle(published_event& e, std::size_t index);
  core::result<std::optional<core::event_id>> repeated(const std::string& dedup_key,
                                                       std::size_t index);
  core::result<ownership> owner(const published_event& e);
  core::result<void> add(part& to, published_event&& e, std::size_t index, std::string dedup_key,
                         const ownership& owner);
  void post(const part& p);
  void take(const publish_group& group);
  void ended(const publish_group& group, core::result<answer>&& outcome);
  void finish();
  void settle_twins();
  core::result<answer> rendered();
  void answer_with(core::result<answer>&& outcome);
  void release();

  services& s_;
  write_options options_;
  publish_renderer render_;
  write_reply reply_;
  std::shared_ptr<const catalog_snapshot> catalog_;
  publish_outcomes outcomes_;
  std::vector<part> parts_;
  std::unordered_map<std::string, std::size_t> part_names_;
  static constexpr std::size_t refused = static_cast<std::size_t>(-1);
  std::unordered_map<std::string, std::size_t> dedups_;  // key -> index of its first event, refused
  std::vector<std::pair<std::size_t, std::size_t>> twins_;  // index -> index of the first
  std::vector<std::string> held_;
  std::optional<std::pair<core::endpoint_scope, std::uint64_t>> last_scope_;
  std::optional<core::result<ownership>> last_owner_;
  std::atomic<std::size_t> open_{0};  // parts that have not ended
};

// Which part holds an event follows from the call's text alone, so a repeat of it splits alike.
core::result<publish_call::part*> publish_call::part_of(const published_event& e) {
  const std::string name = e.stream.empty()
                               ? "u" + std::to_string(e.line / core::limits::unordered_group_max)
                               : "s" + e.stream;
  const auto [at, is_new] = part_names_.emplace(name, parts_.size());
  if (!is_new) return &parts_[at->second];
  part fresh;
  if (!e.stream.empty()) fresh.stream = core::published_stream(e.stream);
  if (options_.idempotency) {
    fresh.group->call = options_.idempotency;
    fresh.group->row_key = options_.idempotency->key + '\n' + name;
    auto earlier = s_.repo.answer(fresh.group->row_key);
    if (!earlier) {
      part_names_.erase(at);
      return std::move(earlier).failure();
    }
    if (*earlier && (*earlier)->expires_at > s_.now()) {
      fresh.group->known = parse_row((*earlier)->body);
    }
  }
  parts_.push_back(std::move(fresh));
  return &parts_.back();
}

// The event that this dedup_id stands for already; none: the key is now held for this one.
core::result<std::optional<core::event_id>> publish_call::repeated(const std::string& dedup_key,
                                                                   std::size_t index) {
  if (!s_.keys.hold(dedup_key)) {
    return core::error{core::errc::conflict,
                       std::string{in_use},
                       "an event with this dedup_id is being accepted now",
                       {},
                       {}};
  }
  held_.push_back(dedup_key);
  dedups_.emplace(dedup_key, index);
  auto stored = s_.repo.answer(dedup_key);
  if (!stored) return std::move(stored).failure();
  if (!*stored || (*stored)->expires_at <= s_.now()) return std::optional<core::event_id>{};
  const std::string& text = (*stored)->body;
  core::event_id known;
  std::from_chars(text.data(), text.data() + text.size(), known.value);
  return std::optional{known};
}

core::result<ownership> publish_call::owner(const published_event& e) {
  const std::pair scope{e.scope, e.scope_id};
  if (last_scope_ != scope) {
    last_owner_ = owner_of(s_, *catalog_, e.scope, e.scope_id);
    last_scope_ = scope;
  }
  return *last_owner_;
}

// Finds the event's outcome, or puts it into its part. Errors: why it is not accepted.
core::result<void> publish_call::settle(published_event& e, std::size_t index) {
  auto to = part_of(e);
  if (!to) return std::move(to).failure();
  const auto repeat = [&](core::event_id id) -> core::result<void> {
    outcomes_[index] = id;
    s_.publish_repeats.fetch_add(1, std::memory_order_relaxed);
    return {};
  };
  for (const auto& [line, id] : (*to)->group->known) {
    if (line == e.line) return repeat(id);
  }
  std::string dedup_key;
  if (!e.dedup_id.empty()) {
    // No Idempotency-Key of a client has a line break, so these never meet one.
    dedup_key = options_.by.name + "\n\ndedup\n" + e.dedup_id;
    const auto twin = dedups_.find(dedup_key);
    if (twin == dedups_.end()) {
      auto known = repeated(dedup_key, index);
      if (!known) return std::move(known).failure();
      if (*known) return repeat(**known);
    } else if (twin->second != refused) {
      twins_.emplace_back(index, twin->second);
      return {};
    } else {
      twin->second = index;  // the key is held, and stands for no event yet
    }
  }
  auto owned_by = owner(e);
  auto ok = owned_by ? add(**to, std::move(e), index, dedup_key, *owned_by)
                     : core::result<void>{std::move(owned_by).failure()};
  // What is wrong with this line alone is not wrong with the next of its dedup_id.
  if (!ok && !dedup_key.empty()) dedups_[dedup_key] = refused;
  return ok;
}

// Errors: the owner of a recipient has too much already.
core::result<void> publish_call::add(part& to, published_event&& e, std::size_t index,
                                     std::string dedup_key, const ownership& owner) {
  auto event = std::make_shared<core::event>();
  event->stream.kind = core::entity_kind::published;  // whose audience it has; its owner says more
  event->name = std::move(e.name);
  event->data = std::move(e.data);
  event->metadata = std::move(e.metadata);
  event->tenant = owner.tenant;
  event->vendor = owner.vendor;
  if (s_.load.owners_full()) {
    static const std::vector<core::tenant_id> nobody;
    const auto recipients =
        catalog_->recipients(*event, owner.product, owner.path ? *owner.path : nobody);
    if (auto why = s_.load.refusal(*catalog_, recipients)) return std::move(*why);
  }
  if (e.stream.empty()) {
    if (!to.group->pass) to.group->pass = s_.gate.enter();
    event->id = s_.ids.next_event();
    if (to.group->items.empty()) to.stream = {core::entity_kind::unordered, event->id.value};
  } else {
    event->stream_name = std::move(e.stream);
  }
  to.group->items.push_back(
      {std::move(event), owner.product, owner.path, std::move(dedup_key), index, e.line});
  return {};
}

void publish_call::begin(std::vector<published_event>&& events) {
  outcomes_.assign(events.size(), core::error{core::errc::unavailable, "unavailable", {}, {}, {}});
  bool final = true;  // what was refused here stays so
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto ok = settle(events[i], i);
    if (ok) continue;
    outcomes_[i] = std::move(ok).failure();
    final = final && !passes(outcomes_[i].failure());
  }
  std::erase_if(parts_, [](const part& p) { return p.group->items.empty(); });
  if (parts_.empty()) return finish();
  open_ = parts_.size();
  if (parts_.size() == 1 && options_.idempotency && final) {
    // One atomic plan: it can hold the call's answer itself.
    publish_group& only = *parts_.front().group;
    only.row_key.clear();
    only.render = [this, &only] {
      take(only);
      return rendered();
    };
  }
  const auto self = shared_from_this();  // the last part may end us
  for (const part& p : parts_) post(p);
}

void publish_call::post(const part& p) {
  auto request = std::make_shared<entity_request>();
  request->stream = p.stream;
  request->options.by = options_.by;
  if (p.group->render) request->options.idempotency = options_.idempotency;
  request->body = publish_request{p.group};
  request->reply = [call = shared_from_this(), group = p.group](core::result<answer>&& outcome) {
    call->ended(*group, std::move(outcome));
  };
  s_.to_shard(std::move(request));
}

// The ids that the part's owner has given.
void publish_call::take(const publish_group& group) {
  for (const publish_item& item : group.items) outcomes_[item.index] = item.event->id;
}

void publish_call::ended(const publish_group& group, core::result<answer>&& outcome) {
  if (outcome) {
    take(group);
    s_.published.fetch_add(group.items.size(), std::memory_order_relaxed);
    const auto unheard = std::ranges::count_if(
        group.items, [](const publish_item& item) { return item.event->recipients.empty(); });
    s_.published_unheard.fetch_add(static_cast<std::uint64_t>(unheard), std::memory_order_relaxed);
  } else {
    for (const publish_item& item : group.items) outcomes_[item.index] = outcome.failure();
  }
  if (open_.fetch_sub(1) != 1) return;
  if (group.render && outcome) return answer_with(std::move(outcome));
  finish();
}

void publish_call::settle_twins() {
  for (const auto& [index, first] : twins_) outcomes_[index] = outcomes_[first];
}

core::result<answer> publish_call::rendered() {
  settle_twins();
  return render_(outcomes_);
}

void publish_call::finish() {
  settle_twins();
  const auto later = std::find_if(outcomes_.begin(), outcomes_.end(),
                                  [](const auto& o) { return !o && passes(o.failure()); });
  const bool none =
      std::none_of(outcomes_.begin(), outcomes_.end(), [](const auto& o) { return o.ok(); });
  if (later != outcomes_.end() && none && later->failure().code != in_use)
    return answer_with(core::error{later->failure()});
  auto a = rendered();
  // Until every line has its final outcome, a repeat has something to do.
  if (!a || !options_.idempotency || later != outcomes_.end()) return answer_with(std::move(a));
  store::write_plan plan;
  keep_answer(s_, plan, options_.idempotency, *a);
  // Parts that are on disk give the same answer again, so this need not wait for a sync.
  plan.durable = parts_.empty();
  plan.done = [call = shared_from_this(), a = std::move(a)](store::commit_result result) mutable {
    if (result == store::commit_result::committed) return call->answer_with(std::move(a));
    call->answer_with(not_committed(result));
  };
  s_.committer.submit(std::move(plan));
}

void publish_call::answer_with(core::result<answer>&& outcome) {
  release();
  if (auto reply = std::exchange(reply_, nullptr)) reply(std::move(outcome));
}

void publish_call::release() {
  for (const std::string& key : held_) s_.keys.release(key);
  held_.clear();
}

}  // namespace

void publish(services& s, std::vector<published_event> events, write_options options,
             publish_renderer render, write_reply reply) {
  std::make_shared<publish_call>(s, std::move(options), std::move(render), std::move(reply))
      ->begin(std::move(events));
}

}  // namespace syndicated::actors
