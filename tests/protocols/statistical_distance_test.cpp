// The bound of a run: its arithmetic, and the claim about sums of three uniforms by computation at small
// widths.
#include "protocols/statistical_distance.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/support/protocol_fixture.h"

using namespace smlp;
using smlp::testing::error_of;

namespace {

/// The sum of three uniforms in [0, width), exactly.
std::vector<double> sum_of_three(std::size_t width) {
  std::vector<double> pmf(1, 1);
  for (int uniform = 0; uniform < 3; ++uniform) {
    std::vector<double> next(pmf.size() + width - 1);
    for (std::size_t i = 0; i < pmf.size(); ++i)
      for (std::size_t u = 0; u < width; ++u) next[i + u] += pmf[i] / static_cast<double>(width);
    pmf = std::move(next);
  }
  return pmf;
}

std::vector<double> uniform(std::size_t width) {
  return std::vector<double>(width, 1 / static_cast<double>(width));
}

double at(const std::vector<double>& pmf, std::size_t x, std::size_t shift) {
  return x >= shift && x - shift < pmf.size() ? pmf[x - shift] : 0;
}

/// 1/2 sum (sqrt p(x) - sqrt p(x - shift))^2.
double squared_hellinger(const std::vector<double>& pmf, std::size_t shift) {
  double sum = 0;
  for (std::size_t x = 0; x < pmf.size() + shift; ++x)
    sum += std::pow(std::sqrt(at(pmf, x, 0)) - std::sqrt(at(pmf, x, shift)), 2);
  return sum / 2;
}

/// The statistical distance of `count` independent values of p and as many that are shifted: an upper bound,
/// by convolving the logarithm of the ratio of probabilities on a grid, always rounded down.
double distance(const std::vector<double>& pmf, std::size_t shift, std::size_t count) {
  constexpr double step = 1.0 / 2048, end = 6;
  const auto bins = static_cast<std::size_t>(2 * end / step);
  std::vector<std::pair<long, double>> jumps;  // in steps, and their probability
  double all = 0;
  for (std::size_t x = 0; x < pmf.size(); ++x)
    if (at(pmf, x, shift) > 0) {
      jumps.emplace_back(std::lround(std::floor(std::log(at(pmf, x, shift) / pmf[x]) / step)), pmf[x]);
      all += pmf[x];
    }
  REQUIRE(all <= 1 + 1e-9);
  std::vector<double> mass(bins);  // what is not here shows which of the two it is
  mass[bins / 2] = 1;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<double> next(bins);
    for (std::size_t bin = 0; bin < bins; ++bin) {
      if (mass[bin] == 0) continue;
      for (const auto& [jump, probability] : jumps) {
        const long to = std::min(static_cast<long>(bin) + jump, static_cast<long>(bins) - 1);
        if (to >= 0) next[static_cast<std::size_t>(to)] += mass[bin] * probability;
      }
    }
    mass = std::move(next);
  }
  double same = 0;
  for (std::size_t bin = 0; bin < bins; ++bin)
    same += mass[bin] * std::min(1.0, std::exp(static_cast<double>(bin) * step - end));
  return 1 - same;
}

}  // namespace

TEST_CASE("distance: of sums of three uniforms it is at most 1.09 sqrt(N) d / W, by computation [slow]") {
  for (const std::size_t width : {32u, 64u, 256u}) {
    const std::vector<double> mask = sum_of_three(width);
    for (const std::size_t shift : {1u, 2u, 7u, 20u}) {
      const double ratio = static_cast<double>(shift) / static_cast<double>(width);
      CAPTURE(width);
      CAPTURE(shift);
      CHECK(squared_hellinger(mask, shift) <= std::pow(1.09 * ratio, 2) / 2);
      if (shift == 1) CHECK(squared_hellinger(mask, shift) >= std::pow(1.06 * ratio, 2) / 2);
    }
  }
  const std::vector<double> mask = sum_of_three(32);
  for (const std::size_t shift : {1u, 2u})
    for (const std::size_t count : {1u, 4u, 16u, 64u}) {
      CAPTURE(shift);
      CAPTURE(count);
      const double bound = 1.09 * std::sqrt(static_cast<double>(count)) * static_cast<double>(shift) / 32;
      CHECK(distance(mask, shift, count) <= bound);
      CHECK(distance(mask, shift, count) >= 0.6 * bound);  // it is no empty claim
      if (count >= 4) {  // and uniform masks do not have it: N of them show N d / W
        const double one = 1 - static_cast<double>(shift) / 32;
        const double exact = 1 - std::pow(one, static_cast<double>(count));
        CHECK(distance(uniform(32), shift, count) == doctest::Approx(exact).epsilon(0.01));
        CHECK(exact > bound);
      }
    }
}

