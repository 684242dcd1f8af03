# Warnings, hardening and sanitizers, for our own code only.
add_library(syndicated_flags INTERFACE)
target_compile_options(syndicated_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough
  -Werror)
# The library's checks in every build: one that only a release has is one that no test has met.
target_compile_definitions(syndicated_flags INTERFACE _GLIBCXX_ASSERTIONS)

if(SYNDICATED_HARDENING)
  target_compile_options(syndicated_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_compile_definitions(syndicated_flags INTERFACE _FORTIFY_SOURCE=2)
  target_link_options(syndicated_flags INTERFACE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

if(SYNDICATED_SANITIZE STREQUAL "asan")
  # UBSan's null check is wrong about CAF's init_fun_factory.hpp.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  # With sanitizers GCC 12 takes parts of std::regex, which valijson includes, for uninitialized.
  target_compile_options(syndicated_flags INTERFACE -Wno-maybe-uninitialized)
elseif(SYNDICATED_SANITIZE STREQUAL "tsan")
  # Asio fences memory with atomic_thread_fence, which the sanitizer does not know; its queues are
  # under mutexes anyway.
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -DBOOST_ASIO_DISABLE_FENCED_BLOCK)
  add_link_options(-fsanitize=thread)
endif()
