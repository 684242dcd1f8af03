// Computing and checking signatures by hand, for vendors' questions. Needs no daemon.
#include <chrono>
#include <ostream>

#include "core/base/json_writer.hpp"
#include "core/delivery/ed25519.hpp"
#include "core/delivery/signature.hpp"
#include "ctl/commands.hpp"
#include "ctl/document.hpp"
#include "ctl/table.hpp"

namespace syndicated::ctl {
namespace {

struct material {
  std::string secret;
  std::string body;
};

std::optional<material> read_material(session& s, const signature_options& o) {
  if (o.secret_file == "-" && o.body_file == "-") {
    s.fail(2, "only one of the secret and the body can come from standard input");
    return std::nullopt;
  }
  auto secret = s.read_secret(o.secret_file);
  auto body = secret ? s.read(o.body_file) : std::nullopt;
  if (!body) return std::nullopt;
  return material{std::move(*secret), std::move(*body)};
}

// What the secret file may hold for the standard form; a public key can only check.
enum class key_form { secret, signing, verifying };

key_form form_of(std::string_view text) {
  if (text.starts_with("whsk_")) return key_form::signing;
  return text.starts_with("whpk_") ? key_form::verifying : key_form::secret;
}

std::optional<std::string> compute_asymmetric(session& s, const signature_options& o,
                                              const material& m, std::int64_t at) {
  const auto key = core::decode_signing_key(m.secret);
  auto signer =
      key ? core::ed25519_signer::create(*key) : core::result<core::ed25519_signer>{key.failure()};
  if (!signer) {
    s.fail(2, "the key cannot be used: " + signer.failure().detail);
    return std::nullopt;
  }
  return "v1a," + core::base64_encode(
                      signer->sign(core::standard_message(o.id, std::to_string(at), m.body)));
}

std::optional<std::string> compute(session& s, const signature_options& o, const material& m,
                                   std::int64_t at) {
  if (o.form == "cloudesire") return core::cloudesire_signature(m.secret, m.body);
  if (o.id.empty()) {
    s.fail(2, "the standard form needs --id, the value of the webhook-id header");
    return std::nullopt;
  }
  if (form_of(m.secret) == key_form::verifying) {
    s.fail(2, "a public key (whpk_) can check signatures, not make them");
    return std::nullopt;
  }
  if (form_of(m.secret) == key_form::signing) return compute_asymmetric(s, o, m, at);
  // Others have shorter keys than we would make (one of the published examples has).
  const auto key = core::standard_key(m.secret);
  if (!key || key->empty()) {
    s.fail(2, "the secret is not whsec_ and padded base64");
    return std::nullopt;
  }
  return core::standard_signature(*key, o.id, at, m.body);
}

std::int64_t unix_now() { return core::to_unix_seconds(current_time()); }

// One header may carry several signatures, separated by spaces: any match is good.
template <class Matches>
bool any_of_list(std::string_view list, Matches matches) {
  bool found = false;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    found = matches(list.substr(0, end)) || found;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return found;
}

// None: the options do not suffice; that has been said.
std::optional<bool> matches(session& s, const signature_options& o, const material& m) {
  if (o.form == "standard" && form_of(m.secret) == key_form::verifying) {
    const auto key = core::decode_public_key(m.secret);
    if (!key || o.id.empty()) {
      s.fail(2, !key ? "the key cannot be used: " + key.failure().detail
                     : "the standard form needs --id, the value of the webhook-id header");
      return std::nullopt;
    }
    const std::string message = core::standard_message(o.id, std::to_string(o.timestamp), m.body);
    return any_of_list(o.signature, [&](std::string_view one) {
      if (!one.starts_with("v1a,")) return false;
      const auto bytes = core::base64_decode(one.substr(4));
      return bytes && core::ed25519_verify(*key, message, *bytes);
    });
  }
  const auto expected = compute(s, o, m, o.timestamp);
  if (!expected) return std::nullopt;
  return any_of_list(o.signature, [&expected](std::string_view one) {
    return core::equal_constant_time(one, *expected);
  });
}

}  // namespace

void sign(session& s, const signature_options& o) {
  const auto m = read_material(s, o);
  if (!m) return;
  const std::int64_t at = o.timestamp != 0 ? o.timestamp : unix_now();
  const auto value = compute(s, o, *m, at);
  if (!value) return;
  const bool standard = o.form == "standard";
  std::vector<std::pair<std::string, std::string>> headers;
  if (standard) {
    headers = {{"webhook-id", o.id},
               {"webhook-timestamp", std::to_string(at)},
               {"webhook-signature", *value}};
  } else {
    headers = {{"CMW-Event-Signature", *value}};
  }
  core::json_writer json;
  json.begin_object().key("headers").begin_object();
  for (const auto& [name, text] : headers) {
    json.given_key(name).text(text);
    if (!s.json) s.out << name << ": " << text << '\n';
  }
  json.end_object().end_object();
  if (s.json) s.print_document(json.str());
}

void verify(session& s, const signature_options& o) {
  const auto m = read_material(s, o);
  if (!m) return;
  if (o.form == "standard" && o.timestamp == 0)
    return s.fail(2, "the standard form needs --timestamp");
  const auto good = matches(s, o, *m);
  if (!good) return;
  std::string why;
  if (!*good) why = "the signature does not match the body and the secret";
  if (why.empty() && o.form == "standard" && o.tolerance_s > 0 &&
      std::abs(unix_now() - o.timestamp) > o.tolerance_s) {
    why = "the signature matches, but its time is outside the tolerance";
  }
  s.code = why.empty() ? 0 : 1;
  if (s.json) {
    core::json_writer json;
    json.begin_object().key("valid").boolean(why.empty());
    if (!why.empty()) json.key("reason").text(why);
    json.end_object();
    return s.print_document(json.str());
  }
  s.out << (why.empty() ? "valid" : "NOT valid: " + why) << '\n';
}

}  // namespace syndicated::ctl
