// A small training run in all three arithmetics, for the tests of the trainer.
#pragma once

#include <atomic>
#include <cmath>
#include <memory>
#include <optional>
#include <set>

#include "mlp/training/encrypted_arithmetic.h"
#include "mlp/training/fixed_point.h"
#include "mlp/training/float_arithmetic.h"
#include "mlp/training/initial_weights.h"
#include "mlp/training/prediction.h"
#include "mlp/training/training.h"
#include "mlp/training/twin_arithmetic.h"
#include "protocols/transport/hosted.h"
#include "tests/support/toy_keys.h"

namespace smlp::test {

inline constexpr Numbers small_numbers{20, 10, 40};

/// Two noisy classes on opposite corners (exclusive or): `rows` rows, 3 columns, one of them noise.
struct SmallData {
  Matrix<double> features;
  std::vector<std::size_t> classes;
  std::vector<std::size_t> order;

  explicit SmallData(std::size_t rows) : features(rows, 3) {
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t a = i & 1, b = i >> 1 & 1;
      const auto noise = [i](double phase) { return 0.1 * std::sin(phase * static_cast<double>(i + 1)); };
      features(i, 0) = (a != 0 ? 1 : -1) + noise(1.3);
      features(i, 1) = (b != 0 ? 1 : -1) + noise(2.7);
      features(i, 2) = 3 * noise(5.1);
      classes.push_back(a ^ b);
      order.push_back((i * 7 + 3) % rows);  // a permutation where 7 and rows share no factor
    }
  }
};

struct SmallRun {
  Network network{{3, 4, 2}};
  TrainingOptions options;
  ProtocolNames protocols = preset("homomorphic");
  bool packed_table = true;  ///< else one value a ciphertext
  bool hosted = false;       ///< over gRPC's calls, with re-randomisers made ahead; else directly
  bool range_checks = true;
  bool resumed = false;     ///< each epoch in a session of its own, from what files store of the one before
  bool regression = false;  ///< learns (2 a - b) / 4 of the first two columns, by one linear output
  std::uint64_t seed = 11;
};

/// Of which nothing but what files store is a ciphertext.
inline ProtocolNames opened_throughout() {
  ProtocolNames names = preset("hybrid");
  names.matmul = "oblivious-transfer";
  return names;
}

/// Models after training, decrypted where they were encrypted.
struct SmallOutcome {
  std::vector<IntegerMatrix> initial, encrypted, twin;
  std::vector<IntegerMatrix> velocities;  ///< encrypted; none without momentum
  std::vector<Matrix<double>> clear;
  Traffic traffic, of_answers;    ///< of training, and of classification
  std::size_t masked_values = 0;  ///< that the key holder saw in training, each under a mask of its own
  Digest transcript{};
  std::optional<EncryptedAnswers> answers;
  std::vector<IntegerMatrix> twin_outputs;  ///< of each batch of the table, in the order of its rows
};

inline Targets small_targets(const SmallData& data, const SmallRun& run) {
  if (!run.regression) return class_targets(data.classes, run.network.outputs());
  std::vector<double> numbers;
  for (std::size_t i = 0; i < data.features.rows(); ++i)
    numbers.push_back((2 * data.features(i, 0) - data.features(i, 1)) / 4);
  return number_targets(std::move(numbers));
}

inline KeyHolder small_key_holder(const SecretKeys& keys, const SmallRun& run,
                                  ViewObserver observer = nullptr) {
  KeyHolderPolicy policy;
  for (const Descriptor* descriptor : run.protocols.used())
    if (descriptor->leaks()) policy.protocols.insert(descriptor->wire_name());
  return KeyHolder(keys, policy,
                   AnswerRandomness::from_source(RandomSource::from_seed(run.seed).derive("key holder")),
                   std::move(observer));
}

