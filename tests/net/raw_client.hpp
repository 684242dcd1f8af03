// A blocking socket for attack tests: sends exactly the given bytes and reads what comes back.
#pragma once

#include <cstdint>
#include <string>

namespace syndicated::net::test {

class raw_client {
 public:
  explicit raw_client(std::uint16_t port);
  explicit raw_client(const std::string& unix_path);
  ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  bool connected() const { return connected_; }
  bool send(const std::string& bytes);
  void half_close();
  bool readable_within(int ms);
  std::string read_answer();  // one HTTP answer by Content-Length; empty at the end
  std::string read_all();     // until the server closes; "<open>" appended after 10 s

 private:
  bool receive();
  int fd_ = -1;
  bool connected_ = false;
  std::string in_;
};

// 0 when `answer` is not an HTTP answer.
int status_of(const std::string& answer);

}  // namespace syndicated::net::test
