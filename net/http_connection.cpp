#include "net/http_connection.hpp"

#include <algorithm>
#include <utility>

#include "net/text.hpp"

namespace syndicated::net {
namespace {

namespace http = boost::beast::http;

constexpr std::int64_t never = INT64_MAX;
constexpr std::size_t read_bytes = 4 * 1024;
constexpr std::size_t body_read_bytes = 32 * 1024;
constexpr std::size_t kept_buffer_bytes = 16 * 1024;
constexpr int linger_ms = 2'000;
// So that who sends a body that is several times too large still reads why it was refused.
constexpr std::size_t linger_bytes_max = 4 * core::limits::publish_body_bytes_max;
// A body may pause, but below this rate after the grace it only holds a place (reliability.md 3).
constexpr int slow_body_grace_ms = 5'000;
constexpr std::int64_t slow_body_bytes_per_s = 100;
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

http_response default_refusal(int status, std::string_view code, std::string_view sentence) {
  http_response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = R"({"type":"about:blank","title":")";
  response.body += reason_phrase(status);
  response.body += R"(","status":)" + std::to_string(status) + R"(,"detail":")";
  response.body += sentence;
  response.body += R"(","code":")";
  response.body += code;
  response.body += "\"}";
  return response;
}

}  // namespace

answer_queue::answer_queue(std::function<void()> wake, receiver deliver)
    : wake_(std::move(wake)), deliver_(std::move(deliver)) {}

void answer_queue::run_on_this_thread() { thread_ = std::this_thread::get_id(); }

void answer_queue::push(answer item) {
  // The server's thread ends before close(), so on that thread the receiver is alive.
  if (thread_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    deliver_(std::move(item));
    return;
  }
  const std::lock_guard lock{mutex_};
  if (closed_) return;
  items_.push_back(std::move(item));
  if (items_.size() == 1) wake_();
}

void answer_queue::deliver_all() {
  std::vector<answer> items;
  {
    const std::lock_guard lock{mutex_};
    items.swap(items_);
  }
  for (auto& item : items) deliver_(std::move(item));
}

void answer_queue::close() {
  thread_ = std::thread::id{};
  const std::lock_guard lock{mutex_};
  closed_ = true;
  items_.clear();
}

connection::connection(connection_host& host, std::uint64_t id, std::string peer)
    : host_(host),
      id_(id),
      parser_(host.options.body_bytes_max, host.options.larger_body_path,
              host.options.larger_body_bytes_max) {
  parser_.request().peer = std::move(peer);
}

void connection::start() {
  deadline_ms_ = in_ms(host_.options.head_timeout_ms);
  start_handshake();
}

void connection::start_refused(const refusal& why) { refuse(why); }

void connection::on_handshake(bool ok) {
  if (phase_ != phase::handshake) return;
  if (!ok) {
    close();
    return;
  }
  phase_ = phase::reading;
  read_more();
}

void connection::read_more() {
  if (read_pending_) return;
  const bool body = parser_.now() == request_parser::state::body;
  if (in_.size() == 0 && in_.capacity() > kept_buffer_bytes && !body) in_.shrink_to_fit();
  read_pending_ = true;
  start_read(in_.prepare(read_size()));
}

// Large only for a body that is kept, and then not larger than what is left of it; or dropped.
std::size_t connection::read_size() const {
  if (phase_ == phase::lingering) return body_read_bytes;
  if (!share_ || parser_.now() != request_parser::state::body) return read_bytes;
  const auto length = parser_.body_length();
  if (!length) return body_read_bytes;
  const auto left = *length - std::min(*length, parser_.body_bytes_seen());
  return std::clamp<std::uint64_t>(left, read_bytes, body_read_bytes);
}

