// A call as it comes from the socket, and the JSON in it.
#include <benchmark/benchmark.h>

#include <string>

#include "api/json.hpp"
#include "bench/micro/samples.hpp"
#include "core/base/limits.hpp"
#include "net/request_parser.hpp"

namespace syndicated::bench {
namespace {

std::string published_line() {
  return R"({"name":"order.paid","stream":"orders/1","data":)" + sample_event().data + "}";
}

void parse_request(benchmark::State& state) {
  const std::string body = published_line();
  const std::string text =
      "POST /v1/events HTTP/1.1\r\nHost: syndicated.example:8080\r\nAuthorization: Bearer "
      "0123456789abcdef0123456789abcdef01234567\r\nContent-Type: application/json\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  net::request_parser parser(core::limits::request_body_bytes_max);
  for (auto _ : state) {
    std::string_view rest = text;
    if (parser.consume(rest) != net::request_parser::state::complete) {
      state.SkipWithError("the request was not accepted");
      break;
    }
    benchmark::DoNotOptimize(parser.request());
    parser.reset();
  }
}
BENCHMARK(parse_request);

void parse_json(benchmark::State& state) {
  const std::string text = published_line();
  for (auto _ : state) {
    auto parsed = api::parse_json(text);
    if (!parsed) {
      state.SkipWithError("the text was not accepted");
      break;
    }
    benchmark::DoNotOptimize(*parsed);
  }
}
BENCHMARK(parse_json);

}  // namespace
}  // namespace syndicated::bench
