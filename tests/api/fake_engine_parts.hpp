// What the files of the engine in memory share. Internal to them.
#pragma once

#include <algorithm>

#include "tests/api/fake_engine.hpp"

namespace syndicated::tests {

inline core::error stale() {
  return {
      core::errc::precondition, "version_mismatch", "the version is not the present one", {}, {}};
}

// What a decision does to the invoices.
void adopt_invoices(fake_engine& engine, const core::subscription_decision& d);

template <class T>
core::result<T> look_up(const std::map<std::uint64_t, T>& from, std::uint64_t id) {
  const auto found = from.find(id);
  if (found == from.end()) return core::not_found("no " + std::to_string(id));
  return found->second;
}

template <class T, class Keep>
core::result<actors::page<T>> select(const std::map<std::uint64_t, T>& from,
                                     const actors::page_request& p, Keep keep) {
  actors::page<T> out;
  const std::uint64_t after = p.after.empty() ? 0 : std::stoull(p.after);
  for (auto i = from.upper_bound(after); i != from.end(); ++i) {
    if (!keep(i->second)) continue;
    if (out.items.size() == p.limit) {
      out.next = std::to_string(out.items.back().id.value);
      break;
    }
    out.items.push_back(i->second);
  }
  return out;
}

template <class Entity>
void fake_engine::commit(const actors::write_options& options, const Entity& entity, bool changed,
                         const actors::renderer<Entity>& render, actors::write_reply reply) {
  ++writes;
  actors::answer answer = render(entity, changed);
  if (options.idempotency) {
    answered[options.idempotency->key] = {options.idempotency->request_hash, answer};
  }
  auto send = [reply = std::move(reply), answer = std::move(answer)] {
    reply(actors::answer{answer});
  };
  if (hold_replies) {
    kept_replies.push_back(std::move(send));
  } else {
    send();
  }
}

}  // namespace syndicated::tests
