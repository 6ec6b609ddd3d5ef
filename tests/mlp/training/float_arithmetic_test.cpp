// Training in doubles: its gradients against finite differences.
#include "mlp/training/float_arithmetic.h"

#include <doctest/doctest.h>

#include <cmath>

#include "mlp/training/trainer.h"

using namespace smlp;

namespace {

using Doubles = Matrix<double>;

/// Reproducible numbers in [-1, 1] without structure.
Doubles smooth(std::size_t rows, std::size_t cols, double phase) {
  Doubles m(rows, cols);
  for (std::size_t i = 0; i < m.size(); ++i)
    m.cells()[i] = std::sin(phase + 12.9898 * static_cast<double>(i + 1));
  return m;
}

double loss(FloatArithmetic& arithmetic, const Weights<Doubles>& model, const Doubles& x, const Doubles& y) {
  const Doubles out = forward(arithmetic, Network{{3, 5, 4, 2}}, model, 0, arithmetic.with_bias_input(x));
  double sum = 0;
  for (std::size_t i = 0; i < out.size(); ++i) sum += std::pow(out.cells()[i] - y.cells()[i], 2) / 2;
  return sum / static_cast<double>(x.rows());
}

}  // namespace

TEST_CASE("a step moves every weight by rate times the gradient of the loss") {
  FloatArithmetic arithmetic(10);
  const Doubles x = smooth(6, 3, 0.1), y = smooth(6, 2, 0.2);
  const Weights<Doubles> before{{smooth(4, 5, 0.3), smooth(6, 4, 0.4), smooth(5, 2, 0.5)}, {}};
  UpdateFactors factors;
  factors.rescale = {-1 << 10, 30};  // rate / rows = 2^-10
  const double rate = std::ldexp(1.0, -10) * 6;
  Weights<Doubles> after = before;
  const Doubles residual =
      train_batch(arithmetic, Network{{3, 5, 4, 2}}, after, 0, arithmetic.with_bias_input(x), y, factors);
  const Doubles outputs =
      forward(arithmetic, Network{{3, 5, 4, 2}}, before, 0, arithmetic.with_bias_input(x));
  for (std::size_t cell = 0; cell < residual.size(); ++cell)
    CHECK(residual.cells()[cell] == outputs.cells()[cell] - y.cells()[cell]);
  for (std::size_t layer = 0; layer < 3; ++layer)
    for (std::size_t cell = 0; cell < before.weights[layer].size(); ++cell) {
      Weights<Doubles> up = before, column_packed = before;
      const double h = 1e-6;
      up.weights[layer].cells()[cell] += h;
      column_packed.weights[layer].cells()[cell] -= h;
      const double slope = (loss(arithmetic, up, x, y) - loss(arithmetic, column_packed, x, y)) / (2 * h);
      const double moved = after.weights[layer].cells()[cell] - before.weights[layer].cells()[cell];
      CHECK(moved == doctest::Approx(-rate * slope).epsilon(1e-4));
    }
}

TEST_CASE("momentum keeps a share of the last update, decay pulls toward zero") {
  FloatArithmetic arithmetic(10);
  const Doubles x = arithmetic.with_bias_input(smooth(4, 2, 0.1)), y = smooth(4, 2, 0.2);
  UpdateFactors factors;
  factors.rescale = {-1 << 10, 30};
  factors.momentum = 1 << 29;  // 1/2
  factors.decay = -(1 << 20);  // 2^-10
  Weights<Doubles> model{{smooth(3, 2, 0.3)}, {smooth(3, 2, 0.7)}};
  Weights<Doubles> plain{model.weights, {}};
  UpdateFactors gradient_only;
  gradient_only.rescale = factors.rescale;
  train_batch(arithmetic, Network{{2, 2}}, plain, 0, x, y, gradient_only);
  const Weights<Doubles> before = model;
  train_batch(arithmetic, Network{{2, 2}}, model, 0, x, y, factors);
  for (std::size_t cell = 0; cell < 6; ++cell) {
    const double w = before.weights[0].cells()[cell], v = before.velocities[0].cells()[cell];
    const double step = plain.weights[0].cells()[cell] - w;
    CHECK(model.velocities[0].cells()[cell] == doctest::Approx(step + v / 2 - w / 1024));
    CHECK(model.weights[0].cells()[cell] == doctest::Approx(w + step + v / 2 - w / 1024));
  }
}

TEST_CASE("the derivative of ReLU at 0 is 1") {
  FloatArithmetic arithmetic(10);
  Doubles z(1, 3);
  z(0, 0) = -1, z(0, 1) = 0, z(0, 2) = 2;
  const auto [values, tape] = arithmetic.relu({}, z);
  CHECK(values.cells() == std::vector<double>{0, 0, 2});
  CHECK(tape.cells() == std::vector<double>{0, 1, 1});
}
