// The typed handles of every actor, and what each message asks for. Internal to actors/.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "actors/messages.hpp"

namespace syndicated::actors {

// A tenant or a subscription: the only writer of its record, its stream and its lanes.
using entity_actor =
    caf::typed_actor<caf::reacts_to<embody>,       // be this entity from now on
                     caf::reacts_to<request_ptr>,  // decide, commit, answer after the commit
                     caf::reacts_to<report_ptr>,   // an attempt ended: move the lane's cursor
                     caf::reacts_to<sleep_now>>;   // leave memory if no plan is in flight

// Parent of the entities whose streams hash to it: wakes them, puts them to sleep.
using shard_actor =
    caf::typed_actor<caf::reacts_to<request_ptr>, caf::reacts_to<report_ptr>,
                     caf::reacts_to<still_busy>,  // the entity stays; hand over what was kept back
                     caf::reacts_to<asleep>,      // it has gone; its actor is vacant
                     caf::reacts_to<tick>,        // look for idle entities
                     caf::reacts_to<look_on>,     // there were more
                     caf::reacts_to<ping>>;

// Vendors, products, plans, endpoints, tokens; publishes snapshots after each commit.
using catalog_actor = caf::typed_actor<caf::reacts_to<catalog_request_ptr>, caf::reacts_to<ping>>;

// Sends for its part of the endpoints: each endpoint has one dispatcher, for good.
using dispatcher_actor =
    caf::typed_actor<caf::reacts_to<look_into_inbox>,   // lanes that became ready or rest, attempts
                                                        // that ended
                     caf::reacts_to<endpoint_changed>,  // take the new settings from the catalogue
                     caf::reacts_to<test_request>,
                     caf::reacts_to<tick>,  // due retries, refills
                     caf::reacts_to<ask_work>, caf::reacts_to<drain>, caf::reacts_to<ping>>;

// Lifecycle timers, cascades of disabled tenants, and the beat of all others.
using ticker_actor = caf::typed_actor<caf::reacts_to<tick>, caf::reacts_to<timer_handled>,
                                      caf::reacts_to<start_cascade>, caf::reacts_to<cascade_step>,
                                      caf::reacts_to<ask_work>, caf::reacts_to<drain>>;

// Jobs that send an endpoint's past events again, a page at a time; marks of deleted endpoints.
using replayer_actor =
    caf::typed_actor<caf::reacts_to<job_request_ptr>, caf::reacts_to<replay_step>,
                     caf::reacts_to<tick>, caf::reacts_to<ask_work>, caf::reacts_to<drain>>;

}  // namespace syndicated::actors
