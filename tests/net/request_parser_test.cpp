#include "net/request_parser.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

using syndicated::net::request_parser;
using state = request_parser::state;

namespace {

constexpr std::size_t body_max = 1'000;

// Feeds `bytes` in pieces of the given sizes; what the parser leaves is offered again, as the
// connection does. Returns a description that must not depend on the pieces.
std::string outcome(const std::string& bytes, std::mt19937* random, std::size_t piece) {
  request_parser parser{body_max};
  std::string kept;
  std::string out;
  std::size_t at = 0;
  while (true) {
    std::string_view view{kept};
    const auto now = parser.consume(view);
    kept.erase(0, kept.size() - view.size());
    if (now == state::refused) return out + std::to_string(parser.why().status);
    if (now == state::complete) {
      auto& r = parser.request();
      out += r.method + " " + r.path + "?" + r.query + " {";
      for (const auto& h : r.headers) out += h.name + "=" + h.value + ";";
      out += "} [" + r.body + "]" + (parser.keep_alive() ? "" : " close") + "|";
      parser.reset();
      continue;
    }
    if (at == bytes.size()) {
      const char* const names[] = {"empty", "head", "body", "complete", "refused"};
      return out + names[static_cast<int>(parser.now())];
    }
    const std::size_t n =
        std::min(bytes.size() - at, random != nullptr ? 1 + (*random)() % 9 : piece);
    kept.append(bytes, at, n);
    at += n;
  }
}

std::string whole(const std::string& bytes) { return outcome(bytes, nullptr, bytes.size() + 1); }

struct parser_case {
  std::string bytes;
  std::string expected;
};

std::string with_field(const std::string& field) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + field + "\r\n\r\n";
}

std::string chunked(const std::string& rest) {
  return "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + rest;
}

const std::string chunk_head = "POST /x? {Host=a;Transfer-Encoding=chunked;} ";

