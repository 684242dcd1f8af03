// Records <-> bytes. Internal to store/. Every value is one format byte and a protobuf message.
//
// Errors: errc::corrupt for unreadable bytes or a format from a newer version.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/delivery/breaker.hpp"
#include "core/delivery/endpoint.hpp"
#include "core/delivery/lane.hpp"
#include "core/delivery/replay.hpp"
#include "core/lifecycle/access.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/offering.hpp"
#include "core/lifecycle/subscription.hpp"
#include "core/lifecycle/tenant.hpp"
#include "core/lifecycle/user.hpp"
#include "store/rows.hpp"
#include "store/vault.hpp"

namespace syndicated::store {

inline constexpr char format_1 = 1;

std::string encode(const core::tenant& t);
std::string encode(const core::user& u);
std::string encode(const core::offering_list& items);
std::string encode(const core::vendor& v);
std::string encode(const core::product& p, const vault& secrets);
std::string encode(const core::product_instance& i, const vault& secrets);
std::string encode(const core::plan& p);
std::string encode(const core::endpoint& e, const vault& secrets);
std::string encode(const core::token& t);
std::string encode(const core::event_type& t);
std::string encode(const core::subscription& s);
std::string encode(const core::event& e);
std::string encode(const core::lane& l);  // without its key
std::string encode(const attempt_row& a);
std::string encode(const stored_answer& a);
std::string encode(const counters& c);
std::string encode(const core::replay_job& j);
std::string encode(const core::breaker_record& b);
std::string encode(const endpoint_journal& j);  // without its key
std::string encode(const retention_record& r);

core::result<core::tenant> decode_tenant(std::string_view value);
core::result<core::user> decode_user(std::string_view value);
core::result<core::offering_list> decode_offerings(std::string_view value);
core::result<core::vendor> decode_vendor(std::string_view value);
core::result<core::product> decode_product(std::string_view value, const vault& secrets);
core::result<core::product_instance> decode_instance(std::string_view value, const vault& secrets);
core::result<core::plan> decode_plan(std::string_view value);
core::result<core::endpoint> decode_endpoint(std::string_view value, const vault& secrets);
core::result<core::token> decode_token(std::string_view value);
core::result<core::event_type> decode_event_type(std::string_view value);
core::result<core::subscription> decode_subscription(std::string_view value);
core::result<core::event> decode_event(std::string_view value);
core::result<core::lane> decode_lane(const core::lane_key& key, std::string_view value);
core::result<attempt_row> decode_attempt(std::string_view value);
core::result<stored_answer> decode_answer(std::string_view value);
core::result<counters> decode_counters(std::string_view value);
core::result<core::replay_job> decode_replay_job(std::string_view value);
core::result<core::breaker_record> decode_breaker(std::string_view value);
core::result<retention_record> decode_retention(std::string_view value);
core::result<endpoint_journal> decode_journal(core::endpoint_id id, std::string_view value);

}  // namespace syndicated::store
