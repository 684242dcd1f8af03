#include "api/v1/offer_fields.hpp"
#include "core/base/limits.hpp"
#include "core/lifecycle/money.hpp"

namespace syndicated::api::v1 {
namespace {

using namespace core::limits;

std::optional<int> read_int(object_reader& in, std::string_view name, std::int64_t min,
                            std::int64_t max) {
  const auto value = in.integer(name, min, max);
  return value ? std::optional{static_cast<int>(*value)} : std::nullopt;
}

bool is_null(object_reader& in, std::string_view name) {
  const json* given = in.value(name);
  return given != nullptr && given->is_null();
}

core::price_range read_range(object_reader& in) {
  core::price_range r;
  r.from = in.required("from", in.integer("from", 0, units_max));
  if (!is_null(in, "to")) r.to = in.integer("to", 0, units_max);
  r.unit_price = in.required("unit_price", read_money(in, "unit_price"));
  r.setup = read_money(in, "setup").value_or(0);
  return r;
}

std::optional<core::resource_rate> read_rate(object_reader& in, const std::string& base) {
  const json* given = in.value("rate");
  if (given == nullptr || given->is_null()) return std::nullopt;
  const std::string place = base + "/rate";
  object_reader rate{*given, place};
  core::resource_rate out;
  out.scheme = rate.required("scheme", rate.word("scheme", core::parse_rate_scheme,
                                                 "flat, per_unit, tiered, volume, stairstep"));
  out.currency = rate.required("currency", rate.text("currency", 3, 3));
  out.setup = read_money(rate, "setup").value_or(0);
  out.ranges = rate.required("ranges", rate.objects("ranges", price_ranges_max, read_range));
  in.absorb(std::move(rate));
  return out;
}

core::plan_resource read_resource(object_reader& in, const std::string& place) {
  core::plan_resource r;
  r.name = in.required("name", in.text("name", map_key_bytes_max, 1));
  r.min = in.integer("min", 0, id_max).value_or(r.min);
  r.max = in.integer("max", -1, id_max).value_or(r.max);
  r.step = in.integer("step", 1, id_max).value_or(r.step);
  r.included = in.integer("included", 0, id_max).value_or(r.included);
  r.limit = in.integer("limit", -1, id_max).value_or(r.limit);
  if (!is_null(in, "overage")) r.overage = in.integer("overage", 0, id_max);
  r.auto_provide =
      in.integer("auto_provide", 0, static_cast<std::int64_t>(product_parts_max)).value_or(0);
  r.value_type = in.word("value_type", core::parse_value_type, "prepaid, postpaid, payg")
                     .value_or(r.value_type);
  r.presence = in.word("presence", core::parse_resource_presence, "optional, recommended, required")
                   .value_or(r.presence);
  r.downgradable = in.boolean("downgradable").value_or(r.downgradable);
  r.rate = read_rate(in, place);
  return r;
}

core::commitment_option read_option(object_reader& in, const std::string& place) {
  core::commitment_option o;
  o.term_months = in.required("term_months", read_int(in, "term_months", 1, plan_months_max));
  o.auto_renew = in.boolean("auto_renew").value_or(o.auto_renew);
  o.allow_increase = in.boolean("allow_increase").value_or(o.allow_increase);
  o.allow_decrease = in.boolean("allow_decrease").value_or(o.allow_decrease);
  o.decrease_window_hours = read_int(in, "decrease_window_hours", 0, lifespan_hours_max)
                                .value_or(o.decrease_window_hours);
  o.allow_early_cancel = in.boolean("allow_early_cancel").value_or(o.allow_early_cancel);
  o.cancel_fee = in.boolean("cancel_fee").value_or(o.cancel_fee);
  o.transferable = in.boolean("transferable").value_or(o.transferable);
  if (const json* window = in.value("renewal_window")) {
    object_reader w{*window, place + "/renewal_window"};
    o.window_before_days = read_int(w, "before_days", 0, 365).value_or(0);
    o.window_after_days = read_int(w, "after_days", 0, 365).value_or(0);
    in.absorb(std::move(w));
  }
  if (const json* volume = in.value("volume")) {
    object_reader v{*volume, place + "/volume"};
    o.volume_min = v.integer("min", 0, units_max).value_or(o.volume_min);
    o.volume_max = v.integer("max", -1, units_max).value_or(o.volume_max);
    o.volume_unit = v.text("unit", map_key_bytes_max).value_or(o.volume_unit);
    in.absorb(std::move(v));
  }
  return o;
}

// `trial` {mode, days}, or `trial_days` alone as before there were modes.
void read_trial(object_reader& in, record_edits<core::plan>& out) {
  constexpr std::int64_t trial_days_max = 3'650;
  const auto days = read_int(in, "trial_days", 0, trial_days_max);
  out.set(&core::plan::trial_days, days);
  const json* given = in.value("trial");
  if (given == nullptr) return;
  object_reader trial{*given, "/trial"};
  const auto mode =
      trial.required("mode", trial.word("mode", core::parse_trial_mode,
                                        "NOT_ALLOWED, ALLOWED, ALLOWED_WO_PAYMENT_METHOD"));
  const bool allowed = mode != core::trial_mode::not_allowed;
  const auto length = read_int(trial, "days", 0, trial_days_max);
  if (length && allowed != (*length > 0) && trial.clean()) {
    trial.refuse("days",
                 allowed ? "must be at least 1 with this mode" : "must be 0 with this mode");
  }
  // A day is what the platform gives when nobody says how long (domain.md, 1.8).
  const int wanted = allowed ? length.value_or(1) : 0;
  if (days && *days != wanted) trial.refuse("days", "is not what trial_days says");
  in.absorb(std::move(trial));
  out.set(&core::plan::trial_days, std::optional{wanted});
  out.set(&core::plan::trial_wo_payment_method,
          std::optional{mode == core::trial_mode::allowed_wo_payment_method});
}

// object_reader::objects() with the place of each item, for what is nested in it.
template <class Read>
auto read_placed(object_reader& in, std::string_view name, std::size_t count_max, Read read) {
  std::size_t index = 0;
  return in.objects(name, count_max, [&, read](object_reader& item) {
    return read(item, in.place_of(name) + '/' + std::to_string(index++));
  });
}

}  // namespace

std::optional<core::micros> read_money(object_reader& in, std::string_view name) {
  const json* given = in.value(name);
  if (given == nullptr) return std::nullopt;
  std::optional<core::micros> amount;
  if (given->integer() != nullptr) amount = core::parse_money(std::to_string(*given->integer()));
  if (given->text() != nullptr) amount = core::parse_money(*given->text());
  if (!amount) {
    in.refuse(name,
              "must be an amount from 0 to 1000000000: a text such as \"2.50\" with at most "
              "six decimals, or a whole number");
  }
  return amount;
}

record_edits<core::plan> read_plan(object_reader& in) {
  using core::plan;
  record_edits<plan> out;
  out.set(&plan::name, in.text("name", name_bytes_max, 1));
  out.set(&plan::external_id, in.text("external_id", name_bytes_max));
  out.set(&plan::billing_period_months, read_int(in, "billing_period_months", 1, plan_months_max));
  out.set(&plan::minimum_duration_months,
          read_int(in, "minimum_duration_months", 0, plan_months_max));
  if (is_null(in, "lifespan_hours")) {
    out.set(&plan::lifespan_hours, std::optional{0});
  } else {
    out.set(&plan::lifespan_hours, read_int(in, "lifespan_hours", 1, lifespan_hours_max));
  }
  read_trial(in, out);
  out.set(&plan::auto_renewable, in.boolean("auto_renewable"));
  out.set(&plan::upgradable, in.boolean("upgradable"));
  out.set(&plan::unkillable, in.boolean("unkillable"));
  out.set(&plan::needs_approval, in.boolean("needs_approval"));
  out.set(&plan::post_configuration, in.boolean("post_configuration"));
  out.set(&plan::free, in.boolean("free"));
  out.set(&plan::resources, read_placed(in, "resources", map_entries_max, read_resource));
  out.set(&plan::commitment_options,
          read_placed(in, "commitment_options", commitment_options_max, read_option));
  out.set(&plan::metadata, in.string_map("metadata"));
  return out;
}

}  // namespace syndicated::api::v1
