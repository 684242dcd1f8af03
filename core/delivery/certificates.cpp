#include "core/delivery/certificates.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <vector>

namespace syndicated::core {
namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using bio_handle = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using certificate_handle = std::unique_ptr<X509, freed_by<X509_free>>;
using key_handle = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

constexpr std::size_t certificates_max = 64;

bio_handle reader_of(std::string_view text) {
  return bio_handle{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

// Empty when anything in it cannot be read.
std::vector<certificate_handle> read_certificates(std::string_view text) {
  std::vector<certificate_handle> found;
  const bio_handle in = reader_of(text);
  while (in && found.size() < certificates_max) {
    certificate_handle next{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
    if (!next) {
      const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      ERR_clear_error();
      if (!at_end) found.clear();
      break;
    }
    found.push_back(std::move(next));
  }
  return found;
}

int no_password(char*, int, int, void*) { return -1; }

std::optional<timestamp> instant(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return from_unix_ms(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
}

}  // namespace

identity_check check_client_identity(std::string_view certificates, std::string_view key,
                                     timestamp now) {
  const auto wrong = [](bool of_key, std::string detail) {
    return identity_check{identity_mistake{of_key, std::move(detail)}, {}};
  };
  const auto chain = read_certificates(certificates);
  if (chain.empty()) return wrong(false, "must be PEM certificates, the client's own first");
  const bio_handle in = reader_of(key);
  const key_handle secret{PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr)};
  ERR_clear_error();
  if (!secret) return wrong(true, "must be a PEM private key that is not encrypted");
  const bool fits = X509_check_private_key(chain.front().get(), secret.get()) == 1;
  ERR_clear_error();
  if (!fits) return wrong(true, "does not belong to the certificate");
  const auto until = instant(X509_get0_notAfter(chain.front().get()));
  if (!until) return wrong(false, "has no readable time of expiry");
  if (*until <= now) return wrong(false, "has expired");
  return {std::nullopt, *until};
}

std::optional<std::string> authorities_mistake(std::string_view certificates) {
  if (!read_certificates(certificates).empty()) return std::nullopt;
  return "must be PEM certificates";
}

}  // namespace syndicated::core
