// What both faces take of a contact besides its name, mail and phone (core::contact_texts). Errors:
// those of object_reader. Not shared between threads.
#pragma once

#include "api/input.hpp"
#include "core/lifecycle/tenant.hpp"

namespace syndicated::api {

// `null_is_absent`: as partners' tools have it.
void read_contact_texts(object_reader& in, core::contact& out, bool null_is_absent);

}  // namespace syndicated::api
