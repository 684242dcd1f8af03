// A loopback server that does exactly what a test tells it: the endpoint zoo of reliability.md 6.7.
//
// Every accepted connection runs the script on a thread of its own; the destructor wakes and joins
// them. Blocking sockets, each with a receive limit, so that a test cannot hang for ever.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace syndicated::net::test {

class peer {
 public:
  peer(int fd, ssl_st* tls, const std::atomic<bool>& stopping);
  std::string read_request();  // head and body by Content-Length; empty at the end
  bool send(const std::string& bytes);
  void hold();   // until the other side closes or the server ends
  void reset();  // closes with RST
  void half_close();
  bool stopping() const { return stopping_; }
  std::string client_name() const;  // CN of the client's certificate; empty without one

 private:
  int receive(char* to, std::size_t space);
  int fd_;
  ssl_st* tls_;
  const std::atomic<bool>& stopping_;
  std::string rest_;
};

// A self-made certificate and its key, in temporary PEM files.
struct certificate_options {
  std::string name = "127.0.0.1";  // subject alternative name: an address or a host
  bool expired = false;
  bool ask_client = false;  // the server wants a client certificate and takes any
};

class scripted_server {
 public:
  using script = std::function<void(peer&)>;

  explicit scripted_server(script on_connection);
  scripted_server(script on_connection, const certificate_options& certificate);
  ~scripted_server();
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path = "/") const;
  std::string certificate_file() const { return certificate_file_; }
  int connections() const { return connections_; }

 private:
  void listen();
  void accept_loop();
  void serve(int fd);

  script script_;
  ssl_ctx_st* tls_ = nullptr;
  std::string certificate_file_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// Writes a certificate for `options` and its key; the paths end in .pem.
struct pem_files {
  std::string certificate;
  std::string key;
};
pem_files make_certificate(const certificate_options& options);

// One answer over UDP to every DNS question: A records with these addresses, or an error.
class scripted_dns {
 public:
  // Called for each question (name, type 1 = A, 28 = AAAA): raw addresses of 4 or 16 bytes;
  // `silent` for no answer at all.
  struct answer {
    std::vector<std::string> addresses;
    std::uint32_t ttl = 60;
    int code = 0;  // 2 = SERVFAIL, 3 = NXDOMAIN
    bool silent = false;
  };
  using script = std::function<answer(const std::string& name, int type)>;

  explicit scripted_dns(script on_question);
  ~scripted_dns();
  scripted_dns(const scripted_dns&) = delete;
  scripted_dns& operator=(const scripted_dns&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int questions() const { return questions_; }

 private:
  void run();
  script script_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> questions_{0};
  std::thread thread_;
};

}  // namespace syndicated::net::test
