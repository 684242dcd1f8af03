#include "api/routes.hpp"

#include <algorithm>

#include "core/base/uuid.hpp"

namespace syndicated::api {
namespace {

// Empty segments are dropped on /api only: vendors' code joins base and path with two slashes.
path_parts split(std::string_view path) {
  path_parts out;
  const bool lenient = path.starts_with("/api/");
  if (path.empty() || path.front() != '/') return {{}, 0, false};
  path.remove_prefix(1);
  while (true) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (!(part.empty() && lenient)) {
      if (out.count == path_parts::parts_max) return {{}, 0, false};
      out.part[out.count++] = part;
    }
    if (end == path.size()) return out;
    path.remove_prefix(end + 1);
  }
}

bool matches(const path_parts& pattern, const path_parts& path, route_match& out) {
  for (std::size_t i = 0; i < pattern.count; ++i) {
    if (pattern.part[i] == "{id}") {
      const auto id = parse_id(path.part[i]);
      if (!id) return false;
      out.ids.push_back(*id);
    } else if (pattern.part[i] == "{tenant}" || pattern.part[i] == "{user}") {
      const auto kind =
          pattern.part[i] == "{user}" ? core::uuid_kind::user : core::uuid_kind::tenant;
      const auto id = core::parse_uuid(path.part[i], kind);
      if (!id) return false;
      out.ids.push_back(*id);
    } else if (pattern.part[i] == "{key}") {
      auto key = percent_decode(path.part[i], false);
      if (!key || key->empty() || key->find('/') != std::string::npos) return false;
      out.key = std::move(*key);
    } else if (pattern.part[i] != path.part[i]) {
      return false;
    }
  }
  return true;
}

void append(route_list& to, route_list from) { to.insert(to.end(), from.begin(), from.end()); }

route_list native_routes() {
  route_list all = vendor_routes();
  append(all, product_routes());
  append(all, plan_routes());
  append(all, parameter_value_routes());
  append(all, endpoint_routes());
  append(all, lane_routes());
  append(all, job_routes());
  append(all, tenant_routes());
  append(all, user_routes());
  append(all, subscription_routes());
  append(all, operation_routes());
  append(all, commitment_routes());
  append(all, invoice_routes());
  append(all, resource_routes());
  append(all, event_routes());
  append(all, publish_routes());
  append(all, event_type_routes());
  append(all, open_routes());
  return all;
}

}  // namespace

route_table::route_table(route_list routes)
    : routes_(std::move(routes)), by_length_(path_parts::parts_max + 1) {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    patterns_.push_back(split(routes_[i].pattern));
    by_length_[patterns_.back().count].push_back(i);
  }
}

route_match route_table::find(std::string_view method, std::string_view path) const {
  const path_parts wanted = split(path);
  route_match out;
  if (!wanted.ok) return out;
  const auto fits = [method](std::string_view of_route) {
    return of_route == method || (method == "HEAD" && of_route == "GET");
  };
  for (const std::size_t i : by_length_[wanted.count]) {
    const route& candidate = routes_[i];
    route_match found;
    if (!matches(patterns_[i], wanted, found)) continue;
    if (fits(candidate.method)) {
      found.found = &candidate;
      return found;
    }
    if (!out.allow.empty()) out.allow += ", ";
    out.allow += candidate.method;
    if (candidate.method == "GET") out.allow += ", HEAD";
  }
  return out;
}

const route_table& public_routes() {
  static const route_table table{[] {
    route_list all = native_routes();
    append(all, cloudesire_routes());
    append(all, cloudesire_reference_routes());
    append(all, cloudesire_operation_routes());
    append(all, cloudesire_order_routes());
    append(all, cloudesire_patch_routes());
    append(all, cloudesire_event_routes());
    append(all, cloudesire_stub_routes());
    append(all, account_tenant_routes());
    append(all, account_user_routes());
    append(all, account_token_routes());
    append(all, account_usage_routes());
    append(all, cloudesire_resource_routes());
    append(all, cloudesire_invoice_routes());
    return all;
  }()};
  return table;
}

const route_table& admin_socket_routes() {
  static const route_table table{[] {
    route_list all = native_routes();
    append(all, admin_routes());
    append(all, admin_key_routes());
    append(all, admin_clock_routes());
    return all;
  }()};
  return table;
}

const route_table& health_routes() {
  static const route_table table{open_routes()};
  return table;
}

}  // namespace syndicated::api
