// Log lines: valid, bounded and harmless whatever foreign text is in them.
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

#include "daemon/logging.hpp"

namespace core = syndicated::core;
namespace daemon_ns = syndicated::daemon;

namespace {

std::string json_line(std::string_view message, const std::vector<core::log_field>& fields = {}) {
  return daemon_ns::format_json_line("2026-01-01T00:00:00.000Z", core::log_level::info, "test",
                                     message, fields.data(), fields.size());
}

// A strict little reader: is this one flat JSON object of strings and bare words, pure and whole?
class flat_object {
 public:
  explicit flat_object(std::string_view text) : rest_(text) {}

  bool valid() {
    if (!take('{')) return false;
    do {
      if (!string() || !take(':') || !value()) return false;
    } while (take(','));
    return take('}') && rest_.empty();
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool value() {
    if (!rest_.empty() && rest_.front() == '"') return string();
    const auto size = rest_.find_first_of(",}");
    if (size == 0 || size == std::string_view::npos) return false;
    const std::string_view word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return word == "true" || word == "false" ||
           word.find_first_not_of("0123456789.-+e") == std::string_view::npos;
  }

  bool string() {
    if (!take('"')) return false;
    while (!rest_.empty() && rest_.front() != '"') {
      const auto c = static_cast<unsigned char>(rest_.front());
      if (c < 0x20) return false;
      rest_.remove_prefix(1);
      if (c != '\\') continue;
      if (rest_.empty()) return false;
      const char kind = rest_.front();
      rest_.remove_prefix(1);
      if (kind == 'u') {
        if (rest_.size() < 4) return false;
        rest_.remove_prefix(4);
      } else if (kind != '"' && kind != '\\') {
        return false;
      }
    }
    return take('"');
  }

  std::string_view rest_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(daemon_log_lines)

BOOST_AUTO_TEST_CASE(a_line_has_its_parts_in_order) {
  BOOST_TEST(json_line("started", {{"port", 8080}, {"tls", false}, {"why", "none"}}) ==
             "{\"time\":\"2026-01-01T00:00:00.000Z\",\"level\":\"info\",\"component\":\"test\","
             "\"message\":\"started\",\"port\":8080,\"tls\":false,\"why\":\"none\"}");
}

BOOST_AUTO_TEST_CASE(dangerous_characters_are_escaped) {
  const std::pair<std::string, std::string> cases[] = {
      {"a\"b", "a\\\"b"},
      {"a\\b", "a\\\\b"},
      {"a\r\nb", "a\\u000d\\u000ab"},
      {std::string("a\0b", 3), "a\\u0000b"},
      {"\x1b[31m", "\\u001b[31m"},
      {"\xE2\x80\xAE", "\\u202e"},                // right-to-left override
      {"\xC2\x9B", "\\u009b"},                    // C1 control sequence introducer
      {"\xff", "\\ufffd"},                        // not UTF-8
      {"\xC0\xAF", "\\ufffd\\ufffd"},             // overlong
      {"\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd"},  // surrogate
      {"\xE2\x82", "\\ufffd\\ufffd"},             // cut off
      {"Zo\xC3\xAB \xF0\x9F\x98\x80", "Zo\xC3\xAB \xF0\x9F\x98\x80"}};
  for (const auto& [in, out] : cases) {
    BOOST_TEST(json_line(in).find("\"message\":\"" + out + "\"") != std::string::npos, out);
  }
}

BOOST_AUTO_TEST_CASE(long_fields_are_cut_at_whole_characters) {
  const std::string line = json_line("m", {{"v", std::string(300, 'x')}});
  BOOST_TEST(line.find("\"v\":\"" + std::string(256, 'x') + "...\"") != std::string::npos);
  std::string accents;
  for (int i = 0; i < 200; ++i) accents += "\xC3\xAB";
  const std::string cut = json_line("m", {{"v", "x" + accents}});
  BOOST_TEST(cut.find("\xC3...") == std::string::npos);
  BOOST_TEST(flat_object(cut).valid());
}

BOOST_AUTO_TEST_CASE(numbers_that_json_does_not_have_are_quoted) {
  const double zero = 0.0;
  BOOST_TEST(flat_object(json_line("m", {{"v", zero / zero}})).valid());
  BOOST_TEST(flat_object(json_line("m", {{"v", -1.0 / zero}})).valid());
}

BOOST_AUTO_TEST_CASE(random_bytes_always_give_one_valid_bounded_line) {
  std::mt19937 random(20260101);
  std::uniform_int_distribution<int> byte(0, 255);
  std::uniform_int_distribution<std::size_t> size(0, 700);
  const auto noise = [&] {
    std::string out(size(random), '\0');
    for (char& c : out) c = static_cast<char>(byte(random));
    return out;
  };
  for (int round = 0; round < 2'000; ++round) {
    std::vector<core::log_field> fields;
    for (int i = 0; i < round % 12; ++i) fields.emplace_back("field", noise());
    const std::string line = json_line(noise(), fields);
    BOOST_REQUIRE(flat_object(line).valid());
    BOOST_REQUIRE(line.size() <= daemon_ns::log_line_bytes_max);
    BOOST_REQUIRE(line.find('\n') == std::string::npos);
    const std::string text = daemon_ns::format_text_line("t", core::log_level::error, noise(),
                                                         noise(), fields.data(), fields.size());
    BOOST_REQUIRE(text.find_first_of("\n\r\x1b") == std::string::npos);
    BOOST_REQUIRE(text.size() <= daemon_ns::log_line_bytes_max);
  }
}

BOOST_AUTO_TEST_SUITE_END()
