// The operator's command against the admin face, over a real socket.
#include <boost/test/unit_test.hpp>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ctl/cli.hpp"
#include "ctl/table.hpp"
#include "net/http_server.hpp"
#include "tests/api/face.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace syndicated;
using namespace std::chrono_literals;

namespace {

struct directory : tests::temporary_directory {
  std::string file(const std::string& name, const std::string& text) const {
    const std::string full = path() + '/' + name;
    std::ofstream{full, std::ios::binary} << text;
    return full;
  }
};

struct outcome {
  int code = 0;
  std::string out, err;
  boost::json::value json() const { return boost::json::parse(out); }
};

outcome run(const std::vector<std::string>& arguments, const std::string& input = {}) {
  std::istringstream in{input};
  std::ostringstream out, err;
  const int code = ctl::run(arguments, in, out, err);
  return {code, out.str(), err.str()};
}

struct daemon_face : tests::face {
  daemon_face() {
    socket = room.path() + "/admin.sock";
    net::http_server_options options;
    options.unix_path = socket;
    options.refusal = api::refusal;
    auto bound = net::http_server::bind(options, router.admin_handler());
    BOOST_TEST_REQUIRE(bound.ok());
    server = std::move(*bound);
    server->start();
    endpoint =
        make("/v1/endpoints", R"({"scope":"platform","url":"https://hooks.example.com/in"})");
  }
  ~daemon_face() { server->stop(); }

  outcome ctl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--socket", socket});
    return run(arguments);
  }

  directory room;
  std::string socket;
  std::unique_ptr<net::http_server> server;
  std::uint64_t endpoint = 0;
};

std::string text(std::uint64_t id) { return std::to_string(id); }

}  // namespace

BOOST_AUTO_TEST_SUITE(command)

