// smlp run: all roles in one process. Keys, encryption, training, classification, and the same in the clear
// beside it.
#include "mlp/program/commands/commands.h"
#include "mlp/program/confusion.h"
#include "mlp/program/experiment.h"
#include "mlp/program/output_place.h"
#include "mlp/program/report.h"

namespace smlp {

namespace {

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
          {"unused_protocols", experiment.names().unused()},
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
                 percent(findings.last.accuracy.twin) + " twin, " + percent(findings.last.accuracy.clear) +
                 " float");
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
  line.text("test-labels", options.test_labels, "IDX labels (also .gz) of IDX images in --test");
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
  options.force.add_to(line);
}

}  // namespace

int run_command(const Words& words, Console& console) {
  const double start = wall_seconds();
  RunOptions options;
  CommandLine line(
      "run",
      "All roles in one process: keys, encryption, training, classification, compared with the clear.");
  declare(line, options);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  if (options.test && line.given("test-fraction"))
    throw UsageError("--test and --test-fraction exclude each other");
  if (options.test_labels && !options.test) throw UsageError("--test-labels goes with --test");
  console.configure(options.output.json, options.output.quiet);
  options.threads.apply();
  options.training.check();
  options.key.check();
  options.numbers.check();
  std::vector<std::filesystem::path> read = options.data.files();
  if (options.test) read.emplace_back(*options.test);
  if (options.test_labels) read.emplace_back(*options.test_labels);
  std::optional<OutputPlace> metrics_place;
  if (!options.output.metrics.empty()) {
    metrics_place.emplace("--metrics", options.output.metrics, Content::text, read);
    if (metrics_place->holds_file() && !options.force.force)
      refuse_existing("--metrics", options.output.metrics);
  }

  Experiment experiment(options, console);
  const Findings findings = experiment.run();
  const Confusion confusion(experiment.parts().profile.classes, experiment.parts().test.classes,
                            findings.answers);
  const double wall = wall_seconds() - start;
  if (options.output.json)
    console.document(report_json(options, experiment, findings, confusion, wall, cpu_seconds())
                         .dump(-1, ' ', false, Json::error_handler_t::replace));
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
