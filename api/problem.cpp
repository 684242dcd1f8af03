#include "api/problem.hpp"

#include <random>

#include "core/lifecycle/subscription.hpp"

namespace syndicated::api {
namespace {

std::string retry_after(const core::error& why) {
  if (why.code == "rate_limited") return "1";
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::to_string(std::uniform_int_distribution<int>{1, 30}(random));
}

std::string problem_details(int status, const core::error& why) {
  core::json_writer out;
  out.begin_object();
  out.key("type").text("urn:syndicated:problem:" + why.code);
  out.key("title").text(net::reason_phrase(status));
  out.key("status").number(status);
  out.key("detail").text(why.detail);
  out.key("code").text(why.code);
  if (!why.status.empty()) out.key("present_status").text(why.status);
  if (!why.fields.empty()) {
    out.key("errors").begin_array();
    for (const core::field_error& f : why.fields) {
      out.begin_object().key("pointer").text(f.pointer).key("detail").text(f.detail).end_object();
    }
    out.end_array();
  }
  out.end_object();
  return std::move(out).str();
}

std::string error_holders(const core::error& why) {
  core::json_writer out;
  out.begin_object().key("errorHolders").begin_array();
  const auto holder = [&](std::string_view text, std::string_view field) {
    out.begin_object().key("key").text(why.code).key("error").text(text);
    out.key("extraFields").begin_object();
    // Vendors take it for the subscription's: an invoice's state does not belong there.
    if (core::parse_subscription_status(why.status)) {
      out.key("deploymentStatus").text(why.status);
    }
    if (!why.status.empty()) out.key("status").text(why.status);
    if (!field.empty()) out.key("field").text(field);
    out.end_object().end_object();
  };
  if (why.fields.empty()) holder(why.detail, {});
  for (const core::field_error& f : why.fields) holder(f.detail, f.pointer);
  out.end_array().end_object();
  return std::move(out).str();
}

// As the partners' face writes it. The one number that clients look at is that of a deletion of
// what is not disabled.
constexpr int not_disabled_number = 1006;

void write_account_error(core::json_writer& out, int status, const core::error& why) {
  out.begin_object();
  out.key("code").number(why.code == "not_disabled" ? not_disabled_number : status);
  out.key("message").text(why.detail);
  out.key("reason").text(why.code);
  out.key("details").begin_array();
  for (const core::field_error& f : why.fields) {
    out.begin_object().key("pointer").text(f.pointer).key("detail").text(f.detail).end_object();
  }
  out.end_array().end_object();
}

std::string account_error(int status, const core::error& why) {
  core::json_writer out;
  write_account_error(out.begin_object().key("error"), status, why);
  out.end_object();
  return std::move(out).str();
}

// Statuses that this face has for what /v1 answers otherwise.
int account_status(int status, const core::error& why) {
  if (why.code == "not_disabled") return 400;
  if (why.code == "quota_version_mismatch") return 426;
  if (why.code == "version_mismatch") return 409;
  return status == 422 ? 400 : status;
}

}  // namespace

int http_status(core::errc kind) noexcept {
  switch (kind) {
    case core::errc::invalid: return 422;
    case core::errc::malformed: return 400;
    case core::errc::unauthorized: return 401;
    case core::errc::forbidden: return 403;
    case core::errc::not_found: return 404;
    case core::errc::gone: return 410;
    case core::errc::conflict: return 409;
    case core::errc::precondition: return 412;
    case core::errc::too_large: return 413;
    case core::errc::too_many: return 429;
    case core::errc::unavailable:
    // The outcome of io is unknown; with its idempotency key the caller can safely ask again.
    case core::errc::io: return 503;
    case core::errc::corrupt:
    case core::errc::internal: return 500;
  }
  return 500;
}

void write_account_error(core::json_writer& out, const core::error& why) {
  write_account_error(out, account_status(http_status(why.kind), why), why);
}

net::http_response problem(face f, int status, const core::error& why) {
  net::http_response answer;
  answer.status = status;
  if (f == face::accounts) {
    answer.status = status = account_status(status, why);
    answer.body = account_error(status, why);
  } else if (f == face::cloudesire) {
    answer.body = error_holders(why);
  } else {
    answer.content_type = "application/problem+json";
    answer.body = problem_details(status, why);
  }
  if (status == 503 || status == 429) answer.headers.push_back({"Retry-After", retry_after(why)});
  if (status == 401) {
    answer.headers.push_back({"WWW-Authenticate", f == face::cloudesire
                                                      ? "Basic realm=\"syndicated\""
                                                      : "Bearer realm=\"syndicated\""});
  }
  return answer;
}

net::http_response problem(face f, const core::error& why) {
  return problem(f, http_status(why.kind), why);
}

}  // namespace syndicated::api