void connection::on_read(bool ok, std::size_t bytes) {
  read_pending_ = false;
  if (phase_ == phase::closed) return;
  if (!ok) {
    // A client may half-close after its request; while an answer is due, it is still sent.
    if (phase_ == phase::reading || phase_ == phase::lingering) close();
    return;
  }
  if (phase_ == phase::reading) {
    in_.commit(bytes);
    process();
  } else if (phase_ == phase::lingering) {
    lingered_ += bytes;
    if (lingered_ > linger_bytes_max) {
      close();
    } else {
      read_more();
    }
  }
}

void connection::process() {
  std::string_view unread{static_cast<const char*>(in_.cdata().data()), in_.size()};
  const auto state = parser_.consume(unread);
  in_.consume(in_.size() - unread.size());
  switch (state) {
    case request_parser::state::refused: refuse(parser_.why()); return;
    case request_parser::state::complete:
      if (answered_) {
        begin_next();
      } else {
        dispatch();
      }
      return;
    case request_parser::state::empty:
      if (host_.draining) {
        close();
        return;
      }
      break;
    case request_parser::state::head: break;
    case request_parser::state::body:
      if (!admit_body()) return;
      if (parser_.wants_continue() && !continue_sent_ && parser_.body_bytes_seen() == 0) {
        continue_sent_ = true;
        interim_write_ = true;
        start_interim(continue_line);
      }
      break;
  }
  set_read_deadline();
  read_more();
}

// Who may not send the body is told so before it is kept, and what all connections keep is bounded.
bool connection::admit_body() {
  if (answered_) return true;
  auto& request = parser_.request();
  if (!request.admitted) {
    if (const auto& gate = host_.options.gate) {
      if (auto no = gate(request)) {
        host_.counters.requests.fetch_add(1, std::memory_order_relaxed);
        refuse_body(std::move(*no));
        return false;
      }
    }
    request.admitted = true;
    share_ = std::make_shared<body_share>(host_.bodies);
  }
  const auto length = static_cast<std::size_t>(parser_.body_length().value_or(body_read_bytes));
  if (!share_->hold(std::max(length, request.body.capacity()))) {
    host_.counters.requests_refused.fetch_add(1, std::memory_order_relaxed);
    refuse_body(answer_to({503, "overloaded", "too many bytes of requests are in progress"}));
    return false;
  }
  request.body.reserve(length);
  return true;
}

// Deadlines are set when a phase of the request begins and never moved by bytes that trickle in.
void connection::set_read_deadline() {
  const auto state = parser_.now();
  if (state == reading_) return;
  reading_ = state;
  switch (state) {
    case request_parser::state::empty:
      if (!fresh_) deadline_ms_ = in_ms(host_.options.idle_timeout_ms);
      break;
    case request_parser::state::head: deadline_ms_ = in_ms(host_.options.head_timeout_ms); break;
    case request_parser::state::body:
      body_since_ms_ = host_.now_ms;
      deadline_ms_ = in_ms(host_.options.body_timeout_ms);
      break;
    case request_parser::state::complete:
    case request_parser::state::refused: break;
  }
}

void connection::dispatch() {
  host_.counters.requests.fetch_add(1, std::memory_order_relaxed);
  phase_ = phase::handling;
  reading_ = request_parser::state::complete;
  deadline_ms_ = never;  // the handler has limits of its own
  fresh_ = false;
  head_only_ = parser_.request().method == "HEAD";
  const auto number = ++request_number_;
  http_request request = std::move(parser_.request());
  parser_.request().peer = request.peer;
  // The handler may answer at once: nothing may follow this call.
  host_.handler(std::move(request),
                responder{[answers = host_.answers, id = id_, number,
                           share = std::move(share_)](http_response&& response) {
                  answers->push({id, number, std::move(response)});
                }});
}

void connection::deliver(answer_queue::answer&& item) {
  if (phase_ != phase::handling || item.request != request_number_) return;
  const bool close_after = item.response.close || !parser_.keep_alive() || host_.draining;
  send(std::move(item.response), close_after);
}

void connection::refuse(const refusal& why) {
  host_.counters.requests_refused.fetch_add(1, std::memory_order_relaxed);
  head_only_ = false;
  send(answer_to(why), true);
}

