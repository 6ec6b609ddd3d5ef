// Every address of a whole run, of all parties: none is drawn from twice, and asking again is refused.
#include <doctest/doctest.h>

#include "mlp/training/release.h"
#include "tests/mlp/training/training_support.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::test;
using smlp::testing::error_of;

namespace {

const SecretKeys& user_keys() {
  static const SecretKeys keys =
      SecretKeys::generate(Variant::subgroup, 768, 64, RandomSource::from_seed(99));
  return keys;
}

/// Owner, evaluator and key holder of one preset; all record into one log.
struct Run {
  ProtocolNames names;
  SmallData data{11};
  Network network{{3, 4, 3, 2}};
  TrainingOptions options{.epochs = 2, .batch = 4, .momentum = 0.5, .weight_decay = 0.001};
  std::shared_ptr<AddressLog> log = std::make_shared<AddressLog>();
  RandomSource random = RandomSource::from_seed(17).recording(log);
  BitBudget table_budget{Numbers{20, 10, 40}, 16, 512};
  BitBudget budget;
  KeyHolder key_holder;
  InProcessChannel channel{key_holder};
  MemoryTable table = encrypt_table(toy_keys().public_keys(), table_budget, options.batch, data.features,
                                    class_targets(data.classes, 2), data.order, random.derive("owner"));
  Weights<EncryptedMatrix> model =
      encrypt_weights(initial_weights(network, budget.numbers(), random.derive("initial")), network,
                      toy_keys().public_keys().paillier(), budget, true, random.derive("initial"));

  explicit Run(ProtocolNames protocols)
      : names(std::move(protocols)),
        budget(table_budget.numbers(), 16, 512, names.needs_one_value_a_ciphertext() ? 1 : 0),
        key_holder(toy_keys(), policy(names), AnswerRandomness::from_source(random.derive("key holder"))) {}

  static KeyHolderPolicy policy(const ProtocolNames& names) {
    KeyHolderPolicy policy;
    for (const Descriptor* descriptor : names.used())
      if (descriptor->sends()) policy.protocols.insert(descriptor->wire_name());
    policy.protocols.insert({"conversion/base-transfers", "conversion/change-form"});
    policy.user_keys.push_back(user_keys().public_keys().paillier());
    return policy;
  }

  Evaluator evaluator(const char* role) {
    return {toy_keys().public_keys(), budget, channel, random.derive(role),
            draw_session(random.derive(role))};
  }
  void train(EncryptedArithmetic& arithmetic, std::uint32_t epoch) {
    const GroupReader<EncryptedMatrix> reader{[&](std::size_t g) { return table.features(g); },
                                              [&](std::size_t g) { return table.labels(g); }};
    train_epoch(arithmetic, network, model, reader, table.groups(), options, budget, epoch,
                random.derive("order"));
  }
  EncryptedModel saved() const {
    return {.key = toy_keys().public_keys().fingerprint(),
            .handed_over = false,
            .budget = budget,
            .network = network,
            .protocols = names.by_family(),
            .training = "{}",
            .table_id = {},
            .epochs_done = 2,
            .steps_done = 6,
            .weights = model.weights,
            .velocities = {}};
  }
};

constexpr auto used = "is used already", over = "steps only go up";

}  // namespace

TEST_CASE("addresses: none is used twice from training to release, and a second use is refused [slow]") {
  for (const ProtocolNames& names : {preset("homomorphic"), preset("paper"), opened_throughout()}) {
    INFO(names.matmul);
    Run run(names);
    Evaluator trainer = run.evaluator("train"), predictor = run.evaluator("predict"),
              releaser = run.evaluator("release");
    EncryptedArithmetic training(trainer, run.names), prediction(predictor, run.names);
    for (std::uint32_t epoch = 0; epoch < 2; ++epoch) run.train(training, epoch);
    classify(prediction, run.model, run.network, run.table, user_keys().public_keys());
    release_model(releaser, run.saved(), user_keys().public_keys());
    CHECK(run.log->size() > 2500);
    CHECK(run.log->repeated() == 0);

    const auto refused = [](const std::string& sentence) {
      return sentence.find(used) != std::string::npos || sentence.find(over) != std::string::npos;
    };
    CHECK(refused(error_of([&] { run.train(training, 1); })));
    CHECK(refused(error_of(
        [&] { classify(prediction, run.model, run.network, run.table, user_keys().public_keys()); })));
    CHECK(refused(error_of([&] { classify(training, run.model, run.network, run.table, std::nullopt); })));
    CHECK(refused(error_of([&] { release_model(releaser, run.saved(), user_keys().public_keys()); })));
  }
}

TEST_CASE("addresses: two tables from one source of the owner share no randomness") {
  const RandomSource owner = RandomSource::from_seed(18);
  const BitBudget budget(Numbers{20, 10, 40}, 16, 512);
  const SmallData data(8);
  std::vector<std::size_t> order = data.order;
  const auto table = [&](double factor) {
    Matrix<double> features = data.features;
    for (double& cell : features.cells()) cell *= factor;
    return encrypt_table(toy_keys().public_keys(), budget, 4, features, class_targets(data.classes, 2), order,
                         owner);
  };
  const MemoryTable first = table(1);
  CHECK(table(1).features(0) == first.features(0));
  std::swap(order[0], order[1]);
  const MemoryTable second = table(2);
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  const auto hidden = [&](const std::vector<Ciphertext>& a, const std::vector<Ciphertext>& b) {
    for (std::size_t i = 0; i < a.size(); ++i)  // one randomness: a / b = 1 modulo n
      if ((a[i].residue() - b[i].residue()) % key.n() == 0) return false;
    return true;
  };
  CHECK(hidden(first.features(0).column_packed(), second.features(0).column_packed()));
  CHECK(hidden(first.features(0).row_packed(), second.features(0).row_packed()));
  CHECK(hidden(first.order(0), second.order(0)));
}
