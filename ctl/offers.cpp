#include <charconv>

#include "core/base/json_writer.hpp"
#include "ctl/listing.hpp"
#include "ctl/report.hpp"

namespace syndicated::ctl {
namespace {

std::string plan_path(std::uint64_t id, std::string_view action = {}) {
  std::string path = "/v1/plans/" + std::to_string(id);
  return action.empty() ? path : path + '/' + std::string{action};
}

std::string product_path(std::uint64_t id, std::string_view action = {}) {
  std::string path = "/v1/products/" + std::to_string(id);
  return action.empty() ? path : path + '/' + std::string{action};
}

}  // namespace

void list_products(session& s, const offer_query& q, const list_options& o) {
  const core::timestamp now = s.now();
  std::string target = "/v1/products";
  add_filter(target, "vendor_id", std::to_string(q.vendor));
  add_filter(target, "state", q.state);
  print_list(s, target, o,
             table{{{"ID", table::align::right},
                    {"STATE"},
                    {"TYPE"},
                    {"VENDOR", table::align::right},
                    {"NAME"},
                    {"SKU"},
                    {"CHANGED", table::align::right}}},
             "there are no such products", [now](const document& p) -> std::vector<std::string> {
               return {p.id("id"),
                       p.text("state"),
                       p.text("type"),
                       p.id("vendor_id"),
                       printable(p.text("name"), 40),
                       printable(p.text("sku"), 40),
                       human_when(p.time("updated_at"), now)};
             });
}

void show_product(session& s, std::uint64_t id) { show_one(s, product_path(id)); }

void list_plans(session& s, const offer_query& q, const list_options& o) {
  const core::timestamp now = s.now();
  std::string target = "/v1/plans";
  add_filter(target, "vendor_id", std::to_string(q.vendor));
  add_filter(target, "product_id", std::to_string(q.product));
  add_filter(target, "state", q.state);
  print_list(s, target, o,
             table{{{"ID", table::align::right},
                    {"STATE"},
                    {"PRODUCT", table::align::right},
                    {"NAME"},
                    {"MONTHS", table::align::right},
                    {"TRIAL"},
                    {"CHANGED", table::align::right}}},
             "there are no such plans", [now](const document& p) -> std::vector<std::string> {
               return {p.id("id"),
                       p.text("state"),
                       p.id("product_id"),
                       printable(p.text("name"), 40),
                       p.id("billing_period_months"),
                       p.object("trial").text("mode"),
                       human_when(p.time("updated_at"), now)};
             });
}

void show_plan(session& s, std::uint64_t id) { show_one(s, plan_path(id)); }

void move_product(session& s, std::uint64_t id, const std::string& action) {
  report(s, s.send("POST", product_path(id, action), "{}"),
         [](const document& p) { return "product " + p.id("id") + " is " + p.text("state"); });
}

void move_plan(session& s, std::uint64_t id, const std::string& action) {
  report(s, s.send("POST", plan_path(id, action), "{}"),
         [](const document& p) { return "plan " + p.id("id") + " is " + p.text("state"); });
}

void quote_plan(session& s, std::uint64_t id, const quote_options& o) {
  core::json_writer body;
  body.begin_object();
  if (o.months != 0) body.key("months").number(o.months);
  body.key("quantities").begin_object();
  for (const std::string& given : o.quantities) {
    const std::size_t equals = given.rfind('=');
    std::int64_t count = 0;
    const char* end = given.data() + given.size();
    const char* begin = equals == std::string::npos ? end : given.data() + equals + 1;
    const auto read = std::from_chars(begin, end, count);
    if (begin == end || read.ec != std::errc{} || read.ptr != end) {
      return s.fail(2, "a quantity looks like seats=5");
    }
    body.given_key(given.substr(0, equals)).number(count);
  }
  body.end_object().end_object();
  const auto answer = s.send("POST", plan_path(id, "quote"), body.str());
  if (!answer) return;
  if (s.json) return s.print_document(*answer);
  const document quote = document::parse(*answer);
  table t{{{"RESOURCE"},
           {"KIND"},
           {"UNITS", table::align::right},
           {"AMOUNT", table::align::right},
           {"CURRENCY"}}};
  for (const document& line : quote.items("lines")) {
    t.add({line.text("resource"), line.text("kind"), line.text("units"), line.text("amount"),
           line.text("currency")});
  }
  if (t.empty()) {
    s.out << "nothing is charged for that\n";
    return;
  }
  t.print(s.out);
  for (const auto& [currency, amount] : quote.object("totals").members()) {
    s.out << "total " << amount << ' ' << currency << '\n';
  }
}

}  // namespace syndicated::ctl
