#include "core/lifecycle/catalog_rules.hpp"

#include <algorithm>
#include <string>

#include "core/base/limits.hpp"
#include "core/delivery/endpoint_rules.hpp"
#include "core/lifecycle/money.hpp"

namespace syndicated::core {
namespace {

class mistakes {
 public:
  void add(std::string pointer, std::string detail) {
    fields_.push_back({std::move(pointer), std::move(detail)});
  }
  result<void> finish() && {
    if (fields_.empty()) return {};
    std::string detail = fields_.front().pointer + " " + fields_.front().detail;
    return error{errc::invalid, "invalid_input", std::move(detail), std::move(fields_), {}};
  }

 private:
  std::vector<field_error> fields_;
};

std::string at(std::string_view list, std::size_t index, std::string_view field = {}) {
  std::string out{"/"};
  out += list;
  out += '/';
  out += std::to_string(index);
  if (!field.empty()) out.append("/").append(field);
  return out;
}

// The second of two with the same name is told.
template <class Items, class NameOf>
void no_twins(mistakes& out, const Items& items, std::string_view list, std::string_view field,
              NameOf name_of) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto twin = std::find_if(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](const auto& o) { return name_of(o) == name_of(items[i]); });
    if (twin != items.begin() + static_cast<std::ptrdiff_t>(i)) {
      out.add(at(list, i, field), "is used twice");
    }
  }
}

const resource_type* type_named(const product& p, std::string_view name) noexcept {
  const auto found = std::ranges::find(p.resource_types, name, &resource_type::name);
  return found == p.resource_types.end() ? nullptr : &*found;
}

// Following the parents must end: there are at most as many steps as types.
bool has_own_ancestor(const product& p, const resource_type& t) {
  const resource_type* up = &t;
  for (std::size_t steps = 0; steps <= p.resource_types.size(); ++steps) {
    if (up->parent_type.empty()) return false;
    up = type_named(p, up->parent_type);
    if (up == nullptr) return false;
  }
  return true;
}

void check_types(mistakes& out, const product& p) {
  no_twins(out, p.resource_types, "resource_types", "name",
           [](const resource_type& t) { return t.name; });
  for (std::size_t i = 0; i < p.resource_types.size(); ++i) {
    const resource_type& t = p.resource_types[i];
    if (!t.parent_type.empty() && type_named(p, t.parent_type) == nullptr) {
      out.add(at("resource_types", i, "parent_type"), "is no resource type of the product");
    } else if (has_own_ancestor(p, t)) {
      out.add(at("resource_types", i, "parent_type"), "leads back to the type itself");
    }
    if (t.parent_type.empty() && t.link == link_strength::strong) {
      out.add(at("resource_types", i, "link"), "a strong link needs a parent_type");
    }
  }
}

void check_metrics(mistakes& out, const product& p) {
  no_twins(out, p.metrics, "metrics", "name", [](const metric& m) { return m.name; });
  for (std::size_t i = 0; i < p.metrics.size(); ++i) {
    if (const auto wrong = headers_mistake(p.metrics[i].headers, {})) {
      out.add(at("metrics", i, wrong->name.empty() ? "headers" : "headers/" + wrong->name),
              wrong->detail);
    }
  }
}

void check_policies(mistakes& out, const product& p) {
  using std::chrono::hours;
  constexpr auto data_kept_min = hours{7 * 24};  // domain.md, 10.5: the default timers
  const provisioning_policy& v = p.provisioning;
  if (v.fail_after && *v.fail_after > hours{30 * 24}) {
    out.add("/provisioning/fail_after_s", "at most 2592000 (30 days)");
  }
  if (v.overdue_after && v.fail_after && *v.overdue_after > *v.fail_after) {
    out.add("/provisioning/overdue_after_s", "must not be above fail_after_s");
  }
  const lifecycle_policy& l = p.lifecycle;
  if (l.cancel_grace && *l.cancel_grace < data_kept_min && !l.destroy_on_cancel) {
    out.add("/lifecycle/cancel_grace_s",
            "at least 604800 (7 days), unless destroy_on_cancel is true");
  }
  const bool asks = std::ranges::any_of(p.config_parameters, &config_parameter::external_values);
  if (asks && p.parameter_value_url.empty()) {
    out.add("/parameter_value_url", "is required: a parameter has external_values");
  }
}

