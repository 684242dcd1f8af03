// Replay jobs: an endpoint's past events, sent again at a bounded rate.
#include "api/routes.hpp"
#include "api/v1/common.hpp"

namespace syndicated::api {
namespace {

std::string job_json(const core::replay_job& j) {
  core::json_writer out;
  out.begin_object();
  out.key("id").number(j.id);
  out.key("endpoint_id").number(j.endpoint.value);
  out.key("since").time(j.since);
  out.key("until").time(j.until);
  out.key("state").text(core::to_string(j.choice));
  out.key("dry_run").boolean(j.dry_run);
  out.key("rate_per_s").number(static_cast<std::int64_t>(j.rate_per_s));
  out.key("phase").text(core::to_string(j.phase));
  out.key("examined").number(j.examined);
  out.key("matched").number(j.matched);
  out.key("replayed").number(j.replayed);
  out.key("refused").number(j.refused);
  out.key("refusal").text(j.refusal);
  out.key("waiting").text(j.waiting);
  out.key("problem").text(j.problem);
  out.key("cause").text(j.cause);
  out.key("started_at").time(j.started_at);
  out.key("ended_at").time(j.ended_at);
  out.end_object();
  return std::move(out).str();
}

actors::renderer<core::replay_job> rendered_job(const call_ptr& c, int status) {
  return [c, status](const core::replay_job& j, bool) {
    c->location = "/v1/jobs/" + std::to_string(j.id);
    return actors::answer{status, job_json(j)};
  };
}

void start_replay(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  actors::replay_order order;
  order.endpoint.value = c->id();
  order.since = in.required("since", in.time("since"));
  order.until = in.time("until").value_or(c->now());
  const auto choice = in.word("state", core::parse_replay_choice,
                              "sent, delivered, parked, failed, never_attempted");
  if (choice) order.choice = *choice;
  order.dry_run = in.boolean("dry_run").value_or(false);
  const auto rate = in.integer("rate_per_s", 1, core::limits::replay_rate_max);
  if (rate) order.rate_per_s = static_cast<int>(*rate);
  if (in.clean() && order.until < order.since) in.refuse("until", "must not be before since");
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (const auto found = visible_endpoint(*c, order.endpoint); !found) {
    return c->fail(found.failure());
  }
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().start_replay(order, std::move(*options), rendered_job(c, 202), finish(c));
}

core::result<core::replay_job> visible_job(const call& c, std::uint64_t id) {
  auto job = c.engine().replay_job(id);
  if (!job) return job;
  // Staff also see the jobs of endpoints that are gone.
  if (!is_staff(c.by) && !visible_endpoint(c, job->endpoint)) return no_such("job", id);
  return job;
}

void get_job(const call_ptr& c) {
  const auto job = visible_job(*c, c->id());
  if (!job) return c->fail(job.failure());
  c->send(200, job_json(*job));
}

void cancel_job(const call_ptr& c) {
  auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (const auto job = visible_job(*c, c->id()); !job) return c->fail(job.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().cancel_replay(c->id(), std::move(*options), rendered_job(c, 200), finish(c));
}

void list_jobs(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  const auto endpoint = q.id("endpoint_id");
  if (!is_staff(c->by) && !endpoint) q.refuse("endpoint_id", "is required for this role");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const core::endpoint_id id{endpoint.value_or(0)};
  if (id) {
    if (const auto found = visible_endpoint(*c, id); !found) return c->fail(found.failure());
  }
  const auto jobs = c->engine().replay_jobs(id, page);
  if (!jobs) return c->fail(jobs.failure());
  c->send(200, v1::page_text(jobs->items, jobs->next, job_json));
}

}  // namespace

route_list job_routes() {
  return {
      {"POST", "/v1/endpoints/{id}/replay", face::v1, true, start_replay},
      {"GET", "/v1/jobs", face::v1, false, list_jobs, nullptr, true},
      {"GET", "/v1/jobs/{id}", face::v1, false, get_job},
      {"POST", "/v1/jobs/{id}/cancel", face::v1, true, cancel_job},
  };
}

}  // namespace syndicated::api
