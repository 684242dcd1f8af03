#include "actors/vendor_asker.hpp"

#include <utility>

#include "core/base/limits.hpp"

namespace syndicated::actors {

namespace {

constexpr std::size_t of_one_max = core::limits::vendor_questions_max / 8;

}  // namespace

bool vendor_asker::begin(core::vendor_id v) {
  const std::lock_guard lock(mutex_);
  std::size_t& his = by_vendor_[v];
  if (his >= of_one_max || under_way_ >= core::limits::vendor_questions_max) {
    if (his == 0) by_vendor_.erase(v);
    return false;
  }
  ++his;
  ++under_way_;
  return true;
}

void vendor_asker::end(core::vendor_id v) {
  const std::lock_guard lock(mutex_);
  --under_way_;
  const auto his = by_vendor_.find(v);
  if (--his->second == 0) by_vendor_.erase(his);
}

void vendor_asker::ask(vendor_question q, reply tell) {
  if (!begin(q.vendor)) {
    ++failed_;
    core::attempt_result none;
    none.error = core::attempt_error::local;
    none.detail = "overloaded";
    return tell(std::move(none));
  }
  net::attempt_request request;
  request.url = std::move(q.url);
  request.headers = {"Accept: application/json", "Content-Type: application/json; charset=utf-8"};
  request.body = std::make_shared<const std::string>(std::move(q.body));
  request.timeout_ms = core::limits::vendor_question_ms;
  request.excerpt_bytes_max = core::limits::response_body_bytes_max;
  request.done = [this, vendor = q.vendor, open = open_,
                  tell = std::move(tell)](core::attempt_result&& result) {
    end(vendor);
    ++(result.error == core::attempt_error::none ? answered_ : failed_);
    elsewhere_([open, tell, result = std::move(result)]() mutable { tell(std::move(result)); });
  };
  submit_(std::move(request));
}

}  // namespace syndicated::actors
