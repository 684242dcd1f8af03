#include "core/delivery/egress_policy.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace syndicated::core {
namespace {

constexpr std::array<std::uint8_t, 12> v4_mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<unsigned> decimal(std::string_view text, unsigned max) {
  // A leading zero is octal to some readers and decimal to others: refused.
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return {};
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value > max) return {};
  return value;
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    const auto dot = text.find('.');
    if ((part < 3) != (dot != std::string_view::npos)) return {};
    const auto number = decimal(text.substr(0, dot), 255);
    if (!number) return {};
    value = value << 8U | *number;
    text.remove_prefix(part < 3 ? dot + 1 : text.size());
  }
  return value;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return {};
  std::uint16_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (failed != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

// Groups of one side of "::", possibly ending in dotted IPv4. False when malformed or over 8.
bool parse_groups(std::string_view text, bool v4_tail, std::vector<std::uint16_t>& out) {
  while (!text.empty()) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    if (colon == std::string_view::npos && v4_tail && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4) return false;
      out.push_back(static_cast<std::uint16_t>(*v4 >> 16U));
      out.push_back(static_cast<std::uint16_t>(*v4 & 0xffffU));
      return out.size() <= 8;
    }
    const auto group = parse_group(part);
    if (!group) return false;
    out.push_back(*group);
    if (out.size() > 8) return false;
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;  // "1:2:"
  }
  return true;
}

std::optional<ip_address> parse_v6(std::string_view text) {
  std::vector<std::uint16_t> head;
  std::vector<std::uint16_t> tail;
  const auto gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (!parse_groups(text, true, head) || head.size() != 8) return {};
  } else {
    // "::" stands for at least one group, and occurs once.
    const auto right = text.substr(gap + 2);
    if (right.find("::") != std::string_view::npos || right.starts_with(':')) return {};
    if (!parse_groups(text.substr(0, gap), false, head)) return {};
    if (!parse_groups(right, true, tail) || head.size() + tail.size() > 7) return {};
    head.resize(8 - tail.size());
    head.insert(head.end(), tail.begin(), tail.end());
  }
  ip_address address;
  for (std::size_t i = 0; i < 8; ++i) {
    address.bytes[2 * i] = static_cast<std::uint8_t>(head[i] >> 8U);
    address.bytes[2 * i + 1] = static_cast<std::uint8_t>(head[i] & 0xffU);
  }
  return address;
}

std::uint32_t v4_value(const ip_address& address) {
  std::uint32_t value = 0;
  for (std::size_t i = 12; i < 16; ++i) value = value << 8U | address.bytes[i];
  return value;
}

struct v4_range {
  std::uint32_t base;
  unsigned bits;
};

constexpr std::uint32_t quad(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24U | b << 16U | c << 8U | d;
}

// reliability.md 5.1 rule 3.
constexpr v4_range blocked_v4[] = {
    {quad(0, 0, 0, 0), 8},        {quad(10, 0, 0, 0), 8},     {quad(100, 64, 0, 0), 10},
    {quad(127, 0, 0, 0), 8},      {quad(169, 254, 0, 0), 16}, {quad(172, 16, 0, 0), 12},
    {quad(192, 0, 0, 0), 24},     {quad(192, 0, 2, 0), 24},   {quad(192, 88, 99, 0), 24},
    {quad(192, 168, 0, 0), 16},   {quad(198, 18, 0, 0), 15},  {quad(198, 51, 100, 0), 24},
    {quad(203, 0, 113, 0), 24},   {quad(224, 0, 0, 0), 4},    {quad(240, 0, 0, 0), 4},
    {quad(168, 63, 129, 16), 32},
};

bool public_v4(std::uint32_t value) {
  return std::none_of(std::begin(blocked_v4), std::end(blocked_v4), [value](const v4_range& r) {
    return (value ^ r.base) >> (32U - r.bits) == 0;
  });
}

// Only 2000::/3 is global unicast; inside it the tunnels and the special blocks are refused.
bool public_v6(const ip_address& address) {
  const auto& b = address.bytes;
  const auto word = static_cast<std::uint32_t>(quad(b[0], b[1], b[2], b[3]));
  if (word >> 29U != 1) return false;                 // outside 2000::/3
  if (word >> 9U == 0x20010000U >> 9U) return false;  // 2001::/23, Teredo included
  if (word == 0x20010db8U) return false;              // 2001:db8::/32
  if (word >> 16U == 0x2002U) return false;           // 6to4
  if (word >> 12U == 0x3fff0U) return false;          // 3fff::/20
  return true;
}

}  // namespace

