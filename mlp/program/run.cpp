// smlp run: all roles in one process. Keys, encryption, training, classification, and the same in the clear beside it.
#include <nlohmann/json.hpp>

#include "mlp/batches.h"
#include "mlp/fixed_point.h"
#include "mlp/float_arithmetic.h"
#include "mlp/initial_weights.h"
#include "mlp/prediction.h"
#include "mlp/program/commands.h"
#include "mlp/program/confusion.h"
#include "mlp/program/metrics.h"
#include "mlp/program/owner.h"
#include "mlp/program/report.h"
#include "mlp/program/seeds.h"
#include "mlp/split.h"
#include "mlp/twin_arithmetic.h"
#include "paillier/error.h"

namespace smlp {

namespace {

struct RunOptions {
  DataOptions data;
  std::optional<std::string> test;
  double test_fraction = 0.2;
  std::string network = "N-16-C";
  Scaling scaling = Scaling::standard;
  TrainingOptions training;
  ProtocolOptions protocols;
  KeyOptions key;
  Numbers numbers;
  std::size_t inner = 1024;
  std::optional<std::uint64_t> seed;
  ThreadOption threads;
  OutputOptions output;
};

/// The owner's two parts.
struct Parts {
  Profile profile;
  OwnerTable train;
  OwnerTable test;
};

Parts load_parts(const RunOptions& options, const Seeds& seeds) {
  const Table all = load_table(options.data.source());
  Table train = all, test;
  Profile profile;
  if (options.test) {
    profile = learn_profile(all, options.scaling);
    TableSource source = options.data.source(profile.expected());
    source.data = *options.test;
    test = load_table(source);
    if (!test.has_labels()) throw Error("the test table " + *options.test + " has no labels to compare answers with");
  } else {
    const Profile classes = learn_profile(all, Scaling::none);
    const Split split = stratified_split(class_indices(classes, all), options.test_fraction, seeds.split());
    train = take_rows(all, split.train);
    test = take_rows(all, split.test);
    profile = learn_profile(train, options.scaling);
  }
  return {profile, prepare_table(train, profile, seeds.shuffle()), prepare_table(test, profile, seeds.shuffle())};
}

std::vector<Matrix<double>> decoded(const std::vector<IntegerMatrix>& weights, const Numbers& numbers) {
  std::vector<Matrix<double>> out;
  for (const IntegerMatrix& matrix : weights) out.push_back(decode(matrix, numbers));
  return out;
}

template <typename Matrix>
Weights<Matrix> clear_weights(const std::vector<Matrix>& initial, bool momentum) {
  Weights<Matrix> out{initial, {}};
  if (momentum)
    for (const Matrix& matrix : initial) out.velocities.emplace_back(matrix.rows(), matrix.cols());
  return out;
}

/// One number for each of the three.
struct Three {
  double encrypted = 0, twin = 0, clear = 0;
  Json to_json() const { return {{"encrypted", encrypted}, {"twin", twin}, {"float", clear}}; }
};

struct EpochReport {
  Three loss;      ///< on the training part
  Three accuracy;  ///< on the test part
};

/// What the run found out.
struct Findings {
  EpochReport last;
  bool weights_equal = false;
  bool answers_equal = false;
  std::vector<std::size_t> answers;
  Measured training, testing;
  double keygen_seconds = 0, encrypt_seconds = 0;
  double statistical_bits = 0;
  Json history = Json::array();
};

class Experiment {
 public:
  Experiment(const RunOptions& options, Console& console)
      : options_(options),
        console_(console),
        seeds_(options.seed),
        names_(options.protocols.names()),
        parts_(load_parts(options, seeds_)),
        network_(parse_network(options.network, parts_.train.features.cols(), parts_.profile.classes.size())),
        budget_(options.numbers, options.inner, options.key.bits, names_.needs_one_value_a_ciphertext() ? 1 : 0),
        groups_(table_groups(parts_.train.rows(), options.training.batch, budget_.slots())),
        test_groups_(table_groups(parts_.test.rows(), options.training.batch, budget_.slots())) {
    check_budget(network_, options.training, batch_rows(groups_, groups_.batches.front()),
                 batch_rows(groups_, groups_.batches.back()), budget_);
  }

