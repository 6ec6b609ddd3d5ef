// Two-sample tests.
#include "tests/support/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace smlp::testing {

double kolmogorov_smirnov(std::vector<double> a, std::vector<double> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  const auto size_a = static_cast<double>(a.size());
  const auto size_b = static_cast<double>(b.size());
  double distance = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const double value = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == value) ++i;
    while (j < b.size() && b[j] == value) ++j;
    distance =
        std::max(distance, std::abs(static_cast<double>(i) / size_a - static_cast<double>(j) / size_b));
  }
  const double lambda = distance * std::sqrt(size_a * size_b / (size_a + size_b));
  if (lambda < 0.3) return 1;  // the series needs many terms where its sum is 1
  double sum = 0;
  for (int k = 1; k <= 100; ++k) sum += (k % 2 == 1 ? 2 : -2) * std::exp(-2 * lambda * lambda * k * k);
  return std::clamp(sum, 0.0, 1.0);
}

double chi_square_two_samples(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  const auto total_a = static_cast<double>(std::accumulate(a.begin(), a.end(), std::size_t{0}));
  const auto total_b = static_cast<double>(std::accumulate(b.begin(), b.end(), std::size_t{0}));
  double statistic = 0;
  std::size_t classes = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] + b[i] == 0) continue;
    ++classes;
    const double share = static_cast<double>(a[i] + b[i]) / (total_a + total_b);
    statistic += std::pow(static_cast<double>(a[i]) - share * total_a, 2) / (share * total_a);
    statistic += std::pow(static_cast<double>(b[i]) - share * total_b, 2) / (share * total_b);
  }
  return classes < 2 ? 1 : chi_square_tail(statistic, classes - 1);
}

double chi_square_uniform(const std::vector<std::size_t>& counts) {
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
  const double expected = total / static_cast<double>(counts.size());
  double statistic = 0;
  for (const std::size_t count : counts)
    statistic += std::pow(static_cast<double>(count) - expected, 2) / expected;
  return chi_square_tail(statistic, counts.size() - 1);
}

double evenness(const Bytes& bytes) {
  std::vector<std::size_t> counts(256);
  for (const std::uint8_t byte : bytes) ++counts[byte];
  return chi_square_uniform(counts);
}

Bytes difference(Bytes a, const Bytes& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] ^= b[i];
  return a;
}

double chi_square_tail(double x, std::size_t degrees) {
  if (x <= 0) return 1;
  // The regularised upper incomplete gamma function Q(a, x / 2) (Abramowitz and Stegun 6.5.29 and 6.5.31).
  const double a = static_cast<double>(degrees) / 2;
  const double y = x / 2;
  const double scale = std::exp(a * std::log(y) - y - std::lgamma(a));
  if (y < a + 1) {
    double term = 1 / a;
    double sum = term;
    for (double k = a + 1; term > sum * 1e-16; ++k) sum += term *= y / k;
    return 1 - scale * sum;
  }
  // The continued fraction, from its tail.
  double fraction = 0;
  for (int k = 2000; k > 0; --k) fraction = k * (k - a) / (y + 2 * k + 1 - a - fraction);
  return scale / (y + 1 - a - fraction);
}

}  // namespace smlp::testing
