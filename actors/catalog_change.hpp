// What the parts of the catalog keeper share. Internal to actors/catalog_*.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actors/catalog_snapshot.hpp"

namespace syndicated::actors {

// The present record of an update; the caller has made sure that it exists.
template <class T, class Id>
core::result<T> present(const catalog_snapshot& in, Id id, std::string_view what) {
  if (auto found = in.find(id)) return T{*found};
  return core::not_found("no such " + std::string{what});
}

template <class T, class V>
void take(T& field, const std::optional<V>& wanted, bool& changed) {
  if (!wanted || field == *wanted) return;
  field = *wanted;
  changed = true;
}

// Secrets are not compared: given is changed.
template <class T>
void take_secret(T& field, const std::optional<T>& wanted, bool& changed) {
  if (!wanted) return;
  field = *wanted;
  changed = true;
}

template <class T>
void touch(T& record, core::timestamp now) {
  ++record.version;
  record.updated_at = now;
}

template <class T>
void begin(T& record, core::timestamp now) {
  record.version = 1;
  record.created_at = now;
  record.updated_at = now;
}

}  // namespace syndicated::actors
