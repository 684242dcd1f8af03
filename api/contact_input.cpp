#include "api/contact_input.hpp"

#include "core/base/limits.hpp"

namespace syndicated::api {

using namespace core::limits;

void read_contact_texts(object_reader& in, core::contact& out, bool null_is_absent) {
  const auto absent = [&](std::string_view name) {
    const json* given = in.value(name);
    return given == nullptr || (null_is_absent && given->is_null());
  };
  for (const std::string_view name : core::contact_texts) {
    if (absent(name)) continue;
    auto text = in.text(name, contact_text_bytes_max);
    if (text && !text->empty()) out.more.emplace(name, std::move(*text));
  }
  if (absent("types")) return;
  auto types = in.texts("types", contact_types_max, map_key_bytes_max);
  out.types = std::move(types).value_or(std::vector<std::string>{});
}

}  // namespace syndicated::api
