#include "store/retention_filter.hpp"

#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "store/codec.hpp"

namespace syndicated::store {
namespace {

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

constexpr std::size_t streams_max = 4'096;  // remembered by one compaction

// Who waits for events, as of the snapshot. One compaction's own; rows come in key order, so what
// was read last often answers the next question, too.
class waiting {
 public:
  explicit waiting(const drop_view& v) : v_(v) {
    rocksdb::ReadOptions by_stream;
    by_stream.snapshot = v.snapshot;
    by_stream.prefix_same_as_start = true;
    lanes_.reset(v.db.NewIterator(by_stream, v.lanes));
    rocksdb::ReadOptions in_order;
    in_order.snapshot = v.snapshot;
    in_order.total_order_seek = true;
    marks_.reset(v.db.NewIterator(in_order, v.index));
  }

  bool for_event(core::event_id id, const core::stream_id& stream, std::uint64_t seq) {
    const lanes_of_stream& lanes = of(stream);
    if (seq >= lanes.from_seq) return true;
    if (std::find(lanes.replays.begin(), lanes.replays.end(), id) != lanes.replays.end()) {
      return true;
    }
    return given_up(id) || unreadable_;
  }

  // The same for an event of which only the id is known.
  bool for_event(core::event_id id) {
    if (last_ == id) return last_answer_;
    last_ = id;
    rocksdb::ReadOptions options;
    options.snapshot = v_.snapshot;
    rocksdb::PinnableSlice value;
    const auto status = v_.db.Get(options, v_.events, slice(id_key(id.value).view()), &value);
    if (status.IsNotFound()) return last_answer_ = false;
    const auto event = status.ok() ? decode_event(view(value)) : core::error{};
    last_answer_ = !event.ok() || for_event(id, event->stream, event->seq);
    return last_answer_;
  }

 private:
  struct lanes_of_stream {
    std::uint64_t from_seq = UINT64_MAX;  // the first seq that a lane still needs
    std::vector<core::event_id> replays;
  };

  // Events of several streams come in turns, and a stream may have many lanes that are gone.
  const lanes_of_stream& of(const core::stream_id& stream) {
    if (streams_.size() >= streams_max) streams_.clear();
    const auto [at, is_new] = streams_.try_emplace(stream);
    if (is_new) load(stream, at->second);
    return at->second;
  }

  void load(const core::stream_id& stream, lanes_of_stream& out) {
    const key_bytes begin = key_bytes{}.stream(stream);
    for (lanes_->Seek(slice(begin.view())); lanes_->Valid(); lanes_->Next()) {
      const core::lane_key key = parse_lane_row_key(view(lanes_->key()));
      if (key.replay) {
        out.replays.push_back(key.replay);
        continue;
      }
      const auto lane = decode_lane(key, view(lanes_->value()));
      out.from_seq = std::min(out.from_seq, lane.ok() ? lane->next_seq : 0);
    }
    if (!lanes_->status().ok()) unreadable_ = true;
  }

  // Between two seeks it is known that no mark lies in [mark_from_, mark_at_).
  bool given_up(core::event_id id) {
    if (mark_from_ <= id.value && id.value < mark_at_) return false;
    const key_bytes begin = key_bytes{}.byte('s').u64(id.value);
    marks_->Seek(slice(begin.view()));
    const bool found = marks_->Valid() && view(marks_->key()).starts_with('s');
    mark_from_ = id.value;
    mark_at_ = found ? read_u64(view(marks_->key()), 1) : UINT64_MAX;
    if (!marks_->status().ok()) unreadable_ = true;
    return found && mark_at_ == id.value;
  }

  const drop_view& v_;
  std::unique_ptr<rocksdb::Iterator> lanes_;
  std::unique_ptr<rocksdb::Iterator> marks_;
  bool unreadable_ = false;
  std::unordered_map<core::stream_id, lanes_of_stream> streams_;
  std::uint64_t mark_from_ = 1;
  std::uint64_t mark_at_ = 0;
  core::event_id last_;
  bool last_answer_ = false;
};

class retention_filter_of : public rocksdb::CompactionFilter {
 public:
  retention_filter_of(family f, std::shared_ptr<drop_view> v)
      : family_(f), view_(std::move(v)), waiting_(*view_) {}

  const char* Name() const override { return "syndicated.retention"; }
  bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string*,
              bool*) const override {
    switch (family_) {
      case family::events: return event_goes(view(key), view(value));
      case family::streams: return place_goes(view(key), view(value));
      case family::attempts: return attempt_goes(view(key));
      case family::attempt_index: return mark_goes(view(key));
      default: return false;
    }
  }

 private:
  bool event_goes(std::string_view key, std::string_view value) const {
    const core::event_id id{read_u64(key, 0)};
    if (id >= view_->cut.events) return false;
    const auto event = decode_event(value);
    if (!event || waiting_.for_event(id, event->stream, event->seq)) return false;
    view_->events_dropped.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

  bool place_goes(std::string_view key, std::string_view value) const {
    const std::uint64_t seq = read_u64(key, 9);
    const core::event_id id{read_u64(value, 0)};
    // Seq 0 holds the last seq of a published stream, which is never given out again.
    if (seq == 0 || id >= view_->cut.events) return false;
    return !waiting_.for_event(id, read_stream(key, 0), seq);
  }

  bool old(core::event_id event, std::uint64_t at_ms) const {
    const auto before_ms = core::to_unix_ms(view_->cut.attempts_before);
    return event < view_->cut.attempts || static_cast<std::int64_t>(at_ms) < before_ms;
  }

  bool attempt_goes(std::string_view key) const {
    const core::event_id event{read_u64(key, 0)};
    if (!old(event, read_u64(key, 16)) || waiting_.for_event(event)) return false;
    view_->attempts_dropped.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

  bool mark_goes(std::string_view key) const {
    return old(core::event_id{read_u64(key, 16)}, read_u64(key, 8));
  }

  const family family_;
  const std::shared_ptr<drop_view> view_;
  mutable waiting waiting_;  // one thread's: Filter() is const by its interface only
};

class retention_factory : public rocksdb::CompactionFilterFactory {
 public:
  retention_factory(family f, std::shared_ptr<const drop_board> board)
      : family_(f), board_(std::move(board)) {}

  const char* Name() const override { return "syndicated.retention_factory"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& context) override {
    auto v = context.is_manual_compaction ? board_->get() : nullptr;
    if (!v) return nullptr;
    return std::make_unique<retention_filter_of>(family_, std::move(v));
  }

 private:
  const family family_;
  const std::shared_ptr<const drop_board> board_;
};

}  // namespace

drop_view::drop_view(rocksdb::DB& d, rocksdb::ColumnFamilyHandle* l, rocksdb::ColumnFamilyHandle* i,
                     rocksdb::ColumnFamilyHandle* e, const retention_cut& c)
    : db(d), lanes(l), index(i), events(e), snapshot(d.GetSnapshot()), cut(c) {}

drop_view::~drop_view() { db.ReleaseSnapshot(snapshot); }

std::shared_ptr<rocksdb::CompactionFilterFactory> retention_filter(
    family f, std::shared_ptr<const drop_board> board) {
  switch (f) {
    case family::events:
    case family::streams:
    case family::attempts:
    case family::attempt_index: return std::make_shared<retention_factory>(f, std::move(board));
    default: return nullptr;
  }
}

}  // namespace syndicated::store
