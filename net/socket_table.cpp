#include "net/socket_table.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>

namespace syndicated::net {

socket_table::slot& socket_table::at(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= slots_.size()) slots_.resize(index + 64);
  return slots_[index];
}

namespace {

std::uint64_t inode_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode) ? about.st_ino : 0;
}

}  // namespace

void socket_table::opened(int fd) { at(fd) = {0, 0, generation_, true, inode_of(fd)}; }

void socket_table::shut(int fd) {
  auto& socket = at(fd);
  if (socket.inode != 0 && inode_of(fd) == socket.inode)
    ::shutdown(fd, SHUT_RDWR);
  else
    socket = {};
}

int socket_table::close(int fd) {
  at(fd) = {};  // the kernel takes a closed descriptor out of the epoll set
  return ::close(fd);
}

void socket_table::want(int fd, std::uint32_t events) {
  auto& socket = at(fd);
  socket.wanted = events;
  if (events == 0 && socket.open && socket.registered == EPOLLIN) {
    if (socket.generation != generation_) shut(fd);
    return;
  }
  if (events == socket.registered) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint32_t>(fd);
  const int action = events == 0              ? EPOLL_CTL_DEL
                     : socket.registered == 0 ? EPOLL_CTL_ADD
                                              : EPOLL_CTL_MOD;
  // DEL may meet a descriptor that libcurl closed before; then there is nothing left to do.
  ::epoll_ctl(epoll_, action, fd, &event);
  socket.registered = events;
}

bool socket_table::is_wanted(int fd) {
  auto& socket = at(fd);
  if (socket.wanted != 0) return true;
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  socket.registered = 0;
  return false;
}

void socket_table::retire_all() {
  ++generation_;
  for (std::size_t fd = 0; fd < slots_.size(); ++fd) {
    if (slots_[fd].open && slots_[fd].wanted == 0) shut(static_cast<int>(fd));
  }
}

}  // namespace syndicated::net
