#include "net/transfer.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "core/base/limits.hpp"
#include "net/socket_address.hpp"
#include "net/text.hpp"

namespace syndicated::net {
namespace {

namespace limits = core::limits;

constexpr std::size_t lists_max = 4'096;
constexpr std::size_t field_bytes_max = 128;
// libcurl sends again by itself, up to five times, when a kept connection breaks before an answer
// or an HTTP/2 stream is refused. Once is right, since a kept connection may have been dead; more
// would be attempts that no schedule, budget or log knows of.
constexpr int sends_max = 2;
constexpr long connection_lifetime_s = 300;  // reliability.md 5.1
constexpr long receive_buffer_bytes = 8 * 1024;
// TLS 1.2 or 1.3, in two ways of saying it. libcurl compares the words before it uses a connection
// or session again, so what was opened without an offer of HTTP/2 never carries a request with one.
constexpr long tls_versions = CURL_SSLVERSION_TLSv1_2;
constexpr long tls_versions_with_offer =
    long{CURL_SSLVERSION_TLSv1_2} | CURL_SSLVERSION_MAX_TLSv1_3;

template <class Value>
bool set(void* easy, CURLoption option, Value value) {
  return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

// "HTTP/1.1 204 No Content" -> 204; 0 when it is not a status line.
int status_of(std::string_view line) {
  const auto space = line.find(' ');
  if (!line.starts_with("HTTP/") || space == std::string_view::npos) return 0;
  int status = 0;
  const auto digits = line.substr(space + 1, 3);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), status);
  return read.ptr == digits.data() + 3 ? status : 0;
}

std::uint32_t micros(void* easy, CURLINFO what) {
  curl_off_t value = 0;
  if (curl_easy_getinfo(easy, what, &value) != CURLE_OK) return 0;
  return static_cast<std::uint32_t>(std::clamp<curl_off_t>(value, 0, UINT32_MAX));
}

}  // namespace

struct header_lists::list {
  shared_fields keep;  // nodes point into it
  std::vector<curl_slist> nodes;
  std::string constants[2];
  std::size_t users = 0;
};

header_lists::header_lists() = default;
header_lists::~header_lists() = default;

header_lists::list* header_lists::take(const shared_fields& fields) {
  auto& slot = lists_[fields.get()];
  if (!slot) {
    auto made = std::make_unique<list>();
    made->keep = fields;
    // No "Expect: 100-continue", and no form type unless the caller names a type.
    made->constants[0] = "Expect:";
    made->constants[1] = "Content-Type:";
    const std::size_t count = fields ? fields->size() : 0;
    for (std::size_t i = 0; i < count; ++i) {
      // libcurl's list is not const, but it only reads.
      made->nodes.push_back({const_cast<char*>((*fields)[i].c_str()), nullptr});
    }
    for (auto& constant : made->constants) made->nodes.push_back({constant.data(), nullptr});
    for (std::size_t i = 1; i < made->nodes.size(); ++i) made->nodes[i - 1].next = &made->nodes[i];
    slot = std::move(made);
    list* const mine = slot.get();
    ++mine->users;
    make_room();
    return mine;
  }
  ++slot->users;
  return slot.get();
}

void header_lists::make_room() {
  if (lists_.size() <= lists_max) return;
  std::erase_if(lists_, [](const auto& entry) { return entry.second->users == 0; });
}

void header_lists::give_back(list* used) { --used->users; }
curl_slist* header_lists::first(list* used) { return used->nodes.data(); }

// The socket callbacks carry the signature types of curl.h, which transfer.hpp does not know.
struct socket_callbacks {
  static curl_socket_t open(void* self, curlsocktype purpose, curl_sockaddr* address) {
    auto& me = *static_cast<transfer*>(self);
    if (purpose != CURLSOCKTYPE_IPCXN || !me.allows(&address->addr)) return CURL_SOCKET_BAD;
    const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
      me.exhausted_ = true;
      return CURL_SOCKET_BAD;
    }
    me.context_.opened(me.context_.loop, fd);
    return fd;
  }

  static int close(void* context, curl_socket_t fd) {
    const auto& shared = *static_cast<transfer_context*>(context);
    return shared.close(shared.loop, fd);
  }
};

std::unique_ptr<transfer> transfer::create(transfer_context& context) {
  std::unique_ptr<transfer> made{new transfer{context}};
  made->easy_ = curl_easy_init();
  made->error_text_.resize(CURL_ERROR_SIZE);
  if (made->easy_ == nullptr || !made->set_constants() || !made->set_callbacks()) return nullptr;
  return made;
}

