// The prediction of a shared training.
#include "mlp/training/scaling.h"

#include <doctest/doctest.h>

#include "tests/mlp/training/training_support.h"

using namespace smlp;
using namespace smlp::test;

TEST_CASE("more ranks take less time until key holders or the link limit them") {
  const BitBudget budget({20, 10, 56}, 1024, 2048);
  const Sizes sizes{budget, 512, 256};
  const Network network{{784, 128, 10}};
  const TrainingOptions options{.batch = 128, .momentum = 0.5};
  const TableGroups groups = table_groups(256, 128, budget.slots());
  MachineSpeed speed;  // about those of a processor of 2022, in seconds
  speed.product = 0.7e-6, speed.rerandomisation = 80e-6, speed.decryption = 300e-6, speed.encryption = 150e-6;
  speed.bit_product = 0.2e-6, speed.bit_rerandomisation = 20e-6, speed.bit_encryption = 5e-6;
  speed.zero_test = 30e-6;
  const auto shared = [&](std::size_t ranks, std::size_t key_holders, const char* link) {
    ProtocolNames names = preset("homomorphic");
    names.shared = ranks > 1;
    return shared_epoch(network, names, options, groups, sizes, true, true, speed,
                        {ranks, key_holders, 1, LinkSpeed::parse(link)});
  };
  const SharedEpoch one = shared(1, 1, "loopback"), two = shared(2, 2, "loopback");
  const Cost alone = epoch_cost(network, preset("homomorphic"), options, groups, sizes, true);
  CHECK(one.seconds() ==
        doctest::Approx(speed.seconds(alone, 1) + LinkSpeed::loopback().seconds(alone.traffic)));
  CHECK(one.exchanged == 0);
  CHECK(one.limit() == "evaluators");
  // Six of eleven row groups of a batch, and half of those of a gradient.
  CHECK(two.evaluators > 0.5 * one.evaluators);
  CHECK(two.evaluators < 0.56 * one.evaluators);
  CHECK(two.memory < one.memory);  // half of the rows of each gradient
  std::uint64_t most = 0;
  for (std::size_t rank = 0; rank < 2; ++rank)
    most = std::max(most, exchanged_bytes(network, groups, sizes, {rank, 2}));
  CHECK(two.exchanged == most);
  // One key holder for 64 ranks; a narrow link.
  CHECK(shared(64, 1, "loopback").limit() == "key holders");
  CHECK(shared(64, 64, "loopback").seconds() < shared(64, 1, "loopback").seconds());
  CHECK(shared(8, 8, "10Mbit/40ms").limit() == "the link");
  // A rank brings less than a gradient and the weights, both in both packings.
  std::uint64_t weights = 0;
  for (std::size_t layer = 0; layer < network.layers(); ++layer)
    weights += both_count(weight_layout(network, layer, budget.slots()));
  CHECK(two.exchanged < 2 * 2 * weights * sizes.ciphertext_bytes);
  // The ciphertexts of the model with velocities alone, and what the process takes without training.
  Cluster cluster{1, 1, 1, LinkSpeed::loopback()};
  const auto memory = [&](const char* protocols) {
    return shared_epoch(network, preset(protocols), options, groups, sizes, true, true, speed, cluster)
        .memory;
  };
  const std::uint64_t without = memory("homomorphic");
  CHECK(without > 2 * weights * sizes.ciphertext_bytes);
  CHECK(without < std::uint64_t{1} << 30);
  CHECK(memory("hybrid") < std::uint64_t{1} << 30);
  cluster.process = 1000;
  CHECK(memory("homomorphic") == without + 1000);
}
