// A directory that is gone with its owner, on the disk that the store of a daemon would be on.
// `BENCH_DIRECTORY` names where; the present directory without it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace syndicated::bench {

class place {
 public:
  place() {
    const char* where = std::getenv("BENCH_DIRECTORY");
    std::string pattern = std::string{where != nullptr ? where : "."} + "/bench-micro-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~place() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  place(const place&) = delete;
  place& operator=(const place&) = delete;

  const std::string& path() const noexcept { return path_; }  // empty: it could not be made

 private:
  std::string path_;
};

}  // namespace syndicated::bench