transfer::transfer(transfer_context& context) : context_(context) {}

transfer::~transfer() {
  release();
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
}

bool transfer::set_constants() {
  const auto& options = *context_.options;
  const char* authorities = nullptr;
  if (curl_easy_getinfo(easy_, CURLINFO_CAPATH, &authorities) == CURLE_OK && authorities) {
    authorities_ = authorities;
  }
  bool ok = set(easy_, CURLOPT_NOSIGNAL, 1L) &&
            set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1)) &&
            set(easy_, CURLOPT_PROTOCOLS_STR, "http,https") &&
            set(easy_, CURLOPT_FOLLOWLOCATION, 0L) && set(easy_, CURLOPT_PROXY, "") &&
            set(easy_, CURLOPT_NOPROXY, "*") &&
            set(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED)) &&
            set(easy_, CURLOPT_HTTP09_ALLOWED, 0L) && set(easy_, CURLOPT_PATH_AS_IS, 1L) &&
            set(easy_, CURLOPT_HTTP_CONTENT_DECODING, 0L) && set(easy_, CURLOPT_QUICK_EXIT, 1L) &&
            set(easy_, CURLOPT_MAXLIFETIME_CONN, connection_lifetime_s) &&
            set(easy_, CURLOPT_BUFFERSIZE, receive_buffer_bytes) &&
            set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits::connect_timeout_ms)) &&
            set(easy_, CURLOPT_SSL_VERIFYPEER, 1L) && set(easy_, CURLOPT_SSL_VERIFYHOST, 2L) &&
            set(easy_, CURLOPT_SSLVERSION, tls_versions) &&
            set(easy_, CURLOPT_USERAGENT, options.user_agent.c_str()) &&
            set(easy_, CURLOPT_SHARE, context_.share);
  if (!options.ca_file.empty()) {
    ok = ok && set(easy_, CURLOPT_CAINFO, options.ca_file.c_str()) &&
         set(easy_, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  return ok;
}

bool transfer::set_callbacks() {
  return set(easy_, CURLOPT_PRIVATE, static_cast<void*>(this)) &&
         set(easy_, CURLOPT_ERRORBUFFER, error_text_.data()) &&
         set(easy_, CURLOPT_HEADERFUNCTION, &transfer::on_header) &&
         set(easy_, CURLOPT_HEADERDATA, static_cast<void*>(this)) &&
         set(easy_, CURLOPT_WRITEFUNCTION, &transfer::on_body) &&
         set(easy_, CURLOPT_WRITEDATA, static_cast<void*>(this)) &&
         set(easy_, CURLOPT_PREREQFUNCTION, &transfer::on_prereq) &&
         set(easy_, CURLOPT_PREREQDATA, static_cast<void*>(this)) &&
         set(easy_, CURLOPT_OPENSOCKETFUNCTION, &socket_callbacks::open) &&
         set(easy_, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this)) &&
         // A connection may outlive the handle that opened it: its end is told to the loop.
         set(easy_, CURLOPT_CLOSESOCKETFUNCTION, &socket_callbacks::close) &&
         set(easy_, CURLOPT_CLOSESOCKETDATA, static_cast<void*>(&context_));
}

// Memory that stays where it is as long as the handle points at it (tls_). Null: nothing.
static bool set_blob(void* easy, CURLoption option, const std::string& text) {
  if (text.empty()) return set(easy, option, static_cast<curl_blob*>(nullptr));
  curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
  return set(easy, option, &blob);
}

// libcurl compares certificate and authorities before it uses a connection or session again; the
// key belongs to the certificate. The directory of the system's authorities would be trusted beside
// our own, so it is taken away with them.
bool transfer::set_identity() {
  if (tls_ == request_.tls && http2_ == request_.http2) return true;
  static const tls_material nothing;
  const tls_material& next = request_.tls ? *request_.tls : nothing;
  const bool own_trust = !next.ca.empty() || !context_.options->ca_file.empty();
  const bool ok =
      set_blob(easy_, CURLOPT_SSLCERT_BLOB, next.certificate) &&
      set_blob(easy_, CURLOPT_SSLKEY_BLOB, next.key.reveal()) &&
      set_blob(easy_, CURLOPT_CAINFO_BLOB, next.ca) &&
      set(easy_, CURLOPT_CAPATH,
          own_trust || authorities_.empty() ? nullptr : authorities_.c_str()) &&
      set(easy_, CURLOPT_HTTP_VERSION,
          static_cast<long>(request_.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1)) &&
      set(easy_, CURLOPT_SSLVERSION, request_.http2 ? tls_versions_with_offer : tls_versions);
  tls_ = request_.tls;
  http2_ = request_.http2;
  return ok;
}

