// `data` of a notification: the entity's state at the event, its place in the stream, what changed.
// Internal to the entities; a pure function.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/base/json_writer.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/json.hpp"

namespace syndicated::actors {

template <class Entity>
std::string event_data(const Entity& entity, const core::event_draft& draft, std::uint64_t seq) {
  core::json_writer out;
  out.begin_object();
  core::write_members(out, entity);
  out.key("seq").number(seq);
  if (!draft.change_json.empty()) out.key("change").raw(draft.change_json);
  out.end_object();
  return std::move(out).str();
}

}  // namespace syndicated::actors
