#include "actors/local_engine.hpp"

#include "actors/engine_body.hpp"

namespace syndicated::actors {

core::result<std::unique_ptr<local_engine>> local_engine::create(engine_options options) {
  auto body = std::make_unique<engine_body>(std::move(options));
  if (auto ok = body->open(); !ok) return std::move(ok).failure();
  return std::unique_ptr<local_engine>(std::move(body));
}

}  // namespace syndicated::actors
