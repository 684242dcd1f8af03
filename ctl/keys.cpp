#include <ostream>

#include "ctl/commands.hpp"
#include "ctl/document.hpp"
#include "ctl/table.hpp"

namespace syndicated::ctl {
namespace {

std::string use_of(const document& key) {
  if (key.flag("primary")) return "seals";
  return key.flag("needed") ? "needed" : "may be removed";
}

void print_keys(session& s, const std::optional<std::string>& body) {
  if (!body) return;
  if (s.json) return s.print_document(*body);
  const document o = document::parse(*body);
  table t{{{"KEY"}, {"USE"}, {"VALUES LEFT", table::align::right}}};
  for (const document& k : o.items("keys")) {
    t.add({k.text("id"), use_of(k), k.has("values") ? k.count("values") : "-"});
  }
  t.print(s.out);
  const std::string state = o.text("state");
  if (state == "working") {
    s.out << "secrets are being sealed with the new key: " << o.count("resealed") << " so far\n";
  } else if (state == "blocked") {
    s.out << o.count("unreadable") << " secrets cannot be sealed anew; see the log\n";
  }
}

}  // namespace

void list_keys(session& s) { print_keys(s, s.get("/admin/keys")); }

void rotate_key(session& s) { print_keys(s, s.send("POST", "/admin/keys/rotate", "{}")); }

}  // namespace syndicated::ctl
