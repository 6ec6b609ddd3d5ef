// All roles in one process.
#include "mlp/program/experiment.h"

#include <numeric>

#include "mlp/batches.h"
#include "mlp/fixed_point.h"
#include "mlp/float_arithmetic.h"
#include "mlp/initial_weights.h"
#include "mlp/model_file.h"
#include "mlp/out_of_range.h"
#include "mlp/prediction.h"
#include "mlp/program/confusion.h"
#include "mlp/program/metrics.h"
#include "mlp/program/report.h"
#include "mlp/program/session.h"
#include "mlp/split.h"
#include "mlp/suspicions.h"
#include "mlp/training.h"
#include "mlp/twin_arithmetic.h"
#include "paillier/error.h"

namespace smlp {

namespace {

/// The row of the file, from 1, of each row of a table.
std::vector<std::size_t> file_rows(const Table& table) {
  if (!table.file_rows.empty()) return table.file_rows;
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{1});
  return rows;
}

Parts load_parts(const RunOptions& options, const Seeds& seeds, Console& console) {
  const Missing missing = options.data.choice.missing;
  const Table all = load_table(options.data.source());
  Table train = all, test;
  Profile profile;
  std::vector<std::string> notes = all.notes;
  Json tables{{"data", to_hex(digest(all))}};
  std::vector<std::size_t> tested;
  if (options.test) {
    profile = learn_profile(all, options.scaling, missing);
    TableSource source = options.data.source();
    source.expected = profile.expected();
    source.data = *options.test;
    source.labels.reset();
    if (options.test_labels) source.labels = *options.test_labels;
    test = load_table(source);
    notes.insert(notes.end(), test.notes.begin(), test.notes.end());
    if (!test.has_labels())
      throw Error("the test table " + *options.test + " has no labels to compare answers with");
    tables["test"] = to_hex(digest(test));
    tested = file_rows(test);
  } else {
    const Profile classes = learn_profile(all, Scaling::none, missing);
    const Split split = stratified_split(class_indices(classes, all), options.test_fraction, seeds.split());
    train = take_rows(all, split.train);
    test = take_rows(all, split.test);
    tested = file_rows(test);
    profile = learn_profile(train, options.scaling, missing);
  }
  Parts parts{std::move(tables), std::move(tested), profile, prepare_table(train, profile, seeds.shuffle()),
              prepare_table(test, profile, seeds.shuffle())};
  for (const std::string& note : notes) console.warning("note: " + note);
  const std::vector<std::string> warnings = suspicions(train, profile, options.numbers);
  for (const std::string& warning : warnings)
    console.warning("warning: " + options.data.data + ": " + warning);
  for (const std::string& unknown : unknown_texts(profile, test))
    console.warning("warning: " + options.test.value_or(options.data.data + ": of the test part") + ": " +
                    unknown);
  return parts;
}

std::vector<Matrix<double>> decoded(const std::vector<IntegerMatrix>& weights, const Numbers& numbers) {
  std::vector<Matrix<double>> out;
  for (const IntegerMatrix& matrix : weights) out.push_back(decode(matrix, numbers));
  return out;
}

double decrypted_loss(const EncryptedMatrix& residual, const BitBudget& budget, const SecretKeys& keys) {
  const std::vector<Integer> packed = keys.paillier().decrypt(residual.down());
  return half_squared_error(
      decode(unpack_down(packed, residual.layout(), budget.slot_bits()), budget.numbers()));
}

template <typename Matrix>
Weights<Matrix> clear_weights(const std::vector<Matrix>& initial, bool momentum) {
  Weights<Matrix> out{initial, {}};
  if (momentum)
    for (const Matrix& matrix : initial) out.velocities.emplace_back(matrix.rows(), matrix.cols());
  return out;
}

}  // namespace

Experiment::Experiment(const RunOptions& options, Json origin, Console& console)
    : options_(options),
      console_(console),
      seeds_(options.seed),
      names_(options.protocols.names()),
      parts_(load_parts(options, seeds_, console)),
      origin_(std::move(origin)),
      network_(options.network.network(parts_.train.features.cols(), parts_.profile.classes.size(),
                                       options.protocols)),
      table_budget_(chosen_budget()),
      budget_(evaluator_budget(table_budget_, names_)),
      groups_(table_groups(parts_.train.rows(), options.training.batch, table_budget_.slots())),
      test_groups_(table_groups(parts_.test.rows(), options.training.batch, table_budget_.slots())) {
  check_budget(network_, options.training, batch_rows(groups_, groups_.batches.front()),
               batch_rows(groups_, groups_.batches.back()), budget_);
  origin_["tables"] = parts_.tables;
  origin_["tested_rows"] = parts_.tested;
}

SecretKeys Experiment::make_keys() const {
  if (options_.keys) return *options_.keys;
  return SecretKeys::generate(options_.key.variant, options_.key.bits,
                              default_subgroup_bits(options_.key.bits), RandomSource::from_system());
}

