// Errors as each face writes them: problem details (RFC 9457) on /v1 and /admin, `errorHolders` on
// /api (domain.md, 1.11), {"error":{...}} on /api/2 (domain.md, 5). Pure, but for the random
// Retry-After of 503 and 429 (1 to 30 s), which keeps refused clients from coming back all at once.
// Who only asked too fast may ask again after a second.
#pragma once

#include "api/stats.hpp"
#include "core/base/error.hpp"
#include "core/base/json_writer.hpp"
#include "net/http_message.hpp"

namespace syndicated::api {

int http_status(core::errc kind) noexcept;

// The object behind "error" on /api/2, for one of several items.
void write_account_error(core::json_writer& out, const core::error& why);

net::http_response problem(face f, int status, const core::error& why);
net::http_response problem(face f, const core::error& why);

}  // namespace syndicated::api
