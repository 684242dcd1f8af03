#include "tests/net/scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace syndicated::net::test {
namespace {

std::uint16_t bind_loopback(int fd) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, raw, length) != 0 || ::getsockname(fd, raw, &length) != 0) {
    throw std::runtime_error("cannot bind to the loopback address");
  }
  return ntohs(address.sin_port);
}

void limit_receive(int fd) {
  const timeval limit{0, 100'000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

std::string temporary_file() {
  std::string path = "/tmp/syndicated-test-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd < 0) throw std::runtime_error("cannot make a temporary file");
  ::close(fd);
  return path;
}

}  // namespace

peer::peer(int fd, ssl_st* tls, const std::atomic<bool>& stopping)
    : fd_(fd), tls_(tls), stopping_(stopping) {}

int peer::receive(char* to, std::size_t space) {
  while (!stopping_) {
    if (tls_ != nullptr) {
      const int n = SSL_read(tls_, to, static_cast<int>(space));
      if (n > 0) return n;
      const int why = SSL_get_error(tls_, n);
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return 0;
    } else {
      const auto n = ::recv(fd_, to, space, 0);
      if (n >= 0) return static_cast<int>(n);
      if (errno != EAGAIN && errno != EINTR) return 0;
    }
  }
  return 0;
}

std::string peer::read_request() {
  std::array<char, 4096> chunk{};
  while (true) {
    const auto end = rest_.find("\r\n\r\n");
    if (end != std::string::npos) {
      std::size_t length = 0;
      const auto field = rest_.find("Content-Length: ");
      if (field < end) length = std::strtoul(rest_.c_str() + field + 16, nullptr, 10);
      if (rest_.size() >= end + 4 + length) {
        std::string request = rest_.substr(0, end + 4 + length);
        rest_.erase(0, end + 4 + length);
        return request;
      }
    }
    const int n = receive(chunk.data(), chunk.size());
    if (n <= 0) return {};
    rest_.append(chunk.data(), static_cast<std::size_t>(n));
  }
}

bool peer::send(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size() && !stopping_) {
    if (tls_ != nullptr) {
      const int n = SSL_write(tls_, bytes.data() + sent, static_cast<int>(bytes.size() - sent));
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    } else {
      const auto n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n < 0) return false;
      sent += static_cast<std::size_t>(n);
    }
  }
  return sent == bytes.size();
}

std::string peer::client_name() const {
  X509* certificate = tls_ == nullptr ? nullptr : SSL_get1_peer_certificate(tls_);
  if (certificate == nullptr) return {};
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                            static_cast<int>(name.size()));
  X509_free(certificate);
  return name.data();
}

void peer::hold() {
  std::array<char, 4096> chunk{};
  while (receive(chunk.data(), chunk.size()) > 0) {
  }
}

void peer::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

void peer::half_close() { ::shutdown(fd_, SHUT_WR); }

scripted_server::scripted_server(script on_connection) : script_(std::move(on_connection)) {
  listen();
}

scripted_server::scripted_server(script on_connection, const certificate_options& certificate)
    : script_(std::move(on_connection)) {
  const auto files = make_certificate(certificate);
  certificate_file_ = files.certificate;
  tls_ = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(tls_, files.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls_, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("cannot use the test certificate");
  }
  ::unlink(files.key.c_str());
  if (certificate.ask_client) {
    SSL_CTX_set_verify(tls_, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    const unsigned char context = 1;
    SSL_CTX_set_session_id_context(tls_, &context, 1);
  }
  listen();
}

void scripted_server::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  port_ = bind_loopback(listener_);
  ::listen(listener_, 256);
  acceptor_ = std::thread{[this] { accept_loop(); }};
}

scripted_server::~scripted_server() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock{mutex_};
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
  if (tls_ != nullptr) SSL_CTX_free(tls_);
  if (!certificate_file_.empty()) ::unlink(certificate_file_.c_str());
}

std::string scripted_server::url(const std::string& path) const {
  return std::string{tls_ != nullptr ? "https" : "http"} + "://127.0.0.1:" + std::to_string(port_) +
         path;
}

