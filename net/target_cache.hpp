// What endpoints' URLs mean to the present egress policy, so that a URL is not taken apart for each
// request. Bounded; forgotten when the policy changes. One thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/delivery/egress_policy.hpp"
#include "core/delivery/url.hpp"

namespace syndicated::net {

struct target {
  core::endpoint_url url;
  std::string refusal;  // why the policy refuses the URL, or empty
};

class target_cache {
 public:
  // Valid until the next call of any member.
  const target& of(const std::string& url, const core::egress_policy& policy) {
    const auto found = targets_.find(url);
    if (found != targets_.end()) return found->second;
    if (targets_.size() >= targets_max) targets_.clear();
    target made;
    auto checked = core::check_endpoint_url(url, policy);
    if (checked) {
      made.url = std::move(checked).value();
    } else {
      made.refusal = checked.failure().detail;
    }
    return targets_.emplace(url, std::move(made)).first->second;
  }
  void clear() { targets_.clear(); }

 private:
  static constexpr std::size_t targets_max = 8'192;
  std::unordered_map<std::string, target> targets_;
};

}  // namespace syndicated::net
