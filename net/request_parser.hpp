// Strict reader of HTTP/1.x requests: Boost.Beast's parser behind rules of our own. Pure: bytes in,
// requests or a refusal out.
//
// What is not clean is refused, never repaired: a front proxy and this server must not be able to
// read the same bytes differently. Beast finds the parts; what it would repair or let pass (folded
// lines, a repeated Content-Length, codings other than chunked, odd targets, framing fields among
// the trailers) is refused before or as it reports them. Source: RFC 9112; bad-input matrix of
// reliability.md 3. After a refusal the connection is closed; nothing is read from the rest.
// One thread at a time. Memory: at most the head limit plus the body limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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

  // Requests for `larger_path` may have a body of `larger_bytes_max`; empty: there is none.
  explicit request_parser(std::size_t body_bytes_max, std::string_view larger_path = {},
                          std::size_t larger_bytes_max = 0);
  ~request_parser();
  request_parser(const request_parser&) = delete;
  request_parser& operator=(const request_parser&) = delete;

  // Takes what belongs to the present request from the front of `input`, removes it there and
  // returns the new state. What is left behind a complete request is the next, pipelined one.
  // Before that, bytes that are left (an incomplete head or chunk line) are to be offered again,
  // together with more.
  state consume(std::string_view& input);

  state now() const noexcept { return state_; }
  const refusal& why() const noexcept;
  http_request& request() noexcept;
  bool keep_alive() const noexcept;
  bool wants_continue() const noexcept;                                  // "Expect: 100-continue"
  std::uint64_t body_bytes_seen() const noexcept { return body_seen_; }  // framing included
  // As the head says; nothing when the end of the body will show (chunked).
  std::optional<std::uint64_t> body_length() const noexcept;
  void drop_body() noexcept;  // what is there of it and what comes is not kept

  void reset();  // ready for the next request of the connection

 private:
  class reader;

  bool head_ends(std::string_view input);
  state parse(std::string_view& input);
  state refuse(const refusal& reason);

  struct body_limits {
    std::size_t usual;
    std::string larger_path;
    std::size_t larger;
  };

  const body_limits limits_;
  state state_ = state::empty;
  std::unique_ptr<reader> reader_;
  std::size_t scanned_ = 0;     // of the head: looked at for line ends
  std::size_t line_start_ = 0;  // of the head line being scanned
  std::uint64_t body_seen_ = 0;
};

}  // namespace syndicated::net
