#include "net/request_parser.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "core/base/limits.hpp"
#include "net/text.hpp"

namespace syndicated::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace limits = core::limits;

constexpr std::array<std::string_view, 7> methods{"GET",    "POST", "PATCH",  "PUT",
                                                  "DELETE", "HEAD", "OPTIONS"};
constexpr std::size_t chunk_extension_bytes_max = 256;
// A chunk-size line or the trailers, while they are not whole.
constexpr std::size_t unfinished_bytes_max = limits::request_line_bytes_max;

bool is_target_char(char c) {
  return c > ' ' && c < '\x7f' &&
         std::string_view{"\"#<>\\^`{|}"}.find(c) == std::string_view::npos;
}

bool is_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return is_digit(c) || is_alpha(c) ||
           std::string_view{"-._:[]"}.find(c) != std::string_view::npos;
  });
}

bool is_plain_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit) &&
         (text.size() == 1 || text.front() != '0');
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

refusal malformed(std::string_view reason) { return {400, "malformed_request", reason}; }

constexpr refusal body_too_large{413, "body_too_large", "the request body is larger than allowed"};

// A well-formed request line of another version: "METHOD TARGET HTTP/2.0".
bool names_other_version(std::string_view head) {
  const auto line = head.substr(0, std::min(head.find("\r\n"), head.size()));
  const auto version = line.substr(std::min(line.rfind(' ') + 1, line.size()));
  return version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
         version[6] == '.' && is_digit(version[7]) && version != "HTTP/1.0" &&
         version != "HTTP/1.1";
}

// What Beast says of bytes it cannot take.
refusal of_beast(const beast::error_code& failed, std::string_view bytes) {
  if (failed == http::error::body_limit) return body_too_large;
  if (failed == http::error::bad_method) return malformed("the method is not a word");
  if (failed == http::error::bad_target) return malformed("the request target is malformed");
  if (failed == http::error::bad_version) {
    if (names_other_version(bytes)) {
      return {505, "http_version_not_supported", "only HTTP/1.1 and HTTP/1.0 are served"};
    }
    return malformed("the request line does not end in an HTTP version");
  }
  if (failed == http::error::bad_field) {
    return malformed("a header field without ':', or its name is not a word");
  }
  if (failed == http::error::bad_value || failed == http::error::bad_obs_fold) {
    return malformed("the value of a header field is malformed");
  }
  if (failed == http::error::bad_content_length || failed == http::error::multiple_content_length) {
    return malformed("Content-Length is not one plain number alone");
  }
  if (failed == http::error::bad_transfer_encoding) {
    return malformed("Transfer-Encoding twice, or together with Content-Length");
  }
  if (failed == http::error::bad_chunk) {
    return malformed("a chunk's size is not a hexadecimal number, or not the size of the chunk");
  }
  if (failed == http::error::bad_chunk_extension) {
    return malformed("a chunk has a malformed extension");
  }
  return malformed("the request is not HTTP/1.1");
}

}  // namespace

class request_parser::reader final : public http::basic_parser<true> {
 public:
  reader(const body_limits& bounds, std::string peer) : bounds_(bounds), body_max_(bounds.usual) {
    // Our own limits are checked before, while the bytes come in.
    header_limit(limits::request_head_bytes_max + 1);
    body_limit(body_max_);
    request.peer = std::move(peer);
  }

  http_request request;
  std::optional<refusal> why;
  bool wants_continue = false;
  bool stays = false;  // the connection may be used again
  bool drops_body = false;

 private:
  using code = beast::error_code;

  void refuse(code& failed, const refusal& reason) {
    why = reason;
    failed = http::error::bad_value;
  }
  void bad(code& failed, std::string_view reason) { refuse(failed, malformed(reason)); }

  void on_request_impl(http::verb, beast::string_view method, beast::string_view target,
                       int version, code& failed) override {
    version_1_1_ = version == 11;
    if (method == "CONNECT" || method == "TRACE") {
      return refuse(failed, {405, "method_not_allowed", "this method is not served"});
    }
    if (std::find(methods.begin(), methods.end(), view(method)) == methods.end()) {
      return refuse(failed, {501, "method_unknown", "this method is not known"});
    }
    request.method = view(method);
    take_target(view(target), failed);
    if (request.path.empty() || request.path != bounds_.larger_path) return;
    body_max_ = bounds_.larger;
    body_limit(body_max_);
  }

