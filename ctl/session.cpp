#include "ctl/session.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <istream>
#include <iterator>
#include <ostream>

#include "core/base/json_writer.hpp"
#include "ctl/document.hpp"
#include "net/unix_client.hpp"

namespace syndicated::ctl {
namespace {

// Why the socket cannot be used, in the operator's terms.
std::string connection_advice(const std::string& socket, const core::error& why) {
  if (why.code == "permission_denied") {
    return "no permission to use " + socket +
           ": become a member of the group that owns it, or run this as root";
  }
  if (why.code == "daemon_not_running") {
    return "syndicated is not running, or its socket is not " + socket +
           " (--socket, SYNDCTL_SOCKET)";
  }
  return "no answer at " + socket + ": " + why.detail;
}

}  // namespace

std::optional<std::string> session::get(const std::string& target) {
  return send("GET", target, {});
}

std::optional<std::string> session::send(std::string_view method, const std::string& target,
                                         const std::string& body,
                                         std::chrono::milliseconds patience) {
  std::vector<net::http_header> headers{{"Accept", "application/json"}};
  if (!body.empty()) headers.push_back({"Content-Type", "application/json"});
  auto answer = net::unix_request(socket, method, target, body, headers, patience);
  if (!answer) {
    fail(3, connection_advice(socket, answer.failure()));
    return std::nullopt;
  }
  if (answer->status >= 400 || answer->status < 200) {
    refused(answer->status, answer->body);
    return std::nullopt;
  }
  return std::move(answer->body);
}

std::optional<std::string> session::read(const std::string& file) {
  const auto all = [](std::istream& from) {
    return std::string{std::istreambuf_iterator<char>{from}, std::istreambuf_iterator<char>{}};
  };
  if (file == "-") return all(in);
  std::ifstream opened{file, std::ios::binary};
  if (opened) return all(opened);
  fail(2, "cannot read " + file);
  return std::nullopt;
}

std::optional<std::string> session::read_secret(const std::string& file) {
  auto secret = read(file);
  if (!secret) return secret;
  if (secret->ends_with('\n')) secret->pop_back();
  if (secret->ends_with('\r')) secret->pop_back();
  if (!secret->empty()) return secret;
  fail(2, "the secret is empty");
  return std::nullopt;
}

core::timestamp session::now() {
  if (!ahead) {
    const auto answer =
        net::unix_request(socket, "GET", "/admin/clock", {}, {}, std::chrono::seconds{5});
    const bool known = answer.ok() && answer->status == 200;
    ahead = std::chrono::milliseconds{known ? document::parse(answer->body).number("ahead_ms") : 0};
  }
  return current_time() + *ahead;
}

std::optional<std::string> session::get_list(std::string target, std::size_t limit) {
  core::json_writer all;
  all.begin_object().key("items").begin_array();
  std::size_t count = 0;
  std::string after;
  target += target.find('?') == std::string::npos ? '?' : '&';
  while (true) {
    std::string page_target =
        target + "limit=" + std::to_string(std::min<std::size_t>(limit - count, 500));
    if (!after.empty()) page_target += "&after=" + query_value(after);
    const auto body = get(page_target);
    if (!body) return std::nullopt;
    const document page = document::parse(*body);
    if (!page.is_list()) {
      fail(1, "the daemon's answer is not a list");
      return std::nullopt;
    }
    for (const document& item : page.items("items")) {
      all.raw(item.serialized());
      ++count;
    }
    after = page.raw_text("next");
    if (after.empty() || count >= limit) break;
  }
  all.end_array().key("next");
  if (after.empty()) {
    all.null();
  } else {
    all.text(after);
  }
  all.end_object();
  return std::move(all).str();
}

void session::fail(int exit_with, const std::string& why) {
  code = exit_with;
  err << "syndctl: " << why << '\n';
}

void session::print_document(std::string_view document) const { out << document << '\n'; }

void session::refused(int status, const std::string& body) {
  const document problem = document::parse(body);
  if (!problem.is_object()) return fail(1, "refused with status " + std::to_string(status));
  if (json) print_document(body);
  fail(1,
       problem.text("detail") + " [" + std::to_string(status) + ' ' + problem.text("code") + ']');
  const auto mistakes = problem.items("errors");
  if (mistakes.size() < 2) return;
  for (const document& m : mistakes)
    err << "  " << m.text("pointer") << ' ' << m.text("detail") << '\n';
}

std::string query_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += "0123456789ABCDEF"[byte >> 4U];
      out += "0123456789ABCDEF"[byte & 15U];
    }
  }
  return out;
}

}  // namespace syndicated::ctl