ip_address ip_address::v4(std::uint32_t host_order) noexcept {
  ip_address address;
  std::copy(v4_mapped_prefix.begin(), v4_mapped_prefix.end(), address.bytes.begin());
  for (std::size_t i = 0; i < 4; ++i) {
    address.bytes[12 + i] = static_cast<std::uint8_t>(host_order >> (24U - 8U * i));
  }
  return address;
}

std::optional<ip_address> ip_address::parse(std::string_view text) {
  if (text.size() > 45) return {};
  if (text.find(':') != std::string_view::npos) return parse_v6(text);
  const auto value = parse_v4(text);
  if (!value) return {};
  return v4(*value);
}

bool ip_address::is_v4() const noexcept {
  return std::equal(v4_mapped_prefix.begin(), v4_mapped_prefix.end(), bytes.begin());
}

// RFC 5952 for IPv6.
std::string to_string(const ip_address& address) {
  if (address.is_v4()) {
    std::string text;
    for (std::size_t i = 12; i < 16; ++i) {
      if (i > 12) text += '.';
      text += std::to_string(address.bytes[i]);
    }
    return text;
  }
  std::array<unsigned, 8> group{};
  for (std::size_t i = 0; i < 8; ++i) {
    group[i] = static_cast<unsigned>(address.bytes[2 * i]) << 8U | address.bytes[2 * i + 1];
  }
  std::size_t gap = 8;
  std::size_t gap_length = 1;  // a single zero group is not shortened
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t n = 0;
    while (i + n < 8 && group[i + n] == 0) ++n;
    if (n > gap_length) {
      gap = i;
      gap_length = n;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      text += "::";
      i += gap_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    std::array<char, 4> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + 4, group[i], 16).ptr;
    text.append(digits.data(), end);
  }
  return text;
}

std::optional<cidr> cidr::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = ip_address::parse(text.substr(0, slash));
  if (!address) return {};
  const bool v4 = text.find(':') == std::string_view::npos;
  cidr range{*address, 128};
  if (slash != std::string_view::npos) {
    const auto bits = decimal(text.substr(slash + 1), v4 ? 32 : 128);
    if (!bits) return {};
    range.prefix_bits = static_cast<int>(*bits) + (v4 ? 96 : 0);
  }
  // Bits behind the prefix are a slip of the pen ("10.1.2.3/8"): refused, not guessed.
  for (int bit = range.prefix_bits; bit < 128; ++bit) {
    const auto byte = range.base.bytes[static_cast<std::size_t>(bit / 8)];
    if ((byte >> (7 - bit % 8) & 1) != 0) return {};
  }
  return range;
}

bool cidr::contains(const ip_address& address) const noexcept {
  // An IPv6 range such as ::/0 does not speak about IPv4, although the value is kept as mapped.
  if (address.is_v4() && prefix_bits < 96) return false;
  const auto whole = static_cast<std::size_t>(prefix_bits / 8);
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + prefix_bits / 8,
                  address.bytes.begin())) {
    return false;
  }
  const int rest = prefix_bits % 8;
  if (rest == 0) return true;
  const unsigned difference = static_cast<unsigned>(base.bytes[whole] ^ address.bytes[whole]);
  return difference >> static_cast<unsigned>(8 - rest) == 0;
}

std::optional<egress_exception> egress_exception::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  const auto port_text = text.substr(colon + 1);
  std::string range_text{text.substr(0, colon)};
  if (range_text.starts_with('[')) {
    const auto close = range_text.find(']');
    if (close == std::string::npos) return {};
    range_text.erase(close, 1);
    range_text.erase(0, 1);
    if (range_text.find(':') == std::string::npos) return {};
  } else if (range_text.find(':') != std::string::npos) {
    return {};  // IPv6 without brackets: the port could not be told from a group
  }
  const auto range = cidr::parse(range_text);
  if (!range) return {};
  if (port_text == "*") return egress_exception{*range, 0};
  const auto port = decimal(port_text, 65'535);
  if (!port || *port == 0) return {};
  return egress_exception{*range, static_cast<std::uint16_t>(*port)};
}

egress_policy::egress_policy(egress_rules rules) : rules_(std::move(rules)) {}

bool egress_policy::allows(const ip_address& address, std::uint16_t port) const noexcept {
  if (port == 0) return false;
  for (const auto& range : rules_.deny) {
    if (range.contains(address)) return false;
  }
  for (const auto& exception : rules_.allow) {
    if ((exception.port == 0 || exception.port == port) && exception.range.contains(address)) {
      return true;
    }
  }
  if (std::find(rules_.ports.begin(), rules_.ports.end(), port) == rules_.ports.end()) return false;
  if (std::find(rules_.own.begin(), rules_.own.end(), address) != rules_.own.end()) return false;
  return address.is_v4() ? public_v4(v4_value(address)) : public_v6(address);
}

}  // namespace syndicated::core
