// The prediction of a shared training.
#include "mlp/training/scaling.h"

#include <doctest/doctest.h>

#include "paillier/simultaneous_powers.h"
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
  std::uint64_t most = 0;
  for (std::size_t rank = 0; rank < 2; ++rank)
    most = std::max(most, exchanged_bytes(network, groups, sizes, {rank, 2}));
  CHECK(two.exchanged == most);
  CHECK(two.columns == 1);
  // Eleven row groups keep 64 ranks no busier than eleven; columns do.
  const SharedEpoch many = shared(64, 64, "loopback");
  CHECK(many.columns > 1);
  CHECK(many.seconds() < 0.5 * shared(11, 11, "loopback").seconds());
  // One key holder for 64 ranks; a narrow link.
  CHECK(shared(64, 1, "loopback").limit() == "key holders");
  CHECK(shared(64, 64, "loopback").seconds() < shared(64, 1, "loopback").seconds());
  CHECK(shared(8, 8, "10Mbit/40ms").limit() == "the link");
  // What all ranks bring in a step, and so what each takes, is less than a gradient and the weights, both in
  // both packings, however many they are, whatever they share.
  std::uint64_t weights = 0;
  for (std::size_t layer = 0; layer < network.layers(); ++layer)
    weights += both_count(weight_layout(network, layer, budget.slots()));
  for (const std::size_t ranks : std::initializer_list<std::size_t>{2, 4, 11, 64}) {
    std::uint64_t all = 0;
    const std::size_t columns = shared(ranks, ranks, "loopback").columns;
    for (std::size_t rank = 0; rank < ranks; ++rank)
      all += exchanged_bytes(network, groups, sizes, {rank, ranks, columns});
    CHECK(all < groups.batches.size() * 2 * weights * sizes.ciphertext_bytes);
  }
  // Of a rank without a process of known size nothing is known; else at least the ciphertexts of the model
  // with velocities, three numbers for each operand and eight for each result of the widest product, and its
  // buffers.
  CHECK(one.memory == 0);
  Cluster cluster{1, 1, 1, LinkSpeed::loopback(), 1000};
  const auto memory = [&](const ProtocolNames& protocols) {
    return shared_epoch(network, protocols, options, groups, sizes, true, true, speed, cluster).memory;
  };
  const std::uint64_t numbers = 3 * 785 * (128 + 128) + 8 * 785 * 128, all = memory(preset("homomorphic"));
  CHECK(all > 1000 + 2 * weights * sizes.ciphertext_bytes + 48 * numbers + powers_buffer_bytes);
  CHECK(all < std::uint64_t{1} << 30);
  ProtocolNames transfers = preset("hybrid");
  transfers.matmul = "oblivious-transfer";
  CHECK(memory(transfers) < std::uint64_t{1} << 30);
  CHECK(memory(transfers) > 1000 + 2 * weights * sizes.ciphertext_bytes + 48 * numbers);
  cluster.process = 2000;
  CHECK(memory(preset("homomorphic")) == all + 1000);
  cluster.ranks = 2;  // half of the rows of each gradient, and no table that is kept
  ProtocolNames names = preset("homomorphic");
  names.shared = true;
  CHECK(memory(names) < all);
}

TEST_CASE("columns are shared where rows alone leave ranks with less to do, and never of single cells") {
  const Network network{{64, 60, 4}};
  const TrainingOptions options{.batch = 24};
  const auto parts = [&](const Network& of, const ProtocolNames& protocols, std::size_t slots,
                         std::size_t ranks) {
    const BitBudget budget({20, 10, 56}, 1024, 2048, slots);
    ProtocolNames names = protocols;
    names.shared = true;
    return column_parts(of, names, options, table_groups(24, 24, budget.slots()), {budget, 512, 256}, true,
                        ranks);
  };
  CHECK(parts(network, preset("homomorphic"), 0, 1) == 1);
  CHECK(parts(network, preset("homomorphic"), 0, 2) == 1);  // two row groups
  for (const char* name : {"homomorphic", "hybrid"})
    for (const std::size_t ranks : {10U, 32U}) {
      ProtocolNames names = preset(name);
      names.matmul = "packed";
      CHECK(parts(network, names, 0, ranks) == 5);  // two row groups, five column groups
    }
  CHECK(parts({{64, 10, 4}}, preset("homomorphic"), 0, 32) == 1);  // one column group
  CHECK(parts(network, preset("paper"), 1, 32) == 1);
}
