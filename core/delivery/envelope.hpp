// The bytes of a notification (api.md, 4; domain.md 10.12). Pure and deterministic: the same event
// and endpoint give the same bytes, whatever happened in between.
#pragma once

#include <optional>
#include <string>

#include "core/delivery/endpoint.hpp"
#include "core/lifecycle/event.hpp"

namespace syndicated::core {

// The Cloudesire form carries only some events; the standard form all of them.
bool sent_in(wire_form form, const event& e) noexcept;

// The `type` that the endpoint is told: with the termination signal `deleted` the request to
// deprovision is the DELETED (domain.md, 10.15).
wire_type told_as(const event& e, const endpoint& to) noexcept;

std::string render_cloudesire(const event& e, id_format ids, bool with_event_id, bool with_metadata,
                              wire_type type);
std::string render_standard(const event& e);
std::string render(const event& e, const endpoint& to);

std::string webhook_id(event_id id);  // "evt_17": no dots (Standard Webhooks 1.0.0)

}  // namespace syndicated::core
