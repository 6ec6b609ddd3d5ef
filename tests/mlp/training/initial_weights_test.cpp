// He initialisation.
#include "mlp/training/initial_weights.h"

#include <doctest/doctest.h>

#include <cmath>

#include "mlp/training/fixed_point.h"
#include "tests/support/toy_keys.h"

using namespace smlp;

TEST_CASE("initial weights are normal with variance 2 / inputs, biases 0") {
  const Network network{{200, 50, 3}};
  const Numbers numbers{20, 10, 40};
  const auto weights = initial_weights(network, numbers, RandomSource::from_seed(1));
  REQUIRE(weights.size() == 2);
  CHECK(weights[0].rows() == 201);
  CHECK(weights[1].cols() == 3);
  double sum = 0, squares = 0, fourth = 0;
  for (std::size_t i = 0; i < 200; ++i)
    for (std::size_t j = 0; j < 50; ++j) {
      const double w = decode(weights[0](i, j), numbers) / std::sqrt(2.0 / 200);
      sum += w, squares += w * w, fourth += w * w * w * w;
    }
  // 10,000 draws: the mean has deviation 0.01, the variance 0.014, the fourth moment about 0.1.
  CHECK(std::abs(sum / 1e4) < 0.05);
  CHECK(std::abs(squares / 1e4 - 1) < 0.07);
  CHECK(std::abs(fourth / 1e4 - 3) < 0.5);
  for (std::size_t j = 0; j < 50; ++j) CHECK(weights[0](200, j) == 0);
  CHECK(initial_weights(network, numbers, RandomSource::from_seed(1)) == weights);
  CHECK(initial_weights(network, numbers, RandomSource::from_seed(2)) != weights);
}

TEST_CASE("encrypted initial weights hold the same numbers in both packings") {
  const Network network{{5, 4, 2}};
  const BitBudget budget({12, 4, 40}, 16, 512);
  const auto weights = initial_weights(network, budget.numbers(), RandomSource::from_seed(1));
  const auto model = encrypt_weights(weights, network, toy_keys().public_keys().paillier(), budget, true,
                                     RandomSource::from_seed(2));
  REQUIRE(model.weights.size() == 2);
  REQUIRE(model.velocities.size() == 2);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    const Layout& layout = model.weights[layer].layout();
    CHECK(layout.row_groups.back() == 1);
    CHECK(unpack_columns(toy_keys().paillier().decrypt(model.weights[layer].column_packed()), layout,
                         budget.slot_bits()) == weights[layer]);
    CHECK(unpack_rows(toy_keys().paillier().decrypt(model.weights[layer].row_packed()), layout,
                      budget.slot_bits()) == weights[layer]);
  }
}
