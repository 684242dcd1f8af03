// The configuration file: what is taken, what is refused and with which words.
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "config/keys.hpp"
#include "config/load.hpp"
#include "config/reload.hpp"

namespace config = syndicated::config;

namespace {

std::string refusal_of(std::string_view text) {
  const auto got = config::load_text(text, "test.toml");
  return got ? "accepted" : got.failure().detail;
}

std::string default_file() {
  return std::string{SYNDICATED_SOURCE_DIR} + "/config/syndicated.toml";
}

std::string default_text() {
  std::ifstream file(default_file());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct refused_case {
  const char* text;
  const char* message;
};

const refused_case mistakes[] = {
    {"[api]\nlisten = \"127.0.0.1:8080\"\nlissten = \"x\"\n",
     "test.toml:3: key 'api.lissten': unknown key"},
    {"\n[apis]\nlisten = \"x\"\n", "test.toml:3: key 'apis.listen': unknown key"},
    {"listen = \"x\"\n", "test.toml:1: key 'listen': unknown key (keys stand in a section)"},
    {"[api]\nlisten = 8080\n", "test.toml:2: key 'api.listen': must be a string"},
    {"[api]\nlisten = \"localhost:80\"\n",
     "test.toml:2: key 'api.listen': must be ADDRESS:PORT, like \"127.0.0.1:8080\" or "
     "\"[::]:8080\""},
    {"[api]\nlisten = \"127.0.0.1:65536\"\n",
     "test.toml:2: key 'api.listen': must be ADDRESS:PORT, like \"127.0.0.1:8080\" or "
     "\"[::]:8080\""},
    {"[delivery]\ncurl_loops = 0\n",
     "test.toml:2: key 'delivery.curl_loops': must be a whole number from 1 to 16"},
    {"[delivery]\ncurl_loops = 1.5\n",
     "test.toml:2: key 'delivery.curl_loops': must be a whole number from 1 to 16"},
    {"[delivery]\nsockets_max = -1\n",
     "test.toml:2: key 'delivery.sockets_max': must be a whole number from 1 to 1024"},
    {"[delivery]\njitter = nan\n",
     "test.toml:2: key 'delivery.jitter': must be a number from 0 to 0.5"},
    {"[delivery]\nretry_share = 1.01\n",
     "test.toml:2: key 'delivery.retry_share': must be a number from 0 to 1"},
    {"[delivery]\nbreaker_open = \"2h\"\n",
     "test.toml:2: key 'delivery.breaker_open': must be a duration from \"0s\" to \"1h\", like "
     "\"90s\" or \"2h\""},
    {"[delivery]\njitter = 0.51\n",
     "test.toml:2: key 'delivery.jitter': must be a number from 0 to 0.5"},
    {"[delivery]\nuser_agent = \"a\\r\\nX: y\"\n",
     "test.toml:2: key 'delivery.user_agent': must not contain control characters"},
    {"[lifecycle]\ncancel_grace = 30\n",
     "test.toml:2: key 'lifecycle.cancel_grace': must be a duration from \"0s\" to \"365d\", "
     "like "
     "\"90s\" or \"2h\""},
    {"[lifecycle]\ncancel_grace = \"30 d\"\n",
     "test.toml:2: key 'lifecycle.cancel_grace': must be a duration from \"0s\" to \"365d\", "
     "like "
     "\"90s\" or \"2h\""},
    {"[retention]\nidempotency = \"23h\"\n",
     "test.toml:2: key 'retention.idempotency': must be a duration from \"24h\" to \"365d\", "
     "like "
     "\"90s\" or \"2h\""},
    {"[retention]\nattempts = \"0s\"\n",
     "test.toml:2: key 'retention.attempts': must be a duration from \"1s\" to \"3650d\", "
     "like "
     "\"90s\" or \"2h\""},
    {"[delivery]\nschedule = [\"5s\"]\n",
     "test.toml:2: key 'delivery.schedule': must begin with \"0s\""},
    {"[delivery]\nschedule = []\n",
     "test.toml:2: key 'delivery.schedule': must be a list of 1 to 10 durations up to \"7d\", "
     "like [\"0s\", \"5m\"]"},
    {"[egress]\nports = [443, 443]\n",
     "test.toml:2: key 'egress.ports': must be a list of 1 to 64 different ports from 1 to "
     "65535"},
    {"[egress]\nports = [0]\n",
     "test.toml:2: key 'egress.ports': must be a list of 1 to 64 different ports from 1 to "
     "65535"},
    {"[egress]\nallow = [\"10.0.0.0/33:1\"]\n",
     "test.toml:2: key 'egress.allow': '10.0.0.0/33:1' must be RANGE:PORT, like "
     "\"10.1.2.0/24:8443\" or \"127.0.0.0/8:*\""},
    {"[egress]\ndeny = [\"evil.example\"]\n",
     "test.toml:2: key 'egress.deny': 'evil.example' must be a range, like \"198.51.100.0/24\""},
    {"[egress]\nallow_http = \"yes\"\n",
     "test.toml:2: key 'egress.allow_http': must be true or false"},
    {"[admin]\nmode = 660\n",
     "test.toml:2: key 'admin.mode': must be a file mode in quotes, from \"0600\" to \"0777\""},
    {"[admin]\nmode = \"0060\"\n",
     "test.toml:2: key 'admin.mode': must be a file mode in quotes, from \"0600\" to \"0777\""},
    {"[admin]\nsocket = \"admin.sock\"\n",
     "test.toml:2: key 'admin.socket': must be an absolute path"},
    {"[log]\nlevel = \"trace\"\n",
     "test.toml:2: key 'log.level': must be \"debug\", \"info\", \"warning\", \"error\" or "
     "\"critical\""},
    {"[api]\ntls_key = \"/k.pem\"\n",
     "test.toml:2: key 'api.tls_key': api.tls_certificate and api.tls_key go together"},
    {"[store]\nwal_bytes_max = \"64MB\"\n",
     "test.toml:2: key 'store.wal_bytes_max': must be a size from 1048576 to 17179869184 bytes, "
     "like 1048576 or \"64MiB\""},
    {"[log]\nlevel = 1979-05-27\n",
     "test.toml:2: key 'log.level': must be \"debug\", \"info\", \"warning\", \"error\" or "
     "\"critical\""},
    {"\xEF\xBB\xBF[api]\n",
     "test.toml:1: the file begins with a byte order mark; save it as plain UTF-8"},
    {"[api]\r\n", "test.toml:1: carriage return; save the file with Unix line ends"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(config_load)

BOOST_AUTO_TEST_CASE(the_commented_default_file_equals_the_defaults_in_the_code) {
  const auto loaded = config::load_file(default_file());
  BOOST_REQUIRE_MESSAGE(loaded.ok(), (loaded ? "" : loaded.failure().detail));
  const config::settings defaults;
  for (const auto& key : config::all_keys()) {
    BOOST_TEST(key.show(*loaded) == key.show(defaults), key.name);
  }
}

BOOST_AUTO_TEST_CASE(the_default_file_names_every_key_and_marks_the_reloadable_ones) {
  std::istringstream lines(default_text());
  std::set<std::string> named;
  std::string section;
  bool marked = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("[")) section = line.substr(1, line.size() - 2);
    if (line.starts_with("# [reload]")) marked = true;
    const auto equals = line.find(" = ");
    if (line.empty()) marked = false;
    if (line.starts_with("#") || equals == std::string::npos) continue;
    const std::string name = section + "." + line.substr(0, equals);
    const auto* key = config::find_key(name);
    BOOST_REQUIRE_MESSAGE(key != nullptr, name);
    BOOST_TEST(key->reloadable == marked, name);
    named.insert(name);
    marked = false;
  }
  BOOST_TEST(named.size() == config::all_keys().size());
}

BOOST_AUTO_TEST_CASE(an_empty_file_gives_the_defaults) {
  const auto loaded = config::load_text("", "empty.toml");
  BOOST_REQUIRE(loaded.ok());
  BOOST_TEST(loaded->api.listen == "127.0.0.1:8080");
  BOOST_TEST(loaded->delivery.schedule.size() == 10U);
}

BOOST_AUTO_TEST_CASE(values_arrive_where_they_belong) {
  const auto loaded = config::load_text(
      "[api]\nlisten = \"[::1]:0\"\n[admin]\nmode = \"0600\"\n[store]\nwal_bytes_max = 2097152\n"
      "block_cache_bytes = \"8MiB\"\n[delivery]\nschedule = [\"0s\", \"150ms\"]\n"
      "jitter = 0\n[egress]\nallow = [\"127.0.0.0/8:*\"]\nports = [443, 8443]\nallow_http = true\n"
      "[lifecycle]\ncancel_grace = \"0s\"\n[log]\nlevel = \"warning\"\nformat = \"text\"\n",
      "t.toml");
  BOOST_REQUIRE_MESSAGE(loaded.ok(), (loaded ? "" : loaded.failure().detail));
  BOOST_TEST(loaded->api.listen == "[::1]:0");
  BOOST_TEST(loaded->admin.mode == 0600U);
  BOOST_TEST(loaded->store.wal_bytes_max == 2'097'152U);
  BOOST_TEST(loaded->store.block_cache_bytes == 8U * 1024 * 1024);
  BOOST_REQUIRE(loaded->delivery.schedule.size() == 2U);
  BOOST_TEST(loaded->delivery.schedule[1].count() == 150);
  BOOST_TEST(loaded->delivery.jitter == 0.0);
  BOOST_TEST(loaded->egress.allow.front() == "127.0.0.0/8:*");
  BOOST_TEST(loaded->egress.ports.back() == 8443U);
  BOOST_TEST(loaded->egress.allow_http);
  BOOST_TEST(loaded->lifecycle.cancel_grace.count() == 0);
  BOOST_TEST((loaded->log.level == syndicated::core::log_level::warning));
}

BOOST_AUTO_TEST_CASE(mistakes_are_refused_with_file_line_and_key) {
  for (const auto& c : mistakes) {
    BOOST_TEST(refusal_of(c.text) == c.message);
  }
}

BOOST_AUTO_TEST_CASE(repeated_keys_and_broken_syntax_are_refused_with_their_line) {
  BOOST_TEST(refusal_of("[api]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n")
                 .starts_with("test.toml:3: "));
  BOOST_TEST(refusal_of("[api]\n[api]\n").starts_with("test.toml:2: "));
  BOOST_TEST(refusal_of("[api\n").starts_with("test.toml:1: "));
  BOOST_TEST(refusal_of("[log]\nlevel = \"info\n").starts_with("test.toml:2: "));
  BOOST_TEST(refusal_of("[log]\nlevel = \"\xff\"\n").starts_with("test.toml:2: "));
}

BOOST_AUTO_TEST_CASE(all_mistakes_are_told_at_once_in_the_order_of_the_file) {
  const std::string got = refusal_of("[api]\nx = 1\n[log]\ny = 2\nlevel = 3\n");
  std::istringstream lines(got);
  std::vector<std::string> starts;
  for (std::string line; std::getline(lines, line);) starts.push_back(line.substr(0, 12));
  BOOST_TEST(starts == (std::vector<std::string>{"test.toml:2:", "test.toml:4:", "test.toml:5:"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_cut_of_the_default_file_is_read_or_refused_without_harm) {
  const std::string text = default_text();
  std::size_t refused = 0;
  for (std::size_t size = 0; size < text.size(); size += 7) {
    if (!config::load_text(text.substr(0, size), "cut.toml")) ++refused;
  }
  BOOST_TEST(refused > 0U);
}

BOOST_AUTO_TEST_CASE(files_that_are_not_there_or_open_to_all_are_refused) {
  const auto missing = config::load_file("/nonexistent/syndicated.toml");
  BOOST_REQUIRE(!missing.ok());
  BOOST_TEST(missing.failure().detail.find("No such file") != std::string::npos);
  BOOST_TEST(!config::load_file("/").ok());

  char path[] = "/tmp/syndicated-config-XXXXXX";
  const int fd = ::mkstemp(path);
  BOOST_REQUIRE(fd >= 0);
  BOOST_REQUIRE(::fchmod(fd, 0666) == 0);
  ::close(fd);
  const auto open_to_all = config::load_file(path);
  ::unlink(path);
  BOOST_REQUIRE(!open_to_all.ok());
  BOOST_TEST(open_to_all.failure().detail.ends_with("everybody may write it; use chmod o-w"));
}

BOOST_AUTO_TEST_CASE(a_reload_takes_exactly_the_reloadable_keys) {
  const auto wanted = config::load_text(
      "[api]\nlisten = \"127.0.0.1:9\"\n[delivery]\nschedule = [\"0s\", \"1s\"]\njitter = 0.1\n"
      "breaker_open = \"0s\"\nbreaker_open_max = \"1m\"\npause_after = \"1d\"\nretry_share = 1\n"
      "curl_loops = 2\n[egress]\nallow = [\"10.0.0.0/8:443\"]\ndeny = [\"192.0.2.0/24\"]\n"
      "ports = [444]\nallow_http = true\nallow_ip_literals = true\n[log]\nlevel = \"debug\"\n"
      "format = \"text\"\n[secrets]\nmaster_key_file = \"/new\"\n"
      "previous_master_key_files = [\"/former\"]\n[limits]\npending_events_max = 5\n"
      "pending_events_per_owner_max = 4\nmemory_max = 0\n"
      "requests_per_token_per_s = 5\n",
      "t.toml");
  BOOST_REQUIRE_MESSAGE(wanted.ok(), (wanted ? "" : wanted.failure().detail));
  const config::settings running;
  const auto found = config::compare(running, *wanted);
  BOOST_TEST(found.need_restart ==
                 (std::vector<std::string>{"api.listen", "delivery.curl_loops", "log.format"}),
             boost::test_tools::per_element());
  std::size_t reloadable = 0;
  for (const auto& key : config::all_keys()) {
    const auto& source = key.reloadable ? *wanted : running;
    BOOST_TEST(key.show(found.next) == key.show(source), key.name);
    if (key.reloadable) ++reloadable;
  }
  BOOST_TEST(found.taken.size() == reloadable);  // the text above changes every one of them
  BOOST_TEST(config::compare(running, running).taken.empty());
  BOOST_TEST(!config::load_and_diff("/nonexistent", running).ok());
}

BOOST_AUTO_TEST_SUITE_END()
