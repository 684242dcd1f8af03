// HTTP messages as the rest of the daemon sees them, and the one-shot answer to a request.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syndicated::net {

struct http_header {
  std::string name;
  std::string value;
};

struct http_request {
  std::string method;  // upper case, as received
  std::string path;    // as received up to '?', not percent-decoded
  std::string query;   // after '?', without it
  std::vector<http_header> headers;
  std::string body;
  std::string peer;       // "192.0.2.1:4711", or "unix" on the admin socket
  bool admitted = false;  // the server's gate let it in before its body was there

  // Value of the first header with this name (case-insensitive); empty when absent.
  std::string_view header(std::string_view name) const noexcept;
  std::size_t count(std::string_view name) const noexcept;
};

struct http_response {
  int status = 200;
  std::string content_type = "application/json";  // empty: no Content-Type header
  std::vector<http_header> headers{};
  std::string body{};
  bool close = false;  // close the connection after this answer
};

// The name of a status, "Not Found"; for one without a name, "<unknown-status>".
std::string_view reason_phrase(int status) noexcept;

// The one answer to one request. Move-only. May be used from any thread, also after the connection
// or the server is gone (then nothing happens). Destroyed without an answer, it answers 500, so a
// lost reply is never a hanging client (library-notes.md 1.2, 2).
class responder {
 public:
  using sink = std::function<void(http_response&&)>;

  responder() = default;
  explicit responder(sink answer) : answer_(std::move(answer)) {}
  responder(responder&& other) noexcept;
  responder& operator=(responder&& other) noexcept;
  responder(const responder&) = delete;
  responder& operator=(const responder&) = delete;
  ~responder();

  void send(http_response response);  // a second call does nothing
  bool pending() const noexcept { return static_cast<bool>(answer_); }

 private:
  sink answer_;
};

// Called on the server's thread; must not block beyond a bounded read of the store.
using http_handler = std::function<void(http_request&&, responder&&)>;

// Asked about a request whose head came without the whole body, on the server's thread: an answer
// refuses it, and its body is not kept. Nothing: it is read, and the handler gets the request.
using http_gate = std::function<std::optional<http_response>(const http_request& head)>;

}  // namespace syndicated::net
