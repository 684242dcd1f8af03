#include "core/delivery/url.hpp"

#include <algorithm>
#include <charconv>

#include "core/base/limits.hpp"

namespace syndicated::core {
namespace {

error refused(std::string why) { return invalid_field("/url", std::move(why)); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

// The number forms of inet_aton always end in a numeric last part ("127.1", "0x7f.1",
// "017700000001"), and no name in the DNS does: one rule covers every spelling.
bool ends_in_number(std::string_view host) {
  const auto dot = host.rfind('.');
  auto last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  if (last.starts_with("0x")) {
    last.remove_prefix(2);
    return std::all_of(last.begin(), last.end(), is_hex);
  }
  return !last.empty() && std::all_of(last.begin(), last.end(), is_digit);
}

bool has_suffix(std::string_view host, std::string_view domain) {
  if (!host.ends_with(domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

result<void> check_name(std::string_view host) {
  if (host.size() > 253) return refused("the host name is longer than 253 bytes");
  if (host.ends_with('.')) return refused("the host name must not end in a dot");
  if (host.find('.') == std::string_view::npos) {
    return refused("the host must be a full domain name, not a single word");
  }
  std::string_view rest = host;
  while (true) {
    const auto dot = rest.find('.');
    const auto label = rest.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return refused("a label of the host name is empty, too long or begins or ends in '-'");
    }
    const bool clean = std::all_of(label.begin(), label.end(),
                                   [](char c) { return is_digit(c) || is_alpha(c) || c == '-'; });
    if (!clean) return refused("the host name has characters other than letters, digits and '-'");
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  for (const std::string_view domain : {"localhost", "local", "internal", "home.arpa"}) {
    if (has_suffix(host, domain)) return refused("host names of local networks are not allowed");
  }
  return {};
}

struct authority {
  std::string host;  // lower case, no brackets
  std::string_view port;
  bool bracketed = false;
  bool has_port = false;
};

result<authority> split_authority(std::string_view text) {
  authority out;
  if (text.find('@') != std::string_view::npos) {
    return refused("a user name or password in the URL is not allowed");
  }
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return refused("'[' without ']' in the host");
    out.bracketed = true;
    out.host = lower(text.substr(1, close - 1));
    host_end = close + 1;
    if (out.host.find('%') != std::string::npos) return refused("zone ids are not allowed");
    if (host_end < text.size() && text[host_end] != ':') return refused("text behind ']'");
  } else {
    host_end = std::min(text.find(':'), text.size());
    out.host = lower(text.substr(0, host_end));
  }
  if (out.host.empty()) return refused("the host is missing");
  if (host_end < text.size()) {
    out.has_port = true;
    out.port = text.substr(host_end + 1);
  }
  return out;
}

result<std::uint16_t> read_port(const authority& from, bool http) {
  if (!from.has_port) return static_cast<std::uint16_t>(http ? 80 : 443);
  unsigned value = 0;
  const char* end = from.port.data() + from.port.size();
  const auto read = std::from_chars(from.port.data(), end, value);
  if (from.port.empty() || from.port.size() > 5 || from.port.front() == '0' ||
      read.ec != std::errc{} || read.ptr != end || value > 65'535) {
    return refused("the port is not a number from 1 to 65535");
  }
  return static_cast<std::uint16_t>(value);
}

result<void> check_port(std::uint16_t port, const egress_rules& rules) {
  const auto& ports = rules.ports;
  if (std::find(ports.begin(), ports.end(), port) != ports.end()) return {};
  const auto& allow = rules.allow;
  const bool excepted = std::any_of(allow.begin(), allow.end(), [port](const egress_exception& e) {
    return e.port == 0 || e.port == port;
  });
  if (excepted) return {};
  return refused("port " + std::to_string(port) + " is not among the allowed ports");
}

result<void> check_literal(const authority& from, std::uint16_t port, const egress_policy& policy) {
  if (!policy.rules().allow_ip_literals) {
    return refused("an IP address in place of a host name is not allowed");
  }
  const auto address = ip_address::parse(from.host);
  // Only the canonical spelling, so that no two readers can disagree about it.
  if (!address || address->is_v4() == from.bracketed || to_string(*address) != from.host) {
    return refused("the IP address is not in its canonical form");
  }
  if (!policy.allows(*address, port)) return refused("this address may not be contacted");
  return {};
}

// RFC 3986 characters of path and query; everything else must be percent-encoded.
result<void> check_path_and_query(std::string_view text) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=:@/?";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
        return refused("'%' is not followed by two hexadecimal digits");
      }
      i += 2;
    } else if (!is_digit(c) && !is_alpha(c) && marks.find(c) == std::string_view::npos) {
      return refused("the path or query has a character that must be percent-encoded");
    }
  }
  return {};
}

result<void> check_characters(std::string_view text) {
  if (text.empty()) return refused("the URL is empty");
  if (text.size() > limits::url_bytes_max) {
    return refused("the URL is longer than " + std::to_string(limits::url_bytes_max) + " bytes");
  }
  for (const char c : text) {
    if (c <= ' ' || c >= '\x7f') {  // char is signed here: non-ASCII is below ' '
      return refused("spaces, control and non-ASCII characters are not allowed");
    }
    if (c == '\\') return refused("backslashes are not allowed");
    if (c == '#') return refused("a fragment is not allowed");
  }
  return {};
}

}  // namespace

result<endpoint_url> check_endpoint_url(std::string_view text, const egress_policy& policy) {
  if (auto clean = check_characters(text); !clean) return std::move(clean).failure();
  const auto mark = text.find("://");
  const auto scheme = mark == std::string_view::npos ? std::string{} : lower(text.substr(0, mark));
  if (scheme != "https" && scheme != "http") return refused("the URL must begin with https://");
  const bool http = scheme == "http";
  if (http && !policy.rules().allow_http) return refused("plain http is not allowed, use https");

  const auto rest = text.substr(mark + 3);
  const auto path_at = std::min(rest.find_first_of("/?"), rest.size());
  auto parts = split_authority(rest.substr(0, path_at));
  if (!parts) return std::move(parts).failure();
  const auto port = read_port(*parts, http);
  if (!port) return port.failure();
  if (auto ok = check_port(*port, policy.rules()); !ok) return std::move(ok).failure();

  const bool literal = parts->bracketed || ends_in_number(parts->host);
  auto host_ok = literal ? check_literal(*parts, *port, policy) : check_name(parts->host);
  if (!host_ok) return std::move(host_ok).failure();
  const auto path = rest.substr(path_at);
  if (auto ok = check_path_and_query(path); !ok) return std::move(ok).failure();

  const std::string shown = parts->bracketed ? "[" + parts->host + "]" : parts->host;
  const bool default_port = *port == (http ? 80 : 443);
  endpoint_url url;
  url.text = scheme + "://" + shown + (default_port ? "" : ":" + std::to_string(*port));
  if (!path.starts_with('/')) url.text += '/';
  url.text += path;
  url.origin = scheme + "://" + shown + ":" + std::to_string(*port);
  url.scheme = scheme;
  url.host = std::move(parts->host);
  url.port = *port;
  url.ip_literal = literal;
  return url;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c > 0x20 && c < 0x7F && c != '%') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

}  // namespace syndicated::core
