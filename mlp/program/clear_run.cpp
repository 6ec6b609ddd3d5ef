// Settings, seeds, and what is said about them.
#include "mlp/program/clear_run.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "mlp/program/clear_grid.h"
#include "mlp/program/clear_training.h"
#include "mlp/program/exported_model.h"
#include "mlp/program/metrics.h"
#include "mlp/program/report.h"
#include "mlp/text.h"
#include "mlp/training/training.h"
#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::size_t most_repeats = 1000;

std::string text_of(const Setting& setting) {
  std::string out;
  for (const auto& [name, value] : setting) out += (out.empty() ? "" : " ") + name + "=" + value;
  return out;
}

/// One seed of one setting.
struct Trial {
  std::uint64_t seed = 0;
  std::vector<ClearEpoch> epochs;
  std::string left_range;  ///< what the twin said; empty where it did not
  Json trained;            ///< of the twin, where the trial is alone and stayed in range
};

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Of a sample; 0 of one value.
double deviation_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return values.size() < 2 ? 0 : std::sqrt(squares / static_cast<double>(values.size() - 1));
}

/// All seeds of one setting.
struct Outcome {
  Setting setting;
  RunOptions options;
  Network network;
  std::vector<Trial> trials;

  /// Of the last epochs of the trials that came so far.
  std::vector<double> last(double Two::*which, const std::string& measure) const {
    std::vector<double> out;
    for (const Trial& trial : trials)
      if (trial.left_range.empty()) out.push_back(trial.epochs.back().measures.at(measure).*which);
    return out;
  }
  std::size_t diverged() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(trials, [](const Trial& trial) { return !trial.left_range.empty(); }));
  }
  /// To choose by: no seed left its range, then accuracy or R^2 of the twin, then its loss.
  bool better_than(const Outcome& other) const {
    if (diverged() != other.diverged()) return diverged() < other.diverged();
    const std::string& measure = measures_of(options.data.task).front();
    const auto mine = last(&Two::twin, measure), others = other.last(&Two::twin, measure);
    if (mine.empty()) return false;
    if (mean_of(mine) != mean_of(others)) return mean_of(mine) > mean_of(others);
    return mean_of(last(&Two::twin, "loss")) < mean_of(other.last(&Two::twin, "loss"));
  }
};

std::string spread_text(const std::vector<double>& values, const std::function<std::string(double)>& text) {
  if (values.empty()) return "none";
  return text(mean_of(values)) + (values.size() > 1 ? " +- " + text(deviation_of(values)) : std::string());
}

std::string outcome_text(const Outcome& outcome) {
  const auto part = [&](double Two::*which, const std::string& measure) {
    return spread_text(outcome.last(which, measure),
                       [&](double value) { return measure_text(measure, value); });
  };
  std::string out;
  for (const std::string& measure : measures_of(outcome.options.data.task))
    out += measure_name(measure) + " " + part(&Two::twin, measure) + " twin, " + part(&Two::clear, measure) +
           " float; ";
  out += "loss " + part(&Two::twin, "loss") + " twin";
  if (const std::size_t diverged = outcome.diverged(); diverged != 0)
    out += "; " + std::to_string(diverged) + " of " + std::to_string(outcome.trials.size()) +
           " left the range of the numbers";
  return out;
}

/// "accuracy 97.0 % twin, 97.1 % float".
std::string text_of(const ClearEpoch& epoch, const std::string& measure) {
  const Two& value = epoch.measures.at(measure);
  return measure_name(measure) + " " + measure_text(measure, value.twin) + " twin, " +
         measure_text(measure, value.clear) + " float";
}

std::string epoch_text(const ClearEpoch& epoch, std::size_t number, std::size_t all, Task task) {
  return "epoch " + std::to_string(number) + "/" + std::to_string(all) + ": " + text_of(epoch, "loss") +
         "; " + text_of(epoch, measures_of(task).front());
}