  void take_target(std::string_view target, code& failed) {
    // Absolute form, authority form and '*' have no meaning here.
    if (!target.starts_with('/')) return bad(failed, "the request target must begin with '/'");
    if (!std::all_of(target.begin(), target.end(), is_target_char)) {
      return bad(failed, "the request target has a character that must be percent-encoded");
    }
    for (auto at = target.find('%'); at != std::string_view::npos; at = target.find('%', at + 1)) {
      if (at + 2 >= target.size() || !is_hex(target[at + 1]) || !is_hex(target[at + 2])) {
        return bad(failed, "'%' is not followed by two hexadecimal digits");
      }
      if (target.substr(at + 1, 2) == "00") return bad(failed, "NUL in the request target");
    }
    const auto mark = std::min(target.find('?'), target.size());
    request.path = target.substr(0, mark);
    if (mark < target.size()) request.query = target.substr(mark + 1);
  }

  // Also called for trailers, which are checked and dropped.
  void on_field_impl(http::field name, beast::string_view text, beast::string_view value,
                     code& failed) override {
    if (++fields_ > limits::request_fields_max) {
      return refuse(failed,
                    {431, "too_many_header_fields", "there are more than 64 header fields"});
    }
    if (in_trailers_) return judge_trailer(name, failed);
    judge_field(name, view(value), failed);
    request.headers.push_back({std::string{text}, std::string{value}});
  }

  void judge_field(http::field name, std::string_view value, code& failed) {
    switch (name) {
      case http::field::host:
        if (std::exchange(host_, true) || !is_host(value)) {
          bad(failed, "the Host field is not one host");
        }
        break;
      case http::field::content_length:
        if (std::exchange(length_, true)) return bad(failed, "two Content-Length fields");
        if (!is_plain_number(value)) bad(failed, "Content-Length is not a plain number");
        break;
      case http::field::transfer_encoding:
        if (!version_1_1_ || !same_word(value, "chunked")) {
          bad(failed, "Transfer-Encoding must be 'chunked', in HTTP/1.1");
        }
        break;
      case http::field::content_encoding:
        refuse(failed, {415, "content_encoding_not_supported", "the body must not be compressed"});
        break;
      case http::field::expect:
        if (!same_word(value, "100-continue")) {
          refuse(failed, {417, "expectation_failed", "only 'Expect: 100-continue' is known"});
        }
        expects_ = true;
        break;
      default: break;
    }
  }

  // One that could change framing or authority is refused.
  void judge_trailer(http::field name, code& failed) {
    switch (name) {
      case http::field::content_length:
      case http::field::transfer_encoding:
      case http::field::content_encoding:
      case http::field::host:
      case http::field::trailer:
      case http::field::authorization:
      case http::field::connection: bad(failed, "a framing field among the trailers"); break;
      default: break;
    }
  }

  void on_header_impl(code& failed) override {
    fields_ = 0;
    if (version_1_1_ && !host_) return bad(failed, "the Host field is missing");
    stays = version_1_1_ && keep_alive();
    wants_continue = expects_ && version_1_1_ && (chunked() || content_length().value_or(0) > 0);
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, code&) override {}

  std::size_t on_body_impl(beast::string_view bytes, code&) override {
    if (!drops_body) request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  // Framing may not dwarf the data: a flood of one-byte chunks with long extensions ends here.
  void on_chunk_header_impl(std::uint64_t size, beast::string_view extension,
                            code& failed) override {
    framing_ += 8 + extension.size();
    if (extension.size() > chunk_extension_bytes_max ||
        framing_ > 8 * (body_max_ + limits::request_head_bytes_max)) {
      return bad(failed, "the chunks are mostly framing");
    }
    in_trailers_ = size == 0;
  }

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, code& failed) override {
    return on_body_impl(bytes, failed);
  }

  void on_finish_impl(code&) override {}
  void on_response_impl(int, beast::string_view, int, code&) override {}

