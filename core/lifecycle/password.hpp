// Passwords at rest: scrypt (RFC 7914) with a salt of its own for each, its cost in the text, so
// that it can be raised later. Pure; slow by purpose (some 100 ms, 16 MiB). Any thread. Nothing
// that is given here is logged or told anywhere.
#pragma once

#include <string>
#include <string_view>

namespace syndicated::core {

inline constexpr std::size_t password_salt_bytes = 16;

// "scrypt$<log2 N>$<r>$<p>$<salt>$<hash>", both in base64. `salt`: random, password_salt_bytes.
std::string hash_password(std::string_view password, std::string_view salt);

// In constant time with regard to the password. An empty or unreadable text fits nothing, and takes
// as long as another, so that nobody learns who has one.
bool fits_password(std::string_view stored, std::string_view password);

}  // namespace syndicated::core