  Findings run();
  const Parts& parts() const { return parts_; }
  const Network& network() const { return network_; }
  const ProtocolNames& names() const { return names_; }

 private:
  void describe() const;
  MemoryTable encrypted(const SecretKeys& keys, const OwnerTable& table) const;
  EpochReport train_all(const SecretKeys& keys, const MemoryTable& table, Findings& findings);
  void report_epoch(std::size_t epoch, const EpochReport& report, const Measured& measured, Findings& findings);
  void test_all(const SecretKeys& keys, const MemoryTable& table, Findings& findings);

  const RunOptions& options_;
  Console& console_;
  Seeds seeds_;
  ProtocolNames names_;
  Parts parts_;
  Network network_;
  BitBudget budget_;
  TableGroups groups_, test_groups_;
  Weights<EncryptedMatrix> encrypted_model_;
  Weights<IntegerMatrix> twin_model_;
  Weights<Matrix<double>> float_model_;
};

void Experiment::describe() const {
  console_.note(options_.data.data + ": " + std::to_string(parts_.train.rows()) + " rows to train and " +
                std::to_string(parts_.test.rows()) + " to test, " + std::to_string(network_.inputs()) + " features, " +
                std::to_string(network_.outputs()) + " classes");
  console_.note("network " + network_.text() + ", " + std::to_string(options_.training.epochs) + " epochs, batches of " +
                std::to_string(options_.training.batch) + " rows, " +
                rate_text(options_.training, batch_rows(groups_, groups_.batches.front()), budget_));
  console_.note("protocols " + protocols_text(names_) + "; " + std::to_string(budget_.slots()) +
                (budget_.slots() == 1 ? " value" : " values") + " a ciphertext");
}

MemoryTable Experiment::encrypted(const SecretKeys& keys, const OwnerTable& table) const {
  return encrypt_table(keys.public_keys(), budget_, options_.training.batch, table.features, &table.classes,
                       network_.outputs(), table.row_order, RandomSource::from_system(), parts_.profile.columns);
}

Findings Experiment::run() {
  describe();
  warn_of_leakage(console_, names_);
  Findings findings;
  ProgressBar keygen(console_, "", "");
  const SecretKeys keys =
      SecretKeys::generate(options_.key.variant, options_.key.bits, default_subgroup_bits(options_.key.bits),
                           RandomSource::from_system());
  findings.keygen_seconds = keygen.seconds();
  ProgressBar encrypt(console_, "", "");
  const MemoryTable train = encrypted(keys, parts_.train);
  const MemoryTable test = encrypted(keys, parts_.test);
  findings.encrypt_seconds = encrypt.seconds();
  console_.note("keys of " + key_text(keys.public_keys().paillier()) + " made in " +
                duration_text(findings.keygen_seconds) + ", both tables encrypted in " +
                duration_text(findings.encrypt_seconds));
  findings.statistical_bits = statistical_bound(network_, names_, options_.training, groups_, &test_groups_, budget_,
                                                keys.public_keys());
  findings.last = train_all(keys, train, findings);
  test_all(keys, test, findings);
  return findings;
}

EpochReport Experiment::train_all(const SecretKeys& keys, const MemoryTable& table, Findings& findings) {
  const TrainingOptions& training = options_.training;
  const Numbers& numbers = budget_.numbers();
  const std::size_t classes = network_.outputs();
  MetricsFile metrics(options_.output.metrics, false);
  Session session(keys, budget_, names_, seeds_.training(), seeds_.key_holder());
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
  for (std::size_t epoch = 0; epoch < training.epochs; ++epoch) {
    const auto pass = [&](auto& arithmetic, auto& model, const auto& reader, const StepObserver& observer) {
      train_epoch(arithmetic, model, reader, groups_, training, budget_, static_cast<std::uint32_t>(epoch),
                  seeds_.batch_order(), observer);
    };
    // The twin goes first: it sees a value that leaves its range before time is spent on ciphertexts.
    pass(twin, twin_model_, integers.reader(), nullptr);
    pass(clear, float_model_, doubles.reader(), nullptr);
    ProgressBar progress(console_, "epoch " + std::to_string(epoch + 1) + "/" + std::to_string(training.epochs), "steps");
    Measured measured;
    meter.lap();
    pass(session.arithmetic(), encrypted_model_, ciphertexts, [&](std::size_t done, std::size_t total) {
      const Measured step = meter.lap();
      metrics.step(epoch + 1, epoch * total + done, step);
      measured += step;
      progress(done, total);
    });
    findings.training += measured;

    const auto opened = decoded(open_weights(encrypted_model_.weights, budget_, keys), numbers);
    const auto replayed = decoded(twin_model_.weights, numbers);
    const auto three = [&](auto&& score, const OwnerTable& part) {
      return Three{score(opened, part), score(replayed, part), score(float_model_.weights, part)};
    };
    report = {three(loss, parts_.train), three(accuracy, parts_.test)};
    metrics.epoch(epoch + 1, measured, {{"loss", report.loss.to_json()}, {"accuracy", report.accuracy.to_json()}});
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
  console_.note("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(options_.training.epochs) + ": loss " +
                three(report.loss, [](double value) { return fixed_text(value, 4); }) + "; accuracy " +
                three(report.accuracy, percent) + "; " + duration_text(measured.seconds) + ", " + bytes_text(bytes) +
                ", " + std::to_string(measured.traffic.rounds) + " rounds (" + measured.split_text() + ")");
  Json entry{{"epoch", epoch + 1}, {"loss", report.loss.to_json()}, {"accuracy", report.accuracy.to_json()}};
  entry.update(measured.to_json());
  findings.history.push_back(std::move(entry));
}

void Experiment::test_all(const SecretKeys& keys, const MemoryTable& table, Findings& findings) {
  Session session(keys, budget_, names_, seeds_.prediction(), seeds_.key_holder());
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
    replayed.push_back(classify_batch(twin, twin_model_, reader.features, test_groups_, b));
  const Matrix<double> twin_outputs =
      rows_in_file_order(decode(twin.stack(replayed), numbers), parts_.test.row_order);
  findings.answers_equal = twin_outputs == opened.outputs;

  const auto score = [&](const std::vector<std::size_t>& classes) {
    return Confusion(parts_.profile.classes, parts_.test.classes, classes).accuracy();
  };
  findings.last.accuracy = {score(opened.classes), score(largest_outputs(twin_outputs)),
                            accuracy(float_model_.weights, parts_.test)};
}

std::vector<std::string> answer_names(const Experiment& experiment, const Findings& findings) {
  std::vector<std::string> out;
  for (const std::size_t answer : findings.answers) out.push_back(experiment.parts().profile.classes[answer]);
  return out;
}

Json report_json(const RunOptions& options, const Experiment& experiment, const Findings& findings,
                 const Confusion& confusion, double wall, double cpu) {
  Json counts = Json::array();
  for (std::size_t i = 0; i < confusion.names.size(); ++i) {
    Json row = Json::array();
    for (std::size_t j = 0; j < confusion.names.size(); ++j) row.push_back(confusion.counts(i, j));
    counts.push_back(std::move(row));
  }
  const Traffic traffic = findings.training.traffic + findings.testing.traffic;
  Json loss = findings.last.loss.to_json();
  loss["rows"] = "train";
  return {{"key_bits", options.key.bits},
          {"variant", name(options.key.variant)},
          {"protocols", experiment.names().by_family()},
          {"network", experiment.network().text()},
          {"rows", {{"train", experiment.parts().train.rows()}, {"test", experiment.parts().test.rows()}}},
          {"epochs", options.training.epochs},
          {"accuracy", findings.last.accuracy.to_json()},
          {"loss", std::move(loss)},
          {"weights_equal_twin", findings.weights_equal},
          {"answers_equal_twin", findings.answers_equal},
          {"seconds",
           {{"wall", wall},
            {"cpu", cpu},
            {"keygen", findings.keygen_seconds},
            {"encrypt", findings.encrypt_seconds},
            {"train", findings.training.seconds},
            {"test", findings.testing.seconds}}},
          {"bytes", to_json(traffic)},
          {"rounds", traffic.rounds},
          {"seconds_by_kind", findings.training.by_kind},
          {"statistical_bits", findings.statistical_bits},
          {"confusion", {{"classes", confusion.names}, {"counts", std::move(counts)}}},
          {"answers", answer_names(experiment, findings)},
          {"history", findings.history}};
}

void report_text(Console& console, const Findings& findings, const Confusion& confusion, double wall) {
  console.result("test accuracy " + percent(findings.last.accuracy.encrypted) + " encrypted, " +
                 percent(findings.last.accuracy.twin) + " twin, " + percent(findings.last.accuracy.clear) + " float");
  for (const std::string& line : confusion.lines()) console.result("  " + line);
  const Measured all = [&] {
    Measured sum = findings.training;
    return sum += findings.testing;
  }();
  console.result("trained in " + duration_text(findings.training.seconds) + ", tested in " +
                 duration_text(findings.testing.seconds) + ", " + duration_text(wall) + " in all; " +
                 bytes_text(static_cast<double>(all.traffic.to_key_holder)) + " to the key holder, " +
                 bytes_text(static_cast<double>(all.traffic.to_evaluator)) + " back, " +
                 std::to_string(all.traffic.rounds) + " rounds");
  console.result("the masks of the whole run show anything with probability below 2^" +
                 fixed_text(findings.statistical_bits, 1));
  if (findings.weights_equal && findings.answers_equal)
    console.result("the encrypted weights and answers equal the twin's exactly");
}

void declare(CommandLine& line, RunOptions& options) {
  options.data.add_to(line);
  line.text("test", options.test, "a table of its own to test on, with labels");
  line.real("test-fraction", options.test_fraction, "part of each class that is kept for the test");
  line.text("network", options.network, "layer sizes; N features, C classes");
  line.choice("scaling", std::string(name(options.scaling)), "of the features: standard, min-max or none",
              [&](const std::string& value) { options.scaling = scaling_from_name(value); });
  add_training_options(line, options.training);
  options.protocols.add_to(line);
  options.key.add_to(line);
  add_number_options(line, options.numbers);
  line.number("inner", options.inner, "widest inner dimension of a product that slots have room for");
  line.number("seed", options.seed, "repeatable split, weights and masks (never keys)");
  options.threads.add_to(line);
  options.output.add_to(line, true);
}

}  // namespace

int run_command(const Words& words, Console& console) {
  const double start = wall_seconds();
  RunOptions options;
  CommandLine line("run", "All roles in one process: keys, encryption, training, classification, compared with the clear.");
  declare(line, options);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  if (options.test && line.given("test-fraction")) throw UsageError("--test and --test-fraction exclude each other");
  console.configure(options.output.json, options.output.quiet);
  options.threads.apply();
  options.training.check();
  options.key.check();
  options.numbers.check();
  if (!options.output.metrics.empty()) require_writable("--metrics", options.output.metrics);

  Experiment experiment(options, console);
  const Findings findings = experiment.run();
  const Confusion confusion(experiment.parts().profile.classes, experiment.parts().test.classes, findings.answers);
  const double wall = wall_seconds() - start;
  if (options.output.json)
    console.document(report_json(options, experiment, findings, confusion, wall, cpu_seconds()).dump());
  else
    report_text(console, findings, confusion, wall);
  if (!findings.weights_equal || !findings.answers_equal) {
    console.warning(std::string("the encrypted ") + (findings.weights_equal ? "answers" : "weights") +
                    " are not the twin's: a protocol or a value left its range");
    return 1;
  }
  return 0;
}

}  // namespace smlp