std::string bits_text(const ClearEpoch& epoch, const Numbers& numbers) {
  std::string out;
  for (const auto& [tensor, bits] : epoch.bits)
    out += (out.empty() ? "  bits of " + std::to_string(numbers.value_bits) + ": " : ", ") + tensor + " " +
           std::to_string(bits);
  return out;
}

/// `alone`: a rate that works is looked for where this one does not.
Trial train(const RunOptions& options, const Network& network, const Parts& parts, std::uint64_t seed,
            bool alone, const std::function<void(const ClearEpoch&, std::size_t)>& observer) {
  const BitBudget table = run_budget(options, network, parts);
  const BitBudget budget = evaluator_budget(table, options.protocols.names());
  const TableGroups groups = table_groups(parts.train.rows(), options.training.batch, table.slots());
  check_budget(network, options.training, batch_rows(groups, groups.batches.front()),
               batch_rows(groups, groups.batches.back()), budget);
  Trial out{seed, {}, {}, {}};
  ClearTraining training(parts, network, options.training, budget, groups, Seeds(seed));
  for (std::size_t epoch = 0; epoch < options.training.epochs && out.left_range.empty(); ++epoch) {
    try {
      out.epochs.push_back(training.train_epoch());
      observer(out.epochs.back(), epoch + 1);
    } catch (const LeftRange& error) {
      out.left_range = error.what();
      if (alone)
        out.left_range +=
            rate_remedy(rate_in_range(parts, network, options.training, budget, groups, Seeds(seed)));
    }
  }
  if (alone && out.left_range.empty())
    out.trained = {{"scaling", scaling_json(parts.profile)},
                   {"trained", exported_model(network, options.data.task, budget.numbers(),
                                              as_integers(training.twin().weights))}};
  return out;
}

/// Which trial a line of metrics is of, and its values; nothing else where there is one trial.
Json metrics_line(const Setting& setting, std::uint64_t seed, bool one, const Json& values) {
  Json out = Json::object();
  if (!one) {
    out["seed"] = seed;
    out["setting"] = Json::object();
    for (const auto& [name, value] : setting) out["setting"][name] = value;
  }
  out.update(values);
  return out;
}

void write_metrics(MetricsFile& metrics, const Outcome& outcome, const ClearEpoch& epoch, std::size_t number,
                   std::uint64_t seed, bool one) {
  const std::size_t steps = epoch.step_losses.size();
  for (std::size_t i = 0; i < steps; ++i)
    metrics.step(number, (number - 1) * steps + i + 1, std::nullopt,
                 metrics_line(outcome.setting, seed, one, {{"loss", epoch.step_losses[i].to_json()}}));
  Json values{{"bits", epoch.bits}};
  for (const auto& [measure, value] : epoch.measures) values[measure] = value.to_json();
  metrics.epoch(number, std::nullopt, metrics_line(outcome.setting, seed, one, values));
}

Json history_json(const Trial& trial) {
  Json out = Json::array();
  for (std::size_t i = 0; i < trial.epochs.size(); ++i) {
    Json& epoch = out.emplace_back(Json{{"epoch", i + 1}, {"bits", trial.epochs[i].bits}});
    for (const auto& [measure, value] : trial.epochs[i].measures) epoch[measure] = value.to_json();
  }
  return out;
}

Json outcome_json(const Outcome& outcome) {
  Json setting = Json::object(), trials = Json::array();
  for (const auto& [name, value] : outcome.setting) setting[name] = value;
  for (const Trial& trial : outcome.trials) {
    trials.push_back({{"seed", trial.seed},
                      {"left_range", trial.left_range.empty() ? Json() : Json(trial.left_range)},
                      {"history", history_json(trial)}});
    if (!trial.trained.is_null()) trials.back().update(trial.trained);
  }
  const auto spread = [&](const std::string& measure) {
    Json out = Json::object();
    for (const auto& [name, which] : {std::pair("twin", &Two::twin), std::pair("float", &Two::clear)}) {
      const auto values = outcome.last(which, measure);
      out[name] =
          values.empty() ? Json() : Json{{"mean", mean_of(values)}, {"deviation", deviation_of(values)}};
    }
    return out;
  };
  Json out{{"setting", std::move(setting)},
           {"network", outcome.network.shape()},
           {"layers", outcome.network.kind_names()},
           {"training", Json::parse(outcome.options.training.to_json())},
           {"loss", spread("loss")},
           {"left_range", outcome.diverged()},
           {"trials", std::move(trials)}};
  for (const std::string& measure : measures_of(outcome.options.data.task)) out[measure] = spread(measure);
  return out;
}

