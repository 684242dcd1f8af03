// PATCH of a subscription: what a vendor reports, and the actions of Cloudesire's clients
// (domain.md, 1.10, 10.13). Actions are read in any case.
#include "api/access.hpp"
#include "api/routes.hpp"
#include "api/vendor_hooks.hpp"
#include "api/words.hpp"

namespace syndicated::api {
namespace {

using core::subscription_action;
using core::subscription_status;

// A command, and how its answer looks.
struct wish {
  core::subscription_command command{};
  bool upgrade = false;  // answered with what became of it
  bool nothing = false;  // there is nothing to do
};

core::error wrong(std::string_view field, std::string detail) {
  core::error why{core::errc::malformed, "invalid_field", std::move(detail), {}, {}};
  why.fields.push_back({'/' + std::string{field}, why.detail});
  return why;
}

const json* present(const json& body, std::string_view name) {
  const json* value = body.find(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

// The report that leads to a status; nothing: no vendor's report leads there.
std::optional<subscription_action> report_of(subscription_status status) {
  switch (status) {
    case subscription_status::deployed: return subscription_action::report_deployed;
    case subscription_status::post_configuration:
      return subscription_action::report_post_configuration;
    case subscription_status::failed: return subscription_action::report_failed;
    case subscription_status::stopped: return subscription_action::report_stopped;
    case subscription_status::undeployed: return subscription_action::report_undeployed;
    default: return std::nullopt;
  }
}

// "productVersion/5", 5, or {"url": "productVersion/5"}.
std::optional<std::uint64_t> referred_id(const json& value, std::string_view type) {
  if (const auto* number = value.integer(); number != nullptr && *number > 0) {
    return static_cast<std::uint64_t>(*number);
  }
  const json* url = value.object() != nullptr ? value.find("url") : &value;
  if (url == nullptr || url->text() == nullptr) return std::nullopt;
  std::string_view text = *url->text();
  const std::size_t slash = text.rfind('/');
  if (slash != std::string_view::npos) {
    if (!text.substr(0, slash).ends_with(type)) return std::nullopt;
    text.remove_prefix(slash + 1);
  }
  return parse_id(text);
}

std::optional<std::int64_t> count_of(const json* value) {
  if (value == nullptr || value->integer() == nullptr || *value->integer() < 0) {
    return std::nullopt;
  }
  return *value->integer();
}

// The older form is a map, the newer one a list; an item is named by its identifier.
core::result<core::quantities> read_billing_items(const json& body) {
  const auto refuse = [] {
    return wrong("billingItems", "must map names of resources to whole numbers");
  };
  const json* items = present(body, "billingItems");
  if (items == nullptr) return refuse();
  core::quantities out;
  const auto take = [&out](std::string_view name, const json* value) {
    const auto count = count_of(value);
    const std::size_t slash = name.rfind('/');
    if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
    if (!count || name.empty() || out.size() >= core::limits::map_entries_max) return false;
    out[std::string{name}] = *count;
    return true;
  };
  if (const json::object_type* map = items->object()) {
    for (const json::member& m : *map) {
      if (!take(m.name, &m.value)) return refuse();
    }
  } else if (const json::array_type* list = items->array()) {
    for (const json& item : *list) {
      const json* name = present(item, "identifier");
      if (name == nullptr) name = present(item, "billingItem");
      if (name != nullptr && name->object() != nullptr) name = name->find("url");
      const bool taken =
          name != nullptr && name->text() != nullptr && take(*name->text(), present(item, "value"));
      if (!taken) return refuse();
    }
  }
  if (out.empty()) return refuse();
  return out;
}

core::result<wish> read_upgrade(const json& body, bool plan) {
  wish out;
  out.upgrade = true;
  out.command.action = subscription_action::change;
  if (plan) {
    const json* wanted = present(body, "productVersion");
    const auto id = wanted != nullptr ? referred_id(*wanted, "productVersion") : std::nullopt;
    if (!id) return wrong("productVersion", "must name a productVersion");
    out.command.new_plan = core::plan_id{*id};
  }
  if (!plan || present(body, "billingItems") != nullptr) {
    auto items = read_billing_items(body);
    if (!items) return std::move(items).failure();
    out.command.new_quantities = std::move(*items);
  }
  return out;
}

core::result<wish> read_edit(const json& body, bool renewal) {
  wish out;
  out.command.action = subscription_action::edit;
  const json* wanted = present(body, renewal ? "autoRenew" : "name");
  if (renewal) {
    if (wanted == nullptr || wanted->boolean() == nullptr) {
      return wrong("autoRenew", "must be true or false");
    }
    out.command.auto_renew = *wanted->boolean();
    return out;
  }
  if (wanted == nullptr || wanted->text() == nullptr ||
      wanted->text()->size() > core::limits::name_bytes_max) {
    return wrong("name", "must be a string of at most 200 bytes");
  }
  out.command.name = *wanted->text();
  return out;
}

core::result<wish> read_action(const call& c, const json& body, const std::string& action) {
  const bool vendor = c.by.role == core::role::vendor;
  const auto plain = [](subscription_action a) {
    wish out;
    out.command.action = a;
    return out;
  };
  if (action == "RENEW") return plain(subscription_action::renew);
  if (action == "DEPLOY") return plain(subscription_action::redeploy);
  if (action == "KILL") return plain(subscription_action::terminate);
  if (action == "APPROVE") return plain(subscription_action::approve);
  if (action == "STOP") {
    return plain(vendor ? subscription_action::report_stopped : subscription_action::suspend);
  }
  if (action == "START") {
    return plain(vendor ? subscription_action::report_deployed : subscription_action::resume);
  }
  if (action == "AUTORENEW") return read_edit(body, true);
  if (action == "SET_NAME") return read_edit(body, false);
  if (action == "SYNDICATED_UPGRADE" || action == "UPGRADE") return read_upgrade(body, true);
  if (action == "BILLING_ITEM_UPGRADE") return read_upgrade(body, false);
  if (action == "REFRESH_BILLING_CONFIGURATION") {  // there is no copy that could be old
    wish out;
    out.nothing = true;
    return out;
  }
  if (action == "ALTER_DATES") {
    return core::invalid_field("/action",
                               "dates follow from renewals, changes of the plan and the plan's "
                               "periods; none is set by hand");
  }
  return wrong("action",
               "is not one of RENEW, AUTORENEW, START, STOP, DEPLOY, SET_NAME, KILL, APPROVE, "
               "SYNDICATED_UPGRADE, BILLING_ITEM_UPGRADE, REFRESH_BILLING_CONFIGURATION");
}

core::result<wish> read_patch(const call& c, const json& body, const core::subscription& s) {
  const json* status = present(body, "deploymentStatus");
  const json* action = present(body, "action");
  if (body.object() == nullptr || (status == nullptr) == (action == nullptr)) {
    return wrong("deploymentStatus", "either deploymentStatus or action is needed");
  }
  const json* word = status != nullptr ? status : action;
  if (word->text() == nullptr)
    return wrong(status != nullptr ? "deploymentStatus" : "action", "must be a string");
  if (action != nullptr) {
    auto wanted = read_action(c, body, upper_case(*action->text()));
    if (wanted) wanted->command.by = party_of(c, wanted->command.action);
    // Vendors may order a renewal here (domain.md, 10.13); the machine knows that as a seller's
    // order.
    const bool order = wanted && wanted->command.action == subscription_action::renew &&
                       wanted->command.by == core::party::vendor;
    if (order) wanted->command.by = core::party::reseller;
    return wanted;
  }
  const auto target = core::parse_subscription_status(upper_case(*status->text()));
  if (!target) return wrong("deploymentStatus", "is not a deployment status");
  const auto report = report_of(*target);
  if (!report) return core::transition_not_allowed(core::to_string(s.status), *status->text());
  wish out;
  out.command.action = *report;
  // A report counts as the vendor's word, also when staff makes it in the vendor's place.
  out.command.by = core::party::vendor;
  return out;
}

// What became of an upgrade: of what was asked here, the newest operation tells.
std::string upgrade_text(const call& c, const core::subscription& s, bool changed) {
  core::json_writer out;
  out.begin_object().key("upgrade");
  const core::operation* newest = s.operations.empty() ? nullptr : &s.operations.back();
  const auto plan = c.engine().catalog()->find(s.plan);
  if (newest != nullptr && newest->state == core::operation_state::scheduled) {
    out.text("DEFERRED");
  } else if (newest != nullptr && newest->state == core::operation_state::in_progress) {
    out.text("REQUIRES_APPROVAL");
  } else {
    out.text(!changed || (plan && plan->free) ? "FREE" : "PAID");
  }
  if (newest != nullptr && changed) {
    const auto id = core::operation_of(s.id, newest->number).value;
    out.key("order").begin_object().key("url").text("order/" + std::to_string(id)).end_object();
  }
  out.end_object();
  return std::move(out).str();
}

void patch_subscription(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  const core::subscription_id id{c->id()};
  const auto found = visible_subscription(*c, id);
  if (!found) return c->fail(found.failure());
  if (c->by.role == core::role::tenant) return c->fail(forbidden("only the vendor reports"));
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  const json* wanted = present(*body, "deploymentStatus");
  if (wanted != nullptr && wanted->text() != nullptr && present(*body, "action") == nullptr &&
      core::parse_subscription_status(upper_case(*wanted->text())) == found->status &&
      !report_of(found->status)) {
    return c->send(204, {});  // already there, in a status that no report leads to
  }
  auto read = read_patch(*c, *body, *found);
  if (!read) return c->fail(read.failure());
  if (read->nothing) return c->send(204, {});
  actors::renderer<core::subscription> render = [c, upgrade = read->upgrade](
                                                    const core::subscription& s, bool changed) {
    c->version = s.version;
    if (!upgrade) return actors::answer{204, {}};
    return actors::answer{200, upgrade_text(*c, s, changed)};
  };
  ask_vendor_first(c, inquiry_of(*c, id, read->command),
                   [c, id, command = read->command, options = *options, render] {
                     c->engine().command(id, command, options, render, finish(c));
                   });
}

}  // namespace

route_list cloudesire_patch_routes() {
  return {
      {"PATCH", "/api/subscription/{id}", face::cloudesire, true, patch_subscription},
  };
}

}  // namespace syndicated::api
