#include "core/delivery/egress_policy.hpp"

#include <arpa/inet.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <random>
#include <string>

using namespace syndicated::core;

namespace {

ip_address address(const std::string& text) {
  const auto parsed = ip_address::parse(text);
  BOOST_REQUIRE_MESSAGE(parsed, "not an address: " << text);
  return *parsed;
}

egress_policy plain() { return egress_policy{egress_rules{}}; }

struct range_case {
  const char* below;  // last public address before the range, or nullptr
  const char* first;
  const char* last;
  const char* above;  // first public address behind it, or nullptr
};

// Both ends of every blocked range, and the neighbours that must stay reachable.
const range_case v4_ranges[] = {
    {nullptr, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
    {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
    {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
    {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
    {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
    {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
    {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
    {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
    {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
    {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
    {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
    {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
    {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
    {"223.255.255.255", "224.0.0.0", "239.255.255.255", nullptr},
    {nullptr, "240.0.0.0", "255.255.255.255", nullptr},
    {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"},
};

const range_case v6_ranges[] = {
    {nullptr, "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"},
    {"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
     "2001:200::"},
    {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
     "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
    {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     "2003::"},
    {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
     "3fff:1000::"},
    {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     nullptr},
};

// Addresses that have names: loopback, metadata services, tunnels, and the like.
const char* const notorious[] = {
    "127.0.0.1",
    "127.0.0.53",
    "127.255.255.254",
    "0.0.0.0",
    "0.0.0.1",
    "10.0.0.1",
    "10.96.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.169.123",
    "172.16.0.1",
    "172.17.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.1.1",
    "192.168.122.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "224.0.0.251",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::127.0.0.1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:192.168.0.1",
    "::ffff:168.63.129.16",
    "::ffff:0.0.0.0",
    "::ffff:0:127.0.0.1",
    "0:0:0:0:0:ffff:7f00:0001",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::10.0.0.1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:53aa:64c:0:0:80ff:fffe",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:c0a8:101::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fd12:3456:789a::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff00::1",
    "ff02::1",
    "ff05::2",
};

const char* const reachable[] = {
    "1.1.1.1",
    "8.8.8.8",
    "9.9.9.9",
    "11.1.2.3",
    "93.184.216.34",
    "100.63.0.1",
    "151.101.1.1",
    "172.32.0.1",
    "192.0.1.1",
    "192.169.1.1",
    "199.0.0.1",
    "223.255.255.254",
    "::ffff:8.8.8.8",
    "2600::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "2400:cb00::1",
    "2001:200::1",
    "2003::1",
    "3ffe::1",
};

const char* const spellings[] = {
    "",
    "1",
    "1.2",
    "1.2.3",
    "1.2.3.4",
    "01.2.3.4",
    "1.2.3.04",
    "1.2.3.256",
    "1.2.3.4.5",
    "1.2.3.4 ",
    " 1.2.3.4",
    "0x7f.0.0.1",
    "127.1",
    "2130706433",
    "1..2.3",
    ".1.2.3.4",
    "1.2.3.4.",
    "+1.2.3.4",
    "-1.2.3.4",
    "1e1.2.3.4",
    "::",
    ":",
    ":::",
    "::1",
    "1::",
    "1::2",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1::3:4:5:6:7:8",
    "1::2::3",
    "12345::",
    "g::",
    "::1.2.3.4",
    "::ffff:1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::01.2.3.4",
    "::1.2.3",
    "1:",
    ":1",
    "1:2:3:4:5:6:7:",
    "fe80::1%eth0",
    "[::1]",
    "::ffff:256.1.1.1",
    "0:0:0:0:0:0:0:0",
    "ABCD::EF01",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
};

}  // namespace

BOOST_AUTO_TEST_SUITE(egress_policy_addresses)

BOOST_AUTO_TEST_CASE(range_ends) {
  const auto policy = plain();
  for (const auto* table : {v4_ranges, v6_ranges}) {
    const std::size_t count = table == v4_ranges ? std::size(v4_ranges) : std::size(v6_ranges);
    for (std::size_t i = 0; i < count; ++i) {
      const auto& r = table[i];
      BOOST_TEST(!policy.allows(address(r.first), 443), r.first);
      BOOST_TEST(!policy.allows(address(r.last), 443), r.last);
      if (r.below) BOOST_TEST(policy.allows(address(r.below), 443), r.below);
      if (r.above) BOOST_TEST(policy.allows(address(r.above), 443), r.above);
    }
  }
}

BOOST_AUTO_TEST_CASE(ipv4_ranges_also_as_mapped_addresses) {
  const auto policy = plain();
  for (const auto& r : v4_ranges) {
    BOOST_TEST(!policy.allows(address(std::string{"::ffff:"} + r.first), 443), r.first);
    BOOST_TEST(!policy.allows(address(std::string{"::ffff:"} + r.last), 443), r.last);
    if (r.above) BOOST_TEST(policy.allows(address(std::string{"::ffff:"} + r.above), 443));
  }
}

BOOST_AUTO_TEST_CASE(notorious_and_reachable) {
  const auto policy = plain();
  for (const auto* text : notorious) BOOST_TEST(!policy.allows(address(text), 443), text);
  for (const auto* text : reachable) BOOST_TEST(policy.allows(address(text), 443), text);
}

BOOST_AUTO_TEST_CASE(ports) {
  const auto policy = plain();
  BOOST_TEST(policy.allows(address("8.8.8.8"), 443));
  for (const int number : {0, 22, 25, 80, 6379, 8080, 8443, 65535}) {
    const auto port = static_cast<std::uint16_t>(number);
    BOOST_TEST(!policy.allows(address("8.8.8.8"), port), port);
  }
}

BOOST_AUTO_TEST_CASE(own_addresses_deny_list_and_exceptions) {
  egress_rules rules;
  rules.ports = {443, 8443};
  rules.own = {address("93.184.216.34"), address("2600::1")};
  rules.deny = {*cidr::parse("8.8.8.0/24"), *cidr::parse("2606:4700::/32"),
                *cidr::parse("10.9.0.0/16")};
  rules.allow = {*egress_exception::parse("10.0.0.0/8:9000"),
                 *egress_exception::parse("127.0.0.0/8:*"),
                 *egress_exception::parse("[fd00::]/8:443")};
  const egress_policy policy{rules};
  BOOST_TEST(!policy.allows(address("93.184.216.34"), 443));
  BOOST_TEST(!policy.allows(address("::ffff:93.184.216.34"), 443));
  BOOST_TEST(!policy.allows(address("2600::1"), 443));
  BOOST_TEST(policy.allows(address("93.184.216.35"), 443));
  BOOST_TEST(!policy.allows(address("8.8.8.8"), 443));
  BOOST_TEST(policy.allows(address("8.8.9.8"), 8443));
  BOOST_TEST(!policy.allows(address("2606:4700:4700::1111"), 443));
  BOOST_TEST(policy.allows(address("10.1.2.3"), 9000));
  BOOST_TEST(!policy.allows(address("10.1.2.3"), 443));   // the exception is for one port
  BOOST_TEST(!policy.allows(address("11.1.2.3"), 9000));  // and opens it for its range only
  BOOST_TEST(!policy.allows(address("10.9.2.3"), 9000));  // deny wins over an exception
  BOOST_TEST(policy.allows(address("127.0.0.1"), 31'337));
  BOOST_TEST(policy.allows(address("::ffff:127.0.0.1"), 1));
  BOOST_TEST(!policy.allows(address("::1"), 443));
  BOOST_TEST(policy.allows(address("fd00::1"), 443));
  BOOST_TEST(!policy.allows(address("fd00::1"), 444));
  BOOST_TEST(!policy.allows(address("fc00::1"), 443));
}

BOOST_AUTO_TEST_CASE(an_ipv6_range_says_nothing_about_ipv4) {
  egress_rules rules;
  rules.allow = {*egress_exception::parse("[::]/0:*")};
  const egress_policy policy{rules};
  BOOST_TEST(policy.allows(address("fe80::1"), 80));
  BOOST_TEST(!policy.allows(address("127.0.0.1"), 80));
  BOOST_TEST(!policy.allows(address("::ffff:127.0.0.1"), 443));
}

BOOST_AUTO_TEST_CASE(address_spellings_against_the_system) {
  for (const char* text : spellings) {
    std::array<unsigned char, 16> raw{};
    in_addr v4{};
    const bool is_v4 = ::inet_pton(AF_INET, text, &v4) == 1;
    const bool is_v6 = !is_v4 && ::inet_pton(AF_INET6, text, raw.data()) == 1;
    const auto parsed = ip_address::parse(text);
    BOOST_TEST(parsed.has_value() == (is_v4 || is_v6), text);
    if (parsed && is_v6) {
      BOOST_TEST(std::memcmp(raw.data(), parsed->bytes.data(), 16) == 0, text);
    }
    if (parsed && is_v4) {
      BOOST_TEST(std::memcmp(&v4, parsed->bytes.data() + 12, 4) == 0, text);
      BOOST_TEST(parsed->is_v4(), text);
    }
  }
}

BOOST_AUTO_TEST_CASE(printed_addresses_read_back) {
  std::mt19937 random{20261121};
  for (int i = 0; i < 2'000; ++i) {
    ip_address a;
    for (auto& byte : a.bytes) byte = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : 0);
    std::array<char, INET6_ADDRSTRLEN> text{};
    BOOST_REQUIRE(::inet_ntop(AF_INET6, a.bytes.data(), text.data(), text.size()) != nullptr);
    const auto ours = to_string(a);
    const auto back = ip_address::parse(ours);
    BOOST_REQUIRE_MESSAGE(back && *back == a, ours << " for " << text.data());
    // The system writes some addresses with a dotted tail; all others must be equal.
    if (std::strchr(text.data(), '.') == nullptr) BOOST_TEST(ours == text.data());
  }
  BOOST_TEST(to_string(address("::ffff:1.2.3.4")) == "1.2.3.4");
}

BOOST_AUTO_TEST_CASE(cidr_spellings) {
  for (const char* good : {"10.0.0.0/8", "127.0.0.1", "0.0.0.0/0", "1.2.3.4/32", "::/0", "fd00::/8",
                           "::1", "2001:db8::/33", "128.0.0.0/1"}) {
    BOOST_TEST(cidr::parse(good).has_value(), good);
  }
  for (const char* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08",
                          "10.1.2.3/8", "10.0.0/8", "fd00::/129", "fd00::1/8", "10.0.0.0/8/8",
                          "10.0.0.0/ 8", "example.com/8", "::/x", "0x0a.0.0.0/8"}) {
    BOOST_TEST(!cidr::parse(bad).has_value(), bad);
  }
  BOOST_TEST(cidr::parse("0.0.0.0/0")->contains(address("255.1.2.3")));
  BOOST_TEST(!cidr::parse("0.0.0.0/0")->contains(address("::1")));
  BOOST_TEST(cidr::parse("128.0.0.0/1")->contains(address("128.0.0.1")));
  BOOST_TEST(!cidr::parse("128.0.0.0/1")->contains(address("127.0.0.1")));
}

BOOST_AUTO_TEST_CASE(exception_spellings) {
  for (const char* good : {"127.0.0.0/8:*", "10.1.2.0/24:8443", "[fd00::]/8:443", "127.0.0.1:80",
                           "[::1]:8080", "[::1]:*"}) {
    BOOST_TEST(egress_exception::parse(good).has_value(), good);
  }
  for (const char* bad : {"", "127.0.0.0/8", "127.0.0.0/8:", "127.0.0.0/8:0", "127.0.0.0/8:65536",
                          "127.0.0.0/8:x", "fd00::/8:443", "::1", "[fd00::/8:443", "fd00::]/8:443",
                          "[127.0.0.1]:80", "*:*", ":443", "127.0.0.1/8:*", "127.0.0.0/8:080"}) {
    BOOST_TEST(!egress_exception::parse(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()
