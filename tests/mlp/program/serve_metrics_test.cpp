// What Prometheus is told, scraped over HTTP; and that no label has what a caller wrote.
#include "mlp/program/serve_metrics.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "paillier/error.h"
#include "paillier/files.h"

using namespace smlp;

namespace {

/// What http://127.0.0.1:PORT/metrics answers.
std::string scraped(const MetricsListener& listener) {
  const std::string& address = listener.address();
  const std::size_t colon = address.rfind(':');
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const FileDescriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  REQUIRE(
      write_all(connection.get(), {reinterpret_cast<const std::uint8_t*>(request.data()), request.size()}));
  std::string out;
  std::array<char, 4096> piece{};
  for (ssize_t count = 0; (count = ::read(connection.get(), piece.data(), piece.size())) > 0;)
    out.append(piece.data(), static_cast<std::size_t>(count));
  return out;
}

CallRecord request_of(const std::string& protocol, std::uint8_t session) {
  CallRecord call{.what = "request", .peer = "evaluator.example"};
  call.header.protocol = protocol;
  call.header.session = {session};
  call.request_bytes = 1000;
  call.answer_bytes = 10;
  call.seconds = 0.02;
  return call;
}

}  // namespace

TEST_CASE("metrics: calls by protocol, refusals by reason, nothing of the caller") {
  ServeMetrics metrics;
  std::size_t held = 5;
  const MetricsListener listener(parse_metrics_endpoint("0"), metrics, {[&held] { return held; }, 77});
  const auto has = [&](const std::string& line) {
    const std::string text = scraped(listener);
    return text.find("\n" + line + "\n") != std::string::npos;
  };
  CHECK(has("smlp_refusals_total{reason=\"busy\"} 0"));
  CHECK(has("smlp_request_memory_bytes 5"));
  CHECK(has("smlp_request_memory_limit_bytes 77"));

  metrics.count(request_of("matmul/packed", 1));
  metrics.count(request_of("matmul/packed", 2));
  metrics.count({.what = "hello", .peer = "evaluator.example"});
  CallRecord refused = request_of("a protocol\"} 1\nof mine", 2);
  refused.refusal = "evaluator.example wrote this";
  refused.reason = Refusal::invalid;
  metrics.count(refused);
  CallRecord busy = request_of("matmul/packed", 3);
  busy.refusal = "busy";
  busy.reason = Refusal::busy;
  metrics.count(busy);
  CallRecord away{.what = "handshake", .peer = "203.0.113.9"};
  away.refusal = "no certificate";
  away.reason = Refusal::handshake;
  away.turned_away = true;
  metrics.count(away);
  CallRecord cut_off = request_of("matmul/packed", 4);
  cut_off.refusal = "the answer could not be sent";
  cut_off.reason = Refusal::unfinished;
  metrics.count(cut_off);
  held = 6;
  CHECK(has("smlp_requests_total{protocol=\"matmul/packed\"} 2"));
  CHECK(has("smlp_requests_total{protocol=\"hello\"} 1"));
  CHECK(has("smlp_requests_total{protocol=\"unknown\"} 1"));
  CHECK(has("smlp_received_bytes_total{protocol=\"matmul/packed\"} 2000"));
  CHECK(has("smlp_sent_bytes_total{protocol=\"matmul/packed\"} 20"));
  CHECK(has("smlp_request_duration_seconds_count{protocol=\"matmul/packed\"} 2"));
  CHECK(has("smlp_request_duration_seconds_bucket{protocol=\"matmul/packed\",le=\"0.03\"} 2"));
  CHECK(has("smlp_request_duration_seconds_bucket{protocol=\"matmul/packed\",le=\"0.01\"} 0"));
  CHECK(has("smlp_refusals_total{reason=\"invalid\"} 1"));
  CHECK(has("smlp_refusals_total{reason=\"busy\"} 1"));
  CHECK(has("smlp_refusals_total{reason=\"handshake\"} 1"));
  CHECK(has("smlp_refusals_total{reason=\"unfinished\"} 1"));
  CHECK(has("smlp_sessions_active 2"));
  CHECK(has("smlp_request_memory_bytes 6"));
  const std::string text = scraped(listener);
  CHECK(text.find("evaluator.example") == std::string::npos);
  CHECK(text.find("of mine") == std::string::npos);
  CHECK(text.find("203.0.113.9") == std::string::npos);
  CHECK(text.find("smlp_certificate") == std::string::npos);
  metrics.set_certificate_end(std::chrono::system_clock::time_point(std::chrono::seconds(2'000'000'000)));
  CHECK(has("smlp_certificate_expiry_timestamp_seconds 2000000000"));
}

TEST_CASE("metrics: a port alone is on loopback, a host is an address in numbers") {
  CHECK(parse_metrics_endpoint("9464").text() == "127.0.0.1:9464");
  CHECK(parse_metrics_endpoint(":9464").text() == "127.0.0.1:9464");
  CHECK(parse_metrics_endpoint("localhost:1").text() == "127.0.0.1:1");
  CHECK(parse_metrics_endpoint("0.0.0.0:1").text() == "0.0.0.0:1");
  CHECK(parse_metrics_endpoint("[::1]:1").text() == "[::1]:1");
  for (const char* text : {"", ":", "65536", "host.example:1", "127.0.0.1", "1.2.3.4:x"})
    CHECK_THROWS_AS(parse_metrics_endpoint(text), Error);
}

TEST_CASE("metrics: an address that cannot be had is an error that tells why") {
  ServeMetrics metrics;
  const auto none = [] { return std::size_t{0}; };
  const MetricsListener first({"127.0.0.1", "0"}, metrics, {none, 0});
  const std::string port = first.address().substr(first.address().rfind(':') + 1);
  const Endpoint taken{"127.0.0.1", std::to_string(std::stoi(port))};
  CHECK_THROWS_WITH_AS(MetricsListener(taken, metrics, {none, 0}),
                       ("cannot listen on " + taken.text() +
                        " for metrics: the port is in use, by another key holder perhaps: end that process "
                        "or take another port")
                           .c_str(),
                       Error);
}
