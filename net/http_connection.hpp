// One connection of the HTTP server: reads a request, has it answered, writes the answer.
// Internal to net; http_server.cpp supplies the stream.
//
// Threads: everything on the server's thread, except answer_queue::push.
// Time limits are deadlines looked at by the server's sweep, not timers of their own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include "net/body_budget.hpp"
#include "net/http_message.hpp"
#include "net/http_server.hpp"
#include "net/request_parser.hpp"

namespace syndicated::net {

// Where responders leave their answers. Lives as long as the last responder; after close() it
// swallows them. Many answers from one foreign thread cost one wake-up.
class answer_queue {
 public:
  struct answer {
    std::uint64_t connection = 0;
    std::uint64_t request = 0;
    http_response response;
  };
  using receiver = std::function<void(answer&&)>;

  // `wake` must be callable from any thread until close().
  answer_queue(std::function<void()> wake, receiver deliver);

  void push(answer item);
  void run_on_this_thread();  // from now on, push on this thread delivers at once
  void deliver_all();         // server's thread
  void close();

 private:
  std::mutex mutex_;
  std::vector<answer> items_;
  std::function<void()> wake_;
  receiver deliver_;
  std::atomic<std::thread::id> thread_{};
  bool closed_ = false;
};

struct server_counters {
  std::atomic<std::uint64_t> accepted{0}, refused{0}, open{0}, requests{0}, requests_refused{0};
};

// What a connection sees of its server.
class connection_host {
 public:
  virtual ~connection_host() = default;
  virtual void forget(std::uint64_t connection) = 0;  // the last call of a connection

  http_server_options options;
  http_handler handler;
  std::shared_ptr<answer_queue> answers;
  std::shared_ptr<body_budget> bodies;
  server_counters counters;
  std::int64_t now_ms = 0;  // monotonic, as of the last sweep
  std::string date;         // Date header's value, as of the last sweep
  bool draining = false;    // close after the present answer
};

using outgoing = boost::beast::http::response<boost::beast::http::string_body>;
using outgoing_serializer =
    boost::beast::http::response_serializer<boost::beast::http::string_body>;

class connection : public std::enable_shared_from_this<connection> {
 public:
  connection(connection_host& host, std::uint64_t id, std::string peer);
  virtual ~connection() = default;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void start();
  void start_refused(const refusal& why);  // answers at once, reads nothing
  void deliver(answer_queue::answer&& item);
  void sweep();  // looks at the deadline
  void close_if_idle();
  void close();

 protected:
  // The stream's side. Each completes by one call of on_*; never from inside start_*.
  virtual void start_handshake() { on_handshake(true); }
  virtual void start_read(boost::asio::mutable_buffer to) = 0;
  virtual void start_interim(std::string_view bytes) = 0;
  virtual void start_write(outgoing_serializer& response, bool head_only) = 0;
  // Tells the peer that nothing more comes. True when the stream ends the connection by itself, by
  // a failed on_read; else what still arrives is to be read.
  virtual bool end_output() = 0;
  virtual void close_socket() = 0;

  void on_handshake(bool ok);
  void on_read(bool ok, std::size_t bytes);
  void on_write(bool ok);

 private:
  enum class phase : std::uint8_t { handshake, reading, handling, writing, lingering, closed };

  void read_more();
  std::size_t read_size() const;
  void process();
  bool admit_body();
  void set_read_deadline();
  void dispatch();
  void refuse(const refusal& why);
  void refuse_body(http_response&& answer);
  http_response answer_to(const refusal& why) const;
  void begin_next();
  void send(http_response&& response, bool close_after);
  void format(http_response&& response, bool close_after);
  void start_answer();
  void linger();
  std::int64_t in_ms(int delay) const { return host_.now_ms + delay; }

  connection_host& host_;
  std::uint64_t id_;
  phase phase_ = phase::handshake;
  request_parser parser_;
  std::shared_ptr<body_share> share_;  // of the present request, once its body was admitted
  request_parser::state reading_ = request_parser::state::empty;  // as of the last deadline set
  bool read_pending_ = false;
  bool fresh_ = true;  // no request seen yet
  bool continue_sent_ = false;
  bool answered_ = false;       // before its body was there, which is read and dropped
  bool interim_write_ = false;  // the write under way is "100 Continue"
  bool close_after_ = false;
  bool head_only_ = false;  // HEAD: the body is not sent
  std::uint64_t request_number_ = 0;
  std::int64_t deadline_ms_ = 0;
  std::int64_t body_since_ms_ = 0;
  std::size_t lingered_ = 0;
  boost::beast::flat_buffer in_;  // what is unread
  outgoing out_;
  std::optional<outgoing_serializer> writer_;
};

}  // namespace syndicated::net
