#include "store/expiry_filter.hpp"

#include <rocksdb/compaction_filter.h>

#include <chrono>

#include "store/codec.hpp"

namespace syndicated::store {
namespace {

class expired_answers : public rocksdb::CompactionFilter {
 public:
  explicit expired_answers(core::timestamp started) : started_(started) {}
  const char* Name() const override { return "syndicated.expired_answers"; }
  bool Filter(int, const rocksdb::Slice&, const rocksdb::Slice& value, std::string*,
              bool*) const override {
    const auto row = decode_answer({value.data(), value.size()});
    return row.ok() && row->expires_at < started_;  // unreadable rows are kept for a human
  }

 private:
  const core::timestamp started_;
};

core::timestamp system_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

class expired_answers_factory : public rocksdb::CompactionFilterFactory {
 public:
  explicit expired_answers_factory(std::function<core::timestamp()> now)
      : now_(now ? std::move(now) : system_now) {}
  const char* Name() const override { return "syndicated.expired_answers_factory"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context&) override {
    return std::make_unique<expired_answers>(now_());
  }

 private:
  const std::function<core::timestamp()> now_;
};

}  // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory> expired_answers_filter(
    std::function<core::timestamp()> now) {
  return std::make_shared<expired_answers_factory>(std::move(now));
}

}  // namespace syndicated::store
