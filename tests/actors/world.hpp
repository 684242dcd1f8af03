// A real store in a temporary directory and services on a clock that the test moves: everything an
// entity or a dispatcher needs, without threads and sockets. The committer runs in commit() only.
// What is posted goes nowhere until the test wires it.
#pragma once

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/catalog_keeper.hpp"
#include "actors/entity.hpp"
#include "tests/support/temporary_directory.hpp"

namespace syndicated::tests {

using namespace std::chrono_literals;

// What became of a request; set once, when it is answered.
struct outcome {
  std::optional<core::result<actors::answer>> value;
  bool done() const { return value.has_value(); }
  bool ok() const { return value && value->ok(); }
  std::string code() const { return !value ? "unanswered" : ok() ? "" : value->failure().code; }
  std::uint64_t number() const { return std::stoull((*value)->body); }
};
using outcome_ptr = std::shared_ptr<outcome>;

template <class Request>
outcome_ptr watch(Request& request) {
  auto seen = std::make_shared<outcome>();
  request.reply = [seen](core::result<actors::answer>&& a) {
    BOOST_REQUIRE_MESSAGE(!seen->done(), "answered twice");
    seen->value = std::move(a);
  };
  return seen;
}

class world {
 public:
  world() {
    auto vault = store::vault::with_key(std::string(32, 'k'));
    BOOST_REQUIRE(vault.ok());
    vault_.emplace(std::move(*vault));
    std::filesystem::create_directory(home());
    open_store();
    begin();
    core::tenant provider;
    provider.id = ids_->next_tenant();
    provider.kind = core::tenant_kind::provider;
    provider.version = 1;
    store::write_plan plan;
    repo_->put(plan, provider, nullptr);
    committer_->submit(std::move(plan));
    commit();
  }
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  actors::services& s() { return *services_; }
  const store::repository& repo() const { return *repo_; }
  store::committer& committer() { return *committer_; }
  store::id_source& ids() { return *ids_; }

  // Off unless a test wants it.
  void set_protection(core::protection wanted) {
    auto next = *services_->delivery.load();
    next.protection = wanted;
    services_->delivery = std::make_shared<const actors::delivery_settings>(std::move(next));
  }

  // Writes all that is queued, and what follows from it. True when there was anything.
  bool commit() {
    bool any = false;
    while (commit_once()) any = true;
    return any;
  }
  // One batch of it.
  bool commit_once() {
    const std::uint64_t before = committer_->stats().synced;
    if (!committer_->run_once()) return false;
    if (committer_->stats().synced != before) synced_ = log_end();
    return true;
  }

  // The process dies: what was queued is not written, everything in memory is gone. The caller
  // drops its own objects first and wires the posting functions anew. With a `power_cut` what was
  // written after the last sync is gone, too.
  void crash(bool power_cut = false) {
    // A committer writes its queue when it ends; one that died does not end.
    static auto* const dead = new std::vector<store::committer*>;
    static auto* const forgotten = new std::vector<actors::services*>;
    dead->push_back(committer_.release());
    forgotten->push_back(services_.release());
    if (power_cut) cut_power();
    begin();
  }
  std::uint64_t bytes_lost = 0;  // by power cuts

  // The file system cannot be asked for its free space, which counts as none.
  void fill_disk() { std::filesystem::rename(home(), home().string() + ".away"); }
  void empty_disk() { std::filesystem::rename(home().string() + ".away", home()); }

  // Commits one change of the catalogue; the id of what it is about.
  std::uint64_t catalog(actors::catalog_command command) {
    actors::catalog_request request;
    request.command = std::move(command);
    request.render = [](const actors::catalog_item& item, bool) {
      return actors::answer{
          200, std::to_string(std::visit([](const auto& r) { return r.id.value; }, item))};
    };
    const auto seen = watch(request);
    actors::catalog_keeper(s()).handle(request);
    commit();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
    return seen->number();
  }

  core::vendor_id new_vendor() { return {catalog(actors::create_vendor{"acme", {}})}; }
  core::plan_id new_plan(core::vendor_id vendor) {
    core::plan plan;
    plan.product = {catalog(actors::create_product{{{}, vendor, "backup", "sku"}})};
    plan.name = "monthly";
    return {catalog(actors::create_plan{plan})};
  }
  static core::endpoint endpoint_of(core::vendor_id vendor) {
    core::endpoint e;
    e.scope = core::endpoint_scope::vendor;
    e.scope_id = vendor.value;
    e.url = "http://vendor.example/hook";
    e.origin = "http://vendor.example:80";
    e.secret = core::secret_bytes{"MY_SECRET_TOKEN"};
    return e;
  }
  core::endpoint_id new_endpoint(core::endpoint e) {
    return {catalog(actors::create_endpoint{std::move(e)})};
  }
  void set_state(core::endpoint_id id, core::endpoint_state state) {
    catalog(actors::set_endpoint_state{id, state, "test"});
  }

  // A customer (or reseller) that exists already, without an event.
  core::tenant_id add_tenant(core::tenant_id parent = core::provider_tenant,
                             core::tenant_kind kind = core::tenant_kind::customer) {
    const auto above = repo_->find(parent);
    BOOST_REQUIRE(above.ok() && above->has_value());
    core::tenant t;
    t.id = ids_->next_tenant();
    t.kind = kind;
    t.parent = parent;
    t.path = (*above)->path;
    t.path.push_back(parent);
    t.version = 1;
    store::write_plan plan;
    repo_->put(plan, t, nullptr);
    committer_->submit(std::move(plan));
    commit();
    return t.id;
  }

