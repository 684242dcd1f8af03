#include "net/http_message.hpp"

#include <algorithm>
#include <utility>

#include <boost/beast/http/status.hpp>

#include "net/text.hpp"

namespace syndicated::net {

std::string_view http_request::header(std::string_view name) const noexcept {
  for (const auto& h : headers) {
    if (same_word(h.name, name)) return h.value;
  }
  return {};
}

std::size_t http_request::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(headers.begin(), headers.end(),
                    [name](const http_header& h) { return same_word(h.name, name); }));
}

std::string_view reason_phrase(int status) noexcept {
  namespace http = boost::beast::http;
  const auto text = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  return {text.data(), text.size()};
}

responder& responder::operator=(responder&& other) noexcept {
  if (this != &other) {
    responder lost{std::move(*this)};  // answers 500 if nobody did
    answer_ = std::exchange(other.answer_, nullptr);
  }
  return *this;
}

responder::responder(responder&& other) noexcept : answer_(std::exchange(other.answer_, nullptr)) {}

responder::~responder() {
  if (!answer_) return;
  http_response lost;
  lost.status = 500;
  lost.content_type = "application/problem+json";
  lost.body = R"({"type":"about:blank","title":"Internal Server Error","status":500,)"
              R"("detail":"the request was lost inside the server; its outcome is unknown",)"
              R"("code":"internal"})";
  send(std::move(lost));
}

void responder::send(http_response response) {
  if (auto answer = std::exchange(answer_, nullptr)) answer(std::move(response));
}

}  // namespace syndicated::net
