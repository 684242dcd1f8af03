// Which network addresses a webhook may be sent to. Pure and fail-closed.
//
// Source: reliability.md 5.1 rule 3 (the lists), rule 2-4 (every answer must be allowed). The check
// is on the binary address about to be contacted, never on a spelling of it.
// Values are immutable after construction: any thread may use them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace syndicated::core {

// An IPv4 address is kept as ::ffff:a.b.c.d, so there is one kind of value.
struct ip_address {
  std::array<std::uint8_t, 16> bytes{};

  static ip_address v4(std::uint32_t host_order) noexcept;
  static std::optional<ip_address> parse(std::string_view text);  // strict inet_pton spellings
  bool is_v4() const noexcept;
  friend bool operator==(const ip_address&, const ip_address&) = default;
};

std::string to_string(const ip_address& address);

struct cidr {
  ip_address base;
  int prefix_bits = 128;  // counted in the 128-bit form (a /8 of IPv4 is 104)

  static std::optional<cidr> parse(std::string_view text);  // "10.0.0.0/8", "fd00::/8", "127.0.0.1"
  bool contains(const ip_address& address) const noexcept;
};

// "127.0.0.0/8:*" or "10.1.2.0/24:8443" or "[fd00::]/8:443": an exception, per range and port.
struct egress_exception {
  cidr range;
  std::uint16_t port = 0;  // 0 = every port

  static std::optional<egress_exception> parse(std::string_view text);
};

struct egress_rules {
  std::vector<egress_exception> allow{};  // operator's exceptions; shown in `syndctl status`
  std::vector<cidr> deny{};               // operator's additions
  std::vector<ip_address> own{};          // addresses of this host's interfaces
  std::vector<std::uint16_t> ports{443};  // ports an endpoint may use
  bool allow_http = false;                // plain http URLs
  bool allow_ip_literals = false;         // "https://192.0.2.1/": off, exceptions still need it
};

class egress_policy {
 public:
  explicit egress_policy(egress_rules rules);

  // The address may be contacted. Exceptions win over the built-in lists, `deny` over everything.
  bool allows(const ip_address& address, std::uint16_t port) const noexcept;
  const egress_rules& rules() const noexcept { return rules_; }

 private:
  egress_rules rules_;
};

}  // namespace syndicated::core
