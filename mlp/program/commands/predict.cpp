// smlp predict: the evaluator classifies encrypted rows by an encrypted model.
#include <nlohmann/json.hpp>

#include "mlp/files/answers_file.h"
#include "mlp/files/model_file.h"
#include "mlp/files/table_file.h"
#include "mlp/program/commands/commands.h"
#include "mlp/program/key_holder_access.h"
#include "mlp/program/launched.h"
#include "mlp/program/output_place.h"
#include "mlp/program/provenance.h"
#include "mlp/program/report.h"
#include "mlp/program/seeds.h"
#include "mlp/sha256.h"
#include "mlp/training/machine_speed.h"
#include "mlp/training/network.h"
#include "mlp/training/out_of_range.h"
#include "mlp/training/prediction.h"
#include "mlp/training/product_choice.h"
#include "paillier/error.h"

namespace smlp {

namespace {

struct PredictOptions {
  std::string model;
  std::string data;
  KeyHolderOptions key_holder;
  std::optional<std::string> user_key;
  LinkOption link;
  RangeCheckOption range_check;
  std::string out;
  ForceOption force;
  BoundOption bound;
  ThreadOption threads;
  OutputOptions output;
};

void declare(CommandLine& line, PredictOptions& options) {
  line.required("model", options.model, "a model of smlp train");
  line.required("data", options.data, "encrypted table of queries; its labels are ignored");
  options.key_holder.add_to(line);
  line.text(
      "user-key", options.user_key,
      "public.json of the data owner, under which the answers are handed over: no server can open them");
  line.required("out", options.out, "the encrypted answers");
  options.force.add_to(line);
  options.range_check.add_to(line);
  options.link.add_to(line);
  options.bound.add_to(line);
  options.threads.add_to(line);
  options.output.add_to(line, false);
}

/// Slots may differ: a model of one value a ciphertext unpacks the table.
void check_same_numbers(const std::string& model_file, const BitBudget& model, const std::string& table_file,
                        const BitBudget& table) {
  const auto text = [](const BitBudget& budget) {
    const Numbers& numbers = budget.numbers();
    return "--value-bits " + std::to_string(numbers.value_bits) + " --fraction-bits " +
           std::to_string(numbers.fraction_bits) + " --sigma " + std::to_string(numbers.sigma) + " --inner " +
           std::to_string(budget.max_inner());
  };
  if (text(model) != text(table) || model.slot_bits() != table.slot_bits())
    throw Error(table_file + " was encrypted with " + text(table) + ", but the table of " + model_file +
                " with " + text(model) + ": encrypt the queries again with the latter");
}

/// `ranks` that share the classification; null: none do.
void predict(const PredictOptions& options, const CommandLine& line, Console& console, Ranks* ranks) {
  const double start = wall_seconds();
  const bool first = is_first(ranks);
  std::vector<std::filesystem::path> read = KeyHolderAccess::files(options.key_holder);
  read.insert(read.end(), {options.model, options.data});
  if (options.user_key) read.emplace_back(*options.user_key);
  std::optional<OutputPlace> place;
  if (first) place.emplace("--out", options.out, Content::file, read);
  if (place && place->holds_file() && !options.force.force) refuse_existing("--out", options.out);

  const KeyHolderAccess key_holder(options.key_holder, "predict", first ? 0 : ranks->rank());
  const LoadedModel loaded = load_model(options.model);
  const EncryptedModel& model = loaded.model;
  const PublicKeys& keys = loaded.keys;
  options.key_holder.strength.check(keys, options.model);
  if (key_holder.hosted() != nullptr)
    check_same_key(options.model, keys.fingerprint(), key_holder.hosted()->public_keys().fingerprint());
  const TableFile table(options.data, keys);
  check_same_numbers(options.model, model.budget, options.data, table.info().budget);
  ProtocolNames names = for_classification(ProtocolNames::from_families(model.protocols), model.network);
  std::optional<PublicKeys> user;
  if (options.user_key) {
    user = load_public_keys(*options.user_key).with_sigma(model.budget.numbers().sigma);
    options.key_holder.strength.check(*user, *options.user_key);
  }

  const Network& network = model.network;
  if (table.info().features != network.inputs())
    throw Error("the network " + network.text() + " of " + options.model + " has " +
                std::to_string(network.inputs()) + " inputs, the table of queries has " +
                count_text(table.info().features, "feature"));
  if (table.info().task != model.task)
    throw Error(options.data + " is a table for " + std::string(name(table.info().task)) + ", " +
                options.model + " is of " + std::string(name(model.task)) +
                ": encrypt the queries with --profile of the training table");
  if (table.info().profile != model.profile)
    throw Error(options.data + " was scaled by another profile than the training table of " + options.model +
                ", so the answers would be wrong: encrypt the queries with --profile of the training table");
  console.note(options.data + ": " + count_text(table.info().rows, "row") + "; " + options.model + ": " +
               network.text() + " after " + count_text(model.epochs_done, "epoch") + ", protocols " +
               protocols_text(names));
  warn_of_leakage(console, names);
  describe_range_checks(console, names, options.range_check.on);
  if (key_holder.hosted() != nullptr)
    console.warning("note: the key holder runs in this process, so all roles are in one hand");
  const std::size_t sigma = model.budget.numbers().sigma, user_bits = user ? user->paillier().bits() : 0;
  const Sizes sizes{model.budget, keys.paillier().ciphertext_bytes(), keys.dgk().ciphertext_bytes()};
  const auto cost = [&](const ProtocolNames& protocols) {  // of all ranks
    Cost all;
    const std::size_t size = ranks == nullptr ? 1 : ranks->size();
    for (std::size_t rank = 0; rank < size; ++rank)
      all += classification_cost(network, protocols, table.groups(), sizes, user_bits, options.range_check.on,
                                 {rank, size});
    return all;
  };
  std::optional<LinkSpeed> link = options.link.speed();
  if (link && (!names.needs_transfers() || names.needs_one_value_a_ciphertext())) {
    console.warning("note: --link is not used: the model's protocols have no choice of products");
    link.reset();
  }
  if (link) {
    names.matmul = cheapest;
    if (first)
      names = with_cheapest_products(names, network.layers(), cost,
                                     measure_speed(keys, RandomSource::from_system()), *link);
    if (ranks != nullptr) names.matmul = from_first(*ranks, names.matmul);
    console.note(products_text(names, *link));
  }
  const Shown shown_in_all = model.shown + shown(cost(names).operations);
  const ProtocolNames all =  // whether ranges were checked is not known
      for_training(names, network, TrainingOptions::from_json(model.training), true);
  require_distance("this classification, with the training of the model,", all, shown_in_all, sigma,
                   options.bound.bound, wider_model_remedy(sigma));
  const Seeds seeds = shared_seeds(options.key_holder.seed, ranks);
  if (ranks != nullptr)
    require_same(*ranks, seeds,
                 {{"table", table_json(table.info())},
                  {"network", network.text()},
                  {"protocols", names.by_family()},
                  {"user_key", user ? to_hex(user->fingerprint()) : ""},
                  {"range_check", options.range_check.on}},
                 model.weights, keys.paillier());
  std::set<std::string> protocols = asked_protocols(names, options.range_check.on);
  std::optional<Recipient> recipient;
  if (user) {
    protocols.insert("conversion/switch-key");
    recipient = {*user, Purpose::answers};
  }
  Session session(keys, key_holder.connect(keys, protocols, seeds.key_holder(), recipient), model.budget,
                  names, of_rank(seeds, seeds.prediction(), ranks), true, options.range_check.on,
                  seeds.prediction());
  Meter meter(session);
  ProgressBar progress(console, "predict", "batches");
  const EncryptedAnswers answers = locating_ranges("batch", key_holder.after_refusal(model_remedy), [&] {
    return classify(
        session.arithmetic(), {model.weights, {}}, network, table, user,
        [&](std::size_t done, std::size_t total) { progress(done, total); }, ranks);
  });
  const PublicKeys& owner = user ? *user : keys;
  if (first) save_answers(options.out, answers, owner);
  if (ranks != nullptr) ranks->gather({});  // the first has saved
  const Measured measured = meter.lap();

  if (options.output.json) {
    const Json about{{"table", table_json(table.info())},
                     {"model", options.model},
                     {"trained_on", hex(model.table_id)},
                     {"task", name(model.task)},
                     {"network", network.shape()},
                     {"layers", network.kind_names()},
                     {"protocols", names.by_family()},
                     {"unused_protocols", names.unused()},
                     {"rows", answers.rows},
                     {"outputs", answers.outputs},
                     {"key", to_hex(owner.fingerprint())},
                     {"answers", options.out}};
    Json report = provenance(line, options.key_holder.seed);
    report.update(about);
    if (link) report["products"] = products_json(names, *link);
    report.update(measured.to_json());
    report["statistical_bits"] = distance_json(all, shown_in_all, sigma);
    report["seconds"] = {
        {"wall", wall_seconds() - start}, {"cpu", cpu_seconds()}, {"predict", measured.seconds}};
    console.document(report.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    console.result(options.out + ": " + std::to_string(answers.rows) + " answers under the key " +
                   to_hex(owner.fingerprint()).substr(0, 16) + ".., in " + duration_text(measured.seconds) +
                   ", " + std::to_string(measured.traffic.rounds) + " rounds");
  }
}

}  // namespace

int predict_command(const Words& words, Console& console) {
  PredictOptions options;
  CommandLine line("predict", "Classifies an encrypted table. Protocols and numbers are those of the model.");
  declare(line, options);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  console.configure(options.output.json, options.output.quiet);
  options.key_holder.check("predict");
  options.bound.check();
  options.threads.apply();
  const std::unique_ptr<Ranks> ranks = join_ranks(std::chrono::seconds(options.key_holder.timeout));
  if (!is_first(ranks.get())) console.say_nothing();  // and nothing is written
  on_rank(ranks.get(), [&] { predict(options, line, console, ranks.get()); });
  return 0;
}

}  // namespace smlp