/// Trains and then classifies the training rows, all from one seed.
inline SmallOutcome train_small(const SecretKeys& keys, const Numbers& numbers, std::size_t inner,
                                const SmallData& data, const SmallRun& run) {
  const std::size_t bits = keys.public_keys().paillier().bits();
  const bool single = run.protocols.needs_one_value_a_ciphertext();
  const BitBudget budget(numbers, inner, bits, single ? 1 : 0);
  const BitBudget table_budget(numbers, inner, bits, run.packed_table ? 0 : 1);
  const RandomSource random = RandomSource::from_seed(run.seed);
  const Targets targets = small_targets(data, run);
  const MemoryTable table = encrypt_table(keys.public_keys(), table_budget, run.options.batch, data.features,
                                          targets, data.order, random.derive("owner"));
  const TableGroups& groups = table.groups();

  std::atomic<std::size_t> seen = 0;
  const auto key_holder = std::make_shared<const KeyHolder>(small_key_holder(
      keys, run, [&](const Header& header, std::string_view what, const FixedIntegers& values) {
        // A packed product's A B + rho follows from its parts.
        static const std::set<std::string_view> masked{
            "x + r",   "z + r",      "v + r",       "A + R_A",     "B + R_B",
            "C + R_C", "beta v + e", "A R_B + R_T", "R_A B + R_U", "matmul/oblivious-transfer A B + rho"};
        if (masked.contains(what) || masked.contains(header.protocol + " " + std::string(what)))
          seen += values.size();
      }));
  const std::unique_ptr<Channel> hosted = host_key_holder(key_holder);
  InProcessChannel direct(*key_holder);
  Channel& channel = run.hosted ? *hosted : direct;
  channel.keep_transcript();
  std::optional<Evaluator> evaluator;
  std::optional<EncryptedArithmetic> encrypted;
  const auto begin_session = [&](std::size_t number) {
    encrypted.reset();
    evaluator.emplace(keys.public_keys(), budget, channel, random.derive("train"),
                      draw_session(number == 0 ? random : random.derive("session " + std::to_string(number))),
                      run.hosted);
    encrypted.emplace(*evaluator, run.protocols, run.range_checks);
  };
  TwinArithmetic twin(budget, random.derive("train"));
  FloatArithmetic clear(numbers.fraction_bits);

  const auto rows_of = [&](std::size_t group) {
    const auto first = data.order.begin() + static_cast<std::ptrdiff_t>(groups.first_rows[group]);
    return std::vector<std::size_t>(first, first + static_cast<std::ptrdiff_t>(groups.widths[group]));
  };
  const auto features_of = [&](std::size_t group) {
    const auto rows = rows_of(group);
    Matrix<double> out(rows.size(), data.features.cols());
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t j = 0; j < out.cols(); ++j) out(i, j) = data.features(rows[i], j);
    return out;
  };
  const auto labels_of = [&](std::size_t group) {
    return in_words(encode(targets.of_rows(rows_of(group)), numbers));
  };

  SmallOutcome out;
  out.initial = initial_weights(run.network, numbers, random.derive("initial"));
  const bool momentum = run.options.momentum != 0;
  Weights<EncryptedMatrix> encrypted_model = encrypt_weights(
      out.initial, run.network, keys.public_keys().paillier(), budget, momentum, random.derive("initial"));
  Weights<WordMatrix> twin_model{in_words(out.initial), {}};
  Weights<Matrix<double>> clear_model;
  for (const IntegerMatrix& m : out.initial) {
    clear_model.weights.push_back(decode(m, numbers));
    if (!momentum) continue;
    twin_model.velocities.emplace_back(m.rows(), m.cols());
    clear_model.velocities.emplace_back(m.rows(), m.cols());
  }
  const GroupReader<EncryptedMatrix> encrypted_table{[&](std::size_t g) { return table.features(g); },
                                                     [&](std::size_t g) { return table.labels(g); }};
  const GroupReader<WordMatrix> twin_table{
      [&](std::size_t g) { return in_words(encode(features_of(g), numbers)); }, labels_of};
  const GroupReader<Matrix<double>> clear_table{features_of,
                                                [&](std::size_t g) { return decode(labels_of(g), numbers); }};
  const RandomSource order = random.derive("order");
  for (std::uint32_t epoch = 0; epoch < run.options.epochs; ++epoch) {
    if (epoch == 0 || run.resumed) begin_session(epoch);
    train_epoch(*encrypted, run.network, encrypted_model, encrypted_table, groups, run.options, budget, epoch,
                order);
    train_epoch(twin, run.network, twin_model, twin_table, groups, run.options, budget, epoch, order);
    train_epoch(clear, run.network, clear_model, clear_table, groups, run.options, budget, epoch, order);
  }
  out.traffic = channel.traffic();
  out.masked_values = seen;
  out.encrypted = open_weights(encrypted_model.weights, budget, keys);
  out.velocities = open_weights(encrypted_model.velocities, budget, keys);
  out.twin = as_integers(twin_model.weights);
  out.clear = clear_model.weights;

  Evaluator predictor{keys.public_keys(), budget, channel, random.derive("predict"), draw_session(random)};
  EncryptedArithmetic prediction(predictor, run.protocols);
  out.answers = classify(prediction, encrypted_model, run.network, table, std::nullopt);
  const Traffic& all = channel.traffic();
  out.of_answers = {all.to_key_holder - out.traffic.to_key_holder,
                    all.to_evaluator - out.traffic.to_evaluator, all.rounds - out.traffic.rounds};
  TwinArithmetic twin_prediction(budget, random.derive("predict"));
  for (std::size_t b = 0; b < groups.batches.size(); ++b)
    out.twin_outputs.push_back(as_integers(
        classify_batch(twin_prediction, run.network, twin_model, twin_table.features, groups, b)));
  out.transcript = channel.transcript();
  return out;
}

}  // namespace smlp::test