std::vector<parser_case> request_line_cases() {
  using namespace std::string_literals;
  return {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /? {Host=a;} []|empty"},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /? {Host=a;} []|empty"},
      {"GET /p/%41?q=%20&&a=/? HTTP/1.1\r\nHost: a:1\r\nX-Y:\t v w \r\nE:\r\n\r\n",
       "GET /p/%41?q=%20&&a=/? {Host=a:1;X-Y=v w;E=;} []|empty"},
      {"GET / HTTP/1.0\r\n\r\n", "GET /? {} [] close|empty"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
       "GET /? {Connection=keep-alive;} [] close|empty"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
       "GET /? {Host=a;Connection=x, Close;} [] close|empty"},
      {"DELETE /a HTTP/1.1\r\nhOST: [::1]:80\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\n"
       "Content-Length: 3\r\n\r\nxyzGET /c HTT",
       "DELETE /a? {hOST=[::1]:80;} []|POST /b? {Host=a;Content-Length=3;} [xyz]|head"},
      {with_field("Content-Length: 0"), "POST /x? {Host=a;Content-Length=0;} []|empty"},
      {with_field("X: y"), "POST /x? {Host=a;X=y;} []|empty"},
      {with_field("Content-Length: 5") + "abc", "body"},
      {"GET /\r\n\r\n", "400"},
      {"GET\r\n\r\n", "400"},
      {"GET  / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1 \r\n\r\n", "400"},
      {" GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / /x HTTP/1.1\r\n\r\n", "400"},
      {"GET / http/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1x\r\n\r\n", "400"},
      {"GET / HTTP/11\r\n\r\n", "400"},
      {"GET / HTTP/1.2\r\n\r\n", "505"},
      {"GET / HTTP/0.9\r\n\r\n", "505"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      {"get / HTTP/1.1\r\n\r\n", "501"},
      {"BREW / HTTP/1.1\r\n\r\n", "501"},
      {std::string(1'024, 'M') + " / HTTP/1.1\r\n\r\n", "501"},
      {"G(T / HTTP/1.1\r\n\r\n", "400"},
      {"CONNECT a:443 HTTP/1.1\r\n\r\n", "405"},
      {"TRACE / HTTP/1.1\r\n\r\n", "405"},
      {"OPTIONS * HTTP/1.1\r\n\r\n", "400"},
      {"GET http://a/ HTTP/1.1\r\n\r\n", "400"},
      {"GET a:80 HTTP/1.1\r\n\r\n", "400"},
      {"GET /a#b HTTP/1.1\r\n\r\n", "400"},
      {"GET /a\\b HTTP/1.1\r\n\r\n", "400"},
      {"GET /\xc3\xbc HTTP/1.1\r\n\r\n", "400"},
      {"GET /a%0 HTTP/1.1\r\n\r\n", "400"},
      {"GET /a% HTTP/1.1\r\n\r\n", "400"},
      {"GET /a%zz HTTP/1.1\r\n\r\n", "400"},
      {"GET /a%00 HTTP/1.1\r\n\r\n", "400"},
      {"GET /a\0b HTTP/1.1\r\n\r\n"s, "400"},
      {"GET / HTTP/1.1\nHost: a\n\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", "400"},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n", "400"},
      {"\nGET / HTTP/1.1\r\n\r\n", "400"},
      {"GET /" + std::string(8'192, 'a') + " HTTP/1.1\r\n", "414"},
      {std::string(9'000, 'a'), "414"},
      {"\x16\x03\x01\x02\x00\x01\x00\n"s, "400"},
  };
}

std::vector<parser_case> field_cases() {
  using namespace std::string_literals;
  std::string many_fields;
  for (int i = 0; i < 64; ++i) many_fields += "X" + std::to_string(i) + ": y\r\n";
  return {
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
      {with_field("X : y"), "400"},
      {with_field(" X: y"), "400"},
      {with_field("X: y\r\n folded"), "400"},
      {with_field("X: y\r\n\tfolded"), "400"},
      {with_field("X"), "400"},
      {with_field(": y"), "400"},
      {with_field("X\0: y"s), "400"},
      {with_field("X: a\0b"s), "400"},
      {with_field("X: a\rb"), "400"},
      {with_field("X: a\x7f"), "400"},
      {with_field("X(y): z"), "400"},
      {with_field("X: " + std::string(16'384, 'y')), "431"},
      {"GET / HTTP/1.1\r\n" + many_fields + "Host: a\r\n\r\n", "431"},
      {with_field("Content-Encoding: gzip"), "415"},
      {with_field("Expect: 200-ok"), "417"},
  };
}

std::vector<parser_case> length_cases() {
  return {
      {with_field("Content-Length: 1\r\nContent-Length: 1") + "x", "400"},
      {with_field("Content-Length: 1\r\nTransfer-Encoding: chunked") + "0\r\n\r\n", "400"},
      {with_field("Content-Length: +5"), "400"},
      {with_field("Content-Length: -5"), "400"},
      {with_field("Content-Length: 0x5"), "400"},
      {with_field("Content-Length: 5,5"), "400"},
      {with_field("Content-Length: 05"), "400"},
      {with_field("Content-Length: 5 5"), "400"},
      {with_field("Content-Length:"), "400"},
      {with_field("Content-Length: 18446744073709551621"), "400"},
      {with_field("Content-Length: 1001"), "413"},
      {with_field("Content-Length: 999999999999999999"), "413"},
      {with_field("Transfer-Encoding: xchunked"), "400"},
      {with_field("Transfer-Encoding: chunked, identity"), "400"},
      {with_field("Transfer-Encoding: gzip, chunked"), "400"},
      {with_field("Transfer-Encoding: gzip"), "400"},
      {with_field("Transfer-Encoding:"), "400"},
      {with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "400"},
      {"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
  };
}

std::vector<parser_case> chunk_cases() {
  using namespace std::string_literals;
  return {
      {chunked("3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n"),
       chunk_head + "[abc0123456789]|empty"},
      {chunked("0\r\nX: y\r\nZ: w\r\n\r\nGET"), chunk_head + "[]|head"},
      {chunked("0000000a\r\n0123456789\r\n00\r\n\r\n"), chunk_head + "[0123456789]|empty"},
      {chunked("3\r\nab"), "body"},
      {chunked("3\r\nabcd\r\n0\r\n\r\n"), "400"},
      {chunked("3\r\nabc0\r\n\r\n"), "400"},
      {chunked("3\nabc\r\n"), "400"},
      {chunked("\r\n0\r\n\r\n"), "400"},
      {chunked("x\r\nabc\r\n"), "400"},
      {chunked("0x3\r\nabc\r\n0\r\n\r\n"), "400"},
      {chunked("-1\r\nabc\r\n"), "400"},
      {chunked(" 3\r\nabc\r\n"), "400"},
      {chunked("3 \r\nabc\r\n"), "400"},
      {chunked("3;\r\nabc\r\n"), "400"},
      {chunked("3;a=\0b\r\nabc\r\n"s), "400"},
      {chunked("100000000\r\n"), "413"},
      {chunked("ffffffff\r\n"), "413"},
      {chunked("3e9\r\n"), "413"},
      {chunked("3;" + std::string(300, 'x') + "\r\nabc\r\n"), "400"},
      {chunked("0\r\nContent-Length: 5\r\n\r\n"), "400"},
      {chunked("3\r\nab") + "c\r\n" + std::string(9'000, '0'), "400"},
      {chunked("0\r\nX: " + std::string(9'000, 'y')), "400"},
      {chunked("10000000000000000\r\nabc\r\n"), "400"},
      {chunked("0\r\nConnection: close\r\n\r\n"), "400"},
      {chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"), "400"},
      {chunked("0\r\nX y\r\n\r\n"), "400"},
      {chunked("0\r\nX: y\n\r\n\r\n"), "400"},
  };
}

std::vector<parser_case> cases() {
  std::vector<parser_case> all;
  for (const auto& part : {request_line_cases(), field_cases(), length_cases(), chunk_cases()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(request_parsing)

BOOST_AUTO_TEST_CASE(table) {
  for (const auto& c : cases()) BOOST_TEST(whole(c.bytes) == c.expected, c.bytes.substr(0, 120));
}

BOOST_AUTO_TEST_CASE(pieces_do_not_matter) {
  std::mt19937 random{7};
  for (const auto& c : cases()) {
    BOOST_TEST(outcome(c.bytes, nullptr, 1) == c.expected, "bytewise: " << c.bytes.substr(0, 120));
    for (int i = 0; i < 20; ++i) {
      BOOST_TEST(outcome(c.bytes, &random, 0) == c.expected, c.bytes.substr(0, 120));
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_requests_never_depend_on_pieces) {
  std::mt19937 random{20261121};
  const auto all = cases();
  for (int i = 0; i < 3'000; ++i) {
    std::string bytes = all[random() % all.size()].bytes;
    if (bytes.size() > 400) continue;
    for (int n = 0; n < 3; ++n) {
      const auto at = random() % bytes.size();
      const char with[] = {'\r', '\n', ' ', ':', ',', '0', '9', 'x', '\0', '\t', ';'};
      bytes[at] = with[random() % sizeof with];
    }
    BOOST_REQUIRE_EQUAL(outcome(bytes, nullptr, 1), whole(bytes));
  }
}

BOOST_AUTO_TEST_CASE(limits_are_exact) {
  const std::string line_end = " HTTP/1.1\r\n";
  const std::string longest(8'192 - 4 - line_end.size() - 1, 'a');
  BOOST_TEST(whole("GET /" + longest + line_end) == "head");
  BOOST_TEST(whole("GET /" + longest + "aa" + line_end) == "414");
  std::string fields = "Host: a\r\n";
  for (int i = 0; i < 63; ++i) fields += "X: y\r\n";
  BOOST_TEST(whole("GET / HTTP/1.1\r\n" + fields + "\r\n").ends_with("|empty"));
  BOOST_TEST(whole("GET / HTTP/1.1\r\n" + fields + "X: y\r\n\r\n") == "431");
  const auto body = with_field("Content-Length: 1000") + std::string(1'000, 'b');
  BOOST_TEST(whole(body).ends_with("|empty"));
}

BOOST_AUTO_TEST_SUITE_END()
