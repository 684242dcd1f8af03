#include "net/unix_client.hpp"

#include <sys/un.h>

#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "net/text.hpp"

namespace syndicated::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using local = asio::local::stream_protocol;
using failure = boost::system::error_code;

constexpr std::uint32_t head_bytes_max = 64 * 1024;
constexpr std::uint64_t answer_bytes_max = 64 * 1024 * 1024;
constexpr auto connect_pause = std::chrono::milliseconds{10};

core::error problem(core::errc kind, std::string code, std::string detail) {
  return {kind, std::move(code), std::move(detail), {}, {}};
}

core::error connect_problem(const std::string& path, const failure& why) {
  if (why == boost::system::errc::permission_denied ||
      why == boost::system::errc::operation_not_permitted) {
    return problem(core::errc::forbidden, "permission_denied",
                   "no permission for the socket " + path);
  }
  return problem(core::errc::unavailable, "daemon_not_running",
                 "cannot connect to " + path + ": " + why.message());
}

core::error bad_answer(const failure& why) {
  if (why == http::error::end_of_stream || why == http::error::partial_message ||
      why == boost::system::errc::connection_reset) {
    return problem(core::errc::malformed, "bad_answer", "the daemon closed the connection early");
  }
  if (why == http::error::body_limit || why == http::error::header_limit) {
    return problem(core::errc::malformed, "bad_answer", "the answer is too large");
  }
  return problem(core::errc::malformed, "bad_answer", "the answer is not HTTP: " + why.message());
}

// One request and its answer, as a chain of asynchronous steps under one time limit.
class exchange {
 public:
  exchange(const std::string& path, http::request<http::string_body> request)
      : path_(path), request_(std::move(request)) {
    parser_.header_limit(head_bytes_max);
    parser_.body_limit(answer_bytes_max);
  }

  core::result<http_response> run(std::chrono::milliseconds timeout) {
    connect();
    io_.run_for(timeout);
    if (!ended_) {
      return problem(core::errc::unavailable, "timeout", "the daemon did not answer in time");
    }
    if (failed_) return std::move(*failed_);
    return answer();
  }

 private:
  void connect() {
    socket_.async_connect(local::endpoint{path_}, [this](const failure& why) {
      // The daemon's queue of connections is full: again shortly, within the time.
      if (why == boost::system::errc::resource_unavailable_try_again) return connect_later();
      if (why) return end(connect_problem(path_, why));
      send();
    });
  }

  void connect_later() {
    failure ignored;
    socket_.close(ignored);
    pause_.expires_after(connect_pause);
    pause_.async_wait([this](const failure&) { connect(); });
  }

  void send() {
    http::async_write(socket_, request_, [this](const failure& why, std::size_t) {
      // Refused early: the answer may be waiting already.
      if (why && why != boost::system::errc::broken_pipe &&
          why != boost::system::errc::connection_reset) {
        return end(problem(core::errc::unavailable, "daemon_not_running", why.message()));
      }
      receive();
    });
  }

  void receive() {
    if (request_.method() == http::verb::head) parser_.skip(true);
    http::async_read(socket_, in_, parser_, [this](const failure& why, std::size_t) {
      end(why ? std::optional{bad_answer(why)} : std::nullopt);
    });
  }

  void end(std::optional<core::error> why) {
    failed_ = std::move(why);
    ended_ = true;
  }

  http_response answer() {
    http_response out;
    auto& message = parser_.get();
    out.status = static_cast<int>(message.result_int());
    out.content_type.clear();
    for (const auto& field : message) {
      if (field.name() == http::field::content_type) {
        out.content_type = field.value();
      } else if (field.name() != http::field::content_length &&
                 field.name() != http::field::transfer_encoding) {
        out.headers.push_back({std::string{field.name_string()}, std::string{field.value()}});
      }
    }
    out.body = std::move(message.body());
    return out;
  }

  const std::string& path_;
  http::request<http::string_body> request_;
  asio::io_context io_{1};
  local::socket socket_{io_};
  asio::steady_timer pause_{io_};
  beast::flat_buffer in_;
  http::response_parser<http::string_body> parser_;
  std::optional<core::error> failed_;
  bool ended_ = false;
};

}  // namespace

core::result<http_response> unix_request(const std::string& socket_path, std::string_view method,
                                         std::string_view target, std::string_view body,
                                         const std::vector<http_header>& headers,
                                         std::chrono::milliseconds timeout) {
  // Longer than any socket's name can be (unix(7)); Asio would throw.
  if (socket_path.empty() || socket_path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return connect_problem(socket_path, make_error_code(boost::system::errc::filename_too_long));
  }
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(beast::string_view{method.data(), method.size()});
  request.target(beast::string_view{target.data(), target.size()});
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "close");
  for (const auto& header : headers) {
    if (!is_token(header.name) || !is_field_value(header.value)) {
      return problem(core::errc::invalid, "bad_header", "a header has a line end or is no word");
    }
    request.insert(header.name, header.value);
  }
  if (!body.empty() || method != "GET") request.content_length(body.size());
  request.body() = body;
  return exchange{socket_path, std::move(request)}.run(timeout);
}

}  // namespace syndicated::net
