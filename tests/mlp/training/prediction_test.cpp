// Classification under the evaluator's and under the user's key.
#include "mlp/training/prediction.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "tests/mlp/training/training_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

struct Trained {
  Numbers numbers{20, 10, 40};
  BitBudget budget{numbers, 16, 512};
  SmallData data{11};
  Network network{{3, 4, 2}};
  SecretKeys user = SecretKeys::generate(Variant::subgroup, 512, 64, RandomSource::from_seed(99));
  MemoryTable table = encrypt_table(toy_keys().public_keys(), budget, 5, data.features, Targets{}, data.order,
                                    RandomSource::from_seed(1));
  std::vector<IntegerMatrix> weights = initial_weights(network, numbers, RandomSource::from_seed(2));
  Weights<EncryptedMatrix> model = encrypt_weights(weights, network, toy_keys().public_keys().paillier(),
                                                   budget, false, RandomSource::from_seed(3));

  EncryptedAnswers answers(const std::optional<PublicKeys>& to, bool configured) const {
    KeyHolderPolicy policy;
    if (configured) policy.user_keys.push_back(user.public_keys().paillier());
    const KeyHolder key_holder(toy_keys(), policy, AnswerRandomness::from_source(RandomSource::from_seed(4)));
    InProcessChannel channel(key_holder);
    const RandomSource random = RandomSource::from_seed(5);
    Evaluator evaluator{toy_keys().public_keys(), budget, channel, random, draw_session(random)};
    EncryptedArithmetic arithmetic(evaluator, preset("homomorphic"));
    return classify(arithmetic, model, network, table, to);
  }
};

}  // namespace

TEST_CASE("answers come back in the owner's order, under either key the same") {
  const Trained setting;
  const Answers own = open_answers(setting.answers(std::nullopt, false), toy_keys());
  const EncryptedAnswers handed_over = setting.answers(setting.user.public_keys(), true);
  const Answers users = open_answers(handed_over, setting.user);
  CHECK(own.outputs == users.outputs);
  CHECK(own.classes == users.classes);
  // Against the network in doubles: a forward pass of two layers rounds each value by at most a few 2^-10.
  FloatArithmetic clear(10);
  Weights<Matrix<double>> model;
  for (const IntegerMatrix& m : setting.weights) model.weights.push_back(decode(m, setting.numbers));
  const Matrix<double> expected =
      forward(clear, setting.network, model, 0, clear.with_bias_input(setting.data.features));
  for (std::size_t cell = 0; cell < expected.size(); ++cell)
    CHECK(std::abs(own.outputs.cells()[cell] - expected.cells()[cell]) < 0.02);
  CHECK_THROWS_AS(open_answers(handed_over, toy_keys()), Error);
}

TEST_CASE("the key holder hands results to configured keys alone") {
  const Trained setting;
  CHECK_THROWS_WITH_AS(
      setting.answers(setting.user.public_keys(), false),
      "the key holder refused: the user key of a request is not one that this key holder was configured "
      "with",
      Error);
}

TEST_CASE("tampered row numbers and outputs are refused") {
  const Trained setting;
  EncryptedAnswers answers = setting.answers(std::nullopt, false);
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  EncryptedAnswers shifted = answers;
  shifted.order[0] = key.add_plain(shifted.order[0], 1);
  CHECK_THROWS_AS(open_answers(shifted, toy_keys()), Error);
  EncryptedAnswers large = answers;
  large.values[0] = key.add_plain(large.values[0], power_of_two(21));
  CHECK_THROWS_AS(open_answers(large, toy_keys()), Error);
}

TEST_CASE("the first of equal outputs wins") {
  Matrix<double> outputs(2, 3, 1.0);
  outputs(1, 2) = 2;
  CHECK(largest_outputs(outputs) == std::vector<std::size_t>{0, 2});
}
