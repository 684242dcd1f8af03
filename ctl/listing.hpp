// How lists and single entities are asked for and shown. Internal to ctl.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "ctl/commands.hpp"
#include "ctl/document.hpp"
#include "ctl/table.hpp"

namespace syndicated::ctl {

// Prints what was fetched, if it was, as a table, or as it came with --json.
template <class Row>
void print_items(session& s, const std::optional<std::string>& body, table t, std::string_view none,
                 Row row) {
  if (!body) return;
  if (s.json) return s.print_document(*body);
  const document list = document::parse(*body);
  for (const document& item : list.items("items")) t.add(row(item));
  if (t.empty()) {
    s.out << none << '\n';
    return;
  }
  t.print(s.out);
  if (!list.raw_text("next").empty()) s.err << "there are more; use --limit\n";
}

template <class Row>
void print_list(session& s, const std::string& target, const list_options& o, table t,
                std::string_view none, Row row) {
  print_items(s, s.get_list(target, o.limit), std::move(t), none, row);
}
// A list that comes whole.
template <class Row>
void print_whole(session& s, const std::string& target, table t, std::string_view none, Row row) {
  print_items(s, s.get(target), std::move(t), none, row);
}

// An object's members, one a line, nested values as JSON.
inline void print_members(session& s, const document& o) {
  facts f;
  for (const auto& [name, value] : o.members()) f.add(name, value);
  f.print(s.out);
}

inline void show_one(session& s, const std::string& target) {
  const auto body = s.get(target);
  if (!body) return;
  if (s.json) return s.print_document(*body);
  print_members(s, document::parse(*body));
}

inline void add_filter(std::string& target, std::string_view name, const std::string& value) {
  if (value.empty() || value == "0") return;
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += name;
  target += '=' + query_value(value);
}

}  // namespace syndicated::ctl
