// The commands. Each prints its result to the session's streams and sets its exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/session.hpp"

namespace syndicated::ctl {

struct list_options {
  std::size_t limit = 50;
};

// ---- show_state.cpp
void show_status(session& s);
void compact(session& s);
void list_queue(session& s, bool backlog_only, const list_options& o);
// `state`: of the lanes; empty: any.
void show_queue(session& s, std::uint64_t endpoint, const std::string& state,
                const list_options& o);

// ---- show_entities.cpp
struct subscription_query {
  std::string status;
  std::uint64_t tenant = 0;
  std::uint64_t vendor = 0;
  std::uint64_t product = 0;
};
struct event_query {
  std::string stream;  // "subscription/2388"
  std::string name;
  std::string since;
  std::string until;
};
void list_endpoints(session& s, const list_options& o);
void show_endpoint(session& s, std::uint64_t id);
struct attempt_query {
  std::string outcome;
  std::string since;
  std::string until;
  std::uint64_t endpoint = 0;  // of an event's attempts
};
void list_attempts(session& s, std::uint64_t endpoint, const attempt_query& q,
                   const list_options& o);
void list_event_attempts(session& s, std::uint64_t event, const attempt_query& q,
                         const list_options& o);
void list_events(session& s, const event_query& q, const list_options& o);
void show_event(session& s, std::uint64_t id);
void list_subscriptions(session& s, const subscription_query& q, const list_options& o);
// `action` as in POST /v1/subscriptions/{id}/{action}.
void steer_subscription(session& s, std::uint64_t id, const std::string& action,
                        const std::string& reason);
void list_invoices(session& s, std::uint64_t subscription, const list_options& o);
void list_operations(session& s, std::uint64_t subscription, const list_options& o);
// `how`: "succeed", "fail" (in the vendor's place) or "cancel".
void end_operation(session& s, std::uint64_t id, const std::string& how,
                   const std::string& message);
void show_subscription(session& s, std::uint64_t id);
void list_resources(session& s, std::uint64_t subscription, const list_options& o);
struct usage_query {
  std::string metric;
  std::string source;
  std::string since;
  std::string until;
};
void list_usage(session& s, std::uint64_t subscription, const usage_query& q,
                const list_options& o);
void list_metrics(session& s, std::uint64_t subscription);
void list_tenants(session& s, std::uint64_t parent, const list_options& o);
void show_tenant(session& s, std::uint64_t id);
void list_tenant_usages(session& s, std::uint64_t id);
void list_users(session& s, std::uint64_t tenant, const list_options& o);
void show_user(session& s, std::uint64_t id);

// ---- commitments.cpp
struct commitment_query {
  std::uint64_t reseller = 0;
  std::uint64_t vendor = 0;
  std::uint64_t product = 0;
  std::string state;
};
void list_commitments(session& s, const commitment_query& q, const list_options& o);
void show_commitment(session& s, std::uint64_t id);

// ---- offers.cpp
struct offer_query {
  std::uint64_t vendor = 0;
  std::uint64_t product = 0;
  std::string state;
};
void list_products(session& s, const offer_query& q, const list_options& o);
void show_product(session& s, std::uint64_t id);
void list_plans(session& s, const offer_query& q, const list_options& o);
void show_plan(session& s, std::uint64_t id);
// `action`: "publish" or "withdraw".
void move_product(session& s, std::uint64_t id, const std::string& action);
void move_plan(session& s, std::uint64_t id, const std::string& action);
struct quote_options {
  std::vector<std::string> quantities;  // "seats=5"
  int months = 0;                       // 0: one billing period
};
void quote_plan(session& s, std::uint64_t id, const quote_options& o);

// ---- publish.cpp
struct publish_options {
  std::string name;
  std::string data_file;  // "-": standard input
  std::string stream;
};
void publish_event(session& s, const publish_options& o);
void list_event_types(session& s, const list_options& o);
void show_event_type(session& s, const std::string& name);

// ---- endpoints.cpp
struct endpoint_options {
  std::string owner;  // "platform", "vendor/3" ...
  std::string url;
  std::string form;
  std::vector<std::string> events;
  std::string secret_file;  // empty: the daemon makes one
};
void create_endpoint(session& s, const endpoint_options& o);
struct rotation_options {
  std::string kind;
  std::string overlap;  // "24h"
  std::string secret_file;
};
void rotate_secret(session& s, std::uint64_t id, const rotation_options& o);

// ---- act.cpp
void pause_endpoint(session& s, std::uint64_t id, const std::string& reason);
void resume_endpoint(session& s, std::uint64_t id);
void test_endpoint(session& s, std::uint64_t id);
// `replay_of`: the lane of that event's replay; 0: the stream's own.
void discard_head(session& s, std::uint64_t endpoint, const std::string& stream,
                  std::uint64_t replay_of);
void replay_event(session& s, std::uint64_t id, std::uint64_t endpoint);
void discard_event(session& s, std::uint64_t id, std::uint64_t endpoint);
struct token_options {
  std::string role;
  std::uint64_t scope = 0;
  std::string name;
  int expires_days = 0;
};
void create_token(session& s, const token_options& o);
void list_tokens(session& s, const list_options& o);
void revoke_token(session& s, std::uint64_t id);

// ---- jobs.cpp
struct replay_options {
  std::string since;
  std::string until;
  std::string state;
  bool dry_run = false;
  int rate_per_s = 0;  // 0 = the daemon's default
};
void replay_endpoint(session& s, std::uint64_t id, const replay_options& o);
void list_jobs(session& s, std::uint64_t endpoint, const list_options& o);
void show_job(session& s, std::uint64_t id);
void cancel_job(session& s, std::uint64_t id);

// ---- keys.cpp
void list_keys(session& s);
void rotate_key(session& s);

// ---- clock.cpp
// A span such as 90s, 30m, 2h, 7d in whole seconds; none: it is not one.
std::optional<std::int64_t> parse_span_s(const std::string& text);
struct clock_options {
  std::string advance;  // "30d"
  std::string to;       // a time
  bool jump = false;
};
void clock(session& s, const clock_options& o);

// ---- signatures.cpp: no daemon needed
struct signature_options {
  std::string form = "standard";
  std::string secret_file;
  std::string body_file = "-";
  std::string id;
  std::int64_t timestamp = 0;    // 0 = now
  std::string signature;         // to be checked
  std::int64_t tolerance_s = 0;  // 0 = the timestamp's age is not checked
};
void sign(session& s, const signature_options& o);
void verify(session& s, const signature_options& o);

}  // namespace syndicated::ctl
