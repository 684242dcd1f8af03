#include "net/request_parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/limits.hpp"
#include "net/text.hpp"

namespace syndicated::net {
namespace {

namespace limits = core::limits;

constexpr std::array<std::string_view, 7> methods{"GET",    "POST", "PATCH",  "PUT",
                                                  "DELETE", "HEAD", "OPTIONS"};
constexpr std::size_t chunk_line_bytes_max = 256;

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

bool lists_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (same_word(trim_blanks(list.substr(0, comma)), word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

void request_parser::reset() {
  std::string peer = std::move(request_.peer);
  request_ = {};
  request_.peer = std::move(peer);
  state_ = state::empty;
  scanned_ = line_start_ = lines_ = trailers_ = 0;
  version_1_1_ = keep_alive_ = true;
  wants_continue_ = chunked_ = false;
  step_ = chunk_step::size;
  body_left_ = body_seen_ = 0;
  line_.clear();
}

request_parser::state request_parser::refuse(int status, std::string_view code,
                                             std::string_view reason) {
  why_ = {status, code, reason};
  keep_alive_ = false;
  return state_ = state::refused;
}

request_parser::state request_parser::consume(std::string_view& input) {
  if (state_ == state::empty) {
    // RFC 9112 2.2: an empty line before the request line is passed over.
    while (input.starts_with("\r\n")) input.remove_prefix(2);
    if (input.empty() || input == "\r") return state_;
    state_ = state::head;
  }
  if (state_ == state::head && scan_head(input) != state::body) return state_;
  return state_ == state::body ? take_body(input) : state_;
}

// Every line is judged as it comes, so that a bare LF, an endless line or a flood of fields is
// refused at once and not after the time limit.
request_parser::state request_parser::scan_head(std::string_view& input) {
  while (true) {
    const auto lf = input.find('\n', scanned_);
    scanned_ = lf == std::string_view::npos ? input.size() : lf + 1;
    if (lines_ == 0 && scanned_ > limits::request_line_bytes_max) {
      return refuse(414, "request_line_too_long", "the request line is longer than 8 KiB");
    }
    if (scanned_ > limits::request_head_bytes_max) {
      return refuse(431, "request_head_too_large", "the header fields are larger than 16 KiB");
    }
    if (lf == std::string_view::npos) return state_;
    if (lf == line_start_ || input[lf - 1] != '\r') {
      return refuse(400, "malformed_request", "a line does not end in CR LF");
    }
    const auto line = input.substr(line_start_, lf - 1 - line_start_);
    line_start_ = lf + 1;
    if (lines_++ == 0) {
      if (!take_request_line(line)) return state_;
    } else if (line.empty()) {
      break;
    } else if (!take_field(line)) {
      return state_;
    }
  }
  input.remove_prefix(line_start_);
  if (judge_fields()) state_ = state::body;
  return state_;
}

bool request_parser::bad(std::string_view reason) {
  refuse(400, "malformed_request", reason);
  return false;
}

bool request_parser::take_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return bad("the request line is not METHOD TARGET HTTP/1.1");
  }
  const auto version = line.substr(last + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7])) {
    return bad("the request line does not end in an HTTP version");
  }
  if (version[5] != '1' || version[7] > '1') {
    refuse(505, "http_version_not_supported", "only HTTP/1.1 and HTTP/1.0 are served");
    return false;
  }
  version_1_1_ = version[7] == '1';
  return take_method(line.substr(0, first)) &&
         take_target(line.substr(first + 1, last - first - 1));
}

bool request_parser::take_method(std::string_view method) {
  if (!is_token(method)) return bad("the method is not a word");
  if (method == "CONNECT" || method == "TRACE") {
    refuse(405, "method_not_allowed", "this method is not served");
    return false;
  }
  if (std::find(methods.begin(), methods.end(), method) == methods.end()) {
    refuse(501, "method_unknown", "this method is not known");
    return false;
  }
  request_.method = method;
  return true;
}

