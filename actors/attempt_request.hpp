// What is sent to an endpoint for one attempt.
//
// Threads: the endpoint's dispatcher's. CAF-free.
#pragma once

#include <cstdint>

#include "actors/dispatch_queue.hpp"
#include "core/base/error.hpp"
#include "core/lifecycle/event.hpp"
#include "net/curl_loop.hpp"

namespace syndicated::actors {

// The request for one attempt: body, signature and headers of the endpoint's form. Errors:
// errc::internal "cannot_sign" when a standard endpoint has no usable key.
core::result<net::attempt_request> make_request(const core::event& e, const core::endpoint& to,
                                                const dispatch_queue& q, std::uint32_t attempt,
                                                core::timestamp now);

}  // namespace syndicated::actors
