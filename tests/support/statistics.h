// Two-sample tests for the key holder's view, with the probabilities of their statistics.
#pragma once

#include <cstddef>
#include <vector>

#include "paillier/integer.h"

namespace smlp::testing {

/// Probability that two samples of one distribution differ by as much as these: Kolmogorov and Smirnov,
/// asymptotic; an upper bound where values are discrete.
double kolmogorov_smirnov(std::vector<double> a, std::vector<double> b);

/// The same by Pearson's chi-square on counts of the same classes. Classes that neither sample hit do not
/// count.
double chi_square_two_samples(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b);

/// Probability that uniform counts are as uneven as these.
double chi_square_uniform(const std::vector<std::size_t>& counts);

/// The same of the bytes, by their values.
double evenness(const Bytes& bytes);
/// Byte by byte, exclusive or: `b` has at least the bytes of `a`.
Bytes difference(Bytes a, const Bytes& b);

/// P(X >= x) for X chi-square distributed with this many degrees of freedom.
double chi_square_tail(double x, std::size_t degrees);

}  // namespace smlp::testing
