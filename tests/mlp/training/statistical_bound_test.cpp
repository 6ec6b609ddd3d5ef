// What whole runs show, by the cost model.
#include <doctest/doctest.h>

#include "mlp/training/cost.h"
#include "mlp/training/network.h"

using namespace smlp;

namespace {

Plan mnist(std::size_t epochs) {
  TrainingOptions training;
  training.epochs = epochs;
  training.batch = 128;
  return {Network{{784, 128, 10}}, preset("homomorphic"), training, 60000, 0};
}

double distance(const Plan& plan, std::size_t sigma) {
  const Numbers numbers{.sigma = sigma};
  return distance_bits(shown_by(plan, BitBudget(numbers, 1024, 2048)), sigma);
}

}  // namespace

TEST_CASE(
    "the default sigma keeps ten epochs of MNIST below 2^-40, and one less does not keep it below 2^-41") {
  CHECK(Numbers{}.sigma == 56);
  CHECK(distance(mnist(10), Numbers{}.sigma) < -40);
  CHECK(distance(mnist(10), Numbers{}.sigma) > -41);
  CHECK(distance(mnist(1), Numbers{}.sigma) < -41.5);
  CHECK(distance(mnist(1), 40) > -27);
}

TEST_CASE("a run shows its epochs, its classification and its hand-overs") {
  TrainingOptions training;
  training.epochs = 3;
  training.batch = 8;
  const BitBudget table(Numbers{}, 1024, 2048);
  Plan plan{Network{{4, 5, 3}}, preset("homomorphic"), training, 40, 0};
  const Shown trained = shown_by(plan, table);
  plan.test_rows = 40;
  const Shown all = shown_by(plan, table);
  CHECK(all.masks > trained.masks);
  CHECK(all.rerandomisations > trained.rerandomisations);

  const Sizes sizes{table, 512, 256};
  const TableGroups groups = table_groups(40, 8, table.slots());
  const auto epoch = [&](bool first) {
    return shown(epoch_cost(plan.network, plan.protocols, training, groups, sizes, first).operations);
  };
  const Shown release = shown(release_cost(plan.network, sizes, 2048).operations);
  CHECK(trained == epoch(true) + 2 * epoch(false) + release);
  // All slots of each ciphertext of both packings: 5 + 1 and 5 rows, 5 and 3 columns, of one group each.
  const std::size_t ciphertexts = 2 * 5 + 5 + 2 * 3 + 6;
  CHECK(release.masks == static_cast<double>(ciphertexts * table.slots()));
  const auto classified = [&](std::size_t user_bits) {
    return shown(classification_cost(plan.network, plan.protocols, groups, sizes, user_bits).operations);
  };
  CHECK(all == trained + classified(2048));
  // Row numbers and outputs of five batches, each in one group.
  CHECK(classified(2048).masks - classified(0).masks == static_cast<double>(5 * (1 + 3) * table.slots()));
}