  core::subscription subscription(core::subscription_id id) const {
    auto found = repo_->find(id);
    BOOST_REQUIRE(found.ok() && found->has_value());
    return **found;
  }
  core::tenant tenant(core::tenant_id id) const {
    auto found = repo_->find(id);
    BOOST_REQUIRE(found.ok() && found->has_value());
    return **found;
  }

  // Requests, answered with the id of what they change.
  std::shared_ptr<actors::entity_request> order(core::tenant_id tenant, core::plan_id plan,
                                                bool paid = true) {
    actors::subscription_creation creation;
    creation.wanted.tenant = tenant;
    creation.wanted.plan = plan;
    creation.wanted.paid = paid;
    creation.owner = this->tenant(tenant);
    creation.render = [](const core::subscription& s, bool) {
      return actors::answer{201, std::to_string(s.id.value)};
    };
    return request(core::stream_of(ids_->next_subscription()), std::move(creation));
  }
  static std::shared_ptr<actors::entity_request> act(
      core::subscription_id id, core::subscription_action action,
      std::optional<core::suspension_reason> reason = {}) {
    actors::subscription_change change;
    change.command.action = action;
    change.command.reason = reason;
    change.render = [](const core::subscription& s, bool) {
      return actors::answer{200, std::to_string(s.version)};
    };
    return request(core::stream_of(id), std::move(change));
  }
  static std::shared_ptr<actors::entity_request> act(core::tenant_id id,
                                                     core::tenant_action action) {
    actors::tenant_change change;
    change.command.action = action;
    return request(core::stream_of(id), std::move(change));
  }
  template <class Body>
  static std::shared_ptr<actors::entity_request> request(core::stream_id stream, Body body) {
    auto r = std::make_shared<actors::entity_request>();
    r->stream = stream;
    r->options.by.name = "test";
    r->body = std::move(body);
    return r;
  }

  core::timestamp now = core::from_unix_ms(1'700'000'000'000);

 private:
  struct log_place {
    std::filesystem::path file;
    std::uintmax_t bytes = 0;
  };

  // Where the write-ahead log ends now.
  log_place log_end() const {
    log_place end;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{home()}) {
      if (entry.path().extension() == ".log" && entry.path() > end.file) end.file = entry.path();
    }
    if (!end.file.empty()) end.bytes = std::filesystem::file_size(end.file);
    return end;
  }
  void cut_power() {
    const log_place end = log_end();
    db_.reset();  // writes nothing
    if (end.file == synced_.file && end.bytes > synced_.bytes) {
      std::filesystem::resize_file(synced_.file, synced_.bytes);
      bytes_lost += end.bytes - synced_.bytes;
    }
    open_store();
  }
  void open_store() {
    store::database_options o;
    o.directory = home().string();
    o.reserve_bytes = 1;
    auto db = store::database::open(o);
    BOOST_REQUIRE_MESSAGE(db.ok(), (db.ok() ? "" : db.failure().detail));
    db_ = std::move(*db);
    repo_.emplace(*db_, *vault_);
    synced_ = log_end();
  }
  std::filesystem::path home() const { return std::filesystem::path{directory_.path()} / "state"; }

  void begin() {
    ids_ = std::make_unique<store::id_source>();
    const auto checked = store::check_store(*db_, *vault_, *ids_);
    BOOST_REQUIRE(checked.ok());
    auto committer = store::committer::create(
        *db_, *ids_, [](const std::string& why) { BOOST_ERROR("the store failed: " + why); });
    BOOST_REQUIRE(committer.ok());
    committer_ = std::move(*committer);
    services_ = std::make_unique<actors::services>(*repo_, *committer_, *ids_);
    auto& s = *services_;
    s.now = [this] { return now; };
    s.random = [] { return 0.5; };
    s.delivery = std::make_shared<const actors::delivery_settings>(
        actors::delivery_settings{{0ms, 100ms, 200ms, 400ms, 1s, 1s, 1s, 1s}, 0.0, "test", {}});
    set_protection({{0ms, 0ms}, 1.0});
    s.to_shard = [](auto&&) {};
    s.report_to_shard = [](auto&&) {};
    s.lane_is_ready = [](auto&&) {};
    s.lane_is_resting = [](const auto&, auto) {};
    s.lane_is_barred = [](const auto&, auto) {};
    s.endpoint_was_changed = [](auto) {};
    s.start_cascade = [](auto) {};
    s.change_catalog = [](auto&&) {};
    BOOST_REQUIRE(actors::catalog_keeper(s).load().ok());
  }

  temporary_directory directory_{temporary_directory::place::in_memory};
  std::optional<store::vault> vault_;
  std::unique_ptr<store::database> db_;
  log_place synced_;  // what is before it survives a power cut
  std::optional<store::repository> repo_;
  std::unique_ptr<store::id_source> ids_;
  std::unique_ptr<store::committer> committer_;
  std::unique_ptr<actors::services> services_;
};

}  // namespace syndicated::tests
