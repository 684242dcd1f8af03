// One pooled libcurl easy handle and the request it carries. Internal to net; the loop's thread.
//
// Options that never change are set once, when the handle is made; a request sets only its URL,
// headers, body and times (library-notes.md 2.2). libcurl's types are named by forward declaration,
// so that its header stays in the .cpp files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/delivery/attempt.hpp"
#include "core/delivery/egress_policy.hpp"
#include "net/curl_loop.hpp"

struct curl_slist;
struct sockaddr;

namespace syndicated::net {

// The fixed headers of requests as a ready libcurl list, one for each shared vector. Bounded: lists
// that no request uses are dropped when there are too many.
class header_lists {
 public:
  struct list;
  using shared_fields = std::shared_ptr<const std::vector<std::string>>;

  header_lists();
  ~header_lists();
  list* take(const shared_fields& fields);  // `fields` may be null; give back after use
  static void give_back(list* used);
  static curl_slist* first(list* used);

 private:
  void make_room();
  std::unordered_map<const void*, std::unique_ptr<list>> lists_;
};

// What transfers share with their loop.
struct transfer_context {
  const curl_loop_options* options = nullptr;
  std::shared_ptr<const core::egress_policy> policy;
  void* share = nullptr;  // CURLSH*
  header_lists lists;
  // A socket libcurl opened, and one it is about to close. Set by the loop.
  void* loop = nullptr;
  void (*opened)(void* loop, int fd) = nullptr;
  int (*close)(void* loop, int fd) = nullptr;
  // A request is about to be sent: there is a connection.
  void (*connected)(void* loop, std::uint64_t ticket) = nullptr;
};

class transfer {
 public:
  static std::unique_ptr<transfer> create(transfer_context& context);  // null: out of memory
  ~transfer();
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  // `pin` is "+host:port:addr,addr", empty for an address literal. False: libcurl refused.
  bool prepare(attempt_request&& request, const std::string& pin, int timeout_ms,
               std::uint32_t dns_us);
  void set_ticket(std::uint64_t ticket) noexcept { ticket_ = ticket; }  // for context.connected
  std::uint64_t ticket() const noexcept { return ticket_; }
  // What came of it, from libcurl's code; ends the use of the request's memory.
  core::attempt_result finish(int curl_code);

  void* easy() const noexcept { return easy_; }
  bool busy() const noexcept { return fixed_ != nullptr; }  // between prepare() and finish()
  // Whose address refused: libcurl 7.88 has the next one ready and would begin with it at a timer,
  // up to seconds later. Nothing happens when it has a connection.
  void try_next_address();
  attempt_request& request() noexcept { return request_; }

 private:
  explicit transfer(transfer_context& context);
  bool set_constants();
  bool set_callbacks();
  bool set_identity();
  void link_headers();
  void release();
  core::attempt_error classify(int curl_code) const noexcept;

  std::size_t take_header(std::string_view line);
  void take_field(std::string_view line);
  std::size_t take_body(std::string_view bytes);
  bool allows(const sockaddr* address) noexcept;

  // libcurl's callbacks.
  static std::size_t on_header(char* data, std::size_t size, std::size_t n, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t n, void* self);
  static int on_prereq(void* self, char* peer, char* local, int peer_port, int local_port);

  friend struct socket_callbacks;

  transfer_context& context_;
  void* easy_ = nullptr;
  attempt_request request_{};
  std::string url_;  // as the handle has it, and so the next three
  std::shared_ptr<const tls_material> tls_;
  bool http2_ = false;
  std::string authorities_;  // directory of the system's, as libcurl was built
  std::vector<curl_slist> nodes_;
  curl_slist* pin_ = nullptr;
  header_lists::list* fixed_ = nullptr;

  std::size_t head_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  int status_ = 0;          // of the head being read
  bool head_done_ = false;  // a final head is in
  bool blocked_ = false;    // the egress policy refused
  bool too_large_ = false;
  bool exhausted_ = false;  // no descriptor left for a socket
  bool switched_ = false;   // "101 Switching Protocols"
  bool connected_ = false;  // and about to send
  int sends_ = 0;           // of the request, that one about to begin included
  std::uint32_t dns_us_ = 0;
  std::uint64_t ticket_ = 0;
  std::string retry_after_;
  std::string control_;
  std::string excerpt_;
  std::string error_text_;  // libcurl writes here
};

}  // namespace syndicated::net
