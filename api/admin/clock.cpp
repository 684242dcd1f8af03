// The daemon's wall clock, and moving it in simulated time (docs/simulated-time.md).
#include "api/routes.hpp"
#include "core/base/json_writer.hpp"

namespace syndicated::api {
namespace {

constexpr std::int64_t step_s_max = std::chrono::seconds{actors::clock_step_max}.count();

std::function<void(core::result<actors::clock_status>&&)> answer(const call_ptr& c) {
  return [c](core::result<actors::clock_status>&& found) {
    if (!found) return c->fail(found.failure());
    core::json_writer out;
    out.begin_object();
    out.key("simulated").boolean(found->simulated);
    out.key("now").time(found->now);
    out.key("ahead_ms").number(static_cast<std::int64_t>(found->ahead.count()));
    out.key("moving_to").time(found->moving_to);
    out.key("due").number(found->due);
    out.key("next_at").time(found->next);
    out.end_object();
    c->send(200, std::move(out).str());
  };
}

void get_clock(const call_ptr& c) { c->engine().show_clock(answer(c)); }

// Answered when the clock is there and nothing is due any more. Not a write: the same call again
// moves the clock again, so there is no answer to keep.
void move_clock(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  const auto by = in.integer("advance_s", 1, step_s_max);
  const auto to = in.time("to");
  const bool jump = in.boolean("jump").value_or(false);
  if (in.has("advance_s") == in.has("to")) {
    in.refuse("advance_s", "is needed, or to: one of them");
  }
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const core::timestamp target = to ? *to : c->now() + std::chrono::seconds{*by};
  c->engine().move_clock({target, jump}, answer(c));
}

}  // namespace

route_list admin_clock_routes() {
  return {
      {"GET", "/admin/clock", face::admin, false, get_clock},
      {"POST", "/admin/clock", face::admin, false, move_clock},
  };
}

}  // namespace syndicated::api
