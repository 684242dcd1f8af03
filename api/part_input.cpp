#include "api/part_input.hpp"

#include <cmath>

#include "api/problem.hpp"
#include "core/base/json_writer.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;
using core::resource_action;

struct status_word {
  std::string_view word;
  resource_action action;
};
constexpr status_word status_words[] = {
    {"provisioning", resource_action::provision},
    {"activating", resource_action::report_activating},
    {"ready", resource_action::report_ready},
    {"configuring", resource_action::report_configuring},
    {"failed", resource_action::report_failed},
    {"disabled", resource_action::disable},
    {"enabled", resource_action::enable},
    {"deleted", resource_action::report_removed},
};

std::optional<resource_action> parse_status(std::string_view word) {
  for (const status_word& s : status_words) {
    if (s.word == word) return s.action;
  }
  return std::nullopt;
}

core::resource_link link_of(object_reader& in) {
  core::resource_link out;
  out.name = in.required("name", in.text("name", map_key_bytes_max, 1));
  out.target = in.word("target", core::parse_link_target, "resource, root, subscription, account")
                   .value_or(core::link_target::resource);
  out.id = in.id("id").value_or(0);
  out.strength = in.boolean("strong").value_or(false) ? core::link_strength::strong
                                                      : core::link_strength::weak;
  out.collection = in.boolean("collection").value_or(false);
  if (out.target == core::link_target::resource && out.id == 0 && in.clean()) {
    in.refuse("id", "is required of a link to a sub-resource");
  }
  return out;
}

actors::usage_item read_item(object_reader& in, const part_names& names, const char* owner) {
  actors::usage_item out;
  if (owner != nullptr) out.subscription.value = in.required(owner, in.id(owner));
  core::usage_report& r = out.report;
  r.metric = in.required("metric", in.text("metric", map_key_bytes_max, 1));
  r.value = read_amount(in, "value");
  r.kind = in.word("kind", core::parse_metric_kind, "gauge, counter");
  r.resource.value = in.id(names.resource).value_or(0);
  const std::string source =
      r.resource ? "resource/" + std::to_string(r.resource.value) : std::string{"vendor"};
  r.source = in.text("source", map_key_bytes_max, 1).value_or(source);
  r.window_start = in.time(names.window_start);
  r.window_end = in.time(names.window_end);
  return out;
}

void write_error(core::json_writer& out, const core::error& why) {
  out.key("error").begin_object().key("code").text(why.code).key("detail").text(why.detail);
  if (!why.fields.empty()) {
    out.key("pointer").text(why.fields.front().pointer);
    out.key("rule").text(why.fields.front().detail);
  }
  if (!why.status.empty()) out.key("present_status").text(why.status);
  out.end_object();
}

}  // namespace

core::result<core::new_resource> read_new_resource(const json& body, const part_names& names) {
  object_reader in{body};
  core::new_resource out;
  out.type = in.required("type", in.text("type", name_bytes_max, 1));
  out.parent.value = in.id(names.parent).value_or(0);
  out.properties = in.string_map("properties").value_or(core::string_map{});
  if (const json* links = in.value("links"); links != nullptr && !links->is_null()) {
    out.links = in.objects("links", resource_links_max, link_of).value_or(out.links);
  }
  if (const auto ok = in.finish(); !ok) return ok.failure();
  return out;
}

core::result<core::resource_command> read_resource_patch(const json& body) {
  object_reader in{body};
  core::resource_command out;
  const auto action = in.word("status", parse_status,
                              "provisioning, activating, ready, configuring, failed, disabled, "
                              "enabled, deleted");
  const auto properties = in.string_map("properties");
  out.problem = in.text("problem", text_bytes_max).value_or(std::string{});
  if (in.clean() && action.has_value() == properties.has_value()) {
    in.refuse("status", "either a status or properties are needed");
  }
  if (in.clean() && !out.problem.empty() && action != resource_action::report_failed) {
    in.refuse("problem", "goes with the status failed");
  }
  if (const auto ok = in.finish(); !ok) return ok.failure();
  out.action = action.value_or(resource_action::configure);
  out.properties = properties.value_or(core::string_map{});
  return out;
}

core::result<core::resource_link> read_link(const json& body) {
  object_reader in{body};
  auto out = link_of(in);
  if (const auto ok = in.finish(); !ok) return ok.failure();
  return out;
}

bool read_cascade(query_reader& q) {
  const auto truth = [](std::string_view text) -> std::optional<bool> {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
  };
  return q.word("cascade", truth, "true, false").value_or(false);
}

core::decimal read_amount(object_reader& in, std::string_view name) {
  const json* given = in.value(name);
  const double whole_max = static_cast<double>(core::decimal_max);
  if (given == nullptr || given->is_null()) {
    in.refuse(name, "is required");
  } else if (const std::int64_t* n = given->integer(); n != nullptr) {
    if (*n >= 0 && *n <= core::decimal_max) return core::whole(*n);
    in.refuse(name, "must be from 0 to 1000000000000");
  } else if (const double* x = given->real(); x != nullptr) {
    if (*x >= 0 && *x <= whole_max) {
      return {static_cast<std::int64_t>(std::llround(*x * static_cast<double>(core::decimal_one)))};
    }
    in.refuse(name, "must be from 0 to 1000000000000");
  } else {
    in.refuse(name, "must be a number");
  }
  return {};
}

core::result<std::vector<actors::usage_item>> read_usage(const json& body, const part_names& names,
                                                         const char* owner) {
  object_reader in{body};
  const auto read = [&](object_reader& each) { return read_item(each, names, owner); };
  auto out = in.required("items", in.objects("items", usage_items_max, read, 1));
  if (const auto ok = in.finish(); !ok) return ok.failure();
  return out;
}

namespace {

std::string usage_answer(const actors::usage_outcomes& outcomes) {
  core::json_writer out;
  out.begin_object().key("items").begin_array();
  for (const auto& each : outcomes) {
    out.begin_object().key("status");
    if (each) {
      out.number(200).key("effect").text(core::to_string(each->effect));
      out.key("record").raw(core::to_json(each->record));
    } else {
      out.number(http_status(each.failure().kind));
      write_error(out, each.failure());
    }
    out.end_object();
  }
  out.end_array().end_object();
  return std::move(out).str();
}

}  // namespace

void send_usage(const call_ptr& c, std::vector<actors::usage_item> items,
                actors::write_options options) {
  const auto render = [](const actors::usage_outcomes& each) {
    return actors::answer{200, usage_answer(each)};
  };
  c->engine().report_usage(std::move(items), std::move(options), render, finish(c));
}

}  // namespace syndicated::api
