#include "core/delivery/signer.hpp"

#include "core/delivery/signature.hpp"

namespace syndicated::core {
namespace {

std::optional<hmac_key> standard_key(const secret_bytes& secret) {
  if (secret.empty()) return std::nullopt;
  const auto key = decode_standard_secret(secret.reveal());
  if (!key) return std::nullopt;
  return hmac_key{hmac_key::digest::sha256, *key};
}

std::optional<ed25519_signer> pair_of(const secret_bytes& key) {
  if (key.empty()) return std::nullopt;
  auto made = ed25519_signer::create(key.reveal());
  if (!made) return std::nullopt;
  return std::move(*made);
}

}  // namespace

signer::signer(const endpoint& e)
    : previous_until_(e.previous_until), previous_pair_until_(e.previous_signing_until) {
  if (e.form == wire_form::cloudesire) {
    if (!e.secret.empty()) key_.emplace(hmac_key::digest::sha1, e.secret.reveal());
    return;
  }
  key_ = standard_key(e.secret);
  previous_key_ = standard_key(e.previous_secret);
  pair_ = pair_of(e.signing_key);
  previous_pair_ = pair_of(e.previous_signing_key);
  usable_ = key_.has_value() && pair_.has_value() == !e.signing_key.empty();
}

std::string signer::cloudesire(std::string_view body) {
  return key_ ? "sha1=" + hex_encode(key_->sign({body})) : std::string{};
}

std::string signer::standard(std::string_view id, timestamp at, std::string_view body) {
  const std::string seconds = std::to_string(to_unix_seconds(at));
  std::string out;
  const auto add = [&out](std::string_view version, const std::string& signature) {
    if (!out.empty()) out += ' ';
    out += version;
    out += base64_encode(signature);
  };
  const auto lasts = [at](const std::optional<timestamp>& until) { return until && at < *until; };
  if (key_) add("v1,", key_->sign({id, ".", seconds, ".", body}));
  if (previous_key_ && lasts(previous_until_)) {
    add("v1,", previous_key_->sign({id, ".", seconds, ".", body}));
  }
  if (!pair_) return out;
  const std::string message = standard_message(id, seconds, body);
  add("v1a,", pair_->sign(message));
  if (previous_pair_ && lasts(previous_pair_until_)) add("v1a,", previous_pair_->sign(message));
  return out;
}

}  // namespace syndicated::core
