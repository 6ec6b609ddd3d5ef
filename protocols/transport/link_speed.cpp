// Links in words, and by echoes.
#include "protocols/transport/link_speed.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "paillier/error.h"

namespace smlp {

namespace {

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array<Unit, 3> bandwidths{{{"Gbit", 1e9}, {"Mbit", 1e6}, {"kbit", 1e3}}};
constexpr std::array<Unit, 3> times{{{"ms", 1e-3}, {"us", 1e-6}, {"s", 1}}};

/// A number and one of the units.
std::optional<double> parse_quantity(std::string_view text, const std::array<Unit, 3>& units) {
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    const std::string_view digits = text.substr(0, text.size() - unit.name.size());
    double number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size() || !(number >= 0 && number < 1e9))
      return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

/// In the largest unit of which there is one at least.
std::string quantity_text(double value, const std::array<Unit, 3>& descending) {
  const Unit* unit = &descending.back();
  for (const Unit& each : descending)
    if (value >= each.factor) {
      unit = &each;
      break;
    }
  std::array<char, 32> digits;
  const double number = std::round(100 * value / unit->factor) / 100;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return std::string(digits.data(), end) + " " + std::string(unit->name);
}

}  // namespace

LinkSpeed LinkSpeed::loopback() {
  return {50e-6, 2.5e9, 2.5e9};
}

LinkSpeed LinkSpeed::parse(std::string_view text) {
  if (text == "loopback") return loopback();
  const std::size_t slash = text.find('/');
  if (slash != text.npos) {
    const auto bandwidth = parse_quantity(text.substr(0, slash), bandwidths);
    const auto round_trip = parse_quantity(text.substr(slash + 1), times);
    if (bandwidth && *bandwidth >= 1 && round_trip && *round_trip <= 86400)
      return {*round_trip, *bandwidth / 8, *bandwidth / 8};
  }
  throw Error("a link is '" + std::string(text.substr(0, 40)) +
              "', allowed are loopback and BANDWIDTH/RTT, as in 1Gbit/5ms (kbit, Mbit, Gbit; us, ms, s)");
}

std::string LinkSpeed::text() const {
  constexpr std::array<Unit, 3> descending{{{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}}};
  std::string out = quantity_text(8 * up, bandwidths) + "/s";
  if (up != down) out += " there, " + quantity_text(8 * down, bandwidths) + "/s back";
  return out + ", " + quantity_text(round_trip, descending);
}

double LinkSpeed::seconds(const Traffic& traffic) const {
  return static_cast<double>(traffic.rounds) * round_trip + static_cast<double>(traffic.to_key_holder) / up +
         static_cast<double>(traffic.to_evaluator) / down;
}

LinkSpeed measure_link(KeyHolderLink& link) {
  constexpr std::size_t least_bytes = std::size_t{1} << 14, most_bytes = std::size_t{1} << 20;
  constexpr int attempts = 9;
  constexpr double long_enough = 0.5;  // seconds: an echo that took so long tells the bandwidth well
  using Clock = std::chrono::steady_clock;
  const auto seconds_of = [&](std::size_t up, std::size_t down) {
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < attempts; ++i) {
      const Clock::time_point start = Clock::now();
      if (const auto outcome = link.echo(up, down, std::chrono::seconds(60)); !outcome.ok)
        throw Error(link.name() + ": " + outcome.message);
      const double took = std::chrono::duration<double>(Clock::now() - start).count();
      least = std::min(least, took);
      if (took > long_enough) break;
    }
    return least;
  };
  LinkSpeed speed;
  speed.round_trip = seconds_of(1, 1);
  std::size_t measured_bytes = least_bytes;
  double up = seconds_of(measured_bytes, 0);
  while (measured_bytes < most_bytes && up - speed.round_trip < long_enough / 8) {
    measured_bytes *= 8;
    up = seconds_of(measured_bytes, 0);
  }
  const double both = seconds_of(measured_bytes, measured_bytes);
  const auto bytes = static_cast<double>(measured_bytes);
  speed.up = bytes / std::max(up - speed.round_trip, 1e-6);
  speed.down = bytes / std::max(both - up, 1e-6);
  return speed;
}

}  // namespace smlp
