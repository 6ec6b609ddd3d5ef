// Choices by costs that are made up, so that the least is known; costs of real protocols are in
// training_test.cpp.
#include "mlp/training/product_choice.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "mlp/training/batches.h"
#include "mlp/training/network.h"
#include "mlp/training/training.h"

using namespace smlp;

namespace {

/// A machine that takes a second for each operation, and nothing else.
constexpr MachineSpeed slow{.product = 1, .transfer = 1};
constexpr LinkSpeed no_link{0, 1e30, 1e30};

/// Products of layers 1 and 3 cost more by transfers, of layer 2 less; bytes the other way round.
Cost made_up(const ProtocolNames& names) {
  const double packed[] = {2, 5, 2}, oblivious[] = {3, 1, 4};
  Cost cost;
  for (std::size_t layer = 0; layer < 3; ++layer) {
    const bool transfers = names.product(layer).transfers;
    cost.operations.products += transfers ? oblivious[layer] : packed[layer];
    cost.traffic.to_key_holder += transfers ? 1000 : 10;
  }
  return cost;
}

}  // namespace

TEST_CASE("each layer gets the product that costs least") {
  ProtocolNames names = preset("hybrid");
  CHECK(names.chooses_products());
  std::set<std::string> asked;
  const auto cost = [&](const ProtocolNames& each) {
    asked.insert(each.matmul);
    return made_up(each);
  };
  const ProtocolNames chosen = with_cheapest_products(names, 3, cost, slow, no_link);
  CHECK(chosen.matmul == "packed,oblivious-transfer,packed");
  CHECK(asked.size() == 5);
  CHECK_FALSE(chosen.chooses_products());
  names.matmul = chosen.matmul;
  CHECK(chosen == names);
}

TEST_CASE("a narrow link is worth more of the machine's time") {
  const LinkSpeed narrow{0, 10, 10};
  CHECK(with_cheapest_products(preset("hybrid"), 3, made_up, slow, narrow).matmul == "packed");
}

TEST_CASE("products that are named stay") {
  const auto never = [](const ProtocolNames&) -> Cost { throw Error("nothing is to be chosen"); };
  for (const char* name : {"homomorphic", "paper"})
    CHECK(with_cheapest_products(preset(name), 3, never, slow, no_link) == preset(name));
}

TEST_CASE("a layer that is too wide for transfers stays packed") {
  const Network network = parse_network("3072-1024-10", 3072, 10, "hard-sigmoid");
  const BitBudget budget({}, 4096, 2048);
  const TableGroups groups = table_groups(64, 32, budget.slots());
  const Sizes sizes{budget, 512, 256};
  const CostOf cost = [&](const ProtocolNames& names) {
    return epoch_cost(network, names, TrainingOptions{}, groups, sizes, false);
  };
  const MachineSpeed machine{.rerandomisation = 1, .decryption = 1, .encryption = 1};
  CHECK(with_cheapest_products(preset("hybrid"), 2, cost, machine, no_link).matmul ==
        "packed,oblivious-transfer");
}

TEST_CASE("of real costs, a slow link has no transfers in wide layers, and a link that costs nothing some") {
  const Network network = parse_network("30-64-2", 30, 2, "hard-sigmoid");
  const BitBudget budget({}, 1024, 2048);
  const TableGroups groups = table_groups(320, 32, budget.slots());
  const Sizes sizes{budget, 512, 256};
  const CostOf cost = [&](const ProtocolNames& names) {
    return epoch_cost(network, names, TrainingOptions{}, groups, sizes, false);
  };
  MachineSpeed machine{.rerandomisation = 1, .decryption = 1, .encryption = 1, .transfer = 1e-9};
  CHECK(with_cheapest_products(preset("hybrid"), 2, cost, machine, no_link).matmul == "oblivious-transfer");
  CHECK(with_cheapest_products(preset("hybrid"), 2, cost, machine, {0, 1e-3, 1e-3}).matmul == "packed");
}