void scripted_server::accept_loop() {
  while (!stopping_) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    const std::lock_guard lock{mutex_};
    open_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void scripted_server::serve(int fd) {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // SSL_write raises SIGPIPE
  ssl_st* tls = nullptr;
  bool ok = true;
  if (tls_ != nullptr) {
    tls = SSL_new(tls_);
    SSL_set_fd(tls, fd);
    ok = SSL_accept(tls) == 1;
  }
  limit_receive(fd);
  if (ok) {
    peer other{fd, tls, stopping_};
    script_(other);
  }
  if (tls != nullptr) SSL_free(tls);
  const std::lock_guard lock{mutex_};
  std::erase(open_, fd);
  ::close(fd);
}

pem_files make_certificate(const certificate_options& options) {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  X509* cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -86'400 * 3);
  X509_gmtime_adj(X509_getm_notAfter(cert), options.expired ? -86'400 : 86'400);
  X509_set_pubkey(cert, key);
  X509_NAME* name = X509_get_subject_name(cert);
  const std::string text = "syndicated test";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  X509_set_issuer_name(cert, name);
  const bool address = options.name.find_first_not_of("0123456789.") == std::string::npos;
  const std::string san = (address ? "IP:" : "DNS:") + options.name;
  for (const auto& [nid, value] : {std::pair{NID_subject_alt_name, san.c_str()},
                                   std::pair{NID_basic_constraints, "CA:TRUE"}}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(cert, key, EVP_sha256());
  pem_files files{temporary_file(), temporary_file()};
  std::FILE* out = std::fopen(files.certificate.c_str(), "w");
  PEM_write_X509(out, cert);
  std::fclose(out);
  out = std::fopen(files.key.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
  X509_free(cert);
  EVP_PKEY_free(key);
  return files;
}

scripted_dns::scripted_dns(script on_question) : script_(std::move(on_question)) {
  fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  port_ = bind_loopback(fd_);
  limit_receive(fd_);
  thread_ = std::thread{[this] { run(); }};
}

scripted_dns::~scripted_dns() {
  stopping_ = true;
  thread_.join();
  ::close(fd_);
}

void scripted_dns::run() {
  std::array<char, 1500> packet{};
  while (!stopping_) {
    sockaddr_in from{};
    socklen_t length = sizeof from;
    auto* raw = reinterpret_cast<sockaddr*>(&from);
    const auto n = ::recvfrom(fd_, packet.data(), packet.size(), 0, raw, &length);
    if (n < 17) continue;
    ++questions_;
    const std::string question{packet.data(), static_cast<std::size_t>(n)};
    std::string name;
    std::size_t at = 12;
    while (at < question.size() && question[at] != 0) {
      const auto label = static_cast<unsigned char>(question[at]);
      name += (name.empty() ? "" : ".") + question.substr(at + 1, label);
      at += label + 1U;
    }
    const int type = static_cast<unsigned char>(question.at(at + 2));
    const auto reply = script_(name, type);
    if (reply.silent) continue;
    const auto big = [](std::uint32_t value, int bytes) {
      std::string out;
      for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xffU);
      return out;
    };
    const std::size_t size = type == 28 ? 16 : 4;
    std::string records;
    std::uint32_t count = 0;
    for (const auto& address : reply.addresses) {
      if (address.size() != size) continue;
      ++count;
      records += big(0xc00c, 2) + big(static_cast<std::uint32_t>(type), 2) + big(1, 2) +
                 big(reply.ttl, 4) + big(static_cast<std::uint32_t>(size), 2) + address;
    }
    const std::string packet_out =
        question.substr(0, 2) + big(0x8180U | static_cast<std::uint32_t>(reply.code), 2) +
        big(1, 2) + big(count, 2) + big(0, 4) + question.substr(12, at + 5 - 12) + records;
    ::sendto(fd_, packet_out.data(), packet_out.size(), 0, raw, length);
  }
}

}  // namespace syndicated::net::test
