#include "core/base/error.hpp"

namespace syndicated::core {

std::string_view to_string(errc code) noexcept {
  switch (code) {
    case errc::invalid: return "invalid";
    case errc::malformed: return "malformed";
    case errc::unauthorized: return "unauthorized";
    case errc::forbidden: return "forbidden";
    case errc::not_found: return "not_found";
    case errc::gone: return "gone";
    case errc::conflict: return "conflict";
    case errc::precondition: return "precondition";
    case errc::too_large: return "too_large";
    case errc::too_many: return "too_many";
    case errc::unavailable: return "unavailable";
    case errc::io: return "io";
    case errc::corrupt: return "corrupt";
    case errc::internal: return "internal";
  }
  return "internal";
}

error error::prefixed(std::string_view context) && {
  detail.insert(0, ": ");
  detail.insert(0, context);
  return std::move(*this);
}

error invalid_field(std::string pointer, std::string detail) {
  error e{errc::invalid, "invalid_field", detail, {}, {}};
  e.fields.push_back({std::move(pointer), std::move(detail)});
  return e;
}

error not_found(std::string detail) {
  return {errc::not_found, "not_found", std::move(detail), {}, {}};
}

error transition_not_allowed(std::string_view status, std::string_view action) {
  std::string text = "'";
  text += action;
  text += "' is not allowed while the status is ";
  text += status;
  return {errc::conflict, "transition_not_allowed", std::move(text), {}, std::string{status}};
}

}  // namespace syndicated::core
