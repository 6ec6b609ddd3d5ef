// Signed sums of weights: what is in range never alarms, and large excesses are found.
#include "mlp/training/weight_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "mlp/training/encrypted_arithmetic.h"
#include "mlp/training/initial_weights.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

TEST_CASE("weight check: the scaled sum fills the range that is checked, and does not pass it") {
  for (const std::size_t bits : {8U, 9U, 20U, 33U, 60U})
    for (const std::size_t inputs : {1U, 2U, 3U, 16U, 17U, 64U, 128U, 785U, 65536U})
      for (const std::size_t outputs : {1U, 10U, 4096U}) {
        CAPTURE(bits);
        CAPTURE(inputs);
        const Numbers numbers{bits, 4, 40};
        const SignedSum sum = signed_sum(inputs, outputs, numbers);
        const auto k = static_cast<double>(inputs);
        CHECK(sum.threshold <= k);
        const double hoeffding =
            2 * static_cast<double>(outputs) * std::exp(-sum.threshold * sum.threshold / (2 * k));
        CHECK((sum.threshold == k || hoeffding <= std::ldexp(1.0001, -40)));
        CHECK(sum.coefficient > 0);
        CHECK(bit_length(Integer(sum.coefficient)) <= bits - 1);  // a value like any other
        CHECK(sum.shift <= 2 * bits);
        const double scale = std::ldexp(static_cast<double>(sum.coefficient), -static_cast<int>(sum.shift));
        const double most = scale * std::ldexp(sum.threshold, static_cast<int>(bits) - 1);
        const double end = std::ldexp(1.0, static_cast<int>(bits + guard_bits) - 1);
        CHECK(most <= end - 2);  // the carry of the rescaling has its place
        CHECK(most >= end * (1 - std::ldexp(1.0, 4 - std::min(static_cast<int>(bits), 40))));
      }
  // The figures of the documentation, in bits.
  const Numbers numbers;
  CHECK(std::log2(signed_sum(16, 1, numbers).threshold) == doctest::Approx(4.0).epsilon(0.01));
  CHECK(std::log2(signed_sum(128, 1, numbers).threshold) == doctest::Approx(6.4).epsilon(0.01));
  CHECK(std::log2(signed_sum(785, 1, numbers).threshold) == doctest::Approx(7.7).epsilon(0.01));
}

TEST_CASE("weight check: weights at the ends of their range pass, and one far outside is found") {
  constexpr std::size_t inputs = 5, outputs = 2;
  TwoParties parties;
  const std::string refused = "the key holder refused: a masked value is out of range; the session ends";
  int found = 0;
  std::uint32_t step = 0;
  const auto outcome = [&](const IntegerMatrix& weights) {
    Evaluator evaluator = parties.evaluator();
    ++step;
    evaluator.session.back() = static_cast<std::uint8_t>(step);
    EncryptedArithmetic arithmetic(evaluator, preset("homomorphic"));
    const Layout layout = weight_layout({{inputs - 1, outputs}}, 0, parties.budget().slots());
    return error_of([&] { arithmetic.check_weights(step, {parties.encrypt(weights, layout)}); });
  };
  const long end = 1L << 19;
  for (std::size_t i = 0; i < 16; ++i) {
    CHECK(outcome(matrix_of(inputs, outputs, {end - 1, -end, -end, -end, end - 1, -end})) == "");
    IntegerMatrix weights = matrix_of(inputs, outputs, {1, -2, 3});
    weights(i % inputs, i % outputs) = 8 * end;  // the threshold is 5: all signs find it
    CHECK(outcome(weights) == refused);
    weights(i % inputs, i % outputs) = 5 * end + 8;
    weights((i + 1) % inputs, i % outputs) = -end;  // half of the signs do
    const std::string half = outcome(weights);
    CHECK((half.empty() || half == refused));
    found += half.empty() ? 0 : 1;
  }
  CHECK(found >= 4);
  CHECK(found <= 12);
}
