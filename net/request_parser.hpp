// Strict reader of HTTP/1.x requests. Pure: bytes in, requests or a refusal out.
//
// What is not clean is refused, never repaired: a front proxy and this server must not be able to
// read the same bytes differently. Source: RFC 9112; bad-input matrix of reliability.md 3. After a
// refusal the connection is closed; nothing is read from the rest.
// One thread at a time. Memory: at most the head limit plus the body limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http_message.hpp"

namespace syndicated::net {

struct refusal {
  int status = 400;
  std::string_view code;    // stable word
  std::string_view reason;  // a sentence
};

class request_parser {
 public:
  enum class state : std::uint8_t {
    empty,     // no byte of a request seen
    head,      // inside the request line or the fields
    body,      // head complete, body not yet
    complete,  // request() is whole
    refused,   // see why()
  };

  explicit request_parser(std::size_t body_bytes_max) : body_max_(body_bytes_max) {}

  // Takes what belongs to the present request from the front of `input`, removes it there and
  // returns the new state. What is left behind a complete request is the next, pipelined one.
  // In the state `head` the bytes stay in `input`: call again with the same bytes and more.
  state consume(std::string_view& input);

  state now() const noexcept { return state_; }
  const refusal& why() const noexcept { return why_; }
  http_request& request() noexcept { return request_; }
  bool keep_alive() const noexcept { return keep_alive_; }
  bool wants_continue() const noexcept { return wants_continue_; }  // "Expect: 100-continue"
  std::uint64_t body_bytes_seen() const noexcept { return body_seen_; }

  void reset();  // ready for the next request of the connection

 private:
  enum class chunk_step : std::uint8_t { size, data, data_end, trailer };

  state refuse(int status, std::string_view code, std::string_view reason);
  bool bad(std::string_view reason);  // 400; always false
  state scan_head(std::string_view& input);
  bool take_request_line(std::string_view line);
  bool take_method(std::string_view method);
  bool take_target(std::string_view target);
  bool take_field(std::string_view line);
  bool judge_fields();
  bool judge_length(std::string_view value);
  bool judge_coding(std::string_view value);
  bool judge_expect(std::string_view value);
  state take_body(std::string_view& input);
  state take_chunks(std::string_view& input);
  bool take_chunk_size(std::string_view line);
  bool take_trailer(std::string_view line);
  bool take_line(std::string_view& input);

  std::size_t body_max_;
  state state_ = state::empty;
  refusal why_{};
  http_request request_{};
  std::size_t scanned_ = 0;     // of the head: looked at for line ends
  std::size_t line_start_ = 0;  // of the head line being scanned
  std::size_t lines_ = 0;
  bool version_1_1_ = true;
  bool keep_alive_ = true;
  bool wants_continue_ = false;
  bool chunked_ = false;
  chunk_step step_ = chunk_step::size;
  std::uint64_t body_left_ = 0;  // of the body, or of the present chunk
  std::uint64_t body_seen_ = 0;  // bytes of the body received, framing included
  std::size_t trailers_ = 0;
  std::string line_;  // a chunk-size or trailer line that came in parts
};

}  // namespace syndicated::net