bool request_parser::take_target(std::string_view target) {
  // Absolute form, authority form and '*' have no meaning here.
  if (!target.starts_with('/')) return bad("the request target must begin with '/'");
  if (!std::all_of(target.begin(), target.end(), is_target_char)) {
    return bad("the request target has a character that must be percent-encoded");
  }
  for (auto at = target.find('%'); at != std::string_view::npos; at = target.find('%', at + 1)) {
    if (at + 2 >= target.size() || !is_hex(target[at + 1]) || !is_hex(target[at + 2])) {
      return bad("'%' is not followed by two hexadecimal digits");
    }
    if (target.substr(at + 1, 2) == "00") return bad("NUL in the request target");
  }
  const auto mark = std::min(target.find('?'), target.size());
  request_.path = target.substr(0, mark);
  if (mark < target.size()) request_.query = target.substr(mark + 1);
  return true;
}

bool request_parser::take_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return bad("a folded header field");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return bad("a header field without ':'");
  const auto name = line.substr(0, colon);
  if (!is_token(name)) return bad("the name of a header field is not a word");
  const auto value = trim_blanks(line.substr(colon + 1));
  if (!is_field_value(value)) return bad("a header field has a control character");
  if (request_.headers.size() >= limits::request_fields_max) {
    refuse(431, "too_many_header_fields", "there are more than 64 header fields");
    return false;
  }
  request_.headers.push_back({std::string{name}, std::string{value}});
  return true;
}

// Which fields decide about framing, and in what order their faults are reported.
bool request_parser::judge_fields() {
  std::size_t hosts = 0;
  const std::string* length = nullptr;
  const std::string* coding = nullptr;
  const std::string* expect = nullptr;
  bool encoded = false;
  for (const auto& field : request_.headers) {
    if (same_word(field.name, "host")) {
      if (++hosts > 1 || !is_host(field.value)) return bad("the Host field is not one host");
    } else if (same_word(field.name, "content-length")) {
      if (length != nullptr) return bad("two Content-Length fields");
      length = &field.value;
    } else if (same_word(field.name, "transfer-encoding")) {
      if (coding != nullptr) return bad("two Transfer-Encoding fields");
      coding = &field.value;
    } else if (same_word(field.name, "expect")) {
      expect = &field.value;
    } else if (same_word(field.name, "content-encoding")) {
      encoded = true;
    } else if (same_word(field.name, "connection")) {
      if (lists_word(field.value, "close")) keep_alive_ = false;
    }
  }
  if (!version_1_1_) keep_alive_ = false;
  if (version_1_1_ && hosts == 0) return bad("the Host field is missing");
  if (length != nullptr && coding != nullptr) {
    return bad("Content-Length and Transfer-Encoding together");
  }
  if (length != nullptr && !judge_length(*length)) return false;
  if (coding != nullptr && !judge_coding(*coding)) return false;
  if (encoded) {
    refuse(415, "content_encoding_not_supported", "the body must not be compressed");
    return false;
  }
  return expect == nullptr || judge_expect(*expect);
}

bool request_parser::judge_expect(std::string_view value) {
  if (!same_word(value, "100-continue")) {
    refuse(417, "expectation_failed", "only 'Expect: 100-continue' is known");
    return false;
  }
  wants_continue_ = version_1_1_ && (chunked_ || body_left_ > 0);
  return true;
}

bool request_parser::judge_length(std::string_view value) {
  const bool digits = !value.empty() && std::all_of(value.begin(), value.end(), is_digit);
  if (!digits || value.size() > 18 || (value.size() > 1 && value.front() == '0')) {
    return bad("Content-Length is not a plain number");
  }
  std::from_chars(value.data(), value.data() + value.size(), body_left_);
  if (body_left_ > body_max_) {
    refuse(413, "body_too_large", "the request body is larger than allowed");
    return false;
  }
  return true;
}

bool request_parser::judge_coding(std::string_view value) {
  if (!version_1_1_ || !same_word(value, "chunked")) {
    return bad("Transfer-Encoding must be 'chunked', in HTTP/1.1");
  }
  chunked_ = true;
  return true;
}

