// What the daemon is compared with: a bare libcurl multi loop that sends the same request to the
// same sink, over kept connections, and does nothing else.
//
//   bench_curl_baseline --port N [--requests N] [--concurrency N] [--path /]
//
// Prints JSON: requests, failures, seconds, requests_per_s, cpu_us_per_request (user and system).
#include <curl/curl.h>

#include <array>
#include <vector>

#include "bench/wire.hpp"

namespace syndicated::bench {
namespace {

constexpr std::string_view body =
    R"({"date":"2026-11-21T08:15:30Z","entity":"Subscription","entityUrl":"subscription/2388",)"
    R"("eventId":100001,"id":2388,"type":"MODIFIED"})";

constexpr const char* headers[] = {
    "Content-Type: application/json; charset=utf-8",
    "Accept: application/json",
    "User-Agent: syndicated",
    "CMW-Event-Signature: sha1=5b6798a18462ff7b733e42aa50bc8e0586425948",
    "CMW-Event-Id: 100001",
    "CMW-Event-Seq: 17",
    "CMW-Event-Version: 17",
    "CMW-Event-Name: subscription.suspended",
    "CMW-Delivery-Attempt: 1",
    "Expect:",
};

class baseline {
 public:
  explicit baseline(const arguments& given)
      : url_("http://127.0.0.1:" + given.text("--port") + given.text("--path", "/hook")),
        left_(given.integer("--requests", 100'000)),
        concurrency_(given.integer("--concurrency", 64)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        multi_(curl_multi_init()) {}
  ~baseline();

  void run();
  int done() const { return done_; }
  int failures() const { return failures_; }

 private:
  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  static std::size_t on_body(char*, std::size_t size, std::size_t n, void*) { return size * n; }
  CURL* make_handle();
  void collect();

  std::string url_;
  int left_;
  int concurrency_;
  int epoll_;
  CURLM* multi_;
  curl_slist* list_ = nullptr;
  std::vector<CURL*> handles_;
  std::int64_t due_ns_ = -1;
  int done_ = 0;
  int failures_ = 0;
  int running_ = 0;
};

baseline::~baseline() {
  for (CURL* easy : handles_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);
  curl_slist_free_all(list_);
  ::close(epoll_);
}

int baseline::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
  auto& me = *static_cast<baseline*>(self);
  if (what == CURL_POLL_REMOVE) {
    ::epoll_ctl(me.epoll_, EPOLL_CTL_DEL, fd, nullptr);
    curl_multi_assign(me.multi_, fd, nullptr);
    return 0;
  }
  epoll_event event{};
  event.events = (what & CURL_POLL_IN ? static_cast<unsigned>(EPOLLIN) : 0U) |
                 (what & CURL_POLL_OUT ? static_cast<unsigned>(EPOLLOUT) : 0U);
  event.data.fd = fd;
  ::epoll_ctl(me.epoll_, known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  curl_multi_assign(me.multi_, fd, self);
  return 0;
}

int baseline::on_timer(CURLM*, long timeout_ms, void* self) {
  static_cast<baseline*>(self)->due_ns_ =
      timeout_ms < 0 ? -1 : monotonic_ns() + std::int64_t{timeout_ms} * 1'000'000;
  return 0;
}

CURL* baseline::make_handle() {
  CURL* easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list_);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 15'000L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &baseline::on_body);
  handles_.push_back(easy);
  return easy;
}

void baseline::collect() {
  int queued = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (message->data.result != CURLE_OK || status / 100 != 2) ++failures_;
    ++done_;
    curl_multi_remove_handle(multi_, easy);
    if (left_ > 0) {
      --left_;
      ++running_;
      curl_multi_add_handle(multi_, easy);
    }
    --running_;
  }
}

void baseline::run() {
  for (const char* header : headers) list_ = curl_slist_append(list_, header);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &baseline::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &baseline::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(concurrency_));
  for (int i = 0; i < concurrency_ && left_ > 0; ++i, --left_, ++running_) {
    curl_multi_add_handle(multi_, make_handle());
  }
  std::array<epoll_event, 256> events{};
  while (running_ > 0) {
    int wait = -1;
    if (due_ns_ >= 0) {
      const auto left_ns = due_ns_ - monotonic_ns();
      wait = left_ns <= 0 ? 0 : static_cast<int>((left_ns + 999'999) / 1'000'000);
    }
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
    int ignored = 0;
    for (int i = 0; i < n; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      const int mask = (event.events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                       (event.events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                       (event.events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
      curl_multi_socket_action(multi_, event.data.fd, mask, &ignored);
    }
    if (due_ns_ >= 0 && monotonic_ns() >= due_ns_) {
      due_ns_ = -1;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &ignored);
    }
    collect();
  }
}

}  // namespace
}  // namespace syndicated::bench

int main(int argc, char** argv) {
  using namespace syndicated::bench;
  const arguments given{argc, argv};
  if (!given.has("--port")) die("--port is missing");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  baseline run{given};
  const double cpu = cpu_seconds();
  const auto begun = monotonic_ns();
  run.run();
  const double seconds = static_cast<double>(monotonic_ns() - begun) / 1e9;
  std::printf(
      "{\"requests\":%d,\"failures\":%d,\"seconds\":%.3f,\"requests_per_s\":%.0f,"
      "\"cpu_us_per_request\":%.2f}\n",
      run.done(), run.failures(), seconds, run.done() / seconds,
      (cpu_seconds() - cpu) / run.done() * 1e6);
  return run.failures() == 0 ? 0 : 1;
}
