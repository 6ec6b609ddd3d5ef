// The meter.
#include "mlp/program/session.h"

#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "mlp/program/console.h"

namespace smlp {

namespace {

template <typename Value>
std::map<std::string, Value> minus(std::map<std::string, Value> later,
                                   const std::map<std::string, Value>& earlier,
                                   Value (*subtract)(const Value&, const Value&)) {
  for (auto& [name, value] : later)
    if (const auto found = earlier.find(name); found != earlier.end()) value = subtract(value, found->second);
  return later;
}

double subtract_seconds(const double& a, const double& b) {
  return a - b;
}
Traffic subtract_traffic(const Traffic& a, const Traffic& b) {
  return {a.to_key_holder - b.to_key_holder, a.to_evaluator - b.to_evaluator, a.rounds - b.rounds};
}

}  // namespace

Measured& Measured::operator+=(const Measured& other) {
  seconds += other.seconds;
  traffic += other.traffic;
  for (const auto& [kind, value] : other.by_kind) by_kind[kind] += value;
  for (const auto& [protocol, value] : other.by_protocol) by_protocol[protocol] += value;
  for (const auto& [protocol, value] : other.key_holder) key_holder[protocol] += value;
  return *this;
}

Measured Measured::operator-(const Measured& earlier) const {
  return {seconds - earlier.seconds, subtract_traffic(traffic, earlier.traffic),
          minus(by_kind, earlier.by_kind, subtract_seconds),
          minus(by_protocol, earlier.by_protocol, subtract_traffic),
          minus(key_holder, earlier.key_holder, subtract_seconds)};
}

double Measured::waiting_seconds() const {
  double sum = 0;
  for (const auto& [protocol, value] : key_holder) sum += value;
  return sum;
}

std::string Measured::split_text() const {
  std::string out;
  for (const auto& [kind, value] : by_kind) out += kind + " " + fixed_text(value, 1) + " s, ";
  return out + "waiting for the key holder " + fixed_text(waiting_seconds(), 1) + " s of it";
}

Json to_json(const Traffic& traffic) {
  return {{"to_key_holder", traffic.to_key_holder}, {"to_evaluator", traffic.to_evaluator}};
}

Json Measured::to_json() const {
  Json operations = Json::object();
  for (const auto& [protocol, messages] : by_protocol)
    if (messages.rounds > 0)
      operations[protocol] = {
          {"rounds", messages.rounds},
          {"bytes", smlp::to_json(messages)},
          {"waiting_seconds", key_holder.contains(protocol) ? key_holder.at(protocol) : 0.0}};
  return {{"seconds", seconds},
          {"bytes", smlp::to_json(traffic)},
          {"rounds", traffic.rounds},
          {"seconds_by_kind", by_kind},
          {"operations", std::move(operations)}};
}

Measured Meter::now() const {
  const Channel& channel = session_.channel();
  return {wall_seconds(), channel.traffic(), session_.arithmetic().seconds(), channel.traffic_by_protocol(),
          channel.seconds_by_protocol()};
}

Measured Meter::lap() {
  Measured current = now();
  Measured difference = current - last_;
  last_ = std::move(current);
  return difference;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace smlp
