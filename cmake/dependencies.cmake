# Debian 12 packages only; cmake/packages.txt lists them for apt.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(RocksDB 7 REQUIRED CONFIG)
find_package(Protobuf REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json unit_test_framework)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED CONFIG)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)

# CAF 0.17.6 is packaged without CMake or pkg-config files.
find_path(CAF_INCLUDE_DIR caf/all.hpp REQUIRED)
find_library(CAF_CORE_LIBRARY caf_core REQUIRED)
add_library(Caf::core INTERFACE IMPORTED)
target_include_directories(Caf::core SYSTEM INTERFACE ${CAF_INCLUDE_DIR})
target_link_libraries(Caf::core INTERFACE ${CAF_CORE_LIBRARY} Threads::Threads)
# Refuses message types that are missing from the type-id block.
target_compile_definitions(Caf::core INTERFACE CAF_ENABLE_TYPE_ID_CHECKS)