// The attempt's own headers, then the fixed ones: a chain of nodes that point at our strings, so
// that nothing is copied.
void transfer::link_headers() {
  fixed_ = context_.lists.take(request_.fixed_headers);
  nodes_.clear();
  nodes_.reserve(request_.headers.size());
  for (auto& header : request_.headers) nodes_.push_back({header.data(), nullptr});
  for (std::size_t i = 1; i < nodes_.size(); ++i) nodes_[i - 1].next = &nodes_[i];
  if (!nodes_.empty()) nodes_.back().next = header_lists::first(fixed_);
}

bool transfer::prepare(attempt_request&& request, const std::string& pin, int timeout_ms,
                       std::uint32_t dns_us) {
  request_ = std::move(request);
  head_bytes_ = body_bytes_ = 0;
  status_ = 0;
  head_done_ = blocked_ = too_large_ = switched_ = exhausted_ = connected_ = false;
  sends_ = 0;
  dns_us_ = dns_us;
  retry_after_.clear();
  control_.clear();
  excerpt_.clear();
  error_text_[0] = '\0';
  link_headers();
  bool ok = set_identity();
  if (url_ != request_.url) {
    url_ = request_.url;
    ok = ok && set(easy_, CURLOPT_URL, url_.c_str());
  }
  if (!pin.empty()) {
    pin_ = curl_slist_append(nullptr, pin.c_str());
    ok = ok && pin_ != nullptr;
  }
  curl_slist* const headers = nodes_.empty() ? header_lists::first(fixed_) : nodes_.data();
  // Handles are used again, so each request says what it is.
  ok = ok && set(easy_, request_.get ? CURLOPT_HTTPGET : CURLOPT_POST, 1L);
  const char* const body = request_.body ? request_.body->data() : "";
  const auto size = static_cast<curl_off_t>(request_.body ? request_.body->size() : 0);
  return ok && set(easy_, CURLOPT_RESOLVE, pin_) && set(easy_, CURLOPT_HTTPHEADER, headers) &&
         (request_.get || (set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, size) &&
                           set(easy_, CURLOPT_POSTFIELDS, body))) &&
         set(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
}

// A change of the pauses is the only call that has libcurl look at one transfer at once.
void transfer::try_next_address() {
  if (!busy() || connected_) return;
  curl_easy_pause(easy_, CURLPAUSE_RECV);
  curl_easy_pause(easy_, CURLPAUSE_CONT);
}

void transfer::release() {
  if (fixed_ != nullptr) header_lists::give_back(std::exchange(fixed_, nullptr));
  if (pin_ != nullptr) curl_slist_free_all(std::exchange(pin_, nullptr));
  request_ = {};
}

core::attempt_result transfer::finish(int curl_code) {
  core::attempt_result out;
  out.timing.dns_us = dns_us_;
  const auto after_dns = [this](CURLINFO what) {
    const auto us = micros(easy_, what);
    return us == 0 ? 0 : us + dns_us_;
  };
  out.timing.connect_us = after_dns(CURLINFO_CONNECT_TIME_T);
  out.timing.tls_us = after_dns(CURLINFO_APPCONNECT_TIME_T);
  out.timing.first_byte_us = after_dns(CURLINFO_STARTTRANSFER_TIME_T);
  out.timing.total_us = after_dns(CURLINFO_TOTAL_TIME_T);
  out.error = classify(curl_code);
  if (out.error == core::attempt_error::none) {
    // A final head decides, however the body ended (reliability.md 5.1, transfer limits).
    out.status = status_;
    out.retry_after = std::move(retry_after_);
    out.control = std::move(control_);
    out.excerpt = std::move(excerpt_);
  } else {
    out.detail = error_text_[0] != '\0' ? error_text_.c_str()
                                        : curl_easy_strerror(static_cast<CURLcode>(curl_code));
  }
  release();
  return out;
}

