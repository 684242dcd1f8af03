// libcurl's sockets in the loop's epoll. Internal to net; the loop's thread.
//
// A connection that falls idle stays registered for reading, so that the next request on it needs
// no epoll_ctl at all; if the peer closes it meanwhile, one event takes it out.
#pragma once

#include <cstdint>
#include <vector>

namespace syndicated::net {

class socket_table {
 public:
  explicit socket_table(int epoll_fd = -1) : epoll_(epoll_fd) {}

  void opened(int fd);                      // libcurl has a new socket
  int close(int fd);                        // and lets this one go
  void want(int fd, std::uint32_t events);  // EPOLLIN, EPOLLOUT, both, or 0: idle
  // An event on `fd`. False when libcurl wants nothing of it: then it is no longer watched.
  bool is_wanted(int fd);
  // Connections made until now are not to be used again. The idle ones are shut down under
  // libcurl's feet: it finds them dead and opens new ones. Busy ones follow when they fall idle.
  void retire_all();

 private:
  struct slot {
    std::uint32_t wanted = 0;
    std::uint32_t registered = 0;
    std::uint64_t generation = 0;
    bool open = false;
    std::uint64_t inode = 0;
  };
  slot& at(int fd);
  // libcurl 7.88 closes a socket that did not get connected without a word, and the
  // number may then be anybody's: only what is still the socket that was opened is shut down.
  void shut(int fd);

  int epoll_;
  std::uint64_t generation_ = 1;
  std::vector<slot> slots_;  // by descriptor
};

}  // namespace syndicated::net