TEST_CASE("distance: of exponents that are almost uniform, by computation") {
  // r uniform below 2^bits, taken mod a q that is no power of two: the ratio to uniform is within q / 2^bits.
  for (const auto& [order, bits] : {std::pair{23u, 9u}, {97u, 12u}, {1009u, 14u}}) {
    const unsigned range = 1u << bits;
    double squared = 0;
    for (unsigned x = 0; x < order; ++x) {
      const double p = static_cast<double>(range / order + (x < range % order ? 1 : 0)) / range;
      squared += std::pow(std::sqrt(p) - std::sqrt(1.0 / order), 2) / 2;
    }
    CHECK(2 * squared <= std::pow(static_cast<double>(order) / range, 2));
  }
}

TEST_CASE("distance: masks and exponents add up by their squares, in logarithms") {
  const double constant = std::log2(1.09);
  CHECK(distance_bits({1, 0}, 40) == doctest::Approx(constant - 40));
  CHECK(distance_bits({std::exp2(32), 0}, 56) == doctest::Approx(constant + 16 - 56).epsilon(1e-3));
  CHECK(distance_bits({0, std::exp2(32)}, 40) == doctest::Approx(16.0 - 40 - 24).epsilon(0.2));
  const Shown both = Shown{std::exp2(20), 0} + Shown{3 * std::exp2(20), std::exp2(10)};
  CHECK(both == Shown{std::exp2(22), std::exp2(10)});
  CHECK(2 * both == Shown{std::exp2(23), std::exp2(11)});
  CHECK(distance_bits(both, 50) == doctest::Approx(constant + 11 - 50).epsilon(1e-6));
  // More shown is further, more sigma nearer; a distance is at most 1.
  CHECK(distance_bits({1e9, 1e9}, 50) < distance_bits({2e9, 1e9}, 50));
  CHECK(distance_bits({1e9, 1e9}, 51) < distance_bits({1e9, 1e9}, 50));
  CHECK(distance_bits({1e300, 1e300}, 128) == 0);
  CHECK(distance_bits({1e30, 0}, 40) == 0);
  // Counter mode caps what a wide sigma can promise.
  CHECK(distance_bits({std::exp2(30), 0}, 128) > -60);
  CHECK(distance_bits({std::exp2(30), 0}, 128) < -50);
  CHECK(distance_bits({}, 40) == -HUGE_VAL);
}

TEST_CASE("distance: the least sigma for a bound") {
  const auto of = [](double masks) {
    return [masks](std::size_t sigma) { return distance_bits({masks, 0}, sigma); };
  };
  CHECK(least_sigma(40, of(1)) == 41);
  CHECK(least_sigma(40, of(std::exp2(30))) == 56);
  CHECK(least_sigma(20, of(1)) == 40);  // no run has less
  CHECK(error_of([&] { least_sigma(100, of(std::exp2(60))); }) ==
        "no sigma up to 128 keeps this run below 2^-100; lower --statistical-bound or --epochs");
}

TEST_CASE("distance: what operations show") {
  Operations operations;
  operations.masked_values = 5;
  operations.rerandomisations = 7;
  operations.bit_rerandomisations = 11;
  operations.encryptions = operations.zero_tests = 13;  // the key holder's own
  CHECK(shown(operations) == Shown{5, 18});
}
