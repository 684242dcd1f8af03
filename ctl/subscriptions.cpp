// Steering subscriptions: the operator's hand in place of the marketplace's or the vendor's.
#include "core/base/json_writer.hpp"
#include "ctl/commands.hpp"
#include "ctl/document.hpp"
#include "ctl/listing.hpp"
#include "ctl/report.hpp"
#include "ctl/table.hpp"

namespace syndicated::ctl {

void steer_subscription(session& s, std::uint64_t id, const std::string& action,
                        const std::string& reason) {
  core::json_writer body;
  body.begin_object();
  if (!reason.empty()) body.key("reason").text(reason);
  body.end_object();
  report(s, s.send("POST", "/v1/subscriptions/" + std::to_string(id) + '/' + action, body.str()),
         [](const document& x) {
           return "subscription " + x.id("id") + " is " + x.text("status") + " (version " +
                  x.id("version") + ")";
         });
}

void list_invoices(session& s, std::uint64_t subscription, const list_options& o) {
  const core::timestamp now = s.now();
  print_list(s, "/v1/subscriptions/" + std::to_string(subscription) + "/invoices", o,
             table{{{"ID", table::align::right},
                    {"KIND"},
                    {"STATE"},
                    {"DUE", table::align::right},
                    {"OVERDUE"},
                    {"REFERENCE"},
                    {"ISSUED", table::align::right},
                    {"CHANGED", table::align::right}}},
             "it has no invoices", [now](const document& i) -> std::vector<std::string> {
               return {i.id("id"),
                       i.text("kind"),
                       i.text("state"),
                       i.time("due_at") ? human_when(i.time("due_at"), now) : "",
                       i.flag("overdue") ? "yes" : "",
                       printable(i.text("reference")),
                       human_when(i.time("created_at"), now),
                       human_when(i.time("updated_at"), now)};
             });
}

void list_operations(session& s, std::uint64_t subscription, const list_options& o) {
  const core::timestamp now = s.now();
  print_list(s, "/v1/subscriptions/" + std::to_string(subscription) + "/operations", o,
             table{{{"ID", table::align::right},
                    {"KIND"},
                    {"STATE"},
                    {"BY"},
                    {"ASKED", table::align::right},
                    {"DUE", table::align::right},
                    {"ENDED", table::align::right},
                    {"MESSAGE"}}},
             "nothing was asked of it yet", [now](const document& x) -> std::vector<std::string> {
               const auto due = x.time("deadline") ? x.time("deadline") : x.time("effective_at");
               return {x.id("id"),
                       x.text("kind"),
                       x.text("state"),
                       x.text("requested_by"),
                       human_when(x.time("requested_at"), now),
                       due ? human_when(due, now) : "",
                       x.time("ended_at") ? human_when(x.time("ended_at"), now) : "",
                       printable(x.text("message"), 60)};
             });
}

void end_operation(session& s, std::uint64_t id, const std::string& how,
                   const std::string& message) {
  core::json_writer body;
  body.begin_object();
  const bool answer = how != "cancel";
  if (answer) body.key("status").text(how == "succeed" ? "Success" : "Failure");
  if (answer && !message.empty()) body.key("message").text(message);
  body.end_object();
  const std::string path =
      "/v1/operations/" + std::to_string(id) + (answer ? "/result" : "/cancel");
  report(s, s.send("POST", path, body.str()),
         [](const document& x) { return "operation " + x.id("id") + " is " + x.text("state"); });
}

}  // namespace syndicated::ctl
