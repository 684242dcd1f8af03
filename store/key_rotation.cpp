#include "store/key_rotation.hpp"

#include <pthread.h>

#include <algorithm>
#include <future>

#include "core/base/limits.hpp"
#include "core/base/log.hpp"
#include "store/repository.hpp"

namespace syndicated::store {
namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

constexpr milliseconds look_for_old_plans_every{5};
constexpr milliseconds pause_without_space{1'000};

void say(core::log_level level, std::string message,
         std::initializer_list<core::log_field> fields = {}) {
  core::log(level, "key_rotation", std::move(message), fields);
}

core::error refused(core::errc kind, std::string code, std::string detail) {
  return {kind, std::move(code), std::move(detail), {}, {}};
}

}  // namespace

key_rotation::key_rotation(database& db, committer& c, vault& v, std::vector<key_id> in_use)
    : db_(db), committer_(c), vault_(v), in_use_(std::move(in_use)) {}

key_rotation::~key_rotation() { stop(); }

core::result<std::unique_ptr<key_rotation>> key_rotation::create(database& db, committer& c,
                                                                 vault& v) {
  auto in_use = keys_in_use(db);
  if (!in_use) return std::move(in_use).failure();
  return std::unique_ptr<key_rotation>(new key_rotation(db, c, v, std::move(*in_use)));
}

void key_rotation::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "key-rotation");
    loop();
  });
}

void key_rotation::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (request& r : requests_) {
    r.reply(refused(core::errc::unavailable, "draining", "the daemon is ending"));
  }
  requests_.clear();
}

void key_rotation::change(reader read, replier reply) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      requests_.push_back({std::move(read), std::move(reply)});
      reply = nullptr;
    }
  }
  wake_.notify_all();
  if (reply) {
    reply(core::error{core::errc::unavailable, "ending", "the daemon is ending", {}, {}});
  }
}

rotation_report key_rotation::report() const {
  rotation_report out;
  const std::lock_guard lock(mutex_);
  out.resealed = resealed_;
  out.unreadable = unreadable_;
  if (in_use_.size() > 1) out.state = blocked_ ? rotation_state::blocked : rotation_state::working;
  const key_id primary = vault_.primary();
  for (const key_id id : vault_.keys()) {
    key_use& k = out.keys.emplace_back();
    k.id = id;
    k.primary = id == primary;
    k.needed = std::ranges::find(in_use_, id) != in_use_.end();
    if (k.primary || !was_counted_) continue;
    const auto n = counted_.find(id);
    k.values = n == counted_.end() ? 0 : n->second;
  }
  return out;
}

void key_rotation::loop() {
  for (;;) {
    std::vector<request> asked;
    bool work = false;
    {
      std::unique_lock lock(mutex_);
      const auto is_work = [this] { return in_use_.size() > 1 && !blocked_; };
      wake_.wait(lock, [&] { return stopping_ || !requests_.empty() || is_work(); });
      if (stopping_) return;
      asked = std::exchange(requests_, {});
      work = is_work();
    }
    for (request& r : asked) r.reply(take_over(r.read));
    if (work && asked.empty()) seal_anew();
  }
}

core::result<rotation_report> key_rotation::take_over(const reader& read) {
  auto given = read();
  if (!given) return std::move(given).failure();
  auto wanted = vault::with_key(given->primary, given->previous);
  if (!wanted) return std::move(wanted).failure();
  for (const key_id id : in_use_) {
    if (wanted->knows(id)) continue;
    return refused(core::errc::conflict, "key_missing",
                   "secrets are sealed with the master key " + key_name(id) +
                       ": its file must stay in secrets.previous_master_key_files until it is"
                       " needed no longer");
  }
  const key_id primary = wanted->primary();
  if (primary != vault_.primary()) {
    auto next = in_use_;
    std::erase(next, primary);
    next.insert(next.begin(), primary);
    write_plan plan;
    put_keys_in_use(plan, next);
    put_key_proof(plan, *wanted);
    if (const auto result = commit(std::move(plan)); result != commit_result::committed) {
      return refused(core::errc::unavailable, "no_space",
                     "the new master key could not be noted: nothing was changed");
    }
    if (auto ok = vault_.change(given->primary, given->previous); !ok) {
      return std::move(ok).failure();
    }
    const std::lock_guard lock(mutex_);
    in_use_ = std::move(next);
    was_counted_ = false;
  }
  {
    const std::lock_guard lock(mutex_);
    blocked_ = false;
    unreadable_ = 0;
  }
  say(core::log_level::info, "master key in use", {{"key", key_name(primary)}});
  return report();
}

