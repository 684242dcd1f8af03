// Key material and other secrets while they are in memory. Plain values.
#pragma once

#include <string>
#include <utility>

namespace syndicated::core {

// Neither printed nor compared by accident; wiped when it goes.
class secret_bytes {
 public:
  secret_bytes() = default;
  explicit secret_bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  secret_bytes(const secret_bytes&) = default;
  secret_bytes(secret_bytes&&) = default;
  secret_bytes& operator=(const secret_bytes&) = default;
  secret_bytes& operator=(secret_bytes&&) = default;
  ~secret_bytes();

  bool empty() const noexcept { return bytes_.empty(); }
  const std::string& reveal() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

// A header of outgoing requests; its value may be a secret and is kept as one.
struct secret_header {
  std::string name;
  secret_bytes value;
};

}  // namespace syndicated::core
