// All roles in one process.
#include "mlp/program/experiment.h"

#include "mlp/files/model_file.h"
#include "mlp/program/metrics.h"
#include "mlp/program/report.h"
#include "mlp/program/session.h"
#include "mlp/training/batches.h"
#include "mlp/training/fixed_point.h"
#include "mlp/training/initial_weights.h"
#include "mlp/training/machine_speed.h"
#include "mlp/training/out_of_range.h"
#include "mlp/training/prediction.h"
#include "mlp/training/product_choice.h"
#include "mlp/training/training.h"
#include "mlp/training/twin_arithmetic.h"
#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/opened_values.h"

namespace smlp {

namespace {

double decrypted_loss(const EncryptedMatrix& residual, const Evaluator& evaluator, const SecretKeys& keys) {
  const BitBudget& budget = evaluator.budget;
  const IntegerMatrix values = residual.has_ciphertexts()
                                   ? unpack_columns(keys.paillier().decrypt(residual.column_packed()),
                                                    residual.layout(), budget.slot_bits())
                                   : opened_in_clear(evaluator, keys, residual);
  return half_squared_error(decode(values, budget.numbers()));
}

Plan plan_of(const RunOptions& options, const ProtocolNames& names, const Network& network,
             const Parts& parts) {
  return {network,           for_training(names, network, options.training, options.range_check.on),
          options.training,  parts.train.rows(),
          parts.test.rows(), options.range_check.on};
}

}  // namespace

Json to_json(const EpochReport& report) {
  Json out = Json::object();
  for (const auto& [measure, value] : report) out[measure] = value.to_json();
  return out;
}

std::string text_of(const EpochReport& report, const std::string& measure) {
  const Three& value = report.at(measure);
  return measure_name(measure) + " " + measure_text(measure, value.encrypted) + " encrypted, " +
         measure_text(measure, value.twin) + " twin, " + measure_text(measure, value.clear) + " float";
}

Experiment::Experiment(const RunOptions& options, Json origin, Console& console)
    : options_(options),
      console_(console),
      seeds_(options.seed),
      names_(options.protocols.names()),
      parts_(PartSource(options).parts(seeds_, options.numbers, &console)),
      origin_(std::move(origin)),
      network_(network_of(options.network, parts_.train.features.cols(), parts_.profile.outputs(),
                          options.protocols, parts_.profile.task)),
      table_budget_(run_budget(options, network_, parts_)),
      budget_(evaluator_budget(table_budget_, names_)),
      groups_(table_groups(parts_.train.rows(), options.training.batch, table_budget_.slots())),
      test_groups_(table_groups(parts_.test.rows(), options.training.batch, table_budget_.slots())) {
  check_budget(network_, options.training, batch_rows(groups_, groups_.batches.front()),
               batch_rows(groups_, groups_.batches.back()), budget_);
  names_ = for_training(names_, network_, options.training, options.range_check.on);
  clear_.emplace(parts_, network_, options.training, budget_, groups_, seeds_);
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
                             .task = parts_.profile.task,
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

BitBudget run_budget(const RunOptions& options, const Network& network, const Parts& parts) {
  Numbers numbers = options.numbers;
  options.sigma.apply(numbers, options.inner, options.key.bits, [&](const BitBudget& table) {
    return shown_by(plan_of(options, options.protocols.names(), network, parts), table);
  });
  return {numbers, options.inner, options.key.bits};
}

Shown Experiment::shown() const {
  return shown_by(plan_of(options_, names_, network_, parts_), table_budget_);
}

void Experiment::describe() const {
  console_.note(options_.data.data + ": " + count_text(parts_.train.rows(), "row") + " to train and " +
                std::to_string(parts_.test.rows()) + " to test, " + count_text(network_.inputs(), "feature") +
                ", " + labels_text(parts_.profile));
  describe_training(console_, network_, options_.training, names_,
                    batch_rows(groups_, groups_.batches.front()), budget_, options_.range_check.on);
  warn_of_unused(console_, options_.protocols, names_);
  if (options_.link.text && !names_.chooses_products())
    warn_of_unused_link(console_, options_.protocols.matmul ? "--matmul" : "the preset");
}

MemoryTable Experiment::encrypted(const SecretKeys& keys, const OwnerTable& table,
                                  const Progress& progress) const {
  return encrypt_table(keys.public_keys(), table_budget_, options_.training.batch, table.features,
                       table.targets, table.row_order, RandomSource::from_system(), parts_.profile.features(),
                       progress, fingerprint(parts_.profile));
}

Findings Experiment::run() {
  describe();
  // In seconds, and before keys are made: it sees a value that leaves its range before time is spent on
  // ciphertexts.
  try {
    for (std::size_t epoch = 0; epoch < options_.training.epochs; ++epoch)
      clear_epochs_.push_back(clear_->train_epoch());
  } catch (const LeftRange& error) {
    throw Error(error.what() +
                rate_remedy(rate_in_range(parts_, network_, options_.training, budget_, groups_, seeds_)));
  }
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
  if (names_.chooses_products())
    choose_products(keys);
  else if (!options_.output.quiet && !options_.output.json &&
           options_.protocols.names() == preset("homomorphic"))
    console_.note(hybrid_instead(keys));
  origin_["products"]["matmul"] = names_.matmul;
  table_id_ = train.info().id;
  const std::string remedy = "lower --learning-rate, scale the features (--scaling) or raise --value-bits";
  findings.last = locating_ranges("step", remedy, [&] { return train_all(keys, train, findings); });
  locating_ranges("batch of the test", remedy, [&] { test_all(keys, test, findings); });
  if (options_.out) keep_model(keys);
  return findings;
}

Cost Experiment::later_epoch(const PublicKeys& key, const ProtocolNames& names) const {
  const Sizes sizes{budget_, key.paillier().ciphertext_bytes(), key.dgk().ciphertext_bytes()};
  const bool once = options_.training.epochs == 1;
  return epoch_cost(network_, names, options_.training, groups_, sizes, once, options_.range_check.on);
}

void Experiment::choose_products(const SecretKeys& keys) {
  const LinkSpeed link = options_.link.speed().value_or(LinkSpeed::loopback());
  names_ = with_cheapest_products(
      names_, network_.layers(),
      [&](const ProtocolNames& names) { return later_epoch(keys.public_keys(), names); },
      measure_speed(keys, RandomSource::from_system()), link);
  origin_["products"] = products_json(names_, link);
  console_.note(products_text(names_, link));
}

std::string Experiment::hybrid_instead(const SecretKeys& keys) const {
  const MachineSpeed speed = measure_speed(keys, RandomSource::from_system());
  const auto epoch_by = [&](const ProtocolNames& names) { return later_epoch(keys.public_keys(), names); };
  const Cost own = epoch_by(names_),
             hybrid = epoch_by(with_cheapest_products(preset("hybrid"), network_.layers(), epoch_by, speed,
                                                      LinkSpeed::loopback()));
  return hybrid_instead_text(speed.seconds(own, thread_count()), own.traffic,
                             speed.seconds(hybrid, thread_count()), hybrid.traffic);
}

EpochReport Experiment::train_all(const SecretKeys& keys, const MemoryTable& table, Findings& findings) {
  const TrainingOptions& training = options_.training;
  const Numbers& numbers = budget_.numbers();
  MetricsFile metrics(options_.output.metrics, 0);
  metrics.head(origin_);
  // The seed is told with the results. The key holder's randomness does not depend on it, so that it opens
  // nothing of a model that is kept; no result depends on that randomness.
  Session session(keys, budget_, names_, seeds_.training(), AnswerRandomness::from_system(),
                  options_.range_check.on);
  Meter meter(session);

  encrypted_model_ = encrypt_weights(initial_weights(network_, numbers, seeds_.initial_weights()), network_,
                                     keys.public_keys().paillier(), budget_, training.momentum != 0,
                                     seeds_.initial_weights());
  const GroupReader<EncryptedMatrix> ciphertexts{[&](std::size_t group) { return table.features(group); },
                                                 [&](std::size_t group) { return table.labels(group); }};

  EpochReport report;
  ProgressBar progress(console_, "", "steps");
  for (std::size_t epoch = 0; epoch < training.epochs; ++epoch) {
    const ClearEpoch& clear = clear_epochs_[epoch];
    progress.rename("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(training.epochs));
    Measured measured;
    meter.lap();
    train_epoch(session.arithmetic(), network_, encrypted_model_, ciphertexts, groups_, training, budget_,
                static_cast<std::uint32_t>(epoch), seeds_.batch_order(),
                [&](std::size_t done, std::size_t total, const EncryptedMatrix& residual) {
                  const Measured step = meter.lap();
                  measured += step;
                  progress(epoch * total + done, training.epochs * total);
                  if (options_.output.metrics.empty()) return;
                  const Two& losses = clear.step_losses[done - 1];
                  const Three all{decrypted_loss(residual, session.arithmetic().evaluator(), keys),
                                  losses.twin, losses.clear};
                  metrics.step(epoch + 1, epoch * total + done, step, {{"loss", all.to_json()}});
                  meter.lap();  // looking is no part of training
                });
    findings.training += measured;

    const auto opened = decoded(open_weights(encrypted_model_.weights, budget_, keys), numbers);
    for (const auto& [measure, value] : measures(network_, opened, parts_))
      report[measure] = {value, clear.measures.at(measure).twin, clear.measures.at(measure).clear};
    metrics.epoch(epoch + 1, measured, to_json(report));
    report_epoch(epoch, report, measured, findings);
  }
  findings.weights = open_weights(encrypted_model_.weights, budget_, keys);
  findings.weights_equal = findings.weights == as_integers(clear_->twin().weights);
  return report;
}

void Experiment::report_epoch(std::size_t epoch, const EpochReport& report, const Measured& measured,
                              Findings& findings) {
  const auto bytes = static_cast<double>(measured.traffic.to_key_holder + measured.traffic.to_evaluator);
  console_.note("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(options_.training.epochs) + ": " +
                text_of(report, "loss") + "; " + text_of(report, measures_of(parts_.profile.task).front()) +
                "; " + duration_text(measured.seconds) + ", " + bytes_text(bytes) + ", " +
                std::to_string(measured.traffic.rounds) + " rounds (" + measured.split_text() + ")");
  Json entry{{"epoch", epoch + 1}};
  entry.update(to_json(report));
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
  findings.answers = open_answers(answers, keys);
  findings.testing = meter.lap();

  const Numbers& numbers = budget_.numbers();
  const ClearTable<std::int64_t> integers = integer_table(parts_.test, test_groups_, numbers);
  const auto reader = integers.reader();
  TwinArithmetic twin(budget_, seeds_.prediction());
  std::vector<WordMatrix> replayed;
  for (std::size_t b = 0; b < test_groups_.batches.size(); ++b)
    replayed.push_back(classify_batch(twin, network_, clear_->twin(), reader.features, test_groups_, b));
  const Matrix<double> twin_scores =
      rows_in_file_order(decode(twin.stacked(replayed), numbers), parts_.test.row_order);
  findings.answers_equal = twin_scores == findings.answers.scores;

  const auto measured = [&](const Matrix<double>& scores) {
    return quality(parts_.profile, parts_.test, scores);
  };
  const Measures encrypted = measured(findings.answers.scores), of_twin = measured(twin_scores),
                 clear = measured(scores(network_, clear_->clear(), parts_.test));
  for (const auto& [measure, value] : encrypted)
    findings.last[measure] = {value, of_twin.at(measure), clear.at(measure)};
}

}  // namespace smlp
