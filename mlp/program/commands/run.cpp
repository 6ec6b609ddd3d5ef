// smlp run: all roles in one process. Keys, encryption, training, classification, and the same in the clear
// beside it.
#include <array>
#include <bit>

#include "mlp/program/clear_run.h"
#include "mlp/program/commands/commands.h"
#include "mlp/program/confusion.h"
#include "mlp/program/experiment.h"
#include "mlp/program/exported_model.h"
#include "mlp/program/output_place.h"
#include "mlp/program/provenance.h"
#include "mlp/program/report.h"

namespace smlp {

namespace {

/// Names of classes, or numbers in the label's units.
Json answers_json(const Profile& profile, const Answers& answers) {
  if (profile.task == Task::regression) return label_values(profile, answers.outputs);
  Json out = Json::array();
  for (const std::size_t answer : answers.classes) out.push_back(profile.classes[answer]);
  return out;
}

Json report_json(const RunOptions& options, const Experiment& experiment, const Findings& findings,
                 const std::optional<Confusion>& confusion, double wall, double cpu) {
  const Traffic traffic = findings.training.traffic + findings.testing.traffic;
  Json measures = to_json(findings.last);
  measures["loss"]["rows"] = "train";
  const Json found{
      {"key_bits", options.key.bits},
      {"variant", name(options.key.variant)},
      {"protocols", experiment.names().by_family()},
      {"unused_protocols", experiment.names().unused()},
      {"task", name(options.data.task)},
      {"network", experiment.network().shape()},
      {"layers", experiment.network().kind_names()},
      {"rows", {{"train", experiment.parts().train.rows()}, {"test", experiment.parts().test.rows()}}},
      {"epochs", options.training.epochs},
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
      {"sigma", experiment.sigma()},
      {"statistical_bits", distance_json(experiment.names(), experiment.shown(), experiment.sigma())},
      {"answers", answers_json(experiment.parts().profile, findings.answers)},
      {"history", findings.history},
      {"scaling", scaling_json(experiment.parts().profile)},
      {"trained",
       exported_model(experiment.network(), options.data.task, experiment.numbers(), findings.weights)}};
  Json out = experiment.origin();
  out.update(found);
  out.update(measures);
  if (confusion) out["confusion"] = {{"classes", confusion->names}, {"counts", confusion->count_rows()}};
  if (options.out) out["model"] = *options.out;
  return out;
}

void report_text(Console& console, const Experiment& experiment, const Findings& findings,
                 const std::optional<Confusion>& confusion, double wall) {
  for (const std::string& measure : measures_of(experiment.parts().profile.task))
    console.result("test " + text_of(findings.last, measure));
  if (confusion)
    for (const std::string& line : confusion->lines()) console.result("  " + line);
  const Measured all = [&] {
    Measured sum = findings.training;
    return sum += findings.testing;
  }();
  console.result("trained in " + duration_text(findings.training.seconds) + ", tested in " +
                 duration_text(findings.testing.seconds) + ", " + duration_text(wall) + " in all; " +
                 bytes_text(static_cast<double>(all.traffic.to_key_holder)) + " to the key holder, " +
                 bytes_text(static_cast<double>(all.traffic.to_evaluator)) + " back, " +
                 std::to_string(all.traffic.rounds) + " rounds");
  console.result(distance_text(experiment.names(), experiment.shown(), experiment.sigma()));
  if (findings.weights_equal && findings.answers_equal)
    console.result("the encrypted weights and answers equal the twin's exactly");
}

/// A number that every reader of JSON takes whole.
std::uint64_t drawn_seed() {
  std::array<std::uint8_t, 8> bytes{};
  RandomSource::from_system().stream({}).fill(bytes);
  return std::bit_cast<std::uint64_t>(bytes) >> 12;
}

/// What is no part of the experiment.
struct RunFiles {
  std::optional<std::uint64_t> seed;
  std::optional<std::string> secret_key;
  PassPhraseOption pass_phrase;
  KeyStrength strength;
};

void declare(CommandLine& line, RunOptions& options, RunFiles& files, ClearOptions& clear) {
  clear.add_to(line);
  options.data.add_to(line);
  line.text("test", options.test, "a table of its own to test on, with labels");
  line.text("test-labels", options.test_labels, "IDX labels (also .gz) of IDX images in --test");
  line.real("test-fraction", options.test_fraction, "part of each class that is kept for the test");
  options.network.add_to(line, false);
  line.choice("scaling", std::string(name(options.scaling)), "of the features: standard, min-max or none",
              [&](const std::string& value) { options.scaling = scaling_from_name(value); });
  add_training_options(line, options.training);
  options.protocols.add_to(line);
  options.link.add_to(line);
  options.range_check.add_to(line);
  options.key.add_to(line);
  add_number_options(line, options.numbers);
  options.sigma.add_to(line);
  line.number("inner", options.inner, "widest inner dimension of a product that slots have room for");
  line.number("seed", files.seed,
              "repeatable split, weights and masks, never keys (drawn, and told by --json)");
  line.text("secret-key", files.secret_key,
            "secret.json of smlp keygen, in place of new keys that are thrown away");
  files.pass_phrase.add_to(line);
  line.text("out", options.out, "keeps the model, for smlp predict and export, with OUT.profile.json");
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
  RunFiles files;
  ClearOptions clear;
  declare(line, options, files, clear);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  if (files.secret_key && (line.given("bits") || line.given("variant")))
    throw UsageError("--bits and --variant are of new keys, they exclude --secret-key");
  if (files.pass_phrase.file && !files.secret_key) throw UsageError("--pass-phrase goes with --secret-key");
  if (options.test && line.given("test-fraction"))
    throw UsageError("--test and --test-fraction exclude each other");
  clear.check(line);
  if (options.test_labels && !options.test) throw UsageError("--test-labels goes with --test");
  console.configure(options.output.json, options.output.quiet);
  options.threads.apply();
  if (!line.given("learning-rate"))
    options.training.learning_rate = usual_rate(options.network, options.protocols, options.data.task);
  options.training.check();
  options.key.check();
  if (files.secret_key) {
    files.strength.insecure = options.key.insecure;
    options.keys.emplace(files.pass_phrase.load(*files.secret_key));
    files.strength.check(options.keys->public_keys(), *files.secret_key);
    options.key.bits = options.keys->public_keys().paillier().bits();
    options.key.variant = options.keys->public_keys().paillier().variant();
  }
  if (!files.seed) files.seed = drawn_seed();
  options.seed = *files.seed;
  options.numbers.check();
  options.sigma.check(line);
  std::vector<std::filesystem::path> read = options.data.files();
  if (options.test) read.emplace_back(*options.test);
  if (options.test_labels) read.emplace_back(*options.test_labels);
  if (files.secret_key) read.emplace_back(*files.secret_key);
  std::optional<OutputPlace> model_place, profile_place, metrics_place;
  if (options.out) {
    const std::string profile = *options.out + ".profile.json";
    model_place.emplace("--out", *options.out, Content::file, read);
    profile_place.emplace("--out", profile, Content::file, read);
    for (const std::string& file : {*options.out, profile})
      if (!options.force.force) refuse_existing("--out", file);
    read.insert(read.end(), {*options.out, profile});
    if (!files.secret_key)
      console.warning("note: the keys of this run are thrown away, so nobody will be able to use " +
                      *options.out + ": give --secret-key of smlp keygen");
  }
  if (!options.output.metrics.empty()) {
    metrics_place.emplace("--metrics", options.output.metrics, Content::text, read);
    if (metrics_place->holds_file() && !options.force.force)
      refuse_existing("--metrics", options.output.metrics);
  }

  if (clear.clear) {
    run_clear(options, clear, line, provenance(line, files.seed), console);
    return 0;
  }
  Experiment experiment(options, provenance(line, files.seed), console);
  const Findings findings = experiment.run();
  std::optional<Confusion> confusion;
  if (options.data.task == Task::classification)
    confusion.emplace(experiment.parts().profile.classes, experiment.parts().test.targets.classes,
                      findings.answers.classes);
  const double wall = wall_seconds() - start;
  if (options.output.json)
    console.document(report_json(options, experiment, findings, confusion, wall, cpu_seconds())
                         .dump(-1, ' ', false, Json::error_handler_t::replace));
  else
    report_text(console, experiment, findings, confusion, wall);
  if (!findings.weights_equal || !findings.answers_equal) {
    console.warning(std::string("the encrypted ") + (findings.weights_equal ? "answers" : "weights") +
                    " are not the twin's: a protocol or a value left its range");
    return 1;
  }
  return 0;
}

}  // namespace smlp
