// What the commands share: the socket, the streams, the output format.
// Single-threaded; lives as long as one run of the program.
#pragma once

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"

namespace syndicated::ctl {

// Longer than the longest attempt that `endpoint test` may have to wait for.
inline constexpr std::chrono::milliseconds answer_timeout{45'000};

struct session {
  std::string socket = "/run/syndicated/admin.sock";
  bool json = false;
  bool colour = false;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  int code = 0;                                      // what the program will exit with
  std::optional<std::chrono::milliseconds> ahead{};  // of this machine's clock; see now()

  // The body of a successful answer. Otherwise the reason has been printed and `code` is set.
  std::optional<std::string> get(const std::string& target);
  std::optional<std::string> send(std::string_view method, const std::string& target,
                                  const std::string& body,
                                  std::chrono::milliseconds patience = answer_timeout);

  // Reads pages of a list until `limit` items or its end: {"items":[...],"next":...}.
  std::optional<std::string> get_list(std::string target, std::size_t limit);

  // A file's bytes; "-": standard input. Otherwise the reason has been printed and `code` is set.
  std::optional<std::string> read(const std::string& file);
  // The same without the newline that editors put at the end, which no secret has. Not empty.
  std::optional<std::string> read_secret(const std::string& file);

  // The daemon's time, asked once: it may be simulated. Without an answer the machine's.
  core::timestamp now();

  void fail(int exit_with, const std::string& why);
  // --json: the document as it came.
  void print_document(std::string_view document) const;

 private:
  void refused(int status, const std::string& body);
};

// Percent-encodes for a query value.
std::string query_value(std::string_view text);

}  // namespace syndicated::ctl
