#include <csignal>
#include <iostream>

#include "ctl/cli.hpp"

int main(int argc, char** argv) {
  // A pager that was closed early is no reason to die without an exit code.
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const int code = syndicated::ctl::run(arguments, std::cin, std::cout, std::cerr);
  std::cout.flush();
  return code;
}