http_response connection::answer_to(const refusal& why) const {
  const auto& make = host_.options.refusal;
  return make ? make(why.status, why.code, why.reason)
              : default_refusal(why.status, why.code, why.reason);
}

// Answers before the body is there. What is left of it is read and dropped, so that the connection
// can be used again, unless its length is not known, or it may not come since the client asked.
void connection::refuse_body(http_response&& answer) {
  answered_ = parser_.body_length() && !parser_.wants_continue();
  head_only_ = parser_.request().method == "HEAD";
  parser_.drop_body();
  share_.reset();
  const bool close_after = answer.close || !answered_ || !parser_.keep_alive() || host_.draining;
  send(std::move(answer), close_after);
}

void connection::send(http_response&& response, bool close_after) {
  phase_ = phase::writing;
  close_after_ = close_after;
  deadline_ms_ = in_ms(host_.options.body_timeout_ms);
  format(std::move(response), close_after);
  if (!interim_write_) start_answer();  // else on_write does it, after "100 Continue"
}

void connection::start_answer() {
  writer_.emplace(out_);
  start_write(*writer_, head_only_);
}

void connection::format(http_response&& response, bool close_after) {
  out_ = {};
  out_.version(11);
  out_.result(static_cast<unsigned>(response.status));
  out_.set(http::field::date, host_.date);
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!bodiless) {
    if (!response.content_type.empty()) out_.set(http::field::content_type, response.content_type);
    out_.content_length(response.body.size());
  }
  for (const auto& header : response.headers) {
    // A value with a line end in it would be a second response: such a header is left out.
    if (!is_token(header.name) || !is_field_value(header.value)) continue;
    out_.insert(header.name, header.value);
  }
  if (close_after) out_.set(http::field::connection, "close");
  if (bodiless || head_only_) {
    head_only_ = true;
  } else {
    out_.body() = std::move(response.body);
  }
}

void connection::on_write(bool ok) {
  if (phase_ == phase::closed) return;
  if (!ok) {
    close();
    return;
  }
  if (std::exchange(interim_write_, false)) {
    if (phase_ == phase::writing) start_answer();
    return;
  }
  if (phase_ != phase::writing) return;
  if (close_after_) {
    linger();
    return;
  }
  writer_.reset();
  out_ = {};
  phase_ = phase::reading;
  if (answered_) {
    process();
  } else {
    begin_next();
  }
}

void connection::begin_next() {
  parser_.reset();
  continue_sent_ = answered_ = false;
  fresh_ = false;
  process();
}

// Closing with unread input would reset the connection and could destroy the answer on its way.
void connection::linger() {
  phase_ = phase::lingering;
  deadline_ms_ = in_ms(linger_ms);
  in_.clear();
  if (!end_output()) read_more();
}

void connection::sweep() {
  if (phase_ == phase::reading && reading_ == request_parser::state::body) {
    const auto spent_ms = host_.now_ms - body_since_ms_;
    const auto seen = static_cast<std::int64_t>(parser_.body_bytes_seen());
    if (spent_ms > slow_body_grace_ms && seen * 1'000 < slow_body_bytes_per_s * spent_ms) {
      deadline_ms_ = 0;
    }
  }
  if (host_.now_ms < deadline_ms_) return;
  const bool begun = parser_.now() != request_parser::state::empty && !answered_;
  if (phase_ == phase::reading && begun) {
    refuse({408, "request_timeout", "the request did not arrive in time"});
  } else {
    close();
  }
}

void connection::close_if_idle() {
  if (phase_ == phase::handshake ||
      (phase_ == phase::reading && parser_.now() == request_parser::state::empty)) {
    close();
  }
}

void connection::close() {
  if (phase_ == phase::closed) return;
  phase_ = phase::closed;
  close_socket();
  host_.forget(id_);
}

}  // namespace syndicated::net