void Experiment::keep_model(const SecretKeys& keys) const {
  const EncryptedModel model{.key = keys.public_keys().fingerprint(),
                             .handed_over = false,
                             .budget = budget_,
                             .network = network_,
                             .protocols = names_.by_family(),
                             .training = options_.training.to_json(),
                             .table_id = table_id_,
                             .profile = fingerprint(parts_.profile),
                             .epochs_done = options_.training.epochs,
                             .steps_done = options_.training.epochs * groups_.batches.size(),
                             .shown = shown(),
                             .weights = encrypted_model_.weights,
                             .velocities = encrypted_model_.velocities};
  save_model(*options_.out, model, keys.public_keys());
  save_profile(parts_.profile, *options_.out + ".profile.json");
}

BitBudget Experiment::chosen_budget() const {
  Numbers numbers = options_.numbers;
  options_.sigma.apply(numbers, options_.inner, options_.key.bits,
                       [&](const BitBudget& table) { return shown_by(plan(), table); });
  return {numbers, options_.inner, options_.key.bits};
}

Shown Experiment::shown() const {
  return shown_by(plan(), table_budget_);
}

void Experiment::describe() const {
  console_.note(options_.data.data + ": " + count_text(parts_.train.rows(), "row") + " to train and " +
                std::to_string(parts_.test.rows()) + " to test, " + count_text(network_.inputs(), "feature") +
                ", " + std::to_string(network_.outputs()) + " classes of " +
                in_quotes(parts_.profile.label_column));
  describe_training(console_, network_, options_.training, names_,
                    batch_rows(groups_, groups_.batches.front()), budget_, options_.range_check.on);
  warn_of_unused(console_, options_.protocols);
}

MemoryTable Experiment::encrypted(const SecretKeys& keys, const OwnerTable& table,
                                  const Progress& progress) const {
  return encrypt_table(keys.public_keys(), table_budget_, options_.training.batch, table.features,
                       &table.classes, network_.outputs(), table.row_order, RandomSource::from_system(),
                       parts_.profile.features(), progress, fingerprint(parts_.profile));
}

Findings Experiment::run() {
  describe();
  Findings findings;
  const double start = wall_seconds();
  const SecretKeys keys = make_keys();
  findings.keygen_seconds = wall_seconds() - start;
  ProgressBar progress(console_, "encrypt", "groups");
  const std::size_t of_train = groups_.widths.size(), all = of_train + test_groups_.widths.size();
  const MemoryTable train =
      encrypted(keys, parts_.train, [&](std::size_t done, std::size_t) { progress(done, all); });
  const MemoryTable test =
      encrypted(keys, parts_.test, [&](std::size_t done, std::size_t) { progress(of_train + done, all); });
  findings.encrypt_seconds = wall_seconds() - start - findings.keygen_seconds;
  console_.note("keys of " + key_text(keys.public_keys().paillier()) +
                (options_.keys ? " read in " : " made in ") + duration_text(findings.keygen_seconds) +
                ", both tables encrypted in " + duration_text(findings.encrypt_seconds));
  table_id_ = train.info().id;
  const std::string remedy = "lower --learning-rate, scale the features (--scaling) or raise --value-bits";
  findings.last = locating_ranges("step", remedy, [&] { return train_all(keys, train, findings); });
  locating_ranges("batch of the test", remedy, [&] { test_all(keys, test, findings); });
  if (options_.out) keep_model(keys);
  return findings;
}

