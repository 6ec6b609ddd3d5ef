// Declarations and checks of shared options.
#include "mlp/program/options.h"

#include "paillier/error.h"
#include "paillier/parallel.h"

namespace smlp {

void ThreadOption::add_to(CommandLine& line) {
  line.number("threads", threads, "threads to compute with (all cores)");
}

void ThreadOption::apply() const {
  if (!threads) return;
  if (*threads < 1 || *threads > 1024)
    throw UsageError("--threads is " + std::to_string(*threads) + ", allowed are 1 to 1024");
  set_thread_count(static_cast<int>(*threads));
}

void RangeCheckOption::add_to(CommandLine& line) {
  line.choice("range-check", "on",
              "on or off: stop where a compared value leaves its range (each step), or a weight (each epoch)",
              [this](const std::string& value) {
                if (value != "on" && value != "off")
                  throw UsageError("--range-check is '" + value.substr(0, 40) + "', allowed are on and off");
                on = value == "on";
              });
}

void OutputOptions::add_to(CommandLine& line, bool with_metrics) {
  if (with_metrics) line.text("metrics", metrics, "file that gets one JSON line a step and an epoch");
  line.flag("quiet", quiet, "no progress");
  line.flag("json", json, "one JSON object on standard output, and nothing else there");
}

void ProtocolOptions::add_to(CommandLine& line) {
  line.text("protocols", preset, "preset: homomorphic, hybrid or paper (smlp protocols lists them all)");
  line.text("matmul", matmul,
            "this protocol for products, whatever the preset says: one, one a layer with commas between, or "
            "cheapest");
  line.text("truncation", truncation, "this one for truncation");
  line.text("comparison", comparison, "this one for comparison");
  line.text("selection", selection, "this one for selection");
  line.text("activation", activation, "this one for the activation");
}

ProtocolNames ProtocolOptions::names() const {
  ProtocolNames names = smlp::preset(preset);
  const auto replace = [](Family family, const std::optional<std::string>& wanted, std::string& name) {
    if (wanted) name = find_protocol(family, *wanted).name;
  };
  if (matmul) {
    names.matmul = *matmul;
    names.products();
  }
  replace(Family::truncation, truncation, names.truncation);
  replace(Family::comparison, comparison, names.comparison);
  replace(Family::selection, selection, names.selection);
  replace(Family::activation, activation, names.activation);
  return names;
}

std::map<std::string, std::string> ProtocolOptions::unused(const ProtocolNames& names) const {
  std::map<std::string, std::string> out = names.unused();
  if (!truncation) out.erase("truncation");
  if (!comparison) out.erase("comparison");
  if (!selection) out.erase("selection");
  if (!activation) out.erase("activation");
  return out;
}

void NetworkOptions::add_to(CommandLine& line, bool required) {
  constexpr auto about = "layer sizes, N features, C classes; SIZE:KIND for another layer than relu";
  if (required)
    line.required("network", text, about);
  else
    line.text("network", text, about);
  line.text("output", output,
            "of the network: " + output_kind_names() +
                " (hard-sigmoid; linear in preset paper and for regression)");
}

std::string_view NetworkOptions::unnamed_output(const ProtocolOptions& protocols, Task task) const {
  if (output) return *output;
  return protocols.preset == "paper" || task == Task::regression ? "linear" : default_output;
}

Network NetworkOptions::network(std::size_t features, std::size_t outputs, const ProtocolOptions& protocols,
                                Task task) const {
  if (output) output_kind(*output);
  Network network = parse_network(text, features, outputs, unnamed_output(protocols, task));
  if (output && network.output().name != *output)
    throw UsageError("--network " + network.text() + " and --output " + *output + " name different outputs");
  if (task == Task::regression && network.output().compares())
    throw UsageError("--task regression learns numbers, and " + std::string(network.output().name) +
                     " outputs are those of classes: take linear ones");
  return network;
}

void LinkOption::add_to(CommandLine& line) {
  line.text("link", text,
            "between the parties: loopback, or BANDWIDTH/RTT as in 1Gbit/5ms (kbit, Mbit, Gbit; us, ms, s); "
            "products are chosen for it");
}

std::optional<LinkSpeed> LinkOption::speed() const {
  if (!text) return std::nullopt;
  return LinkSpeed::parse(*text);
}

void add_training_options(CommandLine& line, TrainingOptions& options) {
  line.number("epochs", options.epochs, "passes over the table");
  line.number("batch", options.batch, "rows of a mini-batch");
  line.real("learning-rate", options.learning_rate, "of gradient descent, on the mean over a mini-batch");
  line.choice("schedule", std::string(name(options.schedule)),
              "of the learning rate: constant, linear, cosine or step",
              [&options](const std::string& value) { options.schedule = schedule_from_name(value); });
  line.real("momentum", options.momentum, "from 0 to below 1");
  line.flag("nesterov", options.nesterov, "the gradient is taken where the momentum leads to");
  line.real("weight-decay", options.weight_decay, "L2 coefficient");
  line.real("clip-gradient", options.clip_gradient,
            "the error of each output is clipped to so much (0: not)");
}

void add_number_options(CommandLine& line, Numbers& numbers) {
  line.number("value-bits", numbers.value_bits, "bits of a value, with its sign");
  line.number("fraction-bits", numbers.fraction_bits, "bits of it behind the point");
  line.number("sigma", numbers.sigma, "bits by which masks are wider than what they hide");
}

namespace {

void check_bound(std::uint64_t bound) {
  if (bound < 1 || bound > 100)
    throw UsageError("--statistical-bound is " + std::to_string(bound) + ", allowed are 1 to 100");
}

}  // namespace

void SigmaOption::add_to(CommandLine& line) {
  line.number("statistical-bound", bound,
              "N: the least sigma that keeps the whole run within 2^-N of one that shows nothing");
}

void SigmaOption::check(const CommandLine& line) const {
  if (!bound) return;
  check_bound(*bound);
  if (line.given("sigma")) throw UsageError("--sigma and --statistical-bound exclude each other");
}

void SigmaOption::apply(Numbers& numbers, std::size_t inner, std::size_t modulus_bits,
                        const std::function<Shown(const BitBudget& table)>& shown) const {
  if (!bound) return;
  numbers.sigma = least_sigma(*bound, [&](std::size_t sigma) {
    Numbers wider = numbers;
    wider.sigma = sigma;
    return distance_bits(shown(BitBudget(wider, inner, modulus_bits)), sigma);
  });
}

void BoundOption::add_to(CommandLine& line) {
  line.number("statistical-bound", bound,
              "N: refuse a run that comes further than 2^-N from one that shows nothing");
}

void BoundOption::check() const {
  check_bound(bound);
}

void KeyOptions::add_to(CommandLine& line) {
  line.number("bits", bits, "of the key's moduli: 2048, 3072 or 4096");
  line.choice("variant", std::string(name(variant)), "of Paillier: standard or subgroup",
              [this](const std::string& value) { variant = variant_from_name(value); });
  line.flag("insecure-key", insecure, "allow --bits 1024, which protects nothing of value");
}

void KeyOptions::check() const {
  if (bits == 1024 && !insecure)
    throw Error(
        "--bits 1024 is too short to protect anything: take 2048, 3072 or 4096, or add --insecure-key");
  if (bits != 1024 && bits != 2048 && bits != 3072 && bits != 4096)
    throw Error("--bits is " + std::to_string(bits) + ", allowed are 2048, 3072 and 4096");
}

void KeyStrength::add_to(CommandLine& line) {
  line.flag("insecure-key", insecure, "take keys that protect nothing of value, for experiments");
}

void KeyStrength::check(const PublicKeys& keys, const std::string& what) const {
  if (insecure) return;
  constexpr std::size_t fewest_bits = 2048;
  const auto refuse = [&](const std::string& which, std::size_t bits, std::size_t fewest) {
    throw Error(what + " has a key whose " + which + " has " + std::to_string(bits) + " bits, at least " +
                std::to_string(fewest) + " protect anything: take another key, or add --insecure-key");
  };
  const auto check_one = [&](const std::string& system, std::size_t bits, std::size_t subgroup_bits) {
    if (bits < fewest_bits) refuse(system + " modulus", bits, fewest_bits);
    if (const std::size_t fewest = default_subgroup_bits(bits); subgroup_bits < fewest)
      refuse("hidden subgroup of " + system, subgroup_bits, fewest);
  };
  const PaillierPublicKey& paillier = keys.paillier();
  check_one("Paillier", paillier.bits(),
            paillier.variant() == Variant::subgroup ? paillier.subgroup_bits() : paillier.bits());
  check_one("DGK", keys.dgk().bits(), keys.dgk().subgroup_bits());
}

void KeyHolderOptions::add_to(CommandLine& line) {
  line.text("secret-key", secret_key,
            "secret.json: host the key holder in this process, all roles in one hand");
  pass_phrase.add_to(line);
  line.text("key-holder", addresses, "HOST:PORT of the key holder (smlp serve); several with commas between");
  line.text("tls", tls, "directory of this party's certificates (smlp certificates)");
  line.flag("insecure-transport", insecure_transport, "no TLS, on loopback addresses alone");
  line.number("timeout", timeout, "seconds that the key holder has for an answer, and a rank to show life");
  line.number("seed", seed, "repeatable masks, for experiments alone; needs --insecure-seed");
  line.flag("insecure-seed", insecure_seed, "allow --seed: whoever knows the seed can undo every mask");
  strength.add_to(line);
}

void KeyHolderOptions::check(const std::string& command) const {
  if (secret_key && addresses) throw UsageError("--secret-key and --key-holder exclude each other");
  if (!secret_key && !addresses)
    throw UsageError("smlp " + command + " needs --key-holder with --tls, or --secret-key");
  if (secret_key && (tls || insecure_transport))
    throw UsageError("--tls and --insecure-transport go with --key-holder, not with --secret-key");
  if (pass_phrase.file && !secret_key) throw UsageError("--pass-phrase goes with --secret-key");
  if (addresses && tls.has_value() == insecure_transport)
    throw UsageError("--key-holder needs --tls, or --insecure-transport on a loopback address");
  if (timeout < 1 || timeout > 86400)
    throw UsageError("--timeout is " + std::to_string(timeout) + ", allowed are 1 to 86400");
  if (seed && !insecure_seed)
    throw Error(
        "--seed makes every mask predictable, so the key holder could read all values: add --insecure-seed "
        "where "
        "that is wanted, or leave --seed out");
}

void DataOptions::add_label_to(CommandLine& line, bool required) {
  constexpr auto about = "CSV, or IDX images (also .gz, also a pipe)";
  if (required)
    line.required("data", data, about);
  else
    line.text("data", data, about);
  line.text("label", label, "column of class names in a CSV (the last)");
  line.text("labels", labels, "IDX labels (also .gz) of IDX images");
  line.choice("separator", "comma", "of cells: comma, semicolon, tab, space, pipe or a character",
              [this](const std::string& value) { format.separator = separator_from_name(value); });
  line.choice("decimal", ".", "point of numbers: . or ,",
              [this](const std::string& value) { format.decimal = decimal_from_name(value); });
  line.flag("no-header", no_header, "the first line is a row; columns are column-1, column-2, ..");
  line.text("ignore", ignored, "columns to leave out, with commas between them (none)");
}

void DataOptions::add_to(CommandLine& line, bool required) {
  add_label_to(line, required);
  line.choice("task", std::string(name(task)), "of the label: classification, or regression (numbers)",
              [this](const std::string& value) { task = task_from_name(value); });
  line.text("columns", columns, "features to take, with commas between them (all)");
  line.choice(
      "categorical", "auto", "columns of text, a feature for each of its texts: auto, refuse or names",
      [this](const std::string& value) {
        using Text = ColumnChoice::Text;
        choice.text = value == "auto" ? Text::automatic : value == "refuse" ? Text::refused : Text::named;
        if (choice.text == Text::named) choice.text_columns = names_from_list(value, "--categorical");
      });
  line.choice("missing", std::string(name(choice.missing)),
              "values (empty, ?, NA, NaN, null): refuse, mean of the column, or drop the row",
              [this](const std::string& value) { choice.missing = missing_from_name(value); });
}

std::vector<std::filesystem::path> DataOptions::files() const {
  std::vector<std::filesystem::path> out{data};
  if (labels) out.emplace_back(*labels);
  return out;
}

TableSource DataOptions::source() const {
  TableSource source;
  source.data = data;
  if (labels) source.labels = *labels;
  source.label_column = label;
  source.format = format;
  source.format.header = !no_header;
  source.choice = choice;
  source.task = task;
  if (columns) source.choice.columns = names_from_list(*columns, "--columns");
  if (ignored) source.choice.ignored = names_from_list(*ignored, "--ignore");
  return source;
}

TableSource DataOptions::source(const Profile& profile, const std::string& file,
                                const CommandLine& line) const {
  if (line.given("missing") && choice.missing != profile.missing)
    throw Error("the profile " + file + " was learnt with --missing " + std::string(name(profile.missing)) +
                ", --missing asks for " + std::string(name(choice.missing)));
  for (const char* option : {"columns", "categorical"})
    if (line.given(option))
      throw Error("the profile " + file + " says which columns count and which are text; leave --" + option +
                  " out, or learn another profile");
  if (line.given("task") && task != profile.task)
    throw Error("the profile " + file + " is of a " + std::string(name(profile.task)) +
                ", --task asks for another: leave it out, or learn another profile");
  TableSource out = source();
  out.task = profile.task;
  out.expected = profile.expected();
  // Each row of a query gets an answer, so none may go.
  out.choice.missing = profile.missing == Missing::mean ? Missing::mean : Missing::refuse;
  return out;
}

std::set<std::string> asked_protocols(const ProtocolNames& names, bool range_checks) {
  std::set<std::string> out;
  for (const Descriptor* descriptor : names.used())
    if (descriptor->sends()) out.insert(descriptor->wire_name());
  if (names.needs_one_value_a_ciphertext()) out.insert("conversion/unpack");
  if (names.needs_transfers()) out.insert("conversion/base-transfers");
  if (std::ranges::any_of(names.products(), &Descriptor::on_opened)) out.insert("conversion/change-form");
  if (range_checks && names.compares && names.checks_ranges()) out.insert("conversion/range-check");
  return out;
}

}  // namespace smlp
