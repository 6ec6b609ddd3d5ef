// Training and classification of a table through the library: what `smlp encrypt`, `train`, `predict` and
// `decrypt` do.   classify TABLE.csv
#include <iostream>

#include "mlp/program/owner.h"
#include "mlp/program/seeds.h"
#include "mlp/program/session.h"
#include "mlp/tables/profile.h"
#include "mlp/training/initial_weights.h"
#include "mlp/training/prediction.h"
#include "mlp/training/training.h"
#include "paillier/error.h"

using namespace smlp;

int main(int argc, char** argv) try {
  if (argc != 2) throw Error("usage: classify TABLE.csv");
  constexpr std::size_t batch = 16;
  const SecretKeys secret =
      SecretKeys::generate(Variant::subgroup, 2048, default_subgroup_bits(2048), RandomSource::from_system());
  const PublicKeys& keys = secret.public_keys();
  const BitBudget budget(Numbers{}, 64, 2048);
  const Seeds seeds(std::uint64_t{1});  // of order, weights and masks: leave it out where results matter

  // The owner: reads, scales, encrypts.
  TableSource source;
  source.data = argv[1];
  const Table table = load_table(source);
  const Profile profile = learn_profile(table, Scaling::standard);
  const OwnerTable rows = prepare_table(table, profile, seeds.shuffle());
  const MemoryTable encrypted = encrypt_table(keys, budget, batch, rows.features, rows.targets,
                                              rows.row_order, RandomSource::from_system());

  // The evaluator: trains on ciphertexts. A session serves one training or one classification.
  const Network network({rows.features.cols(), 8, profile.outputs()});
  const ProtocolNames names = preset("homomorphic");
  TrainingOptions options;
  options.epochs = 2;
  options.batch = batch;
  options.learning_rate = 0.05;
  options.momentum = 0.8;
  Weights<EncryptedMatrix> model =
      encrypt_weights(initial_weights(network, budget.numbers(), seeds.initial_weights()), network,
                      keys.paillier(), budget, true, seeds.initial_weights());
  {
    Session session(secret, budget, names, seeds.training(), AnswerRandomness::from_system());
    const GroupReader<EncryptedMatrix> reader{[&](std::size_t group) { return encrypted.features(group); },
                                              [&](std::size_t group) { return encrypted.labels(group); }};
    for (std::uint32_t epoch = 0; epoch < options.epochs; ++epoch)
      train_epoch(session.arithmetic(), network, model, reader, encrypted.groups(), options, budget, epoch,
                  seeds.batch_order());
  }
  Session session(secret, budget, names, seeds.prediction(), AnswerRandomness::from_system());
  const EncryptedAnswers answers = classify(session.arithmetic(), model, network, encrypted, std::nullopt);

  // Whoever holds the secret keys of the answers.
  const Answers opened = open_answers(answers, secret);
  const std::vector<std::size_t> expected = class_indices(profile, table);
  std::size_t right = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) right += opened.classes[i] == expected[i] ? 1 : 0;
  std::cout << right << " of " << expected.size() << " rows are classified right\n";
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