// What is still to be sealed anew is counted first, for the operator, and once more after each
// round: until nothing is left.
void key_rotation::seal_anew() {
  while (!vault_.replaced_are_gone()) {
    if (!rest(look_for_old_plans_every)) return;
  }
  std::uint64_t unreadable = 0;
  for (;;) {
    counting_.clear();
    if (!look_through(look::count)) return;
    std::uint64_t left = 0;
    for (const auto& [id, n] : counting_) left += n;
    {
      const std::lock_guard lock(mutex_);
      counted_ = counting_;
      was_counted_ = true;
      unreadable = unreadable_;
    }
    if (left == 0) return settle();
    if (left == unreadable) {
      return block(std::to_string(left) + " values of older master keys cannot be read");
    }
    {
      const std::lock_guard lock(mutex_);
      unreadable_ = 0;
    }
    if (!look_through(look::write)) return;
  }
}

bool key_rotation::look_through(look what) {
  for (const sealed_area& area : sealed_areas()) {
    std::string from = area.begin;
    do {
      const auto began = steady::now();
      auto p = read_page(area, from);
      if (!p) {
        block(p.failure().detail);
        return false;
      }
      counts seen;
      if (!write_page(examine(area, *p, what, seen))) return false;
      take_note(what, seen);
      from = std::move(p->next);
      if (!rest(steady::now() - began)) return false;
    } while (!from.empty());
  }
  return true;
}

core::result<key_rotation::page> key_rotation::read_page(const sealed_area& area,
                                                         const std::string& from) const {
  std::vector<std::string> marks;
  for (const key_id id : in_use_) {
    if (old_key(id)) marks.push_back(vault::mark_of(id));
  }
  page out;
  std::size_t looked_at = 0;
  std::size_t bytes = 0;
  auto ok = db_.scan(area.where, from, area.end, [&](std::string_view key, std::string_view value) {
    const auto inside = [value](const std::string& mark) {
      return value.find(mark) != std::string_view::npos;
    };
    if (std::ranges::any_of(marks, inside)) {
      out.rows.emplace_back(key, value);
      bytes += key.size() + value.size();
    }
    if (++looked_at < core::limits::reseal_page_rows_max &&
        bytes < core::limits::reseal_page_bytes_max) {
      return true;
    }
    out.next = behind(key);
    return false;
  });
  if (!ok) return std::move(ok).failure();
  return out;
}

std::vector<write_again> key_rotation::examine(const sealed_area& area, const page& p, look what,
                                               counts& seen) {
  std::vector<write_again> out;
  for (const auto& [key, row] : p.rows) {
    std::uint64_t old_values = 0;
    std::uint64_t done = 0;
    auto next = area.visit(row, [&](std::string& sealed, const std::string& context) {
      const auto id = vault::key_of(sealed);
      if (!id || !old_key(*id)) return;
      ++old_values;
      if (what == look::write) {
        auto plain = vault_.open(sealed, context);
        if (!plain) return;
        sealed = vault_.seal(*plain, context);
        ++done;
      }
      ++seen[*id];
    });
    // A row that cannot be read may hold anything.
    if (!next) {
      old_values = 1;
      if (what == look::count) ++seen[in_use_.back()];
    }
    if (what == look::count) continue;
    {
      const std::lock_guard lock(mutex_);
      unreadable_ += old_values - done;
    }
    if (done > 0) out.push_back({area.where, key_bytes{key}, row, std::move(*next)});
  }
  return out;
}

void key_rotation::take_note(look what, const counts& seen) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, n] : seen) {
    if (what == look::count) {
      counting_[id] += n;
    } else {
      std::uint64_t& left = counted_[id];
      left -= std::min(left, n);
      resealed_ += n;
    }
  }
}

bool key_rotation::write_page(const std::vector<write_again>& rows) {
  while (!rows.empty()) {
    write_plan plan;
    plan.again = rows;
    plan.durable = false;
    switch (commit(std::move(plan))) {
      case commit_result::committed: return true;
      case commit_result::no_space:
        if (!rest(pause_without_space)) return false;
        break;
      case commit_result::failed: block("the store takes no writes"); return false;
    }
  }
  return true;
}

void key_rotation::settle() {
  write_plan plan;
  put_keys_in_use(plan, {vault_.primary()});
  put_key_proof(plan, vault_);  // it may still be a former key's
  while (commit(plan) != commit_result::committed) {
    if (!rest(pause_without_space)) return;
  }
  const std::lock_guard lock(mutex_);
  in_use_ = {vault_.primary()};
  say(core::log_level::info, "all secrets are sealed with the master key in use",
      {{"key", key_name(in_use_.front())}});
}

commit_result key_rotation::commit(write_plan plan) {
  auto done = std::make_shared<std::promise<commit_result>>();
  auto result = done->get_future();
  plan.done = [done](commit_result r) { done->set_value(r); };
  committer_.submit(std::move(plan));
  return result.get();
}

void key_rotation::block(const std::string& why) {
  say(core::log_level::error, "older master keys stay needed", {{"reason", why}});
  const std::lock_guard lock(mutex_);
  blocked_ = true;
}

bool key_rotation::rest(std::chrono::nanoseconds time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return stopping_ || !requests_.empty(); });
}

bool key_rotation::old_key(key_id id) const {
  return id != vault_.primary() && std::ranges::find(in_use_, id) != in_use_.end();
}

}  // namespace syndicated::store
