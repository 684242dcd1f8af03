#include "store/vault.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

#include "core/delivery/signature.hpp"

namespace syndicated::store {
namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t key_id_bytes = 4;
constexpr std::size_t head_bytes = 1 + key_id_bytes + nonce_bytes;
constexpr char format_1 = 1;

using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* in(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT OpenSSL's byte type
}
unsigned char* out(std::string& text, std::size_t offset) {
  return reinterpret_cast<unsigned char*>(text.data() + offset);  // NOLINT
}

core::error damaged() {
  return {core::errc::corrupt,
          "sealed_value_unreadable",
          "a sealed secret is damaged or was sealed with another master key",
          {},
          {}};
}

core::error bad_key(std::string detail) {
  return {core::errc::invalid, "bad_master_key", std::move(detail), {}, {}};
}

struct key {
  std::array<unsigned char, vault::key_bytes_count> bytes{};
  key_id id = 0;

  explicit key(std::string_view content) {
    std::copy(content.begin(), content.end(), bytes.begin());
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(bytes.data(), bytes.size(), digest.data());
    for (std::size_t i = 0; i < key_id_bytes; ++i) id = id << 8U | digest[i];
  }
  ~key() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  key(const key&) = delete;
  key& operator=(const key&) = delete;
};

// The keys of one moment, the primary first. Immutable.
using key_ring = std::vector<std::shared_ptr<const key>>;

const key* find(const key_ring& ring, key_id id) {
  const auto at = std::ranges::find(ring, id, [](const auto& k) { return k->id; });
  return at == ring.end() ? nullptr : at->get();
}

// `more` behind what is there already. Two keys with one id could not be told apart.
core::result<void> add(key_ring& ring, std::string_view more) {
  if (more.size() != vault::key_bytes_count) return bad_key("a master key must have 32 bytes");
  auto made = std::make_shared<const key>(more);
  const key* known = find(ring, made->id);
  if (known == nullptr) {
    ring.push_back(std::move(made));
  } else if (known->bytes != made->bytes) {
    return bad_key("two master keys have the same id " + key_name(made->id) + ": make another one");
  }
  return {};
}

core::result<key_ring> ring_of(std::string_view primary, const std::vector<std::string>& others,
                               const key_ring& known) {
  key_ring ring;
  if (auto ok = add(ring, primary); !ok) return std::move(ok).failure();
  for (const std::string& other : others) {
    if (auto ok = add(ring, other); !ok) return std::move(ok).failure();
  }
  for (const auto& k : known) {
    if (find(ring, k->id) == nullptr) ring.push_back(k);
  }
  return ring;
}

}  // namespace

std::string key_name(key_id id) {
  std::string bytes;
  for (std::size_t i = 0; i < key_id_bytes; ++i) {
    bytes += static_cast<char>(id >> (24U - 8U * i));
  }
  return core::hex_encode(bytes);
}

class vault::body {
 public:
  explicit body(key_ring first) : ring_(std::make_shared<const key_ring>(std::move(first))) {}

  std::shared_ptr<const key_ring> ring() const { return ring_.load(); }
  void replace(key_ring next) {
    const std::lock_guard lock(mutex_);
    replaced_.emplace_back(ring_.exchange(std::make_shared<const key_ring>(std::move(next))));
  }
  bool replaced_are_gone() {
    const std::lock_guard lock(mutex_);
    std::erase_if(replaced_, [](const auto& ring) { return ring.expired(); });
    return replaced_.empty();
  }

 private:
  std::atomic<std::shared_ptr<const key_ring>> ring_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<const key_ring>> replaced_;
};

vault::vault(std::unique_ptr<body> made) : body_(std::move(made)) {}
vault::vault(vault&&) noexcept = default;
vault& vault::operator=(vault&&) noexcept = default;
vault::~vault() = default;

