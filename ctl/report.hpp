// How a command that changes something tells of it. Internal to ctl.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "ctl/document.hpp"
#include "ctl/session.hpp"

namespace syndicated::ctl {

// Prints the document with --json, else the sentence made of it.
template <class Sentence>
void report(session& s, const std::optional<std::string>& body, Sentence sentence) {
  if (!body) return;
  if (s.json) return s.print_document(body->empty() ? "{}" : *body);
  s.out << sentence(document::parse(*body)) << '\n';
}

}  // namespace syndicated::ctl
