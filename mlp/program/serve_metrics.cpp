// Counters of prometheus-cpp, and gauges that are read when somebody asks.
#include "mlp/program/serve_metrics.h"

#include <arpa/inet.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "mlp/program/resident_memory.h"
#include "paillier/error.h"
#include "protocols/registry.h"
#include "protocols/version.h"

namespace smlp {

namespace {

using Clock = std::chrono::steady_clock;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// "hello", "echo", the protocol of a request, or "unknown": what a caller wrote is no label.
std::string protocol_label(const CallRecord& call) {
  if (call.what != "request") return call.what;
  const auto known = std::ranges::find(registry(), call.header.protocol,
                                       [](const Descriptor& protocol) { return protocol.wire_name(); });
  return known == registry().end() ? "unknown" : call.header.protocol;
}

/// Of one value, now.
MetricFamily family(const char* name, const char* help, MetricType type, double value) {
  prometheus::ClientMetric metric;
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return {name, help, type, {metric}};
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double unix_seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

Endpoint parse_metrics_endpoint(const std::string& text) {
  const bool port_alone = text.find_first_not_of("0123456789", text.starts_with(':') ? 1 : 0) == text.npos;
  const std::string whole = !port_alone ? text : "127.0.0.1:" + text.substr(text.starts_with(':') ? 1 : 0);
  Endpoint endpoint = parse_endpoint(whole);
  endpoint.host = endpoint.address();
  in_addr four{};
  in6_addr six{};
  if (::inet_pton(AF_INET, endpoint.host.c_str(), &four) != 1 &&
      ::inet_pton(AF_INET6, endpoint.host.c_str(), &six) != 1)
    throw Error("--metrics-listen has the host '" + endpoint.host +
                "', an address in numbers is needed, as 127.0.0.1");
  return endpoint;
}

struct ServeMetrics::Families {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  prometheus::Family<prometheus::Counter>& requests =
      counter("smlp_requests_total", "Calls that were let in.");
  prometheus::Family<prometheus::Counter>& refusals =
      counter("smlp_refusals_total", "Calls that got no answer, by the class of the reason.");
  prometheus::Family<prometheus::Counter>& received =
      counter("smlp_received_bytes_total", "Bytes of the frames of requests.");
  prometheus::Family<prometheus::Counter>& sent =
      counter("smlp_sent_bytes_total", "Bytes of the frames of answers.");
  prometheus::Family<prometheus::Histogram>& seconds = prometheus::BuildHistogram()
                                                           .Name("smlp_request_duration_seconds")
                                                           .Help("Seconds of computing an answer.")
                                                           .Register(*registry);

 private:
  prometheus::Family<prometheus::Counter>& counter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(*registry);
  }
};

/// What is true at the moment of asking.
struct ServeMetrics::Gauges : prometheus::Collectable {
  Gauges(ServeMetrics& of, RequestMemory of_requests) : metrics(of), memory(std::move(of_requests)) {}
  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> out{
        family("smlp_sessions_active", "Sessions with a request in the last five minutes.", MetricType::Gauge,
               static_cast<double>(metrics.active_sessions())),
        family("smlp_request_memory_bytes", "Memory granted to requests in progress.", MetricType::Gauge,
               static_cast<double>(memory.held())),
        family("smlp_request_memory_limit_bytes", "What --memory allows them.", MetricType::Gauge,
               static_cast<double>(memory.limit)),
        family("process_resident_memory_bytes", "Resident memory of the process.", MetricType::Gauge,
               resident_bytes()),
        family("process_cpu_seconds_total", "Processor time of the process.", MetricType::Counter,
               processor_seconds()),
        family("process_start_time_seconds", "When the process started, in Unix time.", MetricType::Gauge,
               unix_seconds(started))};
    if (const std::int64_t end = metrics.certificate_end_.load(); end != 0)
      out.push_back(family("smlp_certificate_expiry_timestamp_seconds",
                           "Until when the key holder's certificate is valid, in Unix time.",
                           MetricType::Gauge, static_cast<double>(end)));
    out.push_back(family("smlp_build_info", "1, with the version of the program.", MetricType::Gauge, 1));
    out.back().metric.front().label = {{"version", version}};
    return out;
  }
  ServeMetrics& metrics;
  RequestMemory memory;
  std::chrono::system_clock::time_point started = std::chrono::system_clock::now();
};

ServeMetrics::ServeMetrics() : families_(std::make_unique<Families>()) {
  for (const Refusal refusal : all_refusals)  // so that the first of them is an increase
    families_->refusals.Add({{"reason", std::string(name(refusal))}});
}

ServeMetrics::~ServeMetrics() = default;

void ServeMetrics::count(const CallRecord& call) {
  if (call.reason != Refusal::none)
    families_->refusals.Add({{"reason", std::string(name(call.reason))}}).Increment();
  if (call.turned_away || call.reason == Refusal::busy || call.reason == Refusal::unfinished) return;
  const prometheus::Labels labels{{"protocol", protocol_label(call)}};
  families_->requests.Add(labels).Increment();
  families_->received.Add(labels).Increment(static_cast<double>(call.request_bytes));
  families_->sent.Add(labels).Increment(static_cast<double>(call.answer_bytes));
  families_->seconds
      .Add(labels,
           prometheus::Histogram::BucketBoundaries{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100})
      .Observe(call.seconds);
  if (call.header.protocol.empty()) return;
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= most_sessions) forget_inactive_sessions();
  if (sessions_.size() < most_sessions || sessions_.contains(call.header.session))
    sessions_[call.header.session] = Clock::now();
}

void ServeMetrics::set_certificate_end(std::chrono::system_clock::time_point end) {
  certificate_end_ = std::chrono::duration_cast<std::chrono::seconds>(end.time_since_epoch()).count();
}

void ServeMetrics::forget_inactive_sessions() {
  std::erase_if(sessions_,
                [now = Clock::now()](const auto& session) { return now - session.second > active; });
}

std::size_t ServeMetrics::active_sessions() {
  const std::lock_guard lock(mutex_);
  forget_inactive_sessions();
  return sessions_.size();
}

MetricsListener::MetricsListener(const Endpoint& endpoint, ServeMetrics& metrics, RequestMemory memory)
    : gauges_(std::make_shared<ServeMetrics::Gauges>(metrics, std::move(memory))) {
  try {
    exposer_ = std::make_unique<prometheus::Exposer>(endpoint.text());
  } catch (const std::exception&) {  // its words do not say why
    const std::string why = why_not_listening(endpoint);
    throw Error("cannot listen on " + endpoint.text() +
                " for metrics: " + (why.empty() ? "the HTTP server does not start" : why));
  }
  exposer_->RegisterCollectable(metrics.families_->registry);
  exposer_->RegisterCollectable(gauges_);
  Endpoint at = endpoint;
  at.port = std::to_string(exposer_->GetListeningPorts().at(0));
  address_ = "http://" + at.text() + "/metrics";
}

MetricsListener::~MetricsListener() = default;

}  // namespace smlp
