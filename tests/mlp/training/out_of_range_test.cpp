// Refusals of values out of range: the evaluator says where and what to try, the key holder nothing more than
// before.
#include "mlp/training/out_of_range.h"

#include <doctest/doctest.h>

#include "protocols/conversion/switch_key.h"
#include "protocols/registry.h"
#include "tests/mlp/training/training_support.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using smlp::testing::error_of;
using smlp::testing::matrix_of;
using smlp::testing::TwoParties;

TEST_CASE("out of range: places in words") {
  CHECK(describe({0, 0, Direction::forward}) == "the forward product of layer 1 in step 1");
  CHECK(describe({12, 1, Direction::gradient}) == "the update of layer 2 in step 13");
  CHECK(describe({4, 2, Direction::activation, 7}, "batch") == "the activation of layer 3 in batch 5");
  CHECK(describe({0xffffffff, 3, Direction::input}) == "the conversion of the rows in step 4294967296");
  CHECK(describe({1, 200, Direction::output}, "layer") == "the hand-over of results in layer 2");
}

TEST_CASE("out of range: a refusal is located, with a remedy; other errors stay as they are") {
  TwoParties parties;
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  IntegerMatrix outside = matrix_of(2, 2, {1});
  outside(1, 1) = power_of_two(70);
  const EncryptedMatrix x = parties.encrypt(outside);
  OperationId operation{6, 1, Direction::backward};
  const auto multiply = [&] {
    set.matmul->multiply(parties.evaluator(), operation, x, x, {1, 10}, std::nullopt);
  };
  CHECK(error_of([&] { locating_ranges("step", "do this", multiply); }) ==
        "a value left its range, as the backward product of layer 2 in step 7 shows: do this");
  ++operation.step;
  const std::string uniform = "the key holder refused: a masked value is out of range; the session ends";
  CHECK(error_of(multiply) == uniform);
  CHECK(error_of([&] { locating_ranges("step", "", [] { throw Error("another"); }); }) == "another");
}

TEST_CASE("out of range: training without a twin stops at the step, layer and operation that left it") {
  test::SmallData data(8);
  for (double& value : data.features.cells()) value *= 400;
  const Numbers numbers{20, 10, 40};
  const BitBudget budget(numbers, 16, 512);
  const TrainingOptions options{.epochs = 20, .batch = 8, .learning_rate = 5};
  const Network network{{3, 4, 2}};
  const RandomSource random = RandomSource::from_seed(3);
  const MemoryTable table = encrypt_table(toy_keys().public_keys(), budget, options.batch, data.features,
                                          class_targets(data.classes, 2), data.order, random.derive("owner"));
  const KeyHolder key_holder(toy_keys(), {}, AnswerRandomness::from_source(random.derive("key holder")));
  InProcessChannel channel(key_holder);
  Evaluator evaluator{toy_keys().public_keys(), budget, channel, random.derive("train"),
                      draw_session(random)};
  // The range checks would say so first (weight_check_test.cpp).
  EncryptedArithmetic arithmetic(evaluator, preset("homomorphic"), false);
  auto model = encrypt_weights(initial_weights(network, numbers, random.derive("initial")), network,
                               toy_keys().public_keys().paillier(), budget, false, random.derive("initial"));
  const GroupReader<EncryptedMatrix> reader{[&](std::size_t g) { return table.features(g); },
                                            [&](std::size_t g) { return table.labels(g); }};
  const std::string sentence = error_of([&] {
    locating_ranges("step", training_remedy, [&] {
      for (std::uint32_t epoch = 0; epoch < options.epochs; ++epoch)
        train_epoch(arithmetic, network, model, reader, table.groups(), options, budget, epoch,
                    random.derive("order"));
    });
  });
  INFO(sentence);
  CHECK(sentence.starts_with("a value left its range, as the "));
  CHECK(sentence.find(" of layer ") != std::string::npos);
  CHECK(sentence.find(" in step ") != std::string::npos);
  CHECK(sentence.ends_with(std::string(" shows: ") + training_remedy));
}