core::attempt_error transfer::classify(int curl_code) const noexcept {
  using core::attempt_error;
  if (head_done_) {
    return status_ >= 200 && status_ <= 599 ? attempt_error::none : attempt_error::protocol;
  }
  if (blocked_) return attempt_error::blocked_destination;
  if (too_large_) return attempt_error::response_too_large;
  if (switched_) return attempt_error::protocol;
  if (sends_ > sends_max) return attempt_error::send;
  const auto says = [this](std::string_view word) {
    return std::string_view{error_text_.c_str()}.find(word) != std::string_view::npos;
  };
  const auto cut_off = [this] {
    return head_bytes_ == 0 ? attempt_error::send : attempt_error::protocol;
  };
  switch (static_cast<CURLcode>(curl_code)) {
    case CURLE_COULDNT_RESOLVE_HOST: return attempt_error::dns;
    case CURLE_COULDNT_CONNECT: {
      // No descriptor or no local port is our own want; the endpoint is not to blame.
      long why = 0;
      curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &why);
      return exhausted_ || why == EADDRNOTAVAIL ? attempt_error::local : attempt_error::connect;
    }
    case CURLE_OPERATION_TIMEDOUT: return attempt_error::timeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_CRL_BADFILE: return attempt_error::tls;
    // The connection broke. A server of TLS 1.3 refuses our certificate after the handshake, and
    // only libcurl's text tells that it said so.
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING: return says(" alert ") ? attempt_error::tls : cut_off();
    // The same for HTTP/2: the peer reset the stream, is going away, or closed the connection. But
    // PROTOCOL_ERROR is what libcurl calls an answer against the rules, too.
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_PARTIAL_FILE: return says("PROTOCOL_ERROR") ? attempt_error::protocol : cut_off();
    case CURLE_OUT_OF_MEMORY:
      // libcurl's word for a header line over its own bound.
      return micros(easy_, CURLINFO_PRETRANSFER_TIME_T) > 0 ? attempt_error::response_too_large
                                                            : attempt_error::local;
    case CURLE_FAILED_INIT:
    case CURLE_URL_MALFORMAT:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_BAD_FUNCTION_ARGUMENT: return attempt_error::local;
    default: return attempt_error::protocol;
  }
}

bool transfer::allows(const sockaddr* address) noexcept {
  const auto read = read_socket_address(address);
  if (read && context_.policy->allows(read->address, read->port)) return true;
  blocked_ = true;
  return false;
}

void transfer::take_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const auto name = line.substr(0, colon);
  std::string* const wanted = same_word(name, "retry-after") ? &retry_after_
                              : request_.receiver_control && same_word(name, "webhook-delivery")
                                  ? &control_
                                  : nullptr;
  if (wanted == nullptr || !wanted->empty()) return;
  auto value = line.substr(colon + 1);
  while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
  *wanted = trim_blanks(value).substr(0, field_bytes_max);
}

// Interim heads count too, so an endless row of them ends at the limit.
std::size_t transfer::take_header(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > limits::response_head_bytes_max) {
    too_large_ = true;  // after a final head (trailers) the verdict stands, see classify()
    return 0;
  }
  if (head_done_) return line.size();
  if (line.starts_with("HTTP/")) {
    status_ = status_of(line);
    retry_after_.clear();
    control_.clear();
  } else if (line == "\r\n" || line == "\n") {
    head_done_ = status_ < 100 || status_ >= 200;
    switched_ = status_ == 101;
    if (switched_) return 0;
  } else {
    take_field(line);
  }
  return line.size();
}

std::size_t transfer::take_body(std::string_view bytes) {
  const auto room =
      request_.excerpt_bytes_max - std::min(request_.excerpt_bytes_max, excerpt_.size());
  excerpt_.append(bytes.substr(0, room));
  body_bytes_ += bytes.size();
  return body_bytes_ > limits::response_body_bytes_max ? 0 : bytes.size();
}

std::size_t transfer::on_header(char* data, std::size_t size, std::size_t n, void* self) {
  return static_cast<transfer*>(self)->take_header({data, size * n});
}

std::size_t transfer::on_body(char* data, std::size_t size, std::size_t n, void* self) {
  return static_cast<transfer*>(self)->take_body({data, size * n});
}

// The only place that sees a reused connection before the request is written to it.
int transfer::on_prereq(void* self, char* peer, char*, int peer_port, int) {
  auto& me = *static_cast<transfer*>(self);
  me.connected_ = true;
  me.context_.connected(me.context_.loop, me.ticket_);
  if (++me.sends_ > sends_max) return CURL_PREREQFUNC_ABORT;
  const auto address = core::ip_address::parse(peer);
  if (address && me.context_.policy->allows(*address, static_cast<std::uint16_t>(peer_port))) {
    return CURL_PREREQFUNC_OK;
  }
  me.blocked_ = true;
  return CURL_PREREQFUNC_ABORT;
}

}  // namespace syndicated::net
