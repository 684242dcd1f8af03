// A directory of its own for each test, removed at the end.
//
// `in_memory`: where the system keeps files in memory, if it does. For tests of what is written,
// not of whether a disk keeps it; there, every commit would wait for a sync.
#pragma once

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace syndicated::tests {

class temporary_directory {
 public:
  enum class place { disk, in_memory };

  explicit temporary_directory(place where = place::disk) {
    std::filesystem::path parent = std::filesystem::temp_directory_path();
    if (where == place::in_memory && ::access("/dev/shm", W_OK) == 0) parent = "/dev/shm";
    std::string name = (parent / "syndicated-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace syndicated::tests