core::result<vault> vault::with_key(std::string_view primary,
                                    const std::vector<std::string>& others) {
  auto ring = ring_of(primary, others, {});
  if (!ring) return std::move(ring).failure();
  return vault{std::make_unique<body>(std::move(*ring))};
}

core::result<void> vault::change(std::string_view primary, const std::vector<std::string>& others) {
  auto ring = ring_of(primary, others, *body_->ring());
  if (!ring) return std::move(ring).failure();
  body_->replace(std::move(*ring));
  return {};
}

key_id vault::primary() const { return body_->ring()->front()->id; }

std::vector<key_id> vault::keys() const {
  std::vector<key_id> ids;
  for (const auto& k : *body_->ring()) ids.push_back(k->id);
  return ids;
}

bool vault::knows(key_id id) const { return find(*body_->ring(), id) != nullptr; }

std::optional<key_id> vault::key_of(std::string_view sealed) noexcept {
  if (sealed.size() < head_bytes + tag_bytes || sealed[0] != format_1) return std::nullopt;
  key_id id = 0;
  for (std::size_t i = 0; i < key_id_bytes; ++i) {
    id = id << 8U | static_cast<unsigned char>(sealed[1 + i]);
  }
  return id;
}

std::string vault::mark_of(key_id id) {
  std::string mark(1 + key_id_bytes, format_1);
  for (std::size_t i = 0; i < key_id_bytes; ++i) {
    mark[1 + i] = static_cast<char>(id >> (24U - 8U * i));
  }
  return mark;
}

std::shared_ptr<const void> vault::hold() const { return body_->ring(); }
bool vault::replaced_are_gone() const { return body_->replaced_are_gone(); }

std::string vault::seal(std::string_view plain, std::string_view context) const {
  const auto ring = body_->ring();
  const key& k = *ring->front();
  std::string sealed = mark_of(k.id);
  sealed.resize(head_bytes + plain.size() + tag_bytes);
  cipher_context c{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  int n = 0;
  const bool ok =
      c != nullptr && RAND_bytes(out(sealed, 1 + key_id_bytes), nonce_bytes) == 1 &&
      EVP_EncryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, k.bytes.data(),
                         out(sealed, 1 + key_id_bytes)) == 1 &&
      EVP_EncryptUpdate(c.get(), nullptr, &n, in(context), static_cast<int>(context.size())) == 1 &&
      EVP_EncryptUpdate(c.get(), out(sealed, head_bytes), &n, in(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(c.get(), out(sealed, head_bytes + plain.size()), &n) == 1 &&
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes,
                          out(sealed, head_bytes + plain.size())) == 1;
  if (!ok) __builtin_trap();  // never store a secret in clear because the library failed
  return sealed;
}

core::result<std::string> vault::open(std::string_view sealed, std::string_view context) const {
  const auto id = key_of(sealed);
  if (!id) return damaged();
  const auto ring = body_->ring();
  const key* k = find(*ring, *id);
  if (k == nullptr) return damaged();
  const std::size_t length = sealed.size() - head_bytes - tag_bytes;
  std::string plain(length, '\0');
  std::string tag{sealed.substr(head_bytes + length)};
  cipher_context c{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  int n = 0;
  unsigned char nothing = 0;
  const bool ok =
      c != nullptr &&
      EVP_DecryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, k->bytes.data(),
                         in(sealed.substr(1 + key_id_bytes))) == 1 &&
      EVP_DecryptUpdate(c.get(), nullptr, &n, in(context), static_cast<int>(context.size())) == 1 &&
      EVP_DecryptUpdate(c.get(), length > 0 ? out(plain, 0) : &nothing, &n,
                        in(sealed.substr(head_bytes)), static_cast<int>(length)) == 1 &&
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, out(tag, 0)) == 1 &&
      EVP_DecryptFinal_ex(c.get(), &nothing, &n) == 1;
  if (!ok) return damaged();
  return plain;
}

}  // namespace syndicated::store
