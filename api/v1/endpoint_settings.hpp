// The settings of an endpoint that may be given at creation and changed later: read, checked and
// shown. Internal to the calls of endpoints.
//
// Errors are collected in the reader. Secrets go in and never come out: readings show that they are
// there. Limits: core/base/limits.hpp.
#pragma once

#include "actors/engine.hpp"
#include "api/call.hpp"
#include "api/input.hpp"
#include "core/base/json_writer.hpp"

namespace syndicated::api::v1 {

// `present`: the endpoint as it is, or as far as its creation has come.
actors::update_endpoint read_settings(const call& c, object_reader& in,
                                      const core::endpoint& present);

core::secret_bytes new_signing_key();  // Ed25519, fresh

// Moves the settings that were given into the new endpoint.
void apply(actors::update_endpoint&& from, core::endpoint& to);

// The members of an endpoint's JSON that read_settings() takes.
void write_settings(core::json_writer& out, const core::endpoint& e);

}  // namespace syndicated::api::v1
