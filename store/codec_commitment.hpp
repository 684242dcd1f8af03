// Internal to store/*.cpp: the terms of commitments, which are kept in plans and in subscriptions.
#pragma once

#include "core/lifecycle/commitment.hpp"
#include "store/records.pb.h"

namespace syndicated::store {

void put_option(records::CommitmentOption& out, const core::commitment_option& o);
core::commitment_option get_option(const records::CommitmentOption& r);
void put_commitment(records::Commitment& out, const core::commitment& c);
core::commitment get_commitment(const records::Commitment& r);

}  // namespace syndicated::store
