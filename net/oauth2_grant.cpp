#include "net/oauth2_grant.hpp"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "core/base/limits.hpp"
#include "core/delivery/endpoint_rules.hpp"
#include "core/delivery/signature.hpp"
#include "net/text.hpp"

namespace syndicated::net {
namespace {

using std::chrono::seconds;

constexpr int fetch_timeout_ms = 10'000;
constexpr seconds lifetime_unknown{300};  // the server did not say
constexpr seconds lifetime_max{86'400};
constexpr seconds margin_max{60};
constexpr seconds refused_pause{1};
constexpr std::size_t token_bytes_max = 16 * 1024;

core::error useless(std::string detail) {
  return {core::errc::invalid, "no_token", std::move(detail), {}, {}};
}

// application/x-www-form-urlencoded
std::string form_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '*';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    }
  }
  return out;
}

core::attempt_result failed(core::attempt_error error, std::string detail) {
  core::attempt_result out;
  out.error = error;
  out.detail = std::move(detail);
  return out;
}

}  // namespace

core::result<access_token> parse_token_answer(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element whole;
  if (parser.parse(simdjson::padded_string(json)).get(whole) != simdjson::SUCCESS) {
    return useless("the token server's answer is not JSON");
  }
  std::string_view token;
  if (whole["access_token"].get(token) != simdjson::SUCCESS || token.size() > token_bytes_max ||
      core::header_value_mistake(token) || token.find(' ') != std::string_view::npos) {
    return useless("the token server's answer holds no usable access_token");
  }
  std::string_view type;
  if (whole["token_type"].get(type) == simdjson::SUCCESS && !same_word(type, "bearer")) {
    return useless("the token server's token_type is not Bearer");
  }
  double lifetime = static_cast<double>(lifetime_unknown.count());
  std::string_view text;
  // Some servers write the number as a string.
  if (whole["expires_in"].get(lifetime) != simdjson::SUCCESS &&
      whole["expires_in"].get(text) == simdjson::SUCCESS) {
    simdjson::dom::parser number;
    const auto read = number.parse(simdjson::padded_string(text)).get(lifetime);
    if (read != simdjson::SUCCESS) lifetime = static_cast<double>(lifetime_unknown.count());
  }
  lifetime = std::clamp(lifetime, 0.0, static_cast<double>(lifetime_max.count()));
  return access_token{std::string{token}, seconds{static_cast<std::int64_t>(lifetime)}};
}

oauth2_grant::oauth2_grant(core::endpoint_auth auth, clock now, std::atomic<std::uint64_t>* fetches)
    : auth_(std::move(auth)), now_(std::move(now)), fetches_(fetches) {}

bool oauth2_grant::serves(const core::endpoint_auth& auth) const {
  return auth.kind == auth_.kind && auth.name == auth_.name && auth.token_url == auth_.token_url &&
         auth.scope == auth_.scope && auth.audience == auth_.audience &&
         core::equal_constant_time(auth.secret.reveal(), auth_.secret.reveal());
}

void oauth2_grant::send(attempt_request&& request, const submitter& submit) {
  enqueue({std::move(request), false}, submit);
}

void oauth2_grant::enqueue(waiting&& next, const submitter& submit) {
  std::unique_lock lock{mutex_};
  const auto now = now_();
  if (now < good_until_) {
    const std::string token = token_;
    const std::uint64_t generation = generation_;
    lock.unlock();
    return submit_with(token, generation, std::move(next), submit);
  }
  if (!fetching_ && now < refused_until_) {
    lock.unlock();
    return next.request.done(
        failed(core::attempt_error::auth, "the token server refused a moment ago"));
  }
  waiting_.push_back(std::move(next));
  if (std::exchange(fetching_, true)) return;
  lock.unlock();
  fetch(submit);
}

void oauth2_grant::submit_with(const std::string& token, std::uint64_t generation, waiting&& next,
                               const submitter& submit) {
  attempt_request request = std::move(next.request);
  if (!next.again) {
    // Kept for a second try: the body is shared, the headers are few.
    request.done = [self = shared_from_this(), kept = request, generation,
                    submit](core::attempt_result&& result) mutable {
      if (result.error != core::attempt_error::none || result.status != 401) {
        return kept.done(std::move(result));
      }
      {
        const std::lock_guard guard{self->mutex_};
        if (self->generation_ == generation) self->good_until_ = {};
      }
      self->enqueue({std::move(kept), true}, submit);
    };
  }
  request.headers.push_back("Authorization: Bearer " + token);
  submit(std::move(request));
}

attempt_request oauth2_grant::token_request() const {
  attempt_request request;
  request.url = auth_.token_url;
  // RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
  request.headers = {
      "Content-Type: application/x-www-form-urlencoded", "Accept: application/json",
      "Authorization: Basic " + core::base64_encode(form_encoded(auth_.name) + ':' +
                                                    form_encoded(auth_.secret.reveal()))};
  std::string body = "grant_type=client_credentials";
  if (!auth_.scope.empty()) body += "&scope=" + form_encoded(auth_.scope);
  if (!auth_.audience.empty()) body += "&audience=" + form_encoded(auth_.audience);
  request.body = std::make_shared<const std::string>(std::move(body));
  request.timeout_ms = fetch_timeout_ms;
  request.excerpt_bytes_max = core::limits::response_body_bytes_max;
  return request;
}

void oauth2_grant::fetch(const submitter& submit) {
  if (fetches_ != nullptr) fetches_->fetch_add(1, std::memory_order_relaxed);
  attempt_request request = token_request();
  request.done = [self = shared_from_this(), submit](core::attempt_result&& result) {
    self->fetched(result, submit);
  };
  submit(std::move(request));
}

void oauth2_grant::fetched(const core::attempt_result& result, const submitter& submit) {
  std::string why;
  core::result<access_token> token = useless({});
  if (result.error != core::attempt_error::none) {
    why = "the token server: " + std::string{core::to_string(result.error)};
  } else if (result.status != 200) {
    why = "the token server answered " + std::to_string(result.status);
  } else {
    token = parse_token_answer(result.excerpt);
    if (!token) why = token.failure().detail;
  }
  std::unique_lock lock{mutex_};
  fetching_ = false;
  const auto now = now_();
  if (token) {
    token_ = token->value;
    ++generation_;
    good_until_ = now + token->lifetime - std::min(margin_max, token->lifetime / 10);
  } else {
    refused_until_ = now + refused_pause;
  }
  const std::string value = token_;
  const std::uint64_t generation = generation_;
  auto all = std::exchange(waiting_, {});
  lock.unlock();
  for (waiting& next : all) {
    if (token) {
      submit_with(value, generation, std::move(next), submit);
      continue;
    }
    // Our own trouble stays ours: such work has not failed.
    const bool local = result.error == core::attempt_error::local;
    next.request.done(failed(local ? core::attempt_error::local : core::attempt_error::auth, why));
  }
}

}  // namespace syndicated::net
