// The engine's commands and reads of what belongs to subscriptions.
#include <caf/all.hpp>

#include "actors/engine_body.hpp"
#include "actors/pages.hpp"
#include "actors/usage_call.hpp"
#include "core/delivery/signature.hpp"
#include "store/invoices.hpp"
#include "store/subscription_parts.hpp"

namespace syndicated::actors {

void engine_body::command(core::subscription_id id, resource_order order, write_options options,
                          renderer<core::resource> render, write_reply reply) {
  const bool makes_one = std::holds_alternative<core::new_resource>(order);
  if (!(makes_one ? admit_load(reply) : admit(reply))) return;
  auto request = std::make_shared<entity_request>();
  request->stream = core::stream_of(id);
  request->options = std::move(options);
  request->reply = std::move(reply);
  request->body = resource_change{std::move(order), std::move(render)};
  post(std::move(request));
}

void engine_body::command_invoice(core::subscription_id id, core::subscription_command command,
                                  write_options options, renderer<core::invoice> render,
                                  write_reply reply) {
  if (!(adds_load(command) ? admit_load(reply) : admit(reply))) return;
  auto request = request_for(core::stream_of(id), std::move(options), std::move(reply));
  request->body = invoice_change{std::move(command), std::move(render)};
  post(std::move(request));
}

core::result<core::invoice> engine_body::invoice(core::invoice_id id) const {
  auto found = store::invoices(*db_).find(id);
  if (!found) return std::move(found).failure();
  if (!*found) return core::not_found("no such invoice");
  return std::move(**found);
}

core::result<page<core::invoice>> engine_body::invoices(
    core::subscription_id owner, const std::function<bool(const core::invoice&)>& wanted,
    const page_request& p) const {
  auto after = id_cursor(p.after);
  if (!after) return std::move(after).failure();
  page_filler<core::invoice> filler(p.limit);
  auto scanned = store::invoices(*db_).of(owner, {*after}, [&](core::invoice&& i) {
    const std::uint64_t id = i.id.value;
    const bool yes = wanted(i);
    return filler.offer(id, std::move(i), yes);
  });
  if (!scanned) return std::move(scanned).failure();
  return std::move(filler).take();
}

void engine_body::report_usage(std::vector<usage_item> items, write_options options,
                               usage_renderer render, write_reply reply) {
  if (!admit(reply)) return;
  actors::report_usage(*services_, std::move(items), std::move(options), std::move(render),
                       std::move(reply));
}

void engine_body::push_usages(usage_push push, write_options options, usage_push_renderer render,
                              write_reply reply) {
  if (!admit(reply)) return;
  actors::push_usages(*services_, std::move(push), std::move(options), std::move(render),
                      std::move(reply));
}

core::result<core::resource> engine_body::resource(core::subscription_id owner,
                                                   core::resource_id id) const {
  auto found = store::subscription_parts(*db_).find(owner, id);
  if (!found) return std::move(found).failure();
  if (!*found) return core::not_found("no such sub-resource");
  return std::move(**found);
}

core::result<page<core::resource>> engine_body::resources(core::subscription_id owner,
                                                          const resource_filter& f,
                                                          const page_request& p) const {
  auto after = id_cursor(p.after);
  if (!after) return std::move(after).failure();
  page_filler<core::resource> filler(p.limit);
  auto scanned =
      store::subscription_parts(*db_).resources(owner, {*after}, [&](core::resource&& r) {
        const bool wanted =
            (f.type.empty() || r.type == f.type) && (!f.status || r.status == *f.status);
        const std::uint64_t id = r.id.value;
        return filler.offer(id, std::move(r), wanted);
      });
  if (!scanned) return std::move(scanned).failure();
  return std::move(filler).take();
}

core::result<core::metric_polls> engine_body::metric_polls(core::subscription_id owner) const {
  auto book = store::subscription_parts(*db_).book(owner);
  if (!book) return std::move(book).failure();
  return std::move(book->polls);
}

core::result<page<core::usage_record>> engine_body::usage(core::subscription_id owner,
                                                          const usage_filter& f,
                                                          const page_request& p) const {
  const auto place = core::base64_decode(p.after);
  if (!place || (!place->empty() && place->size() != 20)) return bad_cursor();
  page<core::usage_record> out;
  std::size_t rows = 0;
  std::string last;
  auto scanned = store::subscription_parts(*db_).usage(
      owner, f.since.value_or(core::timestamp{}), *place,
      [&](core::usage_record&& r, std::string_view at) {
        if (f.until && r.key.window_start > *f.until) return false;
        if (out.items.size() >= p.limit || rows >= core::limits::scan_rows_max) {
          out.next = core::base64_encode(last);
          return false;
        }
        ++rows;
        last = at;
        const bool wanted = (f.metric.empty() || r.key.metric == f.metric) &&
                            (f.source.empty() || r.key.source == f.source);
        if (wanted) out.items.push_back(std::move(r));
        return true;
      });
  if (!scanned) return std::move(scanned).failure();
  return out;
}

}  // namespace syndicated::actors