EpochReport Experiment::train_all(const SecretKeys& keys, const MemoryTable& table, Findings& findings) {
  const TrainingOptions& training = options_.training;
  const Numbers& numbers = budget_.numbers();
  const std::size_t classes = network_.outputs();
  MetricsFile metrics(options_.output.metrics, 0);
  metrics.head(origin_);
  // The seed is told with the results. The key holder's randomness does not depend on it, so that it opens
  // nothing of a model that is kept; no result depends on that randomness.
  Session session(keys, budget_, names_, seeds_.training(), AnswerRandomness::from_system(),
                  options_.range_check.on);
  Meter meter(session);

  const bool momentum = training.momentum != 0;
  const std::vector<IntegerMatrix> initial = initial_weights(network_, numbers, seeds_.initial_weights());
  encrypted_model_ = encrypt_weights(initial, network_, keys.public_keys().paillier(), budget_, momentum,
                                     seeds_.initial_weights());
  twin_model_ = clear_weights(initial, momentum);
  float_model_ = clear_weights(decoded(initial, numbers), momentum);
  const ClearTable<Integer> integers = integer_table(parts_.train, groups_, classes, numbers);
  const ClearTable<double> doubles = float_table(parts_.train, groups_, classes);
  const GroupReader<EncryptedMatrix> ciphertexts{[&](std::size_t group) { return table.features(group); },
                                                 [&](std::size_t group) { return table.labels(group); }};
  TwinArithmetic twin(budget_, seeds_.training());
  FloatArithmetic clear(numbers.fraction_bits);

  EpochReport report;
  ProgressBar progress(console_, "", "steps");
  for (std::size_t epoch = 0; epoch < training.epochs; ++epoch) {
    const auto pass = [&](auto& arithmetic, auto& model, const auto& reader, const auto& observer) {
      train_epoch(arithmetic, network_, model, reader, groups_, training, budget_,
                  static_cast<std::uint32_t>(epoch), seeds_.batch_order(), observer);
    };
    // The twin goes first: it sees a value that leaves its range before time is spent on ciphertexts.
    std::vector<double> twin_losses, float_losses;
    pass(twin, twin_model_, integers.reader(), [&](std::size_t, std::size_t, const IntegerMatrix& residual) {
      twin_losses.push_back(half_squared_error(decode(residual, numbers)));
    });
    pass(clear, float_model_, doubles.reader(),
         [&](std::size_t, std::size_t, const Matrix<double>& residual) {
           float_losses.push_back(half_squared_error(residual));
         });
    progress.rename("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(training.epochs));
    Measured measured;
    meter.lap();
    pass(session.arithmetic(), encrypted_model_, ciphertexts,
         [&](std::size_t done, std::size_t total, const EncryptedMatrix& residual) {
           const Measured step = meter.lap();
           measured += step;
           progress(epoch * total + done, training.epochs * total);
           if (options_.output.metrics.empty()) return;
           const Three losses{decrypted_loss(residual, budget_, keys), twin_losses[done - 1],
                              float_losses[done - 1]};
           metrics.step(epoch + 1, epoch * total + done, step, {{"loss", losses.to_json()}});
           meter.lap();  // looking is no part of training
         });
    findings.training += measured;

    const auto opened = decoded(open_weights(encrypted_model_.weights, budget_, keys), numbers);
    const auto replayed = decoded(twin_model_.weights, numbers);
    const auto three = [&](auto&& score, const OwnerTable& part) {
      return Three{score(network_, opened, part), score(network_, replayed, part),
                   score(network_, float_model_.weights, part)};
    };
    report = {three(loss, parts_.train), three(accuracy, parts_.test)};
    metrics.epoch(epoch + 1, measured,
                  {{"loss", report.loss.to_json()}, {"accuracy", report.accuracy.to_json()}});
    report_epoch(epoch, report, measured, findings);
  }
  findings.weights_equal = open_weights(encrypted_model_.weights, budget_, keys) == twin_model_.weights;
  return report;
}

void Experiment::report_epoch(std::size_t epoch, const EpochReport& report, const Measured& measured,
                              Findings& findings) {
  const auto three = [](const Three& t, auto&& text) {
    return text(t.encrypted) + " encrypted, " + text(t.twin) + " twin, " + text(t.clear) + " float";
  };
  const auto bytes = static_cast<double>(measured.traffic.to_key_holder + measured.traffic.to_evaluator);
  console_.note("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(options_.training.epochs) +
                ": loss " + three(report.loss, [](double value) { return fixed_text(value, 4); }) +
                "; accuracy " + three(report.accuracy, percent) + "; " + duration_text(measured.seconds) +
                ", " + bytes_text(bytes) + ", " + std::to_string(measured.traffic.rounds) + " rounds (" +
                measured.split_text() + ")");
  Json entry{{"epoch", epoch + 1}, {"loss", report.loss.to_json()}, {"accuracy", report.accuracy.to_json()}};
  entry.update(measured.to_json());
  findings.history.push_back(std::move(entry));
}

void Experiment::test_all(const SecretKeys& keys, const MemoryTable& table, Findings& findings) {
  Session session(keys, budget_, names_, seeds_.prediction(), AnswerRandomness::from_system(),
                  options_.range_check.on);
  Meter meter(session);
  ProgressBar progress(console_, "test", "batches");
  const EncryptedAnswers answers =
      classify(session.arithmetic(), encrypted_model_, network_, table, std::nullopt,
               [&](std::size_t done, std::size_t total) { progress(done, total); });
  const Answers opened = open_answers(answers, keys);
  findings.testing = meter.lap();
  findings.answers = opened.classes;

  const Numbers& numbers = budget_.numbers();
  const ClearTable<Integer> integers = integer_table(parts_.test, test_groups_, network_.outputs(), numbers);
  const auto reader = integers.reader();
  TwinArithmetic twin(budget_, seeds_.prediction());
  std::vector<IntegerMatrix> replayed;
  for (std::size_t b = 0; b < test_groups_.batches.size(); ++b)
    replayed.push_back(classify_batch(twin, network_, twin_model_, reader.features, test_groups_, b));
  const Matrix<double> twin_scores =
      rows_in_file_order(decode(twin.stacked(replayed), numbers), parts_.test.row_order);
  findings.answers_equal = twin_scores == opened.scores;

  const auto score = [&](const std::vector<std::size_t>& classes) {
    return Confusion(parts_.profile.classes, parts_.test.classes, classes).accuracy();
  };
  findings.last.accuracy = {score(opened.classes), score(largest_outputs(twin_scores)),
                            accuracy(network_, float_model_.weights, parts_.test)};
}

}  // namespace smlp
