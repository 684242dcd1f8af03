// Signals belong to the daemon's main thread; a broken pipe is an error code here. Internal to net.
#pragma once

#include <csignal>

namespace syndicated::net {

// Blocks every signal on the calling thread, SIGPIPE included (OpenSSL writes without
// MSG_NOSIGNAL).
inline void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace syndicated::net
