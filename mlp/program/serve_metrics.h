// What `smlp serve --metrics-listen` tells Prometheus.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "protocols/transport/server.h"

namespace prometheus {
class Exposer;
}

namespace smlp {

/// HOST:PORT, where the host is an address in numbers or localhost; PORT and :PORT are on 127.0.0.1. Throws
/// Error.
Endpoint parse_metrics_endpoint(const std::string& text);

/// Counts calls, by protocol and by the class of a refusal. No name of a caller and nothing that a caller
/// wrote is in a label, so there are as many series as protocols. Thread-safe.
class ServeMetrics {
 public:
  ServeMetrics();
  ServeMetrics(const ServeMetrics&) = delete;
  ServeMetrics& operator=(const ServeMetrics&) = delete;
  ~ServeMetrics();
  void count(const CallRecord& call);
  /// Until when the key holder's certificate is valid; without TLS none.
  void set_certificate_end(std::chrono::system_clock::time_point end);

 private:
  friend class MetricsListener;
  struct Families;
  struct Gauges;
  /// Sessions that are remembered for being active; more are not counted.
  static constexpr std::size_t most_sessions = 65536;
  static constexpr std::chrono::minutes active{5};
  std::size_t active_sessions();
  void forget_inactive_sessions();

  std::unique_ptr<Families> families_;
  std::mutex mutex_;
  std::map<SessionId, std::chrono::steady_clock::time_point> sessions_;  ///< when each was last heard of
  std::atomic<std::int64_t> certificate_end_{0};                         ///< Unix seconds; 0: none
};

/// Memory that requests take, and may take.
struct RequestMemory {
  std::function<std::size_t()> held;
  std::size_t limit = 0;
};

/// Answers http://ENDPOINT/metrics while it lives.
class MetricsListener {
 public:
  /// Both must outlive it. Throws Error where nobody can listen there.
  MetricsListener(const Endpoint& endpoint, ServeMetrics& metrics, RequestMemory memory);
  MetricsListener(const MetricsListener&) = delete;
  MetricsListener& operator=(const MetricsListener&) = delete;
  ~MetricsListener();
  /// "http://127.0.0.1:9464/metrics".
  const std::string& address() const { return address_; }

 private:
  std::shared_ptr<ServeMetrics::Gauges> gauges_;
  std::unique_ptr<prometheus::Exposer> exposer_;
  std::string address_;
};

}  // namespace smlp
