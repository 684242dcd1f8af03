// A local engine in a temporary directory, and a loopback vendor that records what it gets.
#pragma once

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/local_engine.hpp"
#include "core/delivery/signature.hpp"
#include "net/http_server.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait_until.hpp"

namespace syndicated::tests {

class loopback_vendor {
 public:
  loopback_vendor() {
    net::http_server_options o;
    o.address = "127.0.0.1:0";
    auto server = net::http_server::bind(o, [this](net::http_request&& r, net::responder&& reply) {
      net::http_response answer;
      {
        const std::lock_guard lock(mutex_);
        received_.push_back(std::move(r));
        answer.body = body_;
      }
      answer.status = status_;
      answer.content_type.clear();
      reply.send(std::move(answer));
    });
    BOOST_REQUIRE(server.ok());
    server_ = std::move(*server);
    server_->start();
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + "/hook";
  }
  void answer_with(int status, std::string body = {}) {
    status_ = status;
    const std::lock_guard lock(mutex_);
    body_ = std::move(body);
  }
  std::vector<net::http_request> received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<net::http_request> received_;
  std::string body_;
  std::atomic<int> status_{204};
  std::unique_ptr<net::http_server> server_;
};

struct market {
  core::vendor_id vendor;
  core::product_id product;
  core::plan_id plan;
  core::endpoint_id endpoint;
  core::tenant_id customer;
};

class engine_fixture {
 public:
  engine_fixture() {
    options.directory = directory.path();
    options.master_key = std::string(32, 'k');
    options.free_bytes_min = 0;
    options.worker_threads = 2;
    options.shards = 4;
    options.retry_schedule.assign(10, std::chrono::milliseconds{20});
    options.egress.allow_http = true;
    options.egress.allow_ip_literals = true;
    options.egress.allow.push_back(*core::egress_exception::parse("127.0.0.0/8:*"));
    start();
  }

  actors::local_engine& engine() { return *engine_; }
  void close() { engine_.reset(); }
  // `between`: what happens to the files meanwhile.
  void restart(const std::function<void()>& between = {}) {
    close();
    if (between) between();
    start();
  }

  std::vector<core::event> events_of(core::subscription_id id) {
    actors::event_filter f;
    f.stream = core::stream_of(id);
    auto found = engine().events(f, {});
    BOOST_REQUIRE(found.ok());
    return found->items;
  }