void check_rate(mistakes& out, const resource_rate& rate, const std::string& place) {
  const auto range_at = [&](std::size_t i, std::string_view field) {
    return place + at("ranges", i, field);
  };
  if (!is_currency(rate.currency)) {
    out.add(place + "/currency", "must be three capital letters (ISO 4217)");
  }
  if (rate.ranges.empty()) return out.add(place + "/ranges", "at least one range");
  const bool single = rate.scheme == rate_scheme::flat || rate.scheme == rate_scheme::per_unit;
  if (single && rate.ranges.size() > 1) {
    out.add(place + "/ranges", "exactly one range with this scheme");
  }
  std::int64_t expected = 1;
  for (std::size_t i = 0; i < rate.ranges.size(); ++i) {
    const price_range& r = rate.ranges[i];
    if (r.from != expected) {
      out.add(range_at(i, "from"),
              "must be " + std::to_string(expected) + ": ranges begin with 1 and leave no gap");
    }
    const bool last = i + 1 == rate.ranges.size();
    if (last && r.to) out.add(range_at(i, "to"), "the last range is open: null");
    if (!last && !r.to) {
      out.add(range_at(i, "to"), "only the last range is open");
    } else if (r.to && *r.to < r.from) {
      out.add(range_at(i, "to"), "must not be below from");
    }
    expected = r.to ? *r.to + 1 : expected;
  }
}

void check_resource(mistakes& out, const plan_resource& r, std::size_t i, const product& of) {
  const auto place = [i](std::string_view field) { return at("resources", i, field); };
  // A metric has its limit here, too.
  const bool known = type_named(of, r.name) != nullptr ||
                     std::ranges::find(of.metrics, r.name, &metric::name) != of.metrics.end();
  if (!of.resource_types.empty() && !known) {
    out.add(place("name"), "is no resource type and no metric of the product");
  }
  if (r.max >= 0 && r.max < r.min) {
    out.add(place("max"), "must not be below min; -1 means unlimited");
  }
  if (r.max >= 0 && r.included > r.max) out.add(place("included"), "must not be above max");
  if (r.limit >= 0) {
    const auto fits = [&](std::int64_t value, std::string_view field) {
      if (value > r.limit) out.add(place(field), "must not be above limit");
    };
    fits(r.min, "min");
    fits(r.included, "included");
    fits(r.auto_provide, "auto_provide");
  } else if (r.overage) {
    out.add(place("overage"), "needs a limit");
  }
  if (r.presence == resource_presence::required && r.limit == 0) {
    out.add(place("presence"), "what is not sold (limit 0) cannot be required");
  }
  if (r.rate) check_rate(out, *r.rate, place("rate"));
}

void check_options(mistakes& out, const plan& p) {
  for (std::size_t i = 0; i < p.commitment_options.size(); ++i) {
    const commitment_option& o = p.commitment_options[i];
    if (o.term_months % p.billing_period_months != 0) {
      out.add(at("commitment_options", i, "term_months"),
              "must be a multiple of billing_period_months");
    }
    const auto same =
        std::ranges::count(p.commitment_options, o.term_months, &commitment_option::term_months);
    if (same > 1) out.add(at("commitment_options", i, "term_months"), "must be unique");
    if (o.volume_max >= 0 && o.volume_max < o.volume_min) {
      out.add(at("commitment_options", i, "volume/max"),
              "must not be below min; -1 means unlimited");
    }
  }
}

}  // namespace

result<void> check(const product& p) {
  mistakes out;
  check_types(out, p);
  no_twins(out, p.config_parameters, "config_parameters", "code",
           [](const config_parameter& c) { return c.code; });
  check_metrics(out, p);
  check_policies(out, p);
  return std::move(out).finish();
}

result<void> check(const plan& p, const product& of) {
  mistakes out;
  no_twins(out, p.resources, "resources", "name", [](const plan_resource& r) { return r.name; });
  for (std::size_t i = 0; i < p.resources.size(); ++i) check_resource(out, p.resources[i], i, of);
  check_options(out, p);
  // Short and not renewable (domain.md, 1.13).
  if (p.lifespan_hours > 0 && p.auto_renewable) {
    out.add("/auto_renewable", "must be false with lifespan_hours: such a plan is not renewed");
  }
  if (p.lifespan_hours > 0 && p.minimum_duration_months > 0) {
    out.add("/minimum_duration_months", "must be 0 with lifespan_hours");
  }
  return std::move(out).finish();
}

bool declares(const product& of, const plan& p) noexcept {
  return of.resource_types.empty() || std::ranges::all_of(p.resources, [&](const plan_resource& r) {
           return type_named(of, r.name) != nullptr;
         });
}

}  // namespace syndicated::core
