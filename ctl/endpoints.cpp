// Making endpoints, and giving them new secrets. A secret is shown this once.
#include <ostream>

#include "core/base/json_writer.hpp"
#include "ctl/commands.hpp"
#include "ctl/document.hpp"

namespace syndicated::ctl {
namespace {

// Standard output holds the secret alone, so that it can be piped into a file.
void print_secret(session& s, const std::string& answer, const std::string& what) {
  if (s.json) return s.print_document(answer);
  const document e = document::parse(answer);
  if (e.has("secret")) s.out << e.raw_text("secret") << '\n';
  s.err << "endpoint " << e.id("id") << ' ' << what
        << (e.has("secret") ? "; its secret is shown this once\n" : "\n");
}

}  // namespace

void create_endpoint(session& s, const endpoint_options& o) {
  const std::size_t slash = o.owner.find('/');
  core::json_writer body;
  body.begin_object().key("scope").text(o.owner.substr(0, slash));
  if (slash != std::string::npos) {
    const std::string id = o.owner.substr(slash + 1);
    if (id.empty() || id.size() > 18 || id.find_first_not_of("0123456789") != std::string::npos) {
      return s.fail(2, "--owner is platform, or such as vendor/3");
    }
    body.key("scope_id").number(static_cast<std::uint64_t>(std::stoull(id)));
  }
  body.key("url").text(o.url);
  if (!o.form.empty()) body.key("form").text(o.form);
  if (!o.events.empty()) {
    body.key("events").begin_array();
    for (const std::string& pattern : o.events) body.text(pattern);
    body.end_array();
  }
  if (!o.secret_file.empty()) {
    const auto secret = s.read_secret(o.secret_file);
    if (!secret) return;
    body.key("secret").text(*secret);
  }
  body.end_object();
  const auto answer = s.send("POST", "/v1/endpoints", body.str());
  if (answer) print_secret(s, *answer, "is made");
}

void rotate_secret(session& s, std::uint64_t id, const rotation_options& o) {
  core::json_writer body;
  body.begin_object();
  if (!o.kind.empty()) body.key("kind").text(o.kind);
  if (!o.overlap.empty()) {
    const auto overlap = parse_span_s(o.overlap);
    if (!overlap) return s.fail(2, "--overlap takes a time span such as 90s, 30m, 2h or 7d");
    body.key("overlap_s").number(*overlap);
  }
  if (!o.secret_file.empty()) {
    const auto secret = s.read_secret(o.secret_file);
    if (!secret) return;
    body.key("secret").text(*secret);
  }
  body.end_object();
  const auto answer =
      s.send("POST", "/v1/endpoints/" + std::to_string(id) + "/rotate-secret", body.str());
  if (answer) print_secret(s, *answer, "has new keys");
}

}  // namespace syndicated::ctl
