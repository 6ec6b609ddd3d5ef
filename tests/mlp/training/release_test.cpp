// A model handed to its owner: the same weights, in a file of its own, for nobody else.
#include "mlp/training/release.h"

#include <doctest/doctest.h>

#include "mlp/training/initial_weights.h"
#include "mlp/training/prediction.h"
#include "tests/mlp/training/encrypted_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

struct Release {
  BitBudget budget;
  Network network{{5, 4, 3}};
  std::vector<IntegerMatrix> weights;
  EncryptedModel model{.key = toy_keys().public_keys().fingerprint(),
                       .handed_over = false,
                       .budget = budget,
                       .network = network,
                       .protocols = preset("homomorphic").by_family(),
                       .training = "{}",
                       .table_id = {},
                       .epochs_done = 3,
                       .steps_done = 12,
                       .weights = {},
                       .velocities = {}};

  explicit Release(std::size_t slots) : budget(toy_budget(slots)) {
    weights = initial_weights(network, budget.numbers(), RandomSource::from_seed(2));
    auto encrypted = encrypt_weights(weights, network, toy_keys().public_keys().paillier(), budget, true,
                                     RandomSource::from_seed(3));
    model.weights = std::move(encrypted.weights);
    model.velocities = std::move(encrypted.velocities);
  }

  EncryptedModel released(const PublicKeys& owner, const PaillierPublicKey& configured) const {
    KeyHolderPolicy policy;
    policy.user_keys = {configured};
    const KeyHolder key_holder(toy_keys(), policy, AnswerRandomness::from_system());
    InProcessChannel channel(key_holder);
    const RandomSource random = RandomSource::from_seed(5);
    const Evaluator evaluator{toy_keys().public_keys(), budget, channel, random, draw_session(random)};
    return release_model(evaluator, model, owner);
  }
};

const SecretKeys& owner_keys() {
  static const SecretKeys keys =
      SecretKeys::generate(Variant::standard, 768, 64, RandomSource::from_seed(98));
  return keys;
}

}  // namespace

TEST_CASE("a released model has the same weights under a key of another size, in both packings") {
  const TemporaryDirectory directory;
  const PublicKeys& owner = owner_keys().public_keys();
  for (const std::size_t slots : {std::size_t{0}, std::size_t{1}}) {
    const Release setting(slots);
    save_model(directory / "owner.h5", setting.released(owner, owner.paillier()), owner);
    const EncryptedModel released = load_model(directory / "owner.h5", owner);
    CHECK(released.handed_over);
    CHECK(released.velocities.empty());
    CHECK(released.epochs_done == 3);
    CHECK(open_weights(released.weights, released.budget, owner_keys()) == setting.weights);
    for (std::size_t layer = 0; layer < released.weights.size(); ++layer) {
      const EncryptedMatrix& matrix = released.weights[layer];
      CHECK(matrix.layout() == setting.model.weights[layer].layout());
      CHECK(unpack_rows(owner_keys().paillier().decrypt(matrix.row_packed()), matrix.layout(),
                        released.budget.slot_bits()) == setting.weights[layer]);
    }
    CHECK(contains(message_of([&] { load_model(directory / "owner.h5", toy_keys().public_keys()); }),
                   "belongs to the key"));
  }
}

TEST_CASE("a model is released to an owner whom the key holder knows, with a modulus that holds its slots") {
  const Release setting(0);
  CHECK(contains(
      message_of([&] { setting.released(owner_keys().public_keys(), toy_keys().public_keys().paillier()); }),
      "not one that this key holder was configured with"));
  Release wide(0);
  wide.budget = BitBudget(toy_numbers(), 16, 1024);
  const KeyHolder key_holder(toy_keys(), {}, AnswerRandomness::from_system());
  InProcessChannel channel(key_holder);
  const RandomSource random = RandomSource::from_seed(5);
  const Evaluator evaluator{toy_keys().public_keys(), wide.budget, channel, random, draw_session(random)};
  CHECK(contains(message_of([&] { release_model(evaluator, wide.model, owner_keys().public_keys()); }),
                 "the user's key has 768 bits"));
}