/// A word of a shell's command line.
std::string shell_word(const std::string& text) {
  constexpr auto plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+%@";
  return !text.empty() && text.find_first_not_of(plain) == text.npos ? text : shell_quoted(text);
}

/// The options of `names` that were given, as they were.
std::string given_options(const CommandLine& line, std::initializer_list<const char*> names) {
  std::string out;
  const Json values = line.values();
  for (const char* name : names) {
    if (!line.given(name) && !(values.at(name).is_boolean() && values.at(name).get<bool>())) continue;
    out += std::string(" --") + name;
    if (values.at(name).is_string()) out += " " + shell_word(values.at(name).get<std::string>());
    if (values.at(name).is_number()) out += " " + values.at(name).dump();
  }
  return out;
}

/// The two commands that train so under encryption. What they have by default is left out.
std::vector<std::string> commands(const Outcome& outcome, const CommandLine& line) {
  const RunOptions& options = outcome.options;
  TrainingOptions usual = usual_training;
  usual.learning_rate = usual_rate(options.network, options.protocols, options.data.task);
  const Json now = Json::parse(options.training.to_json()), by_default = Json::parse(usual.to_json());
  std::string training;
  for (const auto& [field, value] : now.items()) {
    if (field == "batch" || value == by_default.at(field)) continue;
    training += " " + option_of_field(field);
    if (!value.is_boolean()) training += " " + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  const std::string batch =
      options.training.batch == usual.batch ? "" : " --batch " + std::to_string(options.training.batch);
  const std::string network =
      shell_word(options.network.text.empty() ? usual_network(outcome.network.outputs(), options.data.task)
                                              : options.network.text);
  // Of all rows, of which some are tested on here.
  const std::string bound = line.given("statistical-bound") ? " --network " + network + " --epochs " +
                                                                  std::to_string(options.training.epochs)
                                                            : "";
  const std::string output = options.network.output ? " --output " + *options.network.output : "";
  return {"smlp encrypt --key keys/public.json --data " + shell_word(options.data.data) +
              given_options(line, {"task", "label", "labels", "separator", "decimal", "no-header", "columns",
                                   "ignore", "categorical", "missing", "scaling", "value-bits",
                                   "fraction-bits", "inner", "sigma", "statistical-bound"}) +
              bound + batch + " --out table.h5",
          "smlp train --data table.h5 --network " + network + output + training +
              given_options(line, {"protocols", "matmul", "truncation", "comparison", "selection",
                                   "activation", "link", "range-check", "statistical-bound"}) +
              " --key-holder HOST:PORT --tls DIR --out model.h5"};
}

}  // namespace

void ClearOptions::add_to(CommandLine& line) {
  line.flag("clear", clear, "nothing is encrypted: the twin and the doubles alone, to choose options by");
  line.text("grid", grid,
            "with --clear: options with several values each, 'learning-rate=0.02,0.05 momentum=0,0.8'");
  line.number("repeat", repeat, "with --clear: so many seeds, from --seed on; mean and deviation");
}

void ClearOptions::check(const CommandLine& line) const {
  if (!clear && (!grid.empty() || repeat != 1)) throw UsageError("--grid and --repeat go with --clear");
  if (!clear) return;
  for (const char* name : {"secret-key", "out"})
    if (line.given(name))
      throw UsageError(std::string("--") + name + " goes with encryption, --clear encrypts nothing");
  if (repeat < 1 || repeat > most_repeats)
    throw UsageError("--repeat is " + std::to_string(repeat) + ", allowed are 1 to " +
                     std::to_string(most_repeats));
}

