// The messages between actors. Internal to actors/ (includes CAF).
//
// Everything travels as a pointer to something immutable, or to a request that has exactly one
// owner at a time; nothing is serialised, since no message leaves the process.
//
// Edges and their bounds (mailboxes of CAF have none of their own):
//   API -> shard, catalog     limits::requests_in_progress_max (permits of the API)
//   shard -> entity           the same requests, and one report for each attempt in flight
//   committer -> dispatcher   (inbox) what one batch of plans made ready; kept or dropped at once
//   curl loop -> dispatcher   (inbox) sockets in flight
//   dispatcher -> shard       attempts in flight, and lanes of one refill page
//   replayer -> shard         one page for each running job, and one of marks
//   ticker -> all             one tick, sent when the last was answered or its time is over
//   clock -> all              one question, in simulated time only
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "actors/engine.hpp"
#include "actors/work.hpp"

namespace syndicated::actors {

using request_ptr = std::shared_ptr<entity_request>;
using report_ptr = std::shared_ptr<const lane_report>;
using work_ptr = std::shared_ptr<const lane_work>;
class entity;

struct catalog_request {
  catalog_command command;
  write_options options;
  renderer<catalog_item> render;
  write_reply reply;
};
using catalog_request_ptr = std::shared_ptr<catalog_request>;
using job_request_ptr = std::shared_ptr<job_request>;

struct look_into_inbox {};  // the dispatcher's inbox was empty and is not any more
struct endpoint_changed {
  core::endpoint_id id;
};
struct test_request {
  core::endpoint_id endpoint;
  std::shared_ptr<std::function<void(core::result<core::attempt_result>&&)>> reply;
};
struct tick {
  core::timestamp now;
};
struct embody {  // shard -> actor: be this entity
  core::stream_id stream;
  std::shared_ptr<entity> body;
};
struct sleep_now {};  // shard -> entity: leave memory if nothing is open
struct still_busy {   // its refusal
  core::stream_id stream;
};
struct asleep {  // its consent: the actor holds it no more
  core::stream_id stream;
  bool without_lanes = false;  // see entity
};
struct look_on {};  // shard -> itself: more entities are idle
struct start_cascade {
  core::tenant_id tenant;
};
struct cascade_step {
  bool done = true;
};
struct timer_handled {
  core::stream_id stream;
};
struct replay_step {  // an entity has taken an event that a job handed out, or refused it
  std::uint64_t job = 0;
  core::event_id event;
  std::optional<core::error> refusal;
};
// Start what is due now, and tell what is open.
struct ask_work {
  std::shared_ptr<std::function<void(const pending_work&)>> reply;
};
struct drain {};  // start no further attempt
struct ping {
  std::shared_ptr<std::function<void()>> pong;
};

}  // namespace syndicated::actors

CAF_BEGIN_TYPE_ID_BLOCK(syndicated, first_custom_type_id)

CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::request_ptr))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::report_ptr))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::catalog_request_ptr))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::look_into_inbox))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::endpoint_changed))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::test_request))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::tick))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::embody))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::sleep_now))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::still_busy))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::asleep))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::look_on))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::start_cascade))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::cascade_step))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::timer_handled))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::job_request_ptr))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::replay_step))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::ask_work))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::drain))
CAF_ADD_TYPE_ID(syndicated, (syndicated::actors::ping))

CAF_END_TYPE_ID_BLOCK(syndicated)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::report_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::catalog_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::look_into_inbox)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::endpoint_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::test_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::embody)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::sleep_now)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::still_busy)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::asleep)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::look_on)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::start_cascade)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::cascade_step)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::timer_handled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::job_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::replay_step)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::ask_work)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(syndicated::actors::ping)
