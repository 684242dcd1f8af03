#include "core/base/json_writer.hpp"
#include "ctl/commands.hpp"
#include "ctl/report.hpp"
#include "ctl/table.hpp"

namespace syndicated::ctl {
namespace {

// Why it failed, or why it does not go on now.
std::string trouble_of(const document& job) {
  const std::string waiting = job.text("waiting");
  return waiting.empty() ? job.text("problem") : "waits: " + waiting;
}

std::string job_path(std::uint64_t id) { return "/v1/jobs/" + std::to_string(id); }

void print_job(session& s, const std::optional<std::string>& body) {
  report(s, body, [](const document& j) {
    std::string text = "job " + j.id("id") + ": " + j.text("phase") + ", endpoint " +
                       j.id("endpoint_id") + ", " + j.count("examined") + " examined, " +
                       j.count("matched") + " chosen, ";
    text += j.flag("dry_run") ? "none sent: a dry run" : j.count("replayed") + " to be sent again";
    if (j.number("refused") != 0) {
      text += ", " + j.count("refused") + " refused (" + j.text("refusal") + ')';
    }
    if (const std::string trouble = trouble_of(j); !trouble.empty()) text += "; " + trouble;
    return text;
  });
}

}  // namespace

void replay_endpoint(session& s, std::uint64_t id, const replay_options& o) {
  const core::timestamp now = s.now();
  const auto since = parse_when(o.since, now);
  const auto until = o.until.empty() ? std::optional{now} : parse_when(o.until, now);
  if (!since || !until)
    return s.fail(
        2, "--since and --until take a time (2026-11-21T08:00:00Z) or an age (90s, 30m, 2h, 7d)");
  core::json_writer body;
  body.begin_object().key("since").time(*since).key("until").time(*until);
  if (!o.state.empty()) body.key("state").text(o.state);
  if (o.dry_run) body.key("dry_run").boolean(true);
  if (o.rate_per_s != 0) body.key("rate_per_s").number(static_cast<std::int64_t>(o.rate_per_s));
  body.end_object();
  print_job(s, s.send("POST", "/v1/endpoints/" + std::to_string(id) + "/replay", body.str()));
}

void show_job(session& s, std::uint64_t id) { print_job(s, s.get(job_path(id))); }

void cancel_job(session& s, std::uint64_t id) {
  print_job(s, s.send("POST", job_path(id) + "/cancel", "{}"));
}

void list_jobs(session& s, std::uint64_t endpoint, const list_options& o) {
  const std::string of = endpoint == 0 ? "" : "?endpoint_id=" + std::to_string(endpoint);
  const auto body = s.get_list("/v1/jobs" + of, o.limit);
  if (!body) return;
  if (s.json) return s.print_document(*body);
  const core::timestamp now = s.now();
  table t{{{"JOB", table::align::right},
           {"PHASE"},
           {"ENDPOINT", table::align::right},
           {"STATE"},
           {"EXAMINED", table::align::right},
           {"CHOSEN", table::align::right},
           {"REPLAYED", table::align::right},
           {"REFUSED", table::align::right},
           {"STARTED", table::align::right},
           {"PROBLEM"}}};
  const document list = document::parse(*body);
  for (const document& j : list.items("items")) {
    const std::string trouble = trouble_of(j);
    t.add({j.id("id"), j.text("phase"), j.id("endpoint_id"), j.text("state"), j.count("examined"),
           j.count("matched"), j.flag("dry_run") ? "dry run" : j.count("replayed"),
           j.count("refused"), human_when(j.time("started_at"), now),
           trouble.empty() ? "-" : trouble});
  }
  if (t.empty()) {
    s.out << "there are no replay jobs\n";
    return;
  }
  t.print(s.out);
}

}  // namespace syndicated::ctl