void run_clear(const RunOptions& options, const ClearOptions& clear, const CommandLine& line, Json origin,
               Console& console) {
  std::vector<Outcome> outcomes;
  for (Setting& setting : settings_of_grid(clear.grid)) {
    Outcome outcome{std::move(setting), options, {}, {}};
    for (const auto& [name, value] : outcome.setting)
      if (line.given(name)) throw UsageError("--" + name + " and the same in --grid exclude each other");
    set_options(outcome.setting, outcome.options);
    const bool rated =
        line.given("learning-rate") || std::ranges::any_of(outcome.setting, [](const auto& option) {
          return option.first == "learning-rate";
        });
    if (!rated)
      outcome.options.training.learning_rate =
          usual_rate(outcome.options.network, outcome.options.protocols, options.data.task);
    outcome.options.training.check();
    outcomes.push_back(std::move(outcome));
  }
  console.warning("note: nothing is encrypted");
  std::optional<MetricsFile> metrics;  // opened when nothing that is read is refused any more
  const PartSource source(options);
  const bool one = outcomes.size() == 1 && clear.repeat == 1;
  for (std::size_t repeat = 0; repeat < clear.repeat; ++repeat) {
    const std::uint64_t seed = options.seed + repeat;
    const Parts parts = source.parts(Seeds(seed), options.numbers, repeat == 0 ? &console : nullptr);
    if (repeat == 0) {
      origin["tables"] = parts.tables;
      metrics.emplace(options.output.metrics, 0);
      metrics->head(origin);
    }
    for (Outcome& outcome : outcomes) {
      outcome.network = network_of(outcome.options.network, parts.train.features.cols(),
                                   parts.profile.outputs(), options.protocols, options.data.task);
      for_training(options.protocols.names(), outcome.network, outcome.options.training,
                   options.range_check.on);  // refuses products of other layers
      if (repeat == 0 && one)
        console.note(options.data.data + ": " + count_text(parts.train.rows(), "row") + " to train and " +
                     std::to_string(parts.test.rows()) + " to test; network " + outcome.network.text());
      outcome.trials.push_back(
          train(outcome.options, outcome.network, parts, seed, one,
                [&](const ClearEpoch& epoch, std::size_t number) {
                  write_metrics(*metrics, outcome, epoch, number, seed, one);
                  if (!one) return;
                  console.note(epoch_text(epoch, number, outcome.options.training.epochs, options.data.task));
                  console.note(bits_text(epoch, options.numbers));
                }));
      const std::string about = outcome.setting.empty() ? std::string() : text_of(outcome.setting) + ", ";
      const Trial& last = outcome.trials.back();
      if (!last.left_range.empty())
        console.warning("warning: " + about + "seed " + std::to_string(seed) + ": " + last.left_range);
      else if (!one)
        console.note(about + "seed " + std::to_string(seed) + ": " +
                     text_of(last.epochs.back(), measures_of(options.data.task).front()));
    }
  }
  const Outcome* best = &outcomes.front();
  for (const Outcome& outcome : outcomes)
    if (outcome.better_than(*best)) best = &outcome;
  if (options.output.json) {
    Json all = Json::array();
    for (const Outcome& outcome : outcomes) all.push_back(outcome_json(outcome));
    origin["encrypted"] = false;
    origin["settings"] = std::move(all);
    origin["best"] = best - outcomes.data();
    origin["commands"] = commands(*best, line);
    console.document(origin.dump(-1, ' ', false, Json::error_handler_t::replace));
    return;
  }
  for (const Outcome& outcome : outcomes)
    console.result((outcome.setting.empty() ? "" : text_of(outcome.setting) + ": ") + outcome_text(outcome));
  if (best->diverged() == best->trials.size())
    throw Error(
        "no setting stayed in range: lower --learning-rate, scale the features (--scaling) or raise "
        "--value-bits");
  console.result(std::string("nothing was encrypted; ") +
                 (outcomes.size() > 1 ? "the best of these" : "the same") +
                 " on ciphertexts, with keys of smlp keygen:");
  for (const std::string& command : commands(*best, line)) console.result("  " + command);
}

}  // namespace smlp
