// Every kind of layer and of outputs: its function, its gradient, and encrypted training against the twin.
#include "mlp/layers/layer_kind.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "mlp/layers/activate.h"
#include "mlp/training/cost.h"
#include "paillier/error.h"
#include "tests/mlp/training/training_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

const Numbers numbers{20, 10, 40};
constexpr OperationId here{0, 0, Direction::activation};

/// The functions as the literature writes them, and their derivatives where they have one.
using Function = double (*)(double);
const std::map<std::string_view, std::pair<Function, Function>> written = {
    {"relu", {[](double z) { return std::max(z, 0.0); }, [](double z) { return z >= 0 ? 1.0 : 0.0; }}},
    {"leaky-relu",
     {[](double z) { return z >= 0 ? z : z / 8; }, [](double z) { return z >= 0 ? 1 : 0.125; }}},
    {"hard-tanh",
     {[](double z) { return std::clamp(z, -1.0, 1.0); },
      [](double z) { return std::abs(z) < 1 ? 1.0 : 0.0; }}},
    {"hard-sigmoid",
     {[](double z) { return std::clamp(z / 4 + 0.5, 0.0, 1.0); },
      [](double z) { return std::abs(z) < 2 ? 0.25 : 0.0; }}},
    {"linear", {[](double z) { return z; }, [](double) { return 1.0; }}},
};

/// -5, -4.96875, .., 5: without the points where a slope changes.
Matrix<double> points() {
  Matrix<double> out(321, 1);
  for (std::size_t i = 0; i < out.size(); ++i)
    out.cells()[i] = (static_cast<double>(i) - 160) / 32 + 1.0 / 64;
  return out;
}

Matrix<double> divided(Matrix<double> m, std::size_t halvings) {
  for (double& cell : m.cells()) cell = std::ldexp(cell, -static_cast<int>(halvings));
  return m;
}

/// Every kind where it may stand: hidden ones before linear outputs, outputs behind ReLU; two hidden layers.
std::vector<Network> every_network() {
  std::vector<Network> out;
  for (const LayerKind* kind : layer_kinds()) {
    if (kind->hidden) out.push_back(Network({3, 4, 2}, {kind, &output_kind("linear")}));
    if (kind->output) out.push_back(Network({3, 4, 2}, {&hidden_kind("relu"), kind}));
  }
  out.push_back(
      Network({3, 4, 3, 2}, {&hidden_kind("relu"), &hidden_kind("leaky-relu"), &output_kind("linear")}));
  return out;
}

}  // namespace

TEST_CASE("every kind of layer is its function and its derivative, in doubles and integers") {
  const BitBudget budget(numbers, 16, 512);
  for (const LayerKind* kind : layer_kinds()) {
    CAPTURE(kind->name);
    REQUIRE(written.contains(kind->name));
    const auto& [function, slope] = written.at(kind->name);
    FloatArithmetic clear(10);
    TwinArithmetic twin(budget, RandomSource::from_seed(1));
    const Matrix<double> z = points(), u = divided(z, kind->halvings);
    const auto [doubles, state] = activate(clear, here, *kind, u);
    const auto [integers, twin_state] = activate(twin, here, *kind, in_words(encode(u, numbers)));
    const Matrix<double> ones(z.rows(), 1, 1.0), delta = divided(ones, kind->halvings);
    const auto back = derivative(clear, here, *kind, delta, state);
    const auto twin_back = derivative(twin, here, *kind, in_words(encode(delta, numbers)), twin_state);
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double at = z.cells()[i];
      CAPTURE(at);
      CHECK(doubles.cells()[i] == function(at));
      CHECK(kind->of_scaled(u.cells()[i]) == function(at));
      // u is z / 2^halvings without a rest: 2^-6 has 4 bits to spare.
      CHECK(decode(integers.cells()[i], numbers) == function(at));
      CHECK(back.cells()[i] == slope(at));
      CHECK(decode(twin_back.cells()[i], numbers) == slope(at));
    }
  }
}

