#include "core/delivery/url.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace syndicated::core;

namespace {

egress_policy strict() { return egress_policy{egress_rules{}}; }

egress_policy development() {
  egress_rules rules;
  rules.allow_http = true;
  rules.allow_ip_literals = true;
  rules.allow = {*egress_exception::parse("127.0.0.0/8:*")};
  return egress_policy{rules};
}

void refuses(const egress_policy& policy, const std::string& text) {
  const auto got = check_endpoint_url(text, policy);
  BOOST_TEST(!got.ok(), "accepted: " << text);
  if (got.ok()) return;
  BOOST_TEST((got.failure().kind == errc::invalid), text);
  BOOST_REQUIRE(got.failure().fields.size() == 1);
  BOOST_TEST(got.failure().fields[0].pointer == "/url");
  BOOST_TEST(!got.failure().fields[0].detail.empty());
}

// Hosts that some reader takes for an address: loopback, private, metadata, in every number form.
std::vector<std::string> number_hosts() {
  std::vector<std::string> hosts{
      "127.0.0.1",
      "127.1",
      "127.0.1",
      "127",
      "0",
      "0.0",
      "0.0.0.0",
      "1",
      "2130706433",
      "02130706433",
      "017700000001",
      "0177.0.0.1",
      "0177.1",
      "0177.0.1",
      "0x7f000001",
      "0x7f.1",
      "0x7f.0.0.1",
      "0X7F.0.0.1",
      "0x7F.0x0.0x0.0x1",
      "127.0.0.0x1",
      "127.0.0.01",
      "127.00.0.1",
      "00127.0.0.1",
      "0x.0x.0x.0x",
      "0x",
      "127.0x.1",
      "127.0.0.1.",
      "2852039166",
      "0xa9fea9fe",
      "169.254.43518",
      "169.16689662",
      "0251.0376.0251.0376",
      "0xa9.0xfe.0xa9.0xfe",
      "3232235521",
      "0xc0a80001",
      "192.168.1",
      "192.11010049",
      "10.1",
      "012.1",
      "0xa.1",
      "4294967295",
      "4294967296",
      "99999999999999999999",
      "256.256.256.256",
      "1.2.3.4.5",
      "1.2.3.999",
      "8.8.8.8",
      "1.1",
      "example.1",
      "example.com.127",
      "a.0x7f",
      "a.0x1F",
      "127.0.0.1.2130706433",
  };
  // All mixtures of decimal, octal, hexadecimal and padded hexadecimal for 127.0.0.1.
  const std::vector<std::vector<std::string>> parts{{"127", "0177", "0x7f", "0x0000007f"},
                                                    {"0", "00", "0x0"},
                                                    {"0", "00", "0x0"},
                                                    {"1", "01", "0x1"}};
  for (const auto& a : parts[0]) {
    for (const auto& b : parts[1]) {
      for (const auto& c : parts[2]) {
        for (const auto& d : parts[3]) hosts.push_back(a + "." + b + "." + c + "." + d);
      }
    }
  }
  return hosts;
}

const char* const bracket_hosts[] = {
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[::1%1]",
    "[fd00:ec2::254]",
    "[2001:db8::1]",
    "[]",
    "[",
    "[::1",
    "::1]",
    "::1",
    "[127.0.0.1]",
    "[localhost]",
    "[v1.x]",
    "[::1]x",
    "[::1].com",
    "[[::1]]",
    "[2606:4700::1111]",
};

const char* const bad_names[] = {
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "LocalHost.LocalDomain.localhost",
    "ip6-localhost",
    "intranet",
    "com",
    "a",
    "printer.local",
    "PRINTER.LOCAL",
    "local",
    "db.internal",
    "metadata.google.internal",
    "metadata.google.internal.",
    "internal",
    "router.home.arpa",
    "home.arpa",
    "example.com.",
    "example..com",
    ".example.com",
    "-a.example.com",
    "a-.example.com",
    "a_b.example.com",
    "exa mple.com",
    "ex%61mple.com",
    "example%2ecom",
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "%6c%6f%63%61%6c%68%6f%73%74",
    "example.com%00.org",
    "ex*mple.com",
    "*.example.com",
    "example.com,evil.com",
    "example.com;evil.com",
    "exam'ple.com",
    "\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa7.0.0.1",
    "\xef\xbc\x91.example.com",
    "b\303\274cher.example",
    "example\343\200\202com",
    "example.com\xc2\xad",
    "ex\xd0\xb0mple.com",
    "xn--.",
    "!example.com",
    "$example.com",
    "a.b.c.d.",
    "..",
    ".",
    "-",
    "a.-b.com",
};

const char* const bad_urls[] = {
    "",
    " ",
    "https",
    "https:",
    "https:/",
    "https://",
    "https:///",
    "https:///example.com/",
    "https:/example.com/",
    "https:example.com",
    "//example.com/",
    "/path",
    "example.com",
    "www.example.com/hook",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "dict://example.com/",
    "ldap://example.com/",
    "unix:///run/x.sock",
    "javascript:alert(1)",
    "data:text/plain,x",
    "ws://example.com/",
    "wss://example.com/",
    "httpss://example.com/",
    "https+unix://example.com/",
    " https://example.com/",
    "https://example.com/ ",
    "https://example.com /",
    "https ://example.com/",
    "https:// example.com/",
    "https://example.com/\t",
    "https://exam\tple.com/",
    "ht\ntps://example.com/",
    "https://example.com/\r\nHost: evil",
    "https://example.com/\n",
    "https://example.com/a b",
    "https://example.com\\@evil.com/",
    "https://example.com\\.evil.com/",
    "https:\\\\example.com\\",
    "https://example.com/\\..\\",
    "https://user@example.com/",
    "https://user:pw@example.com/",
    "https://@example.com/",
    "https://:@example.com/",
    "https://127.0.0.1@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com:443@evil.com/",
    "https://a@b@example.com/",
    "https://example.com#@evil.com/",
    "https://example.com/#",
    "https://example.com/#frag",
    "https://example.com?#",
    "https://example.com:/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:99999/",
    "https://example.com:443443/",
    "https://example.com:-1/",
    "https://example.com:+443/",
    "https://example.com:0443/",
    "https://example.com:00443/",
    "https://example.com:443x/",
    "https://example.com:x/",
    "https://example.com:4 43/",
    "https://example.com:443:443/",
    "https://example.com:22/",
    "https://example.com:25/",
    "https://example.com:80/",
    "https://example.com:6379/",
    "https://example.com:8443/",
    "https://example.com:0x1bb/",
    "https://example.com/%",
    "https://example.com/%4",
    "https://example.com/%zz",
    "https://example.com/%4g",
    "https://example.com/<x>",
    "https://example.com/\"x\"",
    "https://example.com/{id}",
    "https://example.com/a|b",
    "https://example.com/a^b",
    "https://example.com/`x`",
    "https://example.com/[x]",
    "https://example.com/?a=\xc3\xbc",
    "https://example.com/\x7f",
    "https://exa\x01mple.com/",
    "http://example.com/",
    "HTTP://example.com/",
    "hTTp://example.com:443/",
};

}  // namespace

