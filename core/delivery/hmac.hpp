// An HMAC key, prepared once: what depends on the key alone is not computed for every message.
//
// Threads: one at a time. The key's bytes are not kept. OpenSSL's failure to compute ends the
// process: it is only possible when the library is broken, and nothing may be sent unsigned.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

struct evp_mac_ctx_st;

namespace syndicated::core {

class hmac_key {
 public:
  enum class digest : std::uint8_t { sha1, sha256 };

  hmac_key(digest algorithm, std::string_view key);
  // Over the pieces, one behind the other. 20 or 32 raw bytes.
  std::string sign(std::initializer_list<std::string_view> pieces);

 private:
  struct freed {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, freed> context_;
};

}  // namespace syndicated::core
