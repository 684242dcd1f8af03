#include "ctl/cli.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>
#include <cstdlib>
#include <memory>

#include "ctl/commands.hpp"
#include "ctl/version.hpp"

namespace syndicated::ctl {
namespace {

// Options of all commands; the library writes into them before a command's callback runs.
struct parsed {
  session& s;
  std::uint64_t id = 0;
  std::uint64_t endpoint = 0;
  std::uint64_t parent = 0;
  std::string reason{};
  std::string stream{};
  std::string lane_state{};
  std::uint64_t replay_of = 0;
  bool backlog = false;
  list_options list{};
  subscription_query subscriptions{};
  commitment_query commitments{};
  usage_query usage{};
  event_query events{};
  attempt_query attempts{};
  replay_options replay{};
  endpoint_options made{};
  rotation_options rotation{};
  token_options token{};
  signature_options signature{};
  publish_options publish{};
  offer_query offers{};
  quote_options quote{};
  clock_options clock{};
};

CLI::App* command(CLI::App& parent, const std::string& name, const std::string& what,
                  std::function<void()> run) {
  CLI::App* app = parent.add_subcommand(name, what);
  app->callback(std::move(run));
  return app;
}

CLI::App* group(CLI::App& parent, const std::string& name, const std::string& what) {
  CLI::App* app = parent.add_subcommand(name, what);
  app->require_subcommand(1);
  return app;
}

void take_id(CLI::App* app, parsed& p, const std::string& what) {
  app->add_option("ID", p.id, what)->required()->check(CLI::PositiveNumber);
}

void take_attempt_filter(CLI::App* app, parsed& p) {
  app->add_option("--outcome", p.attempts.outcome, "only these")
      ->check(CLI::IsMember({"delivered", "failed", "parked", "still_parked"}));
  app->add_option("--since", p.attempts.since, "a time, or an age such as 2h");
  app->add_option("--until", p.attempts.until, "a time, or an age");
}

void take_limit(CLI::App* app, parsed& p) {
  app->add_option("--limit", p.list.limit, "at most this many rows")
      ->capture_default_str()
      ->check(CLI::Range(1, 20'000));
}

void add_state_commands(CLI::App& app, parsed& p) {
  command(app, "status", "the daemon at a glance", [&p] { show_status(p.s); });
  command(app, "compact", "drop what is no longer kept and compact the store; may take long",
          [&p] { compact(p.s); });
  CLI::App* move = command(app, "clock", "the daemon's time; in simulated time, moves it forward",
                           [&p] { clock(p.s, p.clock); });
  CLI::Option* advance = move->add_option("--advance", p.clock.advance, "by 90s, 30m, 2h, 7d ...");
  move->add_option("--to", p.clock.to, "to a time such as 2027-11-21T08:00:00Z")->excludes(advance);
  move->add_flag("--jump", p.clock.jump, "at once, without a halt at what becomes due on the way");
  CLI::App* queue = group(app, "queue", "what waits to be delivered");
  CLI::App* ls = command(*queue, "ls", "endpoints with their backlog, the largest first",
                         [&p] { list_queue(p.s, p.backlog, p.list); });
  ls->add_flag("--backlog", p.backlog, "only those with a backlog");
  take_limit(ls, p);
  CLI::App* show = command(*queue, "show", "one endpoint and its waiting streams",
                           [&p] { show_queue(p.s, p.id, p.lane_state, p.list); });
  take_id(show, p, "the endpoint");
  show->add_option("--state", p.lane_state, "only these streams")
      ->check(CLI::IsMember({"pending", "parked"}));
  take_limit(show, p);
  CLI::App* discard = command(*queue, "discard", "give up the parked notification of one stream",
                              [&p] { discard_head(p.s, p.id, p.stream, p.replay_of); });
  take_id(discard, p, "the endpoint");
  discard->add_option("STREAM", p.stream, "such as subscription/2388")->required();
  discard->add_option("--replay-of", p.replay_of, "the replay of this event, and not the stream");
}

void add_endpoint_commands(CLI::App& app, parsed& p) {
  CLI::App* endpoint = group(app, "endpoint", "who is told about events");
  take_limit(command(*endpoint, "ls", "all endpoints", [&p] { list_endpoints(p.s, p.list); }), p);
  take_id(command(*endpoint, "show", "one endpoint", [&p] { show_endpoint(p.s, p.id); }), p,
          "the endpoint");
  CLI::App* create = command(*endpoint, "create", "make one; its secret is shown once",
                             [&p] { create_endpoint(p.s, p.made); });
  create->add_option("--owner", p.made.owner, "platform, or such as vendor/3")->required();
  create->add_option("--url", p.made.url, "where notifications go")->required();
  create->add_option("--form", p.made.form, "cloudesire or standard")
      ->check(CLI::IsMember({"cloudesire", "standard"}));
  create->add_option("--event", p.made.events, "a pattern of event names; may be repeated");
  create->add_option("--secret-file", p.made.secret_file,
                     "file with the secret; - for standard "
                     "input");
  CLI::App* rotate = command(*endpoint, "rotate-secret", "give it new keys; shown once",
                             [&p] { rotate_secret(p.s, p.id, p.rotation); });
  take_id(rotate, p, "the endpoint");
  rotate->add_option("--kind", p.rotation.kind, "which keys")
      ->check(CLI::IsMember({"symmetric", "asymmetric", "both"}));
  rotate->add_option("--overlap", p.rotation.overlap, "how long the old ones sign, too; 24h");
  rotate->add_option("--secret-file", p.rotation.secret_file,
                     "file with the new secret; - for "
                     "standard input");
  CLI::App* pause = command(*endpoint, "pause", "stop sending to it; events wait",
                            [&p] { pause_endpoint(p.s, p.id, p.reason); });
  take_id(pause, p, "the endpoint");
  pause->add_option("--reason", p.reason, "shown in its state");
  take_id(command(*endpoint, "resume", "send again", [&p] { resume_endpoint(p.s, p.id); }), p,
          "the endpoint");
  take_id(command(*endpoint, "test", "send one test notification now",
                  [&p] { test_endpoint(p.s, p.id); }),
          p, "the endpoint");
  CLI::App* replay = command(*endpoint, "replay", "send a time range again",
                             [&p] { replay_endpoint(p.s, p.id, p.replay); });
  take_id(replay, p, "the endpoint");
  replay->add_option("--since", p.replay.since, "a time, or an age such as 2h")->required();
  replay->add_option("--until", p.replay.until, "a time, or an age; now if left out");
  replay->add_option("--state", p.replay.state, "only these")
      ->check(CLI::IsMember({"sent", "delivered", "parked", "failed", "never_attempted"}));
  replay->add_flag("--dry-run", p.replay.dry_run, "only count");
  replay->add_option("--rate", p.replay.rate_per_s, "events per second, at most")
      ->check(CLI::Range(1, 10'000));
  CLI::App* attempts = command(*endpoint, "attempts", "what was tried, newest first",
                               [&p] { list_attempts(p.s, p.id, p.attempts, p.list); });
  take_id(attempts, p, "the endpoint");
  take_attempt_filter(attempts, p);
  take_limit(attempts, p);
}

void add_job_commands(CLI::App& app, parsed& p) {
  CLI::App* job = group(app, "job", "replays of a time range");
  CLI::App* ls =
      command(*job, "ls", "jobs, newest first", [&p] { list_jobs(p.s, p.endpoint, p.list); });
  ls->add_option("--endpoint", p.endpoint, "only those of this endpoint");
  take_limit(ls, p);
  take_id(command(*job, "show", "progress of one", [&p] { show_job(p.s, p.id); }), p, "the job");
  take_id(command(*job, "cancel", "end it; what it has handed out stays so",
                  [&p] { cancel_job(p.s, p.id); }),
          p, "the job");
}

void add_event_commands(CLI::App& app, parsed& p) {
  CLI::App* event = group(app, "event", "what happened, and what became of it");
  CLI::App* ls =
      command(*event, "ls", "events, newest last", [&p] { list_events(p.s, p.events, p.list); });
  ls->add_option("--stream", p.events.stream, "such as subscription/2388");
  ls->add_option("--name", p.events.name, "a name or a pattern such as subscription.*");
  ls->add_option("--since", p.events.since, "a time, or an age such as 2h");
  ls->add_option("--until", p.events.until, "a time, or an age");
  take_limit(ls, p);
  take_id(command(*event, "show", "one event, its deliveries and attempts",
                  [&p] { show_event(p.s, p.id); }),
          p, "the event");
  CLI::App* attempts = command(*event, "attempts", "the requests made for it",
                               [&p] { list_event_attempts(p.s, p.id, p.attempts, p.list); });
  take_id(attempts, p, "the event");
  attempts->add_option("--endpoint", p.attempts.endpoint, "only at this endpoint");
  take_attempt_filter(attempts, p);
  take_limit(attempts, p);
  CLI::App* discard = command(*event, "discard", "give up what is parked at one endpoint",
                              [&p] { discard_event(p.s, p.id, p.endpoint); });
  take_id(discard, p, "the event");
  discard->add_option("--endpoint", p.endpoint, "where it is parked")->required();
  CLI::App* publish = command(*event, "publish", "publish one event to the platform's endpoints",
                              [&p] { publish_event(p.s, p.publish); });
  publish->add_option("NAME", p.publish.name, "such as shop.order_paid")->required();
  publish
      ->add_option("--data", p.publish.data_file, "file with a JSON object; - for standard input")
      ->required();
  publish->add_option("--stream", p.publish.stream, "ordering key");
  for (CLI::App* parent : {event, &app}) {
    CLI::App* replay = command(*parent, "replay", "send one event again",
                               [&p] { replay_event(p.s, p.id, p.endpoint); });
    take_id(replay, p, "the event");
    replay->add_option("--endpoint", p.endpoint, "only to this endpoint");
  }
}

void add_event_type_commands(CLI::App& app, parsed& p) {
  CLI::App* type = group(app, "event-type", "names of events: declared ones and the daemon's own");
  take_limit(command(*type, "ls", "all event types", [&p] { list_event_types(p.s, p.list); }), p);
  command(*type, "show", "one event type", [&p] { show_event_type(p.s, p.publish.name); })
      ->add_option("NAME", p.publish.name, "such as shop.order_paid")
      ->required();
}

void add_offer_commands(CLI::App& app, parsed& p) {
  const auto take_filter = [&p](CLI::App* ls) {
    ls->add_option("--vendor", p.offers.vendor);
    ls->add_option("--state", p.offers.state)
        ->check(CLI::IsMember({"draft", "published", "withdrawn"}));
    take_limit(ls, p);
  };
  CLI::App* product = group(app, "product", "what is sold");
  take_filter(command(*product, "ls", "products", [&p] { list_products(p.s, p.offers, p.list); }));
  take_id(command(*product, "show", "one product", [&p] { show_product(p.s, p.id); }), p,
          "the product");
  CLI::App* plan = group(app, "plan", "what can be ordered of a product, and for how much");
  CLI::App* plans = command(*plan, "ls", "plans", [&p] { list_plans(p.s, p.offers, p.list); });
  plans->add_option("--product", p.offers.product);
  take_filter(plans);
  take_id(command(*plan, "show", "one plan", [&p] { show_plan(p.s, p.id); }), p, "the plan");
  for (const char* action : {"publish", "withdraw"}) {
    const std::string what =
        std::string{action} == "publish" ? "it can be ordered" : "it can no longer be ordered";
    take_id(command(*product, action, what, [&p, action] { move_product(p.s, p.id, action); }), p,
            "the product");
    take_id(command(*plan, action, what, [&p, action] { move_plan(p.s, p.id, action); }), p,
            "the plan");
  }
  CLI::App* quote = command(*plan, "quote", "what quantities cost; nothing is ordered",
                            [&p] { quote_plan(p.s, p.id, p.quote); });
  take_id(quote, p, "the plan");
  quote->add_option("QUANTITY", p.quote.quantities, "such as seats=5");
  quote->add_option("--months", p.quote.months, "a multiple of the billing period")
      ->check(CLI::Range(1, 120));
}

// In the marketplace's or the vendor's place.
void add_steering_commands(CLI::App& app, CLI::App& subscription, parsed& p) {
  for (const char* action : {"approve", "reject", "pay", "overdue", "renew", "unschedule",
                             "convert", "cancel", "reinstate", "terminate", "redeploy"}) {
    take_id(command(subscription, action, std::string{"POST .../"} + action,
                    [&p, action] { steer_subscription(p.s, p.id, action, {}); }),
            p, "the subscription");
  }
  for (const char* action : {"suspend", "resume"}) {
    CLI::App* held = command(subscription, action, std::string{action} + " for a reason",
                             [&p, action] { steer_subscription(p.s, p.id, action, p.reason); });
    take_id(held, p, "the subscription");
    held->add_option("--reason", p.reason, "ADMIN_HOLD, VENDOR_HOLD, UNPAID, EXPIRED");
  }
  CLI::App* invoices = command(subscription, "invoices", "what the billing told of its invoices",
                               [&p] { list_invoices(p.s, p.id, p.list); });
  take_id(invoices, p, "the subscription");
  take_limit(invoices, p);
  CLI::App* operations = command(subscription, "operations", "what was asked of a subscription",
                                 [&p] { list_operations(p.s, p.id, p.list); });
  take_id(operations, p, "the subscription");
  take_limit(operations, p);
  CLI::App* operation = group(app, "operation", "changes that wait for the vendor's answer");
  for (const char* how : {"succeed", "fail"}) {
    CLI::App* answer = command(*operation, how, "answer in the vendor's place",
                               [&p, how] { end_operation(p.s, p.id, how, p.reason); });
    take_id(answer, p, "the operation");
    answer->add_option("--message", p.reason, "what is noted");
  }
  take_id(command(*operation, "cancel", "take it back",
                  [&p] { end_operation(p.s, p.id, "cancel", {}); }),
          p, "the operation");
}

void add_entity_commands(CLI::App& app, parsed& p) {
  CLI::App* subscription = group(app, "subscription", "subscriptions");
  CLI::App* ls = command(*subscription, "ls", "subscriptions",
                         [&p] { list_subscriptions(p.s, p.subscriptions, p.list); });
  ls->add_option("--status", p.subscriptions.status, "such as DEPLOYED");
  ls->add_option("--tenant", p.subscriptions.tenant);
  ls->add_option("--vendor", p.subscriptions.vendor);
  ls->add_option("--product", p.subscriptions.product);
  take_limit(ls, p);
  take_id(
      command(*subscription, "show", "one subscription", [&p] { show_subscription(p.s, p.id); }), p,
      "the subscription");
  CLI::App* resources = command(*subscription, "resources", "its sub-resources",
                                [&p] { list_resources(p.s, p.id, p.list); });
  take_id(resources, p, "the subscription");
  take_limit(resources, p);
  CLI::App* usage = command(*subscription, "usage", "its records of usage",
                            [&p] { list_usage(p.s, p.id, p.usage, p.list); });
  take_id(usage, p, "the subscription");
  usage->add_option("--metric", p.usage.metric);
  usage->add_option("--source", p.usage.source);
  usage->add_option("--since", p.usage.since, "of the window: a time, or back from now: 2h");
  usage->add_option("--until", p.usage.until, "likewise");
  take_limit(usage, p);
  take_id(command(*subscription, "metrics", "the metrics that its vendor is asked for",
                  [&p] { list_metrics(p.s, p.id); }),
          p, "the subscription");
  add_steering_commands(app, *subscription, p);
  CLI::App* tenant = group(app, "tenant", "resellers and customers");
  CLI::App* tenants =
      command(*tenant, "ls", "tenants", [&p] { list_tenants(p.s, p.parent, p.list); });
  tenants->add_option("--parent", p.parent, "only its direct children");
  take_limit(tenants, p);
  take_id(command(*tenant, "show", "one tenant", [&p] { show_tenant(p.s, p.id); }), p,
          "the tenant");
  take_id(command(*tenant, "usages", "what it uses, with all below it",
                  [&p] { list_tenant_usages(p.s, p.id); }),
          p, "the tenant");
  CLI::App* user = group(app, "user", "who may log in");
  CLI::App* users = command(*user, "ls", "users", [&p] { list_users(p.s, p.parent, p.list); });
  users->add_option("--tenant", p.parent, "only those of this tenant");
  take_limit(users, p);
  take_id(command(*user, "show", "one user", [&p] { show_user(p.s, p.id); }), p, "the user");
}

void add_commitment_commands(CLI::App& app, parsed& p) {
  CLI::App* commitment = group(app, "commitment", "licences of a reseller, counted together");
  CLI::App* ls = command(*commitment, "ls", "commitments, and what they count",
                         [&p] { list_commitments(p.s, p.commitments, p.list); });
  ls->add_option("--reseller", p.commitments.reseller);
  ls->add_option("--vendor", p.commitments.vendor);
  ls->add_option("--product", p.commitments.product);
  ls->add_option("--state", p.commitments.state, "such as ACTIVE");
  take_limit(ls, p);
  take_id(command(*commitment, "show", "one commitment", [&p] { show_commitment(p.s, p.id); }), p,
          "the commitment");
}

void add_token_commands(CLI::App& app, parsed& p) {
  CLI::App* token = group(app, "token", "access to the API");
  CLI::App* create = command(*token, "create", "make a token; it is shown once",
                             [&p] { create_token(p.s, p.token); });
  create->add_option("--role", p.token.role)
      ->required()
      ->check(CLI::IsMember({"operator", "marketplace", "vendor", "tenant"}));
  create->add_option("--scope", p.token.scope, "the vendor's or the tenant's id");
  create->add_option("--name", p.token.name, "what it is for");
  create->add_option("--expires-days", p.token.expires_days)->check(CLI::Range(1, 3'650));
  take_limit(command(*token, "ls", "all tokens", [&p] { list_tokens(p.s, p.list); }), p);
  take_id(command(*token, "revoke", "end a token at once", [&p] { revoke_token(p.s, p.id); }), p,
          "the token");
}

void add_key_commands(CLI::App& app, parsed& p) {
  CLI::App* key = group(app, "key", "the master keys that seal secrets at rest");
  command(*key, "ls", "their ids, and which may be removed", [&p] { list_keys(p.s); });
  command(*key, "rotate", "read the key files again; what older keys sealed is sealed anew",
          [&p] { rotate_key(p.s); });
}

void add_signature_options(CLI::App* app, parsed& p) {
  app->add_option("--form", p.signature.form, "cloudesire or standard")
      ->capture_default_str()
      ->check(CLI::IsMember({"cloudesire", "standard"}));
  app->add_option("--secret-file", p.signature.secret_file,
                  "file with the secret; - for standard input")
      ->required();
  app->add_option("--id", p.signature.id, "standard form: the webhook-id");
  app->add_option("--timestamp", p.signature.timestamp, "standard form: the webhook-timestamp");
  app->add_option("BODY", p.signature.body_file, "file with the body; - for standard input")
      ->capture_default_str();
}

void add_signature_commands(CLI::App& app, parsed& p) {
  add_signature_options(
      command(app, "sign", "compute the signature of a body", [&p] { sign(p.s, p.signature); }), p);
  CLI::App* check = command(app, "verify", "check a signature that was received",
                            [&p] { verify(p.s, p.signature); });
  add_signature_options(check, p);
  check->add_option("--signature", p.signature.signature, "the header's value")->required();
  check->add_option("--tolerance", p.signature.tolerance_s,
                    "standard form: seconds the timestamp may be off; 0 = any");
}

}  // namespace

int run(const std::vector<std::string>& arguments, std::istream& input, std::ostream& out,
        std::ostream& err) {
  session s{.in = input, .out = out, .err = err};
  s.colour = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  parsed p{s};
  CLI::App app{"Operator's command of syndicated, the webhook dispatch daemon", "syndctl"};
  app.set_version_flag("--version", std::string{"syndctl "} + version());
  app.add_option("--socket", s.socket, "the daemon's admin socket")
      ->envname("SYNDCTL_SOCKET")
      ->capture_default_str();
  app.add_flag("--json", s.json, "print one JSON document");
  app.fallthrough();
  app.require_subcommand(1);
  add_state_commands(app, p);
  add_endpoint_commands(app, p);
  add_job_commands(app, p);
  add_event_commands(app, p);
  add_event_type_commands(app, p);
  add_entity_commands(app, p);
  add_offer_commands(app, p);
  add_commitment_commands(app, p);
  add_token_commands(app, p);
  add_key_commands(app, p);
  add_signature_commands(app, p);
  // The library takes its arguments from the back.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& why) {
    return app.exit(why, out, err) == 0 ? exit_ok : exit_usage;
  }
  return s.code;
}

}  // namespace syndicated::ctl