  const body_limits& bounds_;
  std::size_t body_max_;
  std::size_t fields_ = 0;
  std::uint64_t framing_ = 0;
  bool version_1_1_ = true;
  bool host_ = false;
  bool length_ = false;
  bool expects_ = false;
  bool in_trailers_ = false;
};

request_parser::request_parser(std::size_t body_bytes_max, std::string_view larger_path,
                               std::size_t larger_bytes_max)
    : limits_{body_bytes_max, std::string{larger_path}, larger_bytes_max},
      reader_(std::make_unique<reader>(limits_, std::string{})) {}

request_parser::~request_parser() = default;

const refusal& request_parser::why() const noexcept { return *reader_->why; }
http_request& request_parser::request() noexcept { return reader_->request; }
bool request_parser::keep_alive() const noexcept { return reader_->stays; }
bool request_parser::wants_continue() const noexcept { return reader_->wants_continue; }

std::optional<std::uint64_t> request_parser::body_length() const noexcept {
  if (reader_->chunked()) return std::nullopt;
  return reader_->content_length().value_or(0);
}

void request_parser::drop_body() noexcept {
  reader_->drops_body = true;
  reader_->request.body = std::string{};
}

void request_parser::reset() {
  reader_ = std::make_unique<reader>(limits_, std::move(reader_->request.peer));
  state_ = state::empty;
  scanned_ = line_start_ = 0;
  body_seen_ = 0;
}

request_parser::state request_parser::refuse(const refusal& reason) {
  reader_->why = reason;
  reader_->stays = false;
  return state_ = state::refused;
}

request_parser::state request_parser::consume(std::string_view& input) {
  if (state_ == state::empty) {
    // RFC 9112 2.2: an empty line before the request line is passed over.
    while (input.starts_with("\r\n")) input.remove_prefix(2);
    if (input.empty() || input == "\r") return state_;
    state_ = state::head;
  }
  if (state_ == state::head && !head_ends(input)) return state_;
  if (state_ == state::head || state_ == state::body) return parse(input);
  return state_;
}

// Every line is looked at as it comes, so that a bare LF, an endless line or a folded one is
// refused at once and not after the time limit.
bool request_parser::head_ends(std::string_view input) {
  while (true) {
    const auto lf = input.find('\n', scanned_);
    scanned_ = lf == std::string_view::npos ? input.size() : lf + 1;
    if (line_start_ == 0 && scanned_ > limits::request_line_bytes_max) {
      refuse({414, "request_line_too_long", "the request line is longer than 8 KiB"});
      return false;
    }
    if (scanned_ > limits::request_head_bytes_max) {
      refuse({431, "request_head_too_large", "the header fields are larger than 16 KiB"});
      return false;
    }
    if (lf == std::string_view::npos) return false;
    if (lf == line_start_ || input[lf - 1] != '\r') {
      refuse(malformed("a line does not end in CR LF"));
      return false;
    }
    const char first = input[line_start_];
    if (first == ' ' || first == '\t') {
      refuse(malformed("a folded header field"));
      return false;
    }
    const bool empty = lf == line_start_ + 1;
    line_start_ = lf + 1;
    if (empty) return true;
  }
}

request_parser::state request_parser::parse(std::string_view& input) {
  // No chunked body ends within fewer bytes than these, and Beast asserts that it gets them.
  constexpr std::size_t last_chunk_bytes = 5;
  beast::error_code failed;
  do {
    const bool head = state_ == state::head;
    if (!head && input.size() < (reader_->chunked() ? last_chunk_bytes : 1)) break;
    const auto taken = reader_->put({input.data(), head ? line_start_ : input.size()}, failed);
    if (reader_->why) return refuse(*reader_->why);
    if (failed && failed != http::error::need_more) return refuse(of_beast(failed, input));
    input.remove_prefix(taken);
    if (!head) body_seen_ += taken;
    state_ = reader_->is_done() ? state::complete : state::body;
  } while (state_ == state::body && !failed);
  if (state_ == state::body && input.size() > unfinished_bytes_max) {
    return refuse(malformed("a chunk's size line or the trailers are too long"));
  }
  return state_;
}

}  // namespace syndicated::net
