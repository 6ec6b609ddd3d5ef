// A training that ranks share: the weights of one evaluator, at the declared cost, and no address drawn from
// twice.
#include "mlp/training/shared_arithmetic.h"

#include <doctest/doctest.h>

#include <mutex>

#include "mlp/training/cost.h"
#include "mlp/training/scaling.h"
#include "tests/mlp/training/training_support.h"
#include "tests/support/thread_ranks.h"

using namespace smlp;
using namespace smlp::test;

namespace {

constexpr std::size_t inner = 16;

struct SharedOutcome {
  std::vector<std::vector<IntegerMatrix>> weights, velocities;  ///< by rank
  std::vector<Traffic> traffic;
  std::vector<std::uint64_t> sent;
  std::size_t repeated = 0;  ///< addresses that were drawn from more than once
  std::size_t drawn = 0;
  Weights<EncryptedMatrix> model;  ///< of the first rank
};

/// What a training goes on from, of any number of ranks.
struct Checkpoint {
  Weights<EncryptedMatrix> model;
  std::uint32_t epochs_done = 0;
};

/// As train_small, by ranks of which each has a key holder of its own.
SharedOutcome train_shared(const SecretKeys& keys, const SmallData& data, SmallRun run, std::size_t size,
                           std::size_t columns, const Checkpoint* checkpoint = nullptr) {
  run.protocols.shared = true;
  const std::size_t bits = keys.public_keys().paillier().bits();
  const BitBudget table_budget(small_numbers, inner, bits, run.packed_table ? 0 : 1);
  const BitBudget budget(small_numbers, inner, bits, run.protocols.needs_one_value_a_ciphertext() ? 1 : 0);
  const RandomSource random = RandomSource::from_seed(run.seed);
  const MemoryTable table = encrypt_table(keys.public_keys(), table_budget, run.options.batch, data.features,
                                          small_targets(data, run), data.order, random.derive("owner"));
  const auto log = std::make_shared<AddressLog>();
  const RandomSource training = random.derive("train").recording(log);
  SharedOutcome out;
  out.weights.resize(size), out.velocities.resize(size), out.traffic.resize(size), out.sent.resize(size);
  testing::on_threads(size, [&](Ranks& ranks) {
    const KeyHolder key_holder = small_key_holder(keys, run);
    InProcessChannel channel(key_holder);
    const RandomSource mine = training.derive("rank " + std::to_string(ranks.rank()));
    Evaluator evaluator{keys.public_keys(),          budget,  channel, mine, draw_session(mine), false,
                        RandomSource::from_system(), training};
    EncryptedArithmetic here(evaluator, run.protocols, run.range_checks);
    SharedArithmetic shared(here, ranks, columns);
    Weights<EncryptedMatrix> initial = encrypt_weights(
        initial_weights(run.network, small_numbers, random.derive("initial")), run.network,
        keys.public_keys().paillier(), budget, run.options.momentum != 0, random.derive("initial"));
    if (checkpoint != nullptr) initial = checkpoint->model;
    Weights<SharedMatrix> model;
    for (EncryptedMatrix& m : initial.weights) model.weights.push_back({std::move(m)});
    for (EncryptedMatrix& m : initial.velocities) model.velocities.push_back({std::move(m)});
    const GroupReader<SharedMatrix> reader{[&](std::size_t g) { return SharedMatrix{table.features(g)}; },
                                           [&](std::size_t g) { return SharedMatrix{table.labels(g)}; }};
    for (std::uint32_t epoch = checkpoint == nullptr ? 0 : checkpoint->epochs_done;
         epoch < run.options.epochs; ++epoch)
      train_epoch(shared, run.network, model, reader, table.groups(), run.options, budget, epoch,
                  random.derive("order"));
    std::vector<EncryptedMatrix> weights, velocities;
    for (SharedMatrix& m : model.weights) weights.push_back(std::move(m.part));
    for (SharedMatrix& m : model.velocities) velocities.push_back(std::move(m.part));
    out.weights[ranks.rank()] = open_weights(weights, budget, keys);
    out.velocities[ranks.rank()] = open_weights(velocities, budget, keys);
    out.traffic[ranks.rank()] = channel.traffic();
    out.sent[ranks.rank()] = ranks.sent();
    if (ranks.rank() == 0) out.model = {std::move(weights), std::move(velocities)};
  });
  out.repeated = log->repeated(), out.drawn = log->size();
  return out;
}

SmallRun everything(const ProtocolNames& protocols) {
  SmallRun run;
  run.protocols = protocols;
  run.options.epochs = 2;
  run.options.batch = 5;
  run.options.momentum = 0.5;
  run.options.weight_decay = 0.01;
  return run;
}

/// Batches of 5, 5 and 3 rows: one or two row groups, so that of four ranks some have none. Columns as
/// training shares them, which it then does, where `columns` is 0.
void check_shared(const SmallRun& run, std::size_t ranks, std::size_t columns = 1) {
  CAPTURE(ranks);
  CAPTURE(run.network.text());
  const SmallData data(13);
  ProtocolNames protocols = run.protocols;
  protocols.shared = true;
  const bool single = protocols.needs_one_value_a_ciphertext();
  const Sizes sizes{BitBudget(small_numbers, inner, 512, single ? 1 : 0),
                    toy_keys().public_keys().paillier().ciphertext_bytes(),
                    toy_keys().public_keys().dgk().ciphertext_bytes()};
  const TableGroups groups = table_groups(
      13, run.options.batch, BitBudget(small_numbers, inner, 512, run.packed_table ? 0 : 1).slots());
  if (columns == 0) {
    columns = column_parts(run.network, protocols, run.options, groups, sizes, run.range_checks, ranks);
    REQUIRE(columns > 1);
  }
  CAPTURE(columns);
  const SmallOutcome alone = train_small(toy_keys(), small_numbers, inner, data, run);
  REQUIRE(alone.encrypted == alone.twin);
  const SharedOutcome out = train_shared(toy_keys(), data, run, ranks, columns);
  CHECK(out.drawn > 0);
  CHECK(out.repeated == 0);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    CAPTURE(rank);
    CHECK(out.weights[rank] == alone.encrypted);
    CHECK(out.velocities[rank] == alone.velocities);
    Traffic declared;
    std::uint64_t sent = 0;
    for (std::size_t epoch = 0; epoch < run.options.epochs; ++epoch) {
      declared += epoch_cost(run.network, protocols, run.options, groups, sizes, epoch == 0, run.range_checks,
                             epoch, {rank, ranks, columns})
                      .traffic;
      sent += exchanged_bytes(run.network, groups, sizes, {rank, ranks, columns});
    }
    CHECK(out.traffic[rank].to_key_holder == declared.to_key_holder);
    CHECK(out.traffic[rank].to_evaluator == declared.to_evaluator);
    CHECK(out.traffic[rank].rounds == declared.rounds);
    CHECK(out.sent[rank] == sent);
  }
}

}  // namespace

