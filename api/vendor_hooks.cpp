#include "api/vendor_hooks.hpp"

#include <algorithm>
#include <mutex>

#include "api/access.hpp"

namespace syndicated::api {
namespace {

using core::subscription_action;

core::error order_refused(std::string detail) {
  return {core::errc::invalid, "order_refused", std::move(detail), {}, {}};
}

core::error no_usable_answer() {
  return order_refused("the vendor's check of the order gave no usable answer");
}

// What was not even asked is not the vendor's word.
std::optional<core::error> not_asked(const core::attempt_result& r) {
  if (r.error != core::attempt_error::local) return std::nullopt;
  return core::error{core::errc::unavailable,
                     "overloaded",
                     "the vendor cannot be asked now: too many are, or the daemon ends",
                     {},
                     {}};
}

// ---- what is sent

std::string language_of(const call& c, core::tenant_id buyer) {
  const auto tenant = c.engine().tenant(buyer);
  return tenant ? tenant->language : core::tenant{}.language;
}

void write_common(core::json_writer& out, const order_inquiry& a) {
  out.begin_object();
  out.key("productId").number(a.product->id.value);
  out.key("productIdentifier").text(a.product->sku);
  if (a.plan) {
    out.key("productVersionId").number(a.plan->id.value);
    out.key("productVersionIdentifier").text(a.plan->external_id);
  }
}

std::string order_body(const call& c, const order_inquiry& a) {
  core::json_writer out;
  write_common(out, a);
  out.key("billingItems").begin_object();
  for (const auto& [name, value] : a.quantities) out.given_key(name).number(value);
  out.end_object();
  out.key("configurationParameters").map(a.config);
  if (a.subscription) {
    out.key("subscriptionId").number(a.subscription->value);
  } else if (a.buyer) {
    out.key("buyerId").number(a.buyer.value);
  }
  out.key("orderType").text(a.type);
  out.key("language").text(language_of(c, a.buyer));
  out.end_object();
  return std::move(out).str();
}

std::string value_body(const call& c, const order_inquiry& a, const core::config_parameter& of) {
  core::json_writer out;
  write_common(out, a);
  out.key("configurationParameter").text(of.code);
  out.key("configurationParameters").map(a.config);
  out.key("language").text(language_of(c, a.buyer));
  if (a.buyer) out.key("buyerId").number(a.buyer.value);
  out.end_object();
  return std::move(out).str();
}

// ---- what comes back

core::result<void> judge_order(const core::attempt_result& r) {
  if (auto why = not_asked(r)) return *why;
  if (r.error != core::attempt_error::none) return no_usable_answer();
  if (r.status == 204) return {};
  if (r.status != 200) return no_usable_answer();
  const auto answer = parse_json(r.excerpt);
  const json* errors = answer ? answer->find("errors") : nullptr;
  if (errors == nullptr || errors->array() == nullptr) return no_usable_answer();
  std::string text;
  for (const json& each : *errors->array()) {
    const json* message = each.find("message");
    if (message == nullptr || message->text() == nullptr || message->text()->empty()) continue;
    const std::string next = (text.empty() ? "" : "; ") + *message->text();
    if (text.size() + next.size() > core::limits::text_bytes_max) break;
    text += next;
  }
  return text.empty() ? no_usable_answer() : order_refused(std::move(text));
}

core::result<offered_values> judge_values(const core::attempt_result& r) {
  if (auto why = not_asked(r)) return *why;
  if (r.error != core::attempt_error::none || r.status != 200) return no_usable_answer();
  const auto answer = parse_json(r.excerpt);
  const json* values = answer ? answer->find("values") : nullptr;
  if (values == nullptr) return no_usable_answer();
  if (values->is_null()) return offered_values{};
  const json::array_type* items = values->array();
  if (items == nullptr || items->size() > core::limits::parameter_values_max) {
    return no_usable_answer();
  }
  std::vector<offered_value> out;
  for (const json& item : *items) {
    const json* value = item.find("value");
    const json* description = item.find("description");
    if (value == nullptr || value->text() == nullptr) return no_usable_answer();
    const bool described = description != nullptr && description->text() != nullptr;
    out.push_back({*value->text(), described ? *description->text() : std::string{}});
  }
  return offered_values{std::move(out)};
}

core::result<void> judge_given(const core::attempt_result& r, const std::string& code,
                               const std::string& given) {
  const auto offered = judge_values(r);
  if (!offered) return offered.failure();
  if (!*offered) return {};
  const auto& values = **offered;
  if (std::ranges::find(values, given, &offered_value::value) != values.end()) return {};
  return core::invalid_field(pointer_to("/config", code),
                             "is not among the values that the vendor offers");
}

// ---- several questions

struct question {
  actors::vendor_question asked;
  std::function<core::result<void>(const core::attempt_result&)> judge;
};

struct inquiry {
  std::mutex mutex;
  std::size_t open = 0;
  std::vector<std::optional<core::error>> refusals;  // of each question
};

std::vector<question> questions_of(const call& c, const order_inquiry& a) {
  std::vector<question> out;
  for (const std::string& url : a.product->order_validation_urls) {
    out.push_back({{a.product->vendor, url, order_body(c, a)}, judge_order});
  }
  if (a.subscription) return out;  // parameters are given with the first order
  for (const core::config_parameter& p : a.product->config_parameters) {
    const auto given = a.config.find(p.code);
    if (!p.external_values || given == a.config.end()) continue;
    out.push_back({{a.product->vendor, a.product->parameter_value_url, value_body(c, a, p)},
                   [code = p.code, value = given->second](const core::attempt_result& r) {
                     return judge_given(r, code, value);
                   }});
  }
  return out;
}

std::string_view order_type(const core::subscription_command& command) {
  switch (command.action) {
    case subscription_action::change:
      return command.new_plan ? "SYNDICATED_UPGRADE" : "BILLING_ITEM_UPGRADE";
    case subscription_action::convert: return "UPGRADE";
    case subscription_action::cancel: return "UNSUBSCRIBE";
    case subscription_action::terminate: return "TERMINATION";
    default: return "";
  }
}

}  // namespace

std::optional<order_inquiry> inquiry_of(const call& c, const core::new_subscription& wanted) {
  const auto catalog = c.engine().catalog();
  order_inquiry out;
  out.plan = catalog->find(wanted.plan);
  if (!out.plan) return std::nullopt;
  out.product = catalog->find(out.plan->product);
  if (!out.product) return std::nullopt;
  out.type = core::to_string(wanted.type);
  out.buyer = wanted.tenant;
  out.quantities = wanted.quantities;
  out.config = wanted.config;
  return out;
}

std::optional<order_inquiry> inquiry_of(const call& c, core::subscription_id id,
                                        const core::subscription_command& command) {
  order_inquiry out;
  out.type = order_type(command);
  if (out.type.empty()) return std::nullopt;
  const auto s = c.engine().subscription(id);
  if (!s || core::ended(s->status) || s->status == core::subscription_status::undeploy_sent) {
    return std::nullopt;
  }
  // A repeat: it has been asked.
  if (command.action == subscription_action::cancel && s->purge_at) return std::nullopt;
  const auto catalog = c.engine().catalog();
  out.product = catalog->find(s->product);
  out.plan = catalog->find(command.new_plan.value_or(s->plan));
  if (!out.product || !out.plan) return std::nullopt;
  out.buyer = s->tenant;
  out.subscription = id;
  out.quantities = s->quantities;
  if (command.new_quantities) {
    for (const auto& [name, value] : *command.new_quantities) out.quantities[name] = value;
  }
  out.config = s->config;
  return out;
}

void ask_vendor_first(const call_ptr& c, const std::optional<order_inquiry>& about,
                      std::function<void()> go_on) {
  std::vector<question> questions;
  if (about) questions = questions_of(*c, *about);
  if (questions.empty()) return go_on();
  auto state = std::make_shared<inquiry>();
  state->open = questions.size();
  state->refusals.resize(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    c->engine().ask_vendor(
        std::move(questions[i].asked),
        [c, state, i, go_on, judge = std::move(questions[i].judge)](core::attempt_result&& r) {
          auto judged = judge(r);
          {
            const std::lock_guard lock(state->mutex);
            if (!judged) state->refusals[i] = std::move(judged).failure();
            if (--state->open > 0) return;
          }
          const auto refused = std::ranges::find_if(
              state->refusals, [](const auto& why) { return why.has_value(); });
          if (refused != state->refusals.end()) return c->fail(**refused);
          go_on();
        });
  }
}

void ask_values(const call_ptr& c, const order_inquiry& about, const core::config_parameter& of,
                std::function<void(core::result<offered_values>&&)> tell) {
  c->engine().ask_vendor(
      {about.product->vendor, about.product->parameter_value_url, value_body(*c, about, of)},
      [tell = std::move(tell)](core::attempt_result&& r) { tell(judge_values(r)); });
}

}  // namespace syndicated::api
