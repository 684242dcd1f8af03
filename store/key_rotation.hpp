// Gives the store a new master key while everything runs, and seals what older keys sealed anew.
//
// The order is what makes any crash harmless: first the new key is noted on disk as in use, then it
// seals, and an older key is noted as no longer needed only after a look through all rows has found
// nothing that is sealed with it. That look begins when no plan that an older key sealed is under
// way (vault::hold). A start needs every key that is noted (check_store), and goes on.
//
// Rows are read and sealed anew by a thread of its own, a page at a time, and written by the
// committer only where nobody wrote meanwhile (write_again), so nothing else waits for it. It works
// at most half of the time.
// Rows that cannot be read keep the key noted: the state is `blocked`, the log says how many.
// Threads: change() and report() from any; create, start and stop from the owner's.
// Lifetime: ends before the committer. Memory: one page (limits::reseal_page_bytes_max).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.hpp"
#include "store/committer.hpp"
#include "store/database.hpp"
#include "store/sealed_fields.hpp"
#include "store/vault.hpp"

namespace syndicated::store {

struct master_keys {
  std::string primary;  // 32 bytes each
  std::vector<std::string> previous;
};

enum class rotation_state : std::uint8_t {
  settled,  // one key is in use
  working,
  blocked,  // values of an older key cannot be read; see the log
};

struct key_use {
  key_id id = 0;
  bool primary = false;
  bool needed = false;  // false: its file may be removed
  // Sealed with it, as last counted; none before that.
  std::optional<std::uint64_t> values;
};

struct rotation_report {
  rotation_state state = rotation_state::settled;
  std::vector<key_use> keys;     // the primary first
  std::uint64_t resealed = 0;    // values, since the start of the process
  std::uint64_t unreadable = 0;  // values, at the last attempt
};

class key_rotation {
 public:
  // Errors: the store's.
  static core::result<std::unique_ptr<key_rotation>> create(database& db, committer& c, vault& v);
  ~key_rotation();
  key_rotation(const key_rotation&) = delete;
  key_rotation& operator=(const key_rotation&) = delete;

  void start();
  void stop();

  // `read` is called on the thread of this object. `reply` comes when the new primary key seals (or
  // at once when it does so already). Errors: those of `read`; errc::conflict "key_missing" when a
  // key that is needed is not among the given ones.
  using reader = std::function<core::result<master_keys>()>;
  using replier = std::function<void(core::result<rotation_report>&&)>;
  void change(reader read, replier reply);

  rotation_report report() const;

 private:
  struct request {
    reader read;
    replier reply;
  };
  struct page {
    std::vector<std::pair<std::string, std::string>> rows;  // those with a mark of an older key
    std::string next;                                       // empty: the area has ended
  };
  using counts = std::map<key_id, std::uint64_t>;

  key_rotation(database& db, committer& c, vault& v, std::vector<key_id> in_use);
  void loop();
  core::result<rotation_report> take_over(const reader& read);
  void seal_anew();
  enum class look : std::uint8_t { count, write };
  // False: interrupted, or the store fails.
  bool look_through(look what);
  core::result<page> read_page(const sealed_area& area, const std::string& from) const;
  // What is to be written; `seen`: the values of older keys, or those of them sealed anew.
  std::vector<write_again> examine(const sealed_area& area, const page& p, look what, counts& seen);
  void take_note(look what, const counts& seen);
  bool write_page(const std::vector<write_again>& rows);
  void settle();
  commit_result commit(write_plan plan);
  void block(const std::string& why);
  bool rest(std::chrono::nanoseconds time);  // false: interrupted
  bool old_key(key_id id) const;             // in use, and not the primary

  database& db_;
  committer& committer_;
  vault& vault_;

  mutable std::mutex mutex_;
  mutable std::condition_variable wake_;
  std::vector<request> requests_;
  std::vector<key_id> in_use_;  // the newest primary first; written by the thread alone
  counts counting_;             // of the look that is under way
  counts counted_;
  bool was_counted_ = false;
  std::uint64_t resealed_ = 0, unreadable_ = 0;
  bool blocked_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace syndicated::store
