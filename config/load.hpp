// Reads syndicated.toml.
//
// Purpose: a file either gives complete, checked settings or is refused with every mistake in it,
// one per line, as "FILE:LINE: key 'delivery.jitter': must be a number from 0 to 0.5". Nothing is
// guessed and nothing is ignored: unknown and repeated keys are mistakes.
// Threads: pure but for reading the file. Limits: the file may have 1 MiB.
// Errors: errc::invalid, code "invalid_configuration".
#pragma once

#include <string>
#include <string_view>

#include "config/config.hpp"
#include "core/base/error.hpp"

namespace syndicated::config {

core::result<settings> load_file(const std::string& path);

// `name` stands for the file in messages.
core::result<settings> load_text(std::string_view text, std::string_view name);

}  // namespace syndicated::config
