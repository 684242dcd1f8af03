// Entities in the native form of /v1, which is also the `data` of a standard notification.
#pragma once

#include <string>

#include "core/base/json_writer.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/subscription.hpp"
#include "core/lifecycle/tenant.hpp"
#include "core/lifecycle/user.hpp"

namespace syndicated::core {

// Members only, without the braces, so that callers can add theirs (`seq`, `change`, `access`).
void write_members(json_writer& out, const subscription& s);
void write_members(json_writer& out, const tenant& t);
void write_members(json_writer& out, const operation& o, subscription_id owner);
void write_operation(json_writer& out, const operation& o, subscription_id owner);
void write_members(json_writer& out, const user& u);  // no hash of a password or link
void write_members(json_writer& out, const product& p);
void write_members(json_writer& out, const plan& p);
void write_members(json_writer& out, const commitment_option& o);
void write_contact_texts(json_writer& out, const contact& c);  // members: those that there are

std::string to_json(const subscription& s);
std::string to_json(const tenant& t);
std::string to_json(const user& u);
std::string to_json(const vendor& v);
std::string to_json(const product& p);           // without the values of headers
std::string to_json(const product_instance& i);  // without the values of settings
std::string to_json(const plan& p);
std::string to_json(const event_type& t);

}  // namespace syndicated::core