BOOST_AUTO_TEST_CASE(ages_counts_and_sizes) {
  BOOST_TEST(ctl::human_age(0ms) == "0.0s");
  BOOST_TEST(ctl::human_age(1'250ms) == "1.2s");
  BOOST_TEST(ctl::human_age(59s) == "59s");
  BOOST_TEST(ctl::human_age(192s) == "3m12s");
  BOOST_TEST(ctl::human_age(5h + 4min) == "5h04m");
  BOOST_TEST(ctl::human_age(79h) == "3d07h");
  BOOST_TEST(ctl::human_age(-5s) == "0.0s");
  BOOST_TEST(ctl::human_count(0) == "0");
  BOOST_TEST(ctl::human_count(999) == "999");
  BOOST_TEST(ctl::human_count(1'234'567) == "1,234,567");
  BOOST_TEST(ctl::human_bytes(512) == "512 B");
  BOOST_TEST(ctl::human_bytes(1'610'612'736) == "1.5 GiB");
  const core::timestamp now{1'000'000s};
  BOOST_TEST(ctl::human_when(std::nullopt, now) == "-");
  BOOST_TEST(ctl::human_when(now + 90s, now) == "in 1m30s");
  BOOST_TEST((ctl::parse_when("2h", now) == now - 2h));
  BOOST_TEST((ctl::parse_when("1970-01-01T00:00:10Z", now) == core::timestamp{10s}));
  for (const char* wrong : {"", "h", "2", "2x", "-2h", "2hh", "99999999d"})
    BOOST_TEST(!ctl::parse_when(wrong, now), wrong);
}

BOOST_AUTO_TEST_CASE(tables_are_aligned_and_safe) {
  ctl::table t{{{"ID", ctl::table::align::right}, {"NAME"}, {"N", ctl::table::align::right}}};
  t.add({"7", "Zoë", "1"});
  t.add({"1234", "x", "22"});
  std::ostringstream out;
  t.print(out);
  BOOST_TEST(out.str() == "  ID  NAME   N\n   7  Zoë    1\n1234  x     22\n");
  BOOST_TEST(ctl::printable("a\x1b[31m\nb") == "a?[31m?b");
  BOOST_TEST(ctl::printable("ëëëë", 2) == "ëë...");
}

BOOST_FIXTURE_TEST_CASE(the_clock_is_shown_and_moved, daemon_face) {
  BOOST_TEST(ctl({"clock"}).out.ends_with(", by the machine's clock\n"));
  const outcome refused = ctl({"clock", "--advance", "30d"});
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(refused.err.find("clock_not_simulated") != std::string::npos);
  engine.clock.simulated = true;
  const auto before = engine.now();
  BOOST_TEST(ctl({"clock", "--advance", "30d"}).code == 0);
  BOOST_REQUIRE(engine.moved.has_value());
  BOOST_TEST((engine.moved->to - before >= 720h && engine.moved->to - before < 721h));
  BOOST_TEST(!engine.moved->jump);
  engine.clock.due = 3;
  const std::string shown = ctl({"clock"}).out;
  BOOST_TEST(
      shown.find("simulated: 30d00h ahead of the machine's clock; 3 due") != std::string::npos,
      shown);
  BOOST_TEST(ctl({"--json", "clock", "--to", "2125-01-01T00:00:00Z", "--jump"}).code == 0);
  BOOST_TEST((engine.moved->to == core::parse_rfc3339("2125-01-01T00:00:00Z")));
  BOOST_TEST(engine.moved->jump);
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"clock", "--jump"},
        {"clock", "--advance", "soon"},
        {"clock", "--advance", "2125-01-01T00:00:00Z"},
        {"clock", "--advance", "1d", "--to", "2125-01-01T00:00:00Z"}}) {
    BOOST_TEST(ctl(wrong).code == 2, wrong.back());
  }
}

// Ages are those of the daemon's time, which may be simulated.
BOOST_FIXTURE_TEST_CASE(ages_go_by_the_daemons_clock, daemon_face) {
  engine.clock.simulated = true;
  engine.clock.ahead = 240h;
  engine.state.started_at = engine.now() - 60s;
  const std::string shown = ctl({"status"}).out;
  BOOST_TEST(shown.find("1m00s") != std::string::npos, shown);
}

BOOST_AUTO_TEST_CASE(usage_and_connection_have_their_codes) {
  BOOST_TEST(run({}).code == 2);
  BOOST_TEST(run({"dance"}).code == 2);
  BOOST_TEST(run({"endpoint", "show", "x"}).code == 2);
  BOOST_TEST(run({"token", "create", "--role", "king"}).code == 2);
  BOOST_TEST(run({"--help"}).code == 0);
  BOOST_TEST(run({"--version"}).out.starts_with("syndctl "));
  directory room;
  const std::string socket = room.path() + "/none.sock";
  const auto gone = run({"--socket", socket, "status"});
  BOOST_TEST(gone.code == 3);
  BOOST_TEST(gone.err.find("not running") != std::string::npos);
  BOOST_TEST(gone.out.empty());
}

BOOST_AUTO_TEST_CASE(state_is_shown) {
  daemon_face f;
  f.engine.state.counters.accepted = 1'234;
  const auto status = f.ctl({"status"});
  BOOST_TEST(status.code == 0, status.err);
  BOOST_TEST(status.out.find("ready, accepting changes") != std::string::npos);
  BOOST_TEST(status.out.find("1,234 accepted") != std::string::npos);
  BOOST_TEST(f.ctl({"--json", "status"}).json().at("ready").as_bool());
  const auto compact = f.ctl({"compact"});
  BOOST_TEST(compact.code == 0, compact.err);
  BOOST_TEST(compact.out.find("7 events and 8 attempts were dropped") != std::string::npos);
  const auto report = f.ctl({"--json", "compact"}).json();
  BOOST_TEST(report.at("bytes_before").to_number<int>() == 900);
  BOOST_TEST(report.at("bytes_after").to_number<int>() == 300);
  BOOST_TEST(report.at("store_families").at("events").to_number<int>() == 200);
  const auto queue = f.ctl({"queue", "ls"});
  BOOST_TEST(queue.out.find("https://hooks.example.com/in") != std::string::npos);
  f.engine.blocked_lanes = 7;
  BOOST_TEST(f.ctl({"queue", "ls"}).out.find("BLOCKED") != std::string::npos);
  BOOST_TEST(f.ctl({"queue", "show", text(f.endpoint)}).out.find("7 streams stand still") !=
             std::string::npos);
  f.engine.blocked_lanes = 1'000;
  BOOST_TEST(f.ctl({"queue", "ls"}).out.find("1,000+") != std::string::npos);
  const auto show = f.ctl({"queue", "show", text(f.endpoint), "--json"});
  BOOST_TEST(show.code == 0);
  BOOST_TEST(show.json().at("lanes").at("items").as_array().empty());
  BOOST_TEST(f.ctl({"queue", "show", text(f.endpoint)}).out.find("nothing is waiting") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(parked_lanes_are_shown_alone_and_replays_given_up) {
  daemon_face f;
  const std::string id = text(f.endpoint);
  const auto add = [&](std::uint64_t stream, core::lane_state state, std::uint64_t replay) {
    core::lane lane;
    lane.key = {core::stream_of(core::subscription_id{stream}), {std::stoull(id)}, {replay}};
    lane.state = state;
    lane.head.value = 4'700 + stream;
    f.engine.all_lanes.push_back(lane);
  };
  const auto parked = [&] { return f.ctl({"queue", "show", id, "--state", "parked"}).out; };
  add(5, core::lane_state::pending, 0);
  BOOST_TEST(parked().ends_with("nothing is parked\n"));
  add(6, core::lane_state::parked, 0);
  add(7, core::lane_state::parked, 4'707);
  BOOST_TEST(parked().find("subscription/5") == std::string::npos);
  BOOST_TEST(parked().find("subscription/6 ") != std::string::npos);
  BOOST_TEST(parked().find("subscription/7 (replay)") != std::string::npos);
  BOOST_TEST(f.ctl({"queue", "show", id, "--state", "lost"}).code == 2);
  BOOST_TEST(f.ctl({"queue", "discard", id, "subscription/7", "--replay-of", "4707"}).out ==
             "the parked replay of event 4707 was given up\n");
  BOOST_TEST(f.engine.discarded->replay.value == 4'707U);
  BOOST_TEST(f.engine.discarded->stream.entity == 7U);
  BOOST_TEST(f.ctl({"queue", "discard", id, "subscription/6"}).code == 0);
  BOOST_TEST(f.engine.discarded->replay.value == 0U);
  BOOST_TEST(f.ctl({"endpoint", "attempts", id, "--outcome", "still_parked"}).code == 0);
  BOOST_TEST((f.engine.asked_attempts.choice == actors::attempt_choice::still_parked));
}

BOOST_AUTO_TEST_CASE(refusals_are_told) {
  daemon_face f;
  const auto r = f.ctl({"endpoint", "show", "424242"});
  BOOST_TEST(r.code == 1);
  BOOST_TEST(r.err.find("404 not_found") != std::string::npos);
  BOOST_TEST(r.out.empty());
  const auto json = f.ctl({"--json", "endpoint", "show", "424242"});
  BOOST_TEST(json.code == 1);
  BOOST_TEST(json.json().at("code").as_string() == "not_found");
}

BOOST_AUTO_TEST_CASE(endpoints_are_handled) {
  daemon_face f;
  const std::string id = text(f.endpoint);
  BOOST_TEST(f.ctl({"endpoint", "pause", id, "--reason", "maintenance"}).out ==
             "endpoint " + id + " is paused\n");
  BOOST_TEST(f.ctl({"endpoint", "ls"}).out.find("paused") != std::string::npos);
  BOOST_TEST(f.ctl({"endpoint", "resume", id}).out == "endpoint " + id + " is active\n");
  f.engine.test_answer.status = 204;
  const auto later =
      std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now() + 1h);
  f.engine.breakers["https://hooks.example.com:443"] = {core::breaker_state::open, later,
                                                        "http_503"};
  BOOST_TEST(f.ctl({"endpoint", "ls"}).out.find("failing") != std::string::npos);
  const auto shown = f.ctl({"queue", "show", id}).out;
  BOOST_TEST(shown.find("open after http_503") != std::string::npos, shown);
  f.engine.breakers.clear();
  BOOST_TEST(f.ctl({"endpoint", "test", id}).code == 0);
  f.engine.test_answer.status = 500;
  const auto failed = f.ctl({"endpoint", "test", id});
  BOOST_TEST(failed.code == 1);
  BOOST_TEST(failed.out.find("http_500") != std::string::npos);
  BOOST_TEST(f.ctl({"endpoint", "replay", id, "--since", "2h", "--state", "parked"})
                 .out.starts_with("job 7: running"));
  BOOST_TEST((f.engine.job->choice == core::replay_choice::parked));
  BOOST_TEST(f.ctl({"endpoint", "replay", id, "--since", "soon"}).code == 2);
  BOOST_TEST(f.ctl({"job", "show", "7"}).code == 0);
  f.engine.job->waiting = "too_many_replays";
  BOOST_TEST(f.ctl({"job", "show", "7"}).out.ends_with("; waits: too_many_replays\n"));
  BOOST_TEST(f.ctl({"job", "ls"}).out.find("waits: too_many_replays") != std::string::npos);
  f.engine.job->waiting.clear();
  BOOST_TEST(f.ctl({"job", "show", "7"}).out.find("refused") == std::string::npos);
  f.engine.job->refused = 2;
  f.engine.job->refusal = "event_expired";
  BOOST_TEST(f.ctl({"job", "show", "7"}).out.ends_with(", 2 refused (event_expired)\n"));
  BOOST_TEST(f.ctl({"job", "ls"}).out.find("parked") != std::string::npos);
  BOOST_TEST(f.ctl({"job", "cancel", "7"}).out.starts_with("job 7: cancelled"));
  BOOST_TEST(f.ctl({"job", "show", "8"}).code == 1);
  const auto dry = f.ctl({"endpoint", "replay", id, "--since", "7d", "--dry-run", "--rate", "10"});
  BOOST_TEST(dry.out.find("none sent") != std::string::npos);
  BOOST_TEST(f.engine.job->rate_per_s == 10);
  BOOST_TEST(f.ctl({"endpoint", "attempts", id}).out == "no such attempts\n");
  actors::attempt_record attempt;
  attempt.endpoint.value = std::stoull(id);
  attempt.event.value = 4'711;
  attempt.number = 2;
  attempt.error = "http_503";
  f.engine.all_attempts.push_back(attempt);
  const auto tried = f.ctl({"endpoint", "attempts", id, "--outcome", "failed", "--since", "2h"});
  BOOST_TEST(tried.out.find("4711") != std::string::npos);
  BOOST_TEST(tried.out.find("http_503") != std::string::npos);
  BOOST_TEST((f.engine.asked_attempts.choice == actors::attempt_choice::failed));
  BOOST_TEST(f.engine.asked_attempts.since.has_value());
  BOOST_TEST(!f.engine.asked_attempts.until.has_value());
  BOOST_TEST(f.ctl({"endpoint", "attempts", id, "--until", "30m"}).code == 0);
  BOOST_TEST(f.engine.asked_attempts.until.has_value());
  BOOST_TEST(f.ctl({"endpoint", "attempts", id, "--until", "soon"}).code == 2);
  BOOST_TEST(f.ctl({"job", "ls", "--endpoint", id}).out.find("dry run") != std::string::npos);
  BOOST_TEST(f.ctl({"job", "ls", "--endpoint", "424242"}).code == 1);
}

BOOST_AUTO_TEST_CASE(attempts_of_an_event_are_chosen) {
  daemon_face f;
  const auto event = f.subscribe();
  core::event happened;
  happened.id.value = event;
  f.engine.all_events.insert_or_assign(event, happened);
  actors::attempt_record attempt;
  attempt.endpoint.value = f.endpoint;
  attempt.event.value = event;
  attempt.error = "discarded";
  attempt.cause = "token/7 (marketplace)";
  f.engine.all_attempts.push_back(attempt);
  const auto shown =
      f.ctl({"event", "attempts", text(event), "--endpoint", text(f.endpoint), "--outcome",
             "parked", "--since", "2h", "--until", "2030-01-01T00:00:00Z"});
  BOOST_TEST(shown.code == 0, shown.err);
  BOOST_TEST(shown.out.find("discarded by token/7 (marketplace)") != std::string::npos, shown.out);
  BOOST_TEST(f.engine.asked_attempts.endpoint.value == f.endpoint);
  BOOST_TEST((f.engine.asked_attempts.choice == actors::attempt_choice::parked));
  BOOST_TEST((f.engine.asked_attempts.until == core::parse_rfc3339("2030-01-01T00:00:00Z")));
  BOOST_TEST(f.ctl({"event", "attempts", text(event), "--outcome", "lost"}).code == 2);
  const std::string path = "/v1/events/" + text(event) + "/attempts";
  BOOST_TEST(f.call("GET", path).at("/items/0/cause") == "token/7 (marketplace)");
  BOOST_TEST(f.call("GET", path + "?outcome=lost").status() == 422);
  BOOST_TEST(f.call("GET", path + "?endpoint_id=x").status() == 422);
}

BOOST_AUTO_TEST_CASE(endpoints_are_made_and_their_secrets_printed_alone) {
  daemon_face f;
  const auto made = f.ctl({"endpoint", "create", "--owner", "vendor/" + text(f.vendor), "--url",
                           "https://hooks.example.com/new", "--form", "standard", "--event",
                           "subscription.*", "--event", "tenant.created"});
  BOOST_TEST(made.code == 0, made.err);
  BOOST_TEST(made.out.starts_with("whsec_"), made.out);
  BOOST_TEST(std::ranges::count(made.out, '\n') == 1);
  BOOST_TEST(made.err.find("shown this once") != std::string::npos);
  const auto& e = *f.engine.items->all_endpoints.rbegin()->second;
  BOOST_TEST((e.scope == core::endpoint_scope::vendor && e.scope_id == f.vendor));
  BOOST_TEST(e.events.size() == 2U);
  BOOST_TEST(e.secret.reveal() + '\n' == made.out);
  const std::string id = text(e.id.value);
  const std::string file = f.room.file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
  const auto given =
      f.ctl({"endpoint", "rotate-secret", id, "--overlap", "2h", "--secret-file", file});
  BOOST_TEST(given.out == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", given.err);
  BOOST_TEST(f.ctl({"--json", "endpoint", "rotate-secret", id}).json().at("secret").is_string());
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"endpoint", "create", "--owner", "platform"},
        {"endpoint", "create", "--owner", "vendor/x", "--url", "https://h.example.com/"},
        {"endpoint", "rotate-secret", id, "--overlap", "soon"},
        {"endpoint", "rotate-secret", id, "--secret-file", f.room.path() + "/none"},
        {"endpoint", "rotate-secret", id, "--secret-file", f.room.file("empty", "\n")}}) {
    BOOST_TEST(f.ctl(wrong).code == 2, wrong.back());
  }
  BOOST_TEST(
      f.ctl({"endpoint", "create", "--owner", "vendor/424242", "--url", "https://h.example.com/"})
          .code == 1);
}

BOOST_AUTO_TEST_CASE(parts_of_a_subscription_are_listed) {
  daemon_face f;
  const auto id = f.subscribe();
  BOOST_TEST(f.ctl({"subscription", "resources", text(id)}).out == "it has no sub-resources\n");
  BOOST_TEST(f.ctl({"subscription", "usage", text(id)}).out == "there is no such usage\n");
  core::resource server;
  server.id = {77};
  server.type = "vps";
  server.status = core::resource_status::failed;
  server.problem = "no space";
  f.engine.all_resources[{id}].all[server.id] = server;
  const auto shown = f.ctl({"subscription", "resources", text(id)});
  BOOST_TEST(shown.out.find("77  vps   failed") != std::string::npos, shown.out);
  BOOST_TEST(shown.out.find("no space") != std::string::npos);
  core::usage_record disk;
  disk.key.metric = "disk";
  disk.key.source = "vendor";
  disk.value = {31'670'000};
  f.engine.all_usage[{id}].open[disk.key] = disk;
  const auto usage = f.ctl({"subscription", "usage", text(id), "--metric", "disk"});
  BOOST_TEST(usage.out.find("31.67  ACCEPTED") != std::string::npos, usage.out);
  BOOST_TEST(f.ctl({"subscription", "usage", text(id), "--metric", "mails"}).out ==
             "there is no such usage\n");
  BOOST_TEST(f.ctl({"subscription", "usage", text(id), "--since", "soon"}).code == 2);
  BOOST_TEST(f.ctl({"subscription", "metrics", text(id)}).out == "no metric is asked for\n");
  f.engine.polls["disk"] = {core::from_unix_ms(0), 2, "http_500", {}, {}};
  const auto metrics = f.ctl({"subscription", "metrics", text(id)});
  BOOST_TEST(metrics.out.find("http_500") != std::string::npos, metrics.out);
}

BOOST_AUTO_TEST_CASE(usages_of_a_tenant_are_shown) {
  daemon_face f;
  const auto shown = [&f] { return f.ctl({"tenant", "usages", text(f.customer)}); };
  BOOST_TEST(shown().out == "the tenant has no items\n");
  core::offering_item storage;
  storage.name = "storage";
  storage.quota.value = 1'000;
  f.engine.all_offerings[1] = f.engine.all_offerings[f.reseller] = {storage};
  f.engine.all_offerings[f.customer] = {storage};
  f.engine.all_tenant_usages[storage][{f.customer}].total.ever = 1'200;
  const std::string table = shown().out;
  for (const char* part : {"storage", "1,200", "1,000", "exceeded", "yes"}) {
    BOOST_TEST(table.find(part) != std::string::npos, table);
  }
  const auto machine = f.ctl({"--json", "tenant", "usages", text(f.customer)});
  BOOST_TEST(machine.out.find("\"total\":1200") != std::string::npos, machine.out);
}

BOOST_AUTO_TEST_CASE(invoices_are_listed_and_shown_while_they_are_open) {
  daemon_face f;
  const auto id = f.subscribe();
  BOOST_TEST(f.ctl({"subscription", "invoices", text(id)}).out == "it has no invoices\n");
  const std::string target = "/v1/subscriptions/" + text(id) + "/invoices";
  f.make(target, R"({"reference":"2026-0001","due_at":"2030-01-01T00:00:00Z"})");
  const auto shown = f.ctl({"subscription", "invoices", text(id)});
  BOOST_TEST(shown.out.find("NORMAL  UNPAID") != std::string::npos, shown.out);
  BOOST_TEST(shown.out.find("2026-0001") != std::string::npos, shown.out);
  const auto whole = f.ctl({"subscription", "show", text(id)});
  BOOST_TEST(whole.out.find("\"state\":\"UNPAID\"") != std::string::npos, whole.out);
  const auto listed = f.ctl({"--json", "subscription", "invoices", text(id)}).json();
  BOOST_TEST(listed.at("items").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(lists_go_over_pages) {
  daemon_face f;
  for (int i = 0; i < 620; ++i) f.subscribe();
  const auto all = f.ctl({"--json", "subscription", "ls", "--limit", "1000"}).json();
  BOOST_TEST(all.at("items").as_array().size() == 620U);
  BOOST_TEST(all.at("next").is_null());
  const auto some = f.ctl({"subscription", "ls", "--limit", "510"});
  BOOST_TEST(std::ranges::count(some.out, '\n') == 511);
  BOOST_TEST(some.err.find("--limit") != std::string::npos);
  BOOST_TEST(f.ctl({"subscription", "ls", "--status", "DEPLOYED"}).out ==
             "there are no such subscriptions\n");
  BOOST_TEST(f.ctl({"tenant", "ls", "--parent", text(f.reseller)}).out.find(" C ") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(tokens_are_printed_alone) {
  daemon_face f;
  const auto made =
      f.ctl({"token", "create", "--role", "vendor", "--scope", text(f.vendor), "--name", "ci"});
  BOOST_TEST(made.code == 0);
  const std::string token = made.out.substr(0, made.out.size() - 1);
  BOOST_TEST(f.call("GET", "/v1/subscriptions", {}, {}, token).status() == 200);
  BOOST_TEST(made.err.find("shown this once") != std::string::npos);
  const auto list = f.ctl({"--json", "token", "ls"});
  BOOST_TEST(list.out.find(token) == std::string::npos);
  const auto whole = list.json();
  const auto& items = whole.at("items").as_array();
  BOOST_TEST(std::ranges::count_if(items, [](const auto& t) { return t.at("name") == "ci"; }) == 1);
}

BOOST_AUTO_TEST_CASE(master_keys_are_shown_and_changed) {
  daemon_face f;
  const auto before = f.ctl({"key", "ls"});
  BOOST_TEST(before.code == 0);
  BOOST_TEST(before.out.find("00000001  seals") != std::string::npos, before.out);
  const auto changed = f.ctl({"key", "rotate"});
  BOOST_TEST(changed.code == 0);
  BOOST_TEST(changed.out.find("00000002  seals") != std::string::npos, changed.out);
  BOOST_TEST(changed.out.find("00000001  needed            3") != std::string::npos, changed.out);
  BOOST_TEST(changed.out.find("being sealed") != std::string::npos, changed.out);
  BOOST_TEST(f.ctl({"--json", "key", "ls"}).json().at("state").as_string() == "working");
  f.engine.keys.state = actors::key_rotation_state::blocked;
  f.engine.keys.unreadable = 2;
  BOOST_TEST(f.ctl({"key", "ls"}).out.find("2 secrets cannot") != std::string::npos);
  f.engine.keys.state = actors::key_rotation_state::settled;
  f.engine.keys.keys.at(1).needed = false;
  BOOST_TEST(f.ctl({"key", "ls"}).out.find("may be removed") != std::string::npos);
  f.engine.refuse_keys = core::error{core::errc::conflict, "key_missing", "keep it", {}, {}};
  const auto refused = f.ctl({"key", "rotate"});
  BOOST_TEST(refused.code == 1);
  BOOST_TEST(refused.err.find("keep it [409 key_missing]") != std::string::npos, refused.err);
}

BOOST_AUTO_TEST_CASE(signatures_are_computed_and_checked) {
  directory room;
  const std::string text_secret = room.file("text", "MY_SECRET_TOKEN\n");
  const std::string body = room.file("empty", "");
  BOOST_TEST(run({"sign", "--form", "cloudesire", "--secret-file", text_secret, body}).out ==
             "CMW-Event-Signature: sha1=c7ef69965ad26c0e1310ed03d98e0ea23233ce9a\n");
  const std::string secret = room.file("standard", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const std::vector<std::string> base{
      "--secret-file", secret, "--id", "msg_p5jXN8AQM9LWM0D4loKWxJek", "--timestamp", "1614265330"};
  const auto with = [&](std::vector<std::string> more, const std::string& input) {
    more.insert(more.end(), base.begin(), base.end());
    return run(more, input);
  };
  const std::string good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  const auto made = with({"--json", "sign"}, R"({"test": 2432232314})").json();
  BOOST_TEST(made.at("headers").at("webhook-signature").as_string() == good);
  BOOST_TEST(
      with({"verify", "--signature", "v1,xx v2,yy " + good}, R"({"test": 2432232314})").code == 0);
  BOOST_TEST(with({"verify", "--signature", good}, R"({"test": 2432232315})").code == 1);
  BOOST_TEST(
      with({"verify", "--signature", good, "--tolerance", "300"}, R"({"test": 2432232314})").code ==
      1);
  BOOST_TEST(run({"sign", "--secret-file", secret, body}).code == 2);
  // The same with a pair of keys (RFC 8032, 7.1, test 1).
  const std::string secret_key =
      room.file("whsk", "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
  const std::string public_key =
      room.file("whpk", "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  const auto pair = [&](std::vector<std::string> words, const std::string& key) {
    for (const char* word : {"--id", "evt_1", "--timestamp", "1614265330", "--secret-file"})
      words.emplace_back(word);
    words.push_back(key);
    words.push_back(body);
    return run(words);
  };
  const std::string v1a = pair({"--json", "sign"}, secret_key)
                              .json()
                              .at("headers")
                              .at("webhook-signature")
                              .as_string()
                              .c_str();
  BOOST_TEST(v1a.starts_with("v1a,"));
  BOOST_TEST(pair({"verify", "--signature", "v1,x " + v1a}, public_key).code == 0);
  BOOST_TEST(pair({"verify", "--signature", "v1,x v1a,eA=="}, public_key).code == 1);
  BOOST_TEST(pair({"sign"}, public_key).code == 2);
  BOOST_TEST(
      run({"sign", "--form", "cloudesire", "--secret-file", room.path() + "/absent", body}).code ==
      2);
  BOOST_TEST(run({"sign", "--form", "cloudesire", "--secret-file", "-", "-"}, "x").code == 2);
}

BOOST_AUTO_TEST_CASE(an_event_is_published) {
  daemon_face d;
  const directory room;
  const std::string data = room.file("data.json", "{ \"total\": 1.50 }");
  const auto made = d.ctl({"event", "publish", "shop.paid", "--data", data, "--stream", "o/1"});
  BOOST_TEST(made.code == 0, made.err);
  BOOST_TEST(made.out.starts_with("event "));
  BOOST_TEST_REQUIRE(d.engine.published.size() == 1U);
  BOOST_TEST(d.engine.published[0].data == "{ \"total\": 1.50 }");
  BOOST_TEST(d.engine.published[0].stream == "o/1");
  const auto json = d.ctl({"--json", "event", "publish", "shop.paid", "--data", data});
  BOOST_TEST(json.json().at("id").as_int64() > 0);
  const std::string trick = room.file("trick.json", "{},\"name\":\"a.b\",\"x\":{}");
  BOOST_TEST(d.ctl({"event", "publish", "shop.paid", "--data", trick}).code == 2);
  BOOST_TEST(d.ctl({"event", "publish", "test.ping", "--data", data}).code == 1);
  BOOST_TEST(d.ctl({"event", "publish", "shop.paid", "--data", data + "x"}).code == 2);
  BOOST_TEST(d.engine.published.size() == 2U);
}

BOOST_AUTO_TEST_CASE(products_and_plans_are_shown_and_quoted) {
  daemon_face d;
  BOOST_TEST(d.ctl({"product", "ls", "--state", "withdrawn"}).out ==
             "there are no such products\n");
  const auto id = [](const auto& made) {
    BOOST_TEST_REQUIRE(made.status() == 201);
    return std::string{made.at("/id")};
  };
  const auto vendor = id(d.call("POST", "/v1/vendors", R"({"name":"acme"})"));
  const auto product = id(
      d.call("POST", "/v1/products", R"({"name":"backup","sku":"b1","vendor_id":)" + vendor + "}"));
  const auto plan = id(d.call("POST", "/v1/plans",
                              R"({"name":"small","product_id":)" + product +
                                  R"(,"state":"draft","resources":[{"name":"vps","rate":)"
                                  R"({"scheme":"tiered","currency":"EUR","ranges":[)"
                                  R"({"from":1,"to":9,"unit_price":5},)"
                                  R"({"from":10,"to":null,"unit_price":"3"}]}}]})"));
  BOOST_TEST(d.ctl({"product", "ls"}).out.find("b1") != std::string::npos);
  BOOST_TEST(d.ctl({"product", "show", product}).out.find("SYNDICATED") != std::string::npos);
  BOOST_TEST(d.ctl({"plan", "ls", "--state", "withdrawn"}).out == "there are no such plans\n");
  BOOST_TEST(d.ctl({"plan", "publish", plan}).out == "plan " + plan + " is published\n");
  BOOST_TEST(d.ctl({"plan", "ls", "--product", product}).out.find("NOT_ALLOWED") !=
             std::string::npos);
  BOOST_TEST(d.ctl({"plan", "withdraw", plan}).out == "plan " + plan + " is withdrawn\n");
  BOOST_TEST(d.ctl({"product", "withdraw", product}).code == 0);
  const std::string quote = d.ctl({"plan", "quote", plan, "vps=15", "--months", "2"}).out;
  BOOST_TEST(quote.find("total 126.00 EUR") != std::string::npos, quote);
  BOOST_TEST(d.ctl({"plan", "quote", plan}).out == "nothing is charged for that\n");
  BOOST_TEST(d.ctl({"plan", "quote", plan, "vps"}).code == 2);
  BOOST_TEST(d.ctl({"plan", "quote", plan, "seats=1"}).code == 1);
  BOOST_TEST(d.ctl({"plan", "quote", plan, "vps=1", "--json"}).out.find("\"lines\"") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(event_types_are_shown) {
  daemon_face d;
  const auto made =
      d.call("POST", "/v1/event-types",
             R"({"name":"shop.paid","description":"Paid","schema":{"type":"object"}})");
  BOOST_TEST_REQUIRE(made.status() == 201);
  const std::string list = d.ctl({"event-type", "ls", "--limit", "500"}).out;
  BOOST_TEST(list.find("subscription.created") != std::string::npos, list);
  BOOST_TEST(list.find("built_in") != std::string::npos, list);
  BOOST_TEST(d.ctl({"event-type", "show", "plan.deleted"}).out.find("DELETED") !=
             std::string::npos);
  BOOST_TEST(list.find("shop.paid") != std::string::npos, list);
  BOOST_TEST(list.find("yes") != std::string::npos, list);
  BOOST_TEST(d.ctl({"event-type", "show", "shop.paid"}).out.find("object") != std::string::npos);
  BOOST_TEST(d.ctl({"event-type", "show", "a.b"}).code == 1);
}

BOOST_AUTO_TEST_SUITE_END()