BOOST_AUTO_TEST_SUITE(endpoint_urls)

BOOST_AUTO_TEST_CASE(hosts_in_number_form) {
  const auto policy = strict();
  for (const auto& host : number_hosts()) {
    refuses(policy, "https://" + host + "/");
    refuses(policy, "https://" + host + ":443/hook");
  }
}

BOOST_AUTO_TEST_CASE(bracketed_hosts) {
  for (const auto* host : bracket_hosts) refuses(strict(), std::string{"https://"} + host + "/");
}

BOOST_AUTO_TEST_CASE(names_that_are_not_public) {
  for (const auto* host : bad_names) refuses(strict(), std::string{"https://"} + host + "/");
  refuses(strict(), "https://" + std::string(64, 'a') + ".com/");
  std::string long_name;
  while (long_name.size() < 254) long_name += "abcdefghi.";
  refuses(strict(), "https://" + long_name + "com/");
}

BOOST_AUTO_TEST_CASE(other_spellings) {
  for (const auto* text : bad_urls) refuses(strict(), text);
  refuses(strict(), std::string{"https://example.com/\0x", 22});
  refuses(strict(), std::string{"https://example.com\0.evil.com/", 30});
  const std::string base = "https://example.com/";
  refuses(strict(), base + std::string(2'049 - base.size(), 'a'));
  BOOST_TEST(check_endpoint_url(base + std::string(2'048 - base.size(), 'a'), strict()).ok());
}

// The corpus must stay as large as reliability.md 4 asks for.
BOOST_AUTO_TEST_CASE(corpus_size) {
  const std::size_t spellings = number_hosts().size() * 2 + std::size(bracket_hosts) +
                                std::size(bad_names) + std::size(bad_urls);
  BOOST_TEST(spellings >= 300U);
}

BOOST_AUTO_TEST_CASE(accepted_and_normalised) {
  const struct {
    const char* given;
    const char* text;
    const char* host;
    const char* origin;
  } cases[] = {
      {"https://example.com", "https://example.com/", "example.com", "https://example.com:443"},
      {"HTTPS://Example.COM/A/b", "https://example.com/A/b", "example.com",
       "https://example.com:443"},
      {"https://example.com:443/x", "https://example.com/x", "example.com",
       "https://example.com:443"},
      {"https://example.com?a=b", "https://example.com/?a=b", "example.com",
       "https://example.com:443"},
      {"https://hooks.vendor.example/a/../b?x=%2F&y=1",
       "https://hooks.vendor.example/a/../b?x=%2F&y=1", "hooks.vendor.example",
       "https://hooks.vendor.example:443"},
      {"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/", "xn--bcher-kva.example",
       "https://xn--bcher-kva.example:443"},
      {"https://1and1.com/", "https://1and1.com/", "1and1.com", "https://1and1.com:443"},
      {"https://127.0.0.1.example.com/", "https://127.0.0.1.example.com/", "127.0.0.1.example.com",
       "https://127.0.0.1.example.com:443"},
      {"https://localhost.example.com/", "https://localhost.example.com/", "localhost.example.com",
       "https://localhost.example.com:443"},
      {"https://notlocal.com/~u/(a);b=1,2!*'", "https://notlocal.com/~u/(a);b=1,2!*'",
       "notlocal.com", "https://notlocal.com:443"},
  };
  for (const auto& c : cases) {
    const auto got = check_endpoint_url(c.given, strict());
    BOOST_REQUIRE_MESSAGE(got.ok(), c.given);
    BOOST_TEST(got->text == c.text);
    BOOST_TEST(got->host == c.host);
    BOOST_TEST(got->origin == c.origin);
    BOOST_TEST(got->scheme == "https");
    BOOST_TEST(got->port == 443);
    BOOST_TEST(!got->ip_literal);
    BOOST_TEST(check_endpoint_url(got->text, strict())->text == got->text);  // stable
  }
}

BOOST_AUTO_TEST_CASE(development_rules) {
  const auto policy = development();
  const auto got = check_endpoint_url("http://127.0.0.1:34567/", policy);
  BOOST_REQUIRE(got.ok());
  BOOST_TEST(got->text == "http://127.0.0.1:34567/");
  BOOST_TEST(got->origin == "http://127.0.0.1:34567");
  BOOST_TEST(got->port == 34'567);
  BOOST_TEST(got->ip_literal);
  BOOST_TEST(check_endpoint_url("http://127.0.0.1/", policy)->port == 80);
  BOOST_TEST(check_endpoint_url("https://127.9.9.9:1/", policy).ok());
  refuses(policy, "http://localhost:34567/");
  refuses(policy, "http://10.0.0.1:34567/");  // the port is open, the address is not
  refuses(policy, "http://8.8.8.8:34567/");
  refuses(policy, "http://[::1]:34567/");
  BOOST_TEST(check_endpoint_url("https://8.8.8.8/", policy).ok());
  for (const auto& host : number_hosts()) {
    if (host == "127.0.0.1" || host == "8.8.8.8") continue;
    refuses(policy, "http://" + host + ":34567/");
  }
}

BOOST_AUTO_TEST_CASE(literals_only_in_canonical_form) {
  egress_rules rules;
  rules.allow_ip_literals = true;
  const egress_policy policy{rules};
  BOOST_TEST(check_endpoint_url("https://[2606:4700:4700::1111]/", policy)->host ==
             "2606:4700:4700::1111");
  BOOST_TEST(check_endpoint_url("https://[2606:4700:4700::1111]/", policy)->origin ==
             "https://[2606:4700:4700::1111]:443");
  for (const auto* text :
       {"https://[2606:4700:4700:0::1111]/", "https://[2606:4700:4700:0:0:0:0:1111]/",
        "https://[2606:4700:4700::01111]/", "https://[::ffff:8.8.8.8]/",
        "https://[::ffff:808:808]/", "https://[2606:4700:4700::1111%25eth0]/",
        "https://2606:4700:4700::1111/", "https://[8.8.8.8]/", "https://8.8.8.08/",
        "https://8.8.2056/", "https://134744072/"}) {
    refuses(policy, text);
  }
}

BOOST_AUTO_TEST_CASE(ports_of_the_operator) {
  egress_rules rules;
  rules.ports = {443, 8443};
  rules.allow = {*egress_exception::parse("10.0.0.0/8:9000")};
  const egress_policy policy{rules};
  BOOST_TEST(check_endpoint_url("https://example.com:8443/", policy)->port == 8'443);
  BOOST_TEST(check_endpoint_url("https://example.com:9000/", policy)->port == 9'000);
  refuses(policy, "https://example.com:9001/");
}

BOOST_AUTO_TEST_SUITE_END()
