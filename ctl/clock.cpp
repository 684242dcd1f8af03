#include "core/base/json_writer.hpp"
#include "ctl/commands.hpp"
#include "ctl/report.hpp"
#include "ctl/table.hpp"

namespace syndicated::ctl {
namespace {

// Every instant on the way may have much to do.
constexpr std::chrono::hours patience{12};

std::string sentence(const document& o) {
  const auto now = o.time("now").value_or(core::timestamp{});
  std::string text = "it is " + o.text("now");
  if (!o.flag("simulated")) return text + ", by the machine's clock";
  text += ", simulated: " + human_age(std::chrono::milliseconds{o.number("ahead_ms")}) +
          " ahead of the machine's clock";
  if (o.has("moving_to")) text += ", on its way to " + o.text("moving_to");
  text += "; " + o.count("due") + " due";
  return text + (o.has("next_at") ? ", the next " + human_when(o.time("next_at"), now) : "");
}

}  // namespace

std::optional<std::int64_t> parse_span_s(const std::string& text) {
  // Ages count back from a time: the same words, and the distance is what is wanted.
  const core::timestamp base = current_time();
  const auto back = core::parse_rfc3339(text) ? std::nullopt : parse_when(text, base);
  if (!back) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(base - *back).count();
}

void clock(session& s, const clock_options& o) {
  if (o.advance.empty() && o.to.empty()) {
    if (o.jump) return s.fail(2, "--jump is for --advance or --to");
    return report(s, s.get("/admin/clock"), sentence);
  }
  core::json_writer body;
  body.begin_object();
  if (o.to.empty()) {
    const std::int64_t by = parse_span_s(o.advance).value_or(0);
    if (by <= 0) return s.fail(2, "--advance takes a time span such as 90s, 30m, 2h or 7d");
    body.key("advance_s").number(by);
  } else {
    body.key("to").text(o.to);
  }
  if (o.jump) body.key("jump").boolean(true);
  body.end_object();
  report(s, s.send("POST", "/admin/clock", body.str(), patience), sentence);
}

}  // namespace syndicated::ctl
