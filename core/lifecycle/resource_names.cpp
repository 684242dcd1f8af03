// The words of sub-resources, and their JSON: that of /v1, which is also what notifications carry.
#include <algorithm>
#include <array>
#include <utility>

#include "core/base/json_writer.hpp"
#include "core/lifecycle/resource.hpp"

namespace syndicated::core {
namespace {

// By the persisted number less one.
constexpr std::array<std::string_view, resource_status_count> status_words{
    "proto",    "provisioning", "activating",     "ready",  "configuring",
    "disabled", "failed",       "unprovisioning", "deleted"};
constexpr std::array<std::string_view, 4> target_words{"resource", "root", "subscription",
                                                       "account"};
constexpr std::array<std::string_view, resource_action_count> action_words{
    "provision",          "configure",      "report_activating", "report_ready", "report_failed",
    "report_configuring", "report_removed", "disable",           "enable",       "remove"};

template <class E, std::size_t N>
std::optional<E> parse(const std::array<std::string_view, N>& words, std::string_view text) {
  const auto found = std::ranges::find(words, text);
  if (found == words.end()) return std::nullopt;
  return static_cast<E>(found - words.begin() + 1);
}

void write_links(json_writer& out, const std::vector<resource_link>& links) {
  out.begin_array();
  for (const resource_link& l : links) {
    out.begin_object().key("name").text(l.name).key("target").text(to_string(l.target)).key("id");
    if (l.id != 0) {
      out.number(l.id);
    } else {
      out.null();
    }
    out.key("strong").boolean(l.strength == link_strength::strong);
    out.key("collection").boolean(l.collection).end_object();
  }
  out.end_array();
}

}  // namespace

std::string_view to_string(resource_status s) noexcept {
  return status_words.at(static_cast<std::size_t>(s) - 1);
}
std::optional<resource_status> parse_resource_status(std::string_view text) noexcept {
  return parse<resource_status>(status_words, text);
}
std::string_view to_string(link_target t) noexcept {
  return target_words.at(static_cast<std::size_t>(t) - 1);
}
std::optional<link_target> parse_link_target(std::string_view text) noexcept {
  return parse<link_target>(target_words, text);
}
std::string_view to_string(resource_action a) noexcept {
  return action_words.at(static_cast<std::size_t>(a));
}

std::string to_json(const resource& r) {
  json_writer out;
  out.begin_object();
  out.key("id").number(r.id.value);
  out.key("subscription_id").number(r.subscription.value);
  out.key("type").text(r.type);
  out.key("status").text(to_string(r.status));
  out.key("parent_id");
  if (r.parent) {
    out.number(r.parent.value);
  } else {
    out.null();
  }
  out.key("links");
  write_links(out, r.links);
  out.key("properties").map(r.properties);
  out.key("wanted_properties");
  if (r.wanted) {
    out.map(*r.wanted);
  } else {
    out.null();
  }
  out.key("disabled_by").begin_array();
  if (r.held_by_command) out.text("command");
  if (r.held_by_suspension) out.text("suspension");
  out.end_array();
  out.key("auto_provided").boolean(r.auto_provided);
  out.key("problem").text(r.problem);
  out.key("serial").number(r.serial);
  out.key("version").number(r.version);
  out.key("created_at").time(r.created_at);
  out.key("updated_at").time(r.updated_at);
  out.end_object();
  return std::move(out).str();
}

}  // namespace syndicated::core
