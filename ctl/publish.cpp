#include <ostream>

#include "core/base/json_writer.hpp"
#include "ctl/commands.hpp"
#include "ctl/document.hpp"
#include "ctl/table.hpp"

namespace syndicated::ctl {

void publish_event(session& s, const publish_options& o) {
  const auto data = s.read(o.data_file);
  if (!data) return;
  // Anything else would be taken for more members of the request.
  if (!document::parse(*data).is_object()) return s.fail(2, "the data must be one JSON object");
  core::json_writer body;
  body.begin_object().key("name").text(o.name);
  if (!o.stream.empty()) body.key("stream").text(o.stream);
  body.key("data").raw(*data).end_object();
  const auto answer = s.send("POST", "/v1/events", body.str());
  if (!answer) return;
  if (s.json) return s.print_document(*answer);
  s.out << "event " << document::parse(*answer).id("id") << " is published\n";
}

void list_event_types(session& s, const list_options& o) {
  const auto body = s.get_list("/v1/event-types", o.limit);
  if (!body) return;
  if (s.json) return s.print_document(*body);
  const core::timestamp now = s.now();
  table t{{{"NAME"}, {"SOURCE"}, {"SCHEMA"}, {"CHANGED", table::align::right}, {"DESCRIPTION"}}};
  const document list = document::parse(*body);
  for (const document& type : list.items("items")) {
    t.add({printable(type.text("name")), type.text("source"),
           type.object("schema").is_object() ? "yes" : "no",
           human_when(type.time("updated_at"), now), printable(type.text("description"), 60)});
  }
  t.print(s.out);
  if (!list.raw_text("next").empty()) s.err << "there are more; use --limit\n";
}

void show_event_type(session& s, const std::string& name) {
  const auto body = s.get("/v1/event-types/" + query_value(name));
  if (!body) return;
  if (s.json) return s.print_document(*body);
  facts f;
  for (const auto& [key, value] : document::parse(*body).members()) f.add(key, value);
  f.print(s.out);
}

}  // namespace syndicated::ctl