TEST_CASE("a step behind every hidden kind follows the gradient of the loss") {
  const auto values = [](std::size_t rows, std::size_t cols, double phase) {
    Matrix<double> m(rows, cols);
    for (std::size_t i = 0; i < m.size(); ++i)
      m.cells()[i] = std::sin(phase + 12.9898 * static_cast<double>(i + 1));
    return m;
  };
  for (const LayerKind* kind : layer_kinds()) {
    if (!kind->hidden) continue;
    CAPTURE(kind->name);
    const Network network({3, 5, 2}, {kind, &output_kind("linear")});
    FloatArithmetic arithmetic(10);
    const Matrix<double> x = values(6, 3, 0.1), y = values(6, 2, 0.2);
    const Weights<Matrix<double>> before{{values(4, 5, 0.3), values(6, 2, 0.5)}, {}};
    const auto loss = [&](const Weights<Matrix<double>>& model) {
      const auto out = forward(arithmetic, network, model, 0, arithmetic.with_bias_input(x));
      double sum = 0;
      for (std::size_t i = 0; i < out.size(); ++i) sum += std::pow(out.cells()[i] - y.cells()[i], 2) / 2;
      return sum / static_cast<double>(x.rows());
    };
    UpdateFactors factors;
    factors.rescale = {-1 << 10, 30};  // rate / rows = 2^-10
    Weights<Matrix<double>> after = before;
    train_batch(arithmetic, network, after, 0, arithmetic.with_bias_input(x), y, factors);
    for (std::size_t layer = 0; layer < 2; ++layer)
      for (std::size_t cell = 0; cell < before.weights[layer].size(); ++cell) {
        Weights<Matrix<double>> up = before, column_packed = before;
        const double h = 1e-6;
        up.weights[layer].cells()[cell] += h;
        column_packed.weights[layer].cells()[cell] -= h;
        const double slope = (loss(up) - loss(column_packed)) / (2 * h);
        const double moved = after.weights[layer].cells()[cell] - before.weights[layer].cells()[cell];
        CHECK(moved == doctest::Approx(-6 * std::ldexp(slope, -10)).epsilon(1e-4));
      }
  }
}

TEST_CASE("the residual of hard-sigmoid outputs is the output less the target, and bounded") {
  FloatArithmetic arithmetic(10);
  const Network network({1, 2}, {&output_kind("hard-sigmoid")});
  Weights<Matrix<double>> model{{Matrix<double>(2, 2)}, {}};
  model.weights[0](0, 0) = 1;
  model.weights[0](0, 1) = 1000;
  Matrix<double> x(1, 1, 1.0), y(1, 2);
  UpdateFactors factors;
  factors.rescale = {-1 << 10, 30};
  const auto residual = train_batch(arithmetic, network, model, 0, arithmetic.with_bias_input(x), y, factors);
  CHECK(residual(0, 0) == 0.75);
  CHECK(residual(0, 1) == 1);
}

TEST_CASE(
    "every kind of layer and output trains and classifies as its twin, at its declared cost, in the "
    "presets and opened throughout [slow]") {
  const SmallData data(13);
  const std::pair<const char*, ProtocolNames> all[]{{"homomorphic", preset("homomorphic")},
                                                    {"paper", preset("paper")},
                                                    {"opened throughout", opened_throughout()}};
  for (const auto& each : all)
    for (const Network& network : every_network()) {
      const char* name = each.first;
      const ProtocolNames& protocols = each.second;
      CAPTURE(name);
      CAPTURE(network.text());
      SmallRun run;
      run.network = network;
      run.protocols = protocols;
      run.options.epochs = 1;
      run.options.batch = 7;
      run.options.momentum = 0.5;
      const SmallOutcome out = train_small(toy_keys(), numbers, 16, data, run);
      CHECK(out.encrypted == out.twin);
      CHECK(out.encrypted != out.initial);
      const Answers answers = open_answers(*out.answers, toy_keys());
      CHECK(answers.outputs == outputs_of(network.output(), answers.scores));
      std::size_t position = 0;
      for (const IntegerMatrix& batch : out.twin_outputs)
        for (std::size_t i = 0; i < batch.rows(); ++i, ++position)
          for (std::size_t j = 0; j < batch.cols(); ++j)
            CHECK(answers.scores(data.order[position], j) == decode(batch(i, j), numbers));
      const bool single = run.protocols.needs_one_value_a_ciphertext();
      const Sizes sizes{BitBudget(numbers, 16, 512, single ? 1 : 0),
                        toy_keys().public_keys().paillier().ciphertext_bytes(),
                        toy_keys().public_keys().dgk().ciphertext_bytes()};
      const TableGroups groups = table_groups(13, run.options.batch, BitBudget(numbers, 16, 512).slots());
      CHECK(epoch_cost(network, run.protocols, run.options, groups, sizes, true).traffic == out.traffic);
    }
}

TEST_CASE("range checks see an output that hard-sigmoid would have clipped back into its range") {
  SmallData data(4);
  for (double& value : data.features.cells()) value *= 100;
  SmallRun run;
  run.network = Network({3, 2}, {&output_kind("hard-sigmoid")});
  run.options.epochs = 40;
  run.options.batch = 4;
  run.options.learning_rate = 100;
  CHECK_THROWS_AS(train_small(toy_keys(), numbers, 16, data, run), Error);
}

TEST_CASE("a kind that does not exist is refused by name and place") {
  CHECK(&hidden_kind("hard-tanh") != &output_kind("linear"));
  CHECK_THROWS_WITH_AS(
      hidden_kind("linear"),
      "there is no hidden layer 'linear'; there is relu, leaky-relu, hard-tanh, hard-sigmoid", Error);
  CHECK_THROWS_WITH_AS(output_kind("relu"), "there is no output 'relu'; there is hard-sigmoid, linear",
                       Error);
}