  core::result<actors::answer> catalog(actors::catalog_command c,
                                       std::optional<actors::idempotency> key = {}) {
    return await([&](actors::write_reply reply) {
      actors::write_options o;
      o.by.name = "test";
      o.idempotency = std::move(key);
      const auto id_of = [](const actors::catalog_item& item, bool) {
        const auto id = std::visit([](const auto& r) { return r.id.value; }, item);
        return actors::answer{201, std::to_string(id)};
      };
      engine().change_catalog(std::move(c), std::move(o), id_of, std::move(reply));
    });
  }
  std::uint64_t created(actors::catalog_command c) {
    auto a = catalog(std::move(c));
    BOOST_REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.failure().detail));
    return std::stoull(a->body);
  }
  core::vendor_id create_vendor_with(actors::idempotency key) {
    auto a = catalog(actors::create_vendor{"acme", {}}, std::move(key));
    BOOST_REQUIRE(a.ok());
    return {std::stoull(a->body)};
  }

  market make_market(int period_months = 1) {
    market m;
    m.vendor = {created(actors::create_vendor{"acme", {}})};
    m.product = {created(actors::create_product{{{}, m.vendor, "backup", "sku"}})};
    core::plan plan;
    plan.product = m.product;
    plan.name = "monthly";
    plan.billing_period_months = period_months;
    m.plan = {created(actors::create_plan{plan})};
    core::endpoint e;
    e.scope = core::endpoint_scope::vendor;
    e.scope_id = m.vendor.value;
    e.url = vendor.url();
    e.origin = vendor.url();
    e.secret = core::secret_bytes{"MY_SECRET_TOKEN"};
    m.endpoint = {created(actors::create_endpoint{e})};
    m.customer = add_tenant(core::tenant_kind::customer);
    return m;
  }

  core::tenant_id add_tenant(core::tenant_kind kind,
                             core::tenant_id parent = core::provider_tenant) {
    core::new_tenant wanted;
    wanted.kind = kind;
    wanted.parent = parent;
    wanted.name = "tenant";
    auto a = await([&](actors::write_reply reply) {
      engine().create_tenant(wanted, by_test(), tenant_id_answer, std::move(reply));
    });
    BOOST_REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.failure().detail));
    return {std::stoull(a->body)};
  }

  core::subscription_id order(const market& m, bool paid) {
    core::new_subscription wanted;
    wanted.tenant = m.customer;
    wanted.plan = m.plan;
    wanted.paid = paid;
    auto a = await([&](actors::write_reply reply) {
      engine().create_subscription(wanted, by_test(), subscription_id_answer, std::move(reply));
    });
    BOOST_REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.failure().detail));
    return {std::stoull(a->body)};
  }

  core::result<actors::answer> try_act(core::subscription_id id, core::subscription_action action,
                                       std::optional<std::uint64_t> if_match = {}) {
    return await([&](actors::write_reply reply) {
      core::subscription_command c;
      c.action = action;
      auto o = by_test();
      o.if_match = if_match;
      engine().command(id, c, std::move(o), subscription_id_answer, std::move(reply));
    });
  }
  void act(core::subscription_id id, core::subscription_action action) {
    const auto a = try_act(id, action);
    BOOST_REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.failure().detail));
  }
  void report(core::subscription_id id, core::subscription_action action) { act(id, action); }
  void act(core::tenant_id id, core::tenant_action action) {
    auto a = await([&](actors::write_reply reply) {
      core::tenant_command c;
      c.action = action;
      engine().command(id, c, by_test(), tenant_id_answer, std::move(reply));
    });
    BOOST_REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.failure().detail));
  }
  void set_state(core::endpoint_id id, core::endpoint_state state) {
    created(actors::set_endpoint_state{id, state, "test"});
  }
  core::result<actors::answer> try_replay(core::event_id id) {
    return await([&](actors::write_reply reply) {
      engine().replay_event(id, {}, by_test(), std::move(reply));
    });
  }
  void replay(core::event_id id) { BOOST_REQUIRE(try_replay(id).ok()); }
  std::uint64_t start_replay(const actors::replay_order& wanted) {
    const auto id_of = [](const core::replay_job& job, bool) {
      return actors::answer{202, std::to_string(job.id)};
    };
    auto a = await([&](actors::write_reply reply) {
      engine().start_replay(wanted, by_test(), id_of, std::move(reply));
    });
    BOOST_REQUIRE(a.ok());
    return std::stoull(a->body);
  }
  actors::compaction_report compact() {
    std::promise<core::result<actors::compaction_report>> told;
    engine().compact([&told](core::result<actors::compaction_report>&& report) {
      told.set_value(std::move(report));
    });
    auto report = told.get_future().get();
    BOOST_REQUIRE_MESSAGE(report.ok(), (report.ok() ? "" : report.failure().detail));
    return *report;
  }

  temporary_directory directory;
  loopback_vendor vendor;
  actors::engine_options options;

 protected:
  static actors::write_options by_test() {
    actors::write_options o;
    o.by.name = "test";
    return o;
  }
  static core::result<actors::answer> await(const std::function<void(actors::write_reply)>& call) {
    auto promise = std::make_shared<std::promise<core::result<actors::answer>>>();
    auto future = promise->get_future();
    call([promise](core::result<actors::answer>&& a) { promise->set_value(std::move(a)); });
    BOOST_REQUIRE(future.wait_for(std::chrono::seconds{30}) == std::future_status::ready);
    return future.get();
  }

 private:
  static actors::answer subscription_id_answer(const core::subscription& s, bool) {
    return {200, std::to_string(s.id.value)};
  }
  static actors::answer tenant_id_answer(const core::tenant& t, bool) {
    return {200, std::to_string(t.id.value)};
  }
  void start() {
    auto made = actors::local_engine::create(options);
    BOOST_REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.failure().detail));
    engine_ = std::move(*made);
    engine_->start();
  }

  std::unique_ptr<actors::local_engine> engine_;
};

}  // namespace syndicated::tests