TEST_CASE("two ranks have the weights of one evaluator [parallel]") {
  SmallRun run = everything(preset("homomorphic"));
  run.options.epochs = 1;
  check_shared(run, 2);
}

TEST_CASE("weights are those of one evaluator for 1 to 4 ranks, at the declared cost [slow]") {
  for (const char* name : {"homomorphic", "hybrid"})
    for (std::size_t ranks = 1; ranks <= 4; ++ranks) {
      CAPTURE(name);
      check_shared(everything(preset(name)), ranks);
    }
  SmallRun packed = everything(preset("hybrid"));  // rank 0 of 4 has no rows, and checks weights
  packed.protocols.matmul = "packed";
  check_shared(packed, 4);
  packed.options.batch = 8;  // rank 2 of 5 has none of three row groups, and one of two in the last batch
  check_shared(packed, 5);
}

TEST_CASE("ranks share every product, network and option as one evaluator computes them [slow]") {
  SmallRun transfers = everything(opened_throughout());
  check_shared(transfers, 2);
  SmallRun paper = everything(preset("paper"));
  paper.options.epochs = 1;
  check_shared(paper, 2);
  check_shared(paper, 4);
  SmallRun deep = everything(preset("homomorphic"));
  deep.network = {{3, 4, 1, 2}};
  deep.options.nesterov = true;
  deep.options.clip_gradient = 0.25;
  check_shared(deep, 3);
  SmallRun single = everything(preset("homomorphic"));
  single.network = {{3, 2}};
  single.options.momentum = single.options.weight_decay = 0;
  check_shared(single, 2);
  SmallRun regression = everything(preset("homomorphic"));
  regression.network = {{3, 4, 1}};
  regression.regression = true;
  check_shared(regression, 2);
}