request_parser::state request_parser::take_body(std::string_view& input) {
  if (chunked_) return take_chunks(input);
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
  if (n > 0 && request_.body.empty()) request_.body.reserve(static_cast<std::size_t>(body_left_));
  request_.body.append(input.substr(0, n));
  input.remove_prefix(n);
  body_left_ -= n;
  body_seen_ += n;
  return state_ = body_left_ == 0 ? state::complete : state::body;
}

request_parser::state request_parser::take_chunks(std::string_view& input) {
  while (state_ == state::body) {
    if (step_ == chunk_step::data) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
      request_.body.append(input.substr(0, n));
      input.remove_prefix(n);
      body_left_ -= n;
      body_seen_ += n;
      if (body_left_ > 0) return state_;
      step_ = chunk_step::data_end;
    }
    if (!take_line(input)) return state_;
    switch (step_) {
      case chunk_step::size: take_chunk_size(line_); break;
      case chunk_step::data_end:
        step_ = chunk_step::size;
        if (!line_.empty()) bad("a chunk is longer than its size");
        break;
      case chunk_step::trailer: take_trailer(line_); break;
      case chunk_step::data: break;
    }
    line_.clear();
  }
  return state_;
}

// Collects one CR LF line, perhaps over several calls, in line_ (without its end).
bool request_parser::take_line(std::string_view& input) {
  const auto lf = input.find('\n');
  const auto n = lf == std::string_view::npos ? input.size() : lf + 1;
  // data_end holds nothing but CR LF: the first other byte is refused, not collected.
  const auto max = step_ == chunk_step::data_end ? std::size_t{2}
                   : step_ == chunk_step::size   ? chunk_line_bytes_max
                                                 : limits::request_line_bytes_max;
  if (line_.size() + n > max) return bad("a chunk's size line or a trailer is too long");
  line_.append(input.substr(0, n));
  input.remove_prefix(n);
  body_seen_ += n;
  if (lf == std::string_view::npos) return false;
  if (!line_.ends_with("\r\n")) return bad("a line does not end in CR LF");
  line_.resize(line_.size() - 2);
  return true;
}

bool request_parser::take_chunk_size(std::string_view line) {
  const auto semicolon = std::min(line.find(';'), line.size());
  const auto digits = line.substr(0, semicolon);
  if (digits.empty() || digits.size() > 8 || !std::all_of(digits.begin(), digits.end(), is_hex) ||
      !is_field_value(line)) {
    return bad("the size of a chunk is not a hexadecimal number");
  }
  const auto extension = line.substr(semicolon);
  if (!extension.empty() && (extension.size() < 2 || !is_token_char(extension[1]))) {
    return bad("a chunk has a malformed extension");
  }
  std::from_chars(digits.data(), digits.data() + digits.size(), body_left_, 16);
  if (request_.body.size() + body_left_ > body_max_) {
    refuse(413, "body_too_large", "the request body is larger than allowed");
    return false;
  }
  // Framing may not dwarf the data: a flood of one-byte chunks with long extensions ends here.
  if (body_seen_ > 8 * (body_max_ + limits::request_head_bytes_max)) {
    return bad("the chunks are mostly framing");
  }
  step_ = body_left_ == 0 ? chunk_step::trailer : chunk_step::data;
  return true;
}

// Trailers are checked and dropped; one that could change framing is refused.
bool request_parser::take_trailer(std::string_view line) {
  if (line.empty()) {
    state_ = state::complete;
    return true;
  }
  const auto colon = line.find(':');
  const auto name = line.substr(0, std::min(colon, line.size()));
  if (colon == std::string_view::npos || !is_token(name) || !is_field_value(line) ||
      ++trailers_ > limits::request_fields_max) {
    return bad("a malformed trailer");
  }
  for (const std::string_view word : {"content-length", "transfer-encoding", "host", "trailer",
                                      "content-encoding", "authorization", "connection"}) {
    if (same_word(name, word)) return bad("a framing field among the trailers");
  }
  return true;
}

}  // namespace syndicated::net