TEST_CASE("ranks that share columns have the weights of one evaluator [parallel]") {
  SmallRun run = everything(preset("homomorphic"));
  run.options.epochs = 1;
  run.network = {{3, 7, 2}};  // three column groups
  check_shared(run, 4, 2);
}

namespace {

struct Grid {
  std::size_t ranks, columns;
};

}  // namespace

TEST_CASE("weights are those of one evaluator however ranks share rows and columns [slow]") {
  for (const char* name : {"homomorphic", "hybrid"}) {
    CAPTURE(name);
    SmallRun run = everything(preset(name));
    run.network = {{3, 7, 2}};
    for (const Grid& grid : {Grid{3, 3}, Grid{4, 2}, Grid{7, 3}, Grid{12, 4}})  // some have nothing
      check_shared(run, grid.ranks, grid.columns);
    run.network = {{3, 7, 5, 4}};  // errors of two column groups too
    run.options.nesterov = true;
    run.options.clip_gradient = 0.25;
    check_shared(run, 6, 2);
  }
  SmallRun many = everything(preset("homomorphic"));
  many.options.epochs = 1;
  many.network = {{3, 7, 2}};
  for (const std::size_t ranks : {8U, 64U}) check_shared(many, ranks, 0);
  SmallRun kinds = everything(preset("homomorphic"));
  kinds.network = parse_network("3-7:leaky-relu-5:hard-tanh-2", 3, 2);
  kinds.options.clip_gradient = 0.25;
  check_shared(kinds, 4, 2);
  SmallRun packed = everything(preset("hybrid"));
  packed.protocols.matmul = "packed";
  packed.network = parse_network("3-7:hard-sigmoid-2:linear", 3, 2);
  check_shared(packed, 5, 2);
  SmallRun transfers = everything(opened_throughout());  // products by transfers
  transfers.network = {{3, 7, 5, 2}};
  transfers.options.clip_gradient = 0.25;
  check_shared(transfers, 4, 2);
  SmallRun single = everything(preset("homomorphic"));
  single.network = {{3, 2}};
  check_shared(single, 4, 2);
  SmallRun unchecked = everything(preset("homomorphic"));
  unchecked.network = {{3, 7, 1}};
  unchecked.regression = true;
  unchecked.range_checks = false;
  check_shared(unchecked, 4, 2);
}

TEST_CASE("a training goes on in another grid to the weights of one evaluator [slow]") {
  for (const ProtocolNames& protocols : {preset("homomorphic"), opened_throughout()}) {
    SmallRun run = everything(protocols);
    run.network = {{3, 7, 2}};
    const SmallData data(13);
    const SmallOutcome alone = train_small(toy_keys(), small_numbers, inner, data, run);
    SmallRun first = run;
    first.options.epochs = 1;
    SharedOutcome before = train_shared(toy_keys(), data, first, 6, 3);
    CHECK(before.weights.front() != alone.encrypted);
    const Checkpoint checkpoint{std::move(before.model), 1};
    for (const Grid& grid : {Grid{1, 1}, Grid{4, 2}, Grid{6, 2}}) {
      CAPTURE(grid.ranks);
      const SharedOutcome after = train_shared(toy_keys(), data, run, grid.ranks, grid.columns, &checkpoint);
      for (std::size_t rank = 0; rank < grid.ranks; ++rank) {
        CHECK(after.weights[rank] == alone.encrypted);
        CHECK(after.velocities[rank] == alone.velocities);
      }
    }
  }
}

TEST_CASE("columns are not shared where every cell has a ciphertext of its own") {
  SmallRun paper = everything(preset("paper"));
  CHECK_THROWS_WITH_AS(train_shared(toy_keys(), SmallData(13), paper, 2, 2),
                       "ranks share columns where every cell has a ciphertext of its own", Error);
}
