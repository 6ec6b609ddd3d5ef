// smlp train: the evaluator trains on an encrypted table; the model file is the checkpoint.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "mlp/files/model_file.h"
#include "mlp/files/table_file.h"
#include "mlp/program/commands/commands.h"
#include "mlp/program/key_holder_access.h"
#include "mlp/program/launched.h"
#include "mlp/program/metrics.h"
#include "mlp/program/output_place.h"
#include "mlp/program/provenance.h"
#include "mlp/program/report.h"
#include "mlp/program/seeds.h"
#include "mlp/program/usual_training.h"
#include "mlp/training/initial_weights.h"
#include "mlp/training/machine_speed.h"
#include "mlp/training/out_of_range.h"
#include "mlp/training/product_choice.h"
#include "mlp/training/scaling.h"
#include "mlp/training/shared_arithmetic.h"
#include "mlp/training/training.h"
#include "paillier/error.h"

namespace smlp {

namespace {

struct TrainOptions {
  std::string data;
  NetworkOptions network;
  TrainingOptions training = usual_training;
  bool batch_given = false, rate_given = false;
  ProtocolOptions protocols;
  LinkOption link;
  RangeCheckOption range_check;
  KeyHolderOptions key_holder;
  std::string out;
  bool resume = false;
  ForceOption force;
  BoundOption bound;
  ThreadOption threads;
  OutputOptions output;
};

void declare(CommandLine& line, TrainOptions& options) {
  line.required("data", options.data, "encrypted table");
  options.network.add_to(line, true);
  add_training_options(line, options.training);
  options.protocols.add_to(line);
  options.link.add_to(line);
  options.range_check.add_to(line);
  options.key_holder.add_to(line);
  line.required("out", options.out, "the model, saved whole after each epoch");
  line.flag("resume", options.resume, "continue from --out; starts where there is none");
  options.force.add_to(line);
  options.bound.add_to(line);
  options.threads.add_to(line);
  options.output.add_to(line, true);
}

/// The option in which two trainings differ, as "NAME A, not B"; empty where there is none.
std::string difference(const TrainingOptions& a, const TrainingOptions& b) {
  const auto first = nlohmann::json::parse(a.to_json()), second = nlohmann::json::parse(b.to_json());
  for (const auto& [field, value] : first.items())
    if (value != second.at(field))
      return option_of_field(field) + " " + value.dump() + ", not " + second.at(field).dump();
  return "";
}

/// Refuses a checkpoint of another training.
void check_same_training(const std::string& path, const EncryptedModel& found, const EncryptedModel& wanted) {
  const auto refuse = [&](const std::string& sentence) {
    throw Error("cannot resume: " + path + " " + sentence);
  };
  if (found.table_id != wanted.table_id) refuse("was trained on another table");
  if (found.network != wanted.network)
    refuse("has the network " + found.network.text() + ", not " + wanted.network.text());
  for (const auto& [family, name] : wanted.protocols)
    if (const auto other = found.protocols.find(family);
        other == found.protocols.end() || other->second != name)
      refuse("was trained with --" + family + " " +
             (other == found.protocols.end() ? "none" : other->second) + ", not " + name);
  TrainingOptions before = TrainingOptions::from_json(found.training);
  const TrainingOptions now = TrainingOptions::from_json(wanted.training);
  // Only with a constant rate are the first epochs of a longer training those of a shorter one.
  if (now.schedule == Schedule::constant && before.schedule == Schedule::constant) before.epochs = now.epochs;
  if (const std::string other = difference(before, now); !other.empty()) refuse("was trained with " + other);
  if (!(found.budget == wanted.budget)) refuse("has another bit budget than the table");
  if (found.epochs_done > now.epochs)
    refuse("has " + std::to_string(found.epochs_done) + " epochs already, --epochs asks for " +
           std::to_string(now.epochs));
  if (found.velocities.empty() != (now.momentum == 0)) refuse("has no velocities that fit --momentum");
}

class Training {
 public:
  /// `origin` of the results: provenance(). `ranks` that share the training; null: none do.
  Training(const TrainOptions& options, const KeyHolderAccess& key_holder, Json origin, Console& console,
           Ranks* ranks)
      : options_(options),
        ranks_(ranks),
        training_(options.training),
        origin_(std::move(origin)),
        console_(console),
        seeds_(shared_seeds(options.key_holder.seed, ranks)),
        names_(options.protocols.names()),
        table_(open_table(options.data, key_holder.hosted())),
        keys_(table_.public_keys()),
        network_(options.network.network(table_.info().features, labelled_outputs(), options.protocols,
                                         table_.info().task)),
        budget_(evaluator_budget(table_.info().budget, names_)),
        sizes_{budget_, keys_.paillier().ciphertext_bytes(), keys_.dgk().ciphertext_bytes()} {
    options.key_holder.strength.check(keys_, options.data);
    if (!options.rate_given)
      training_.learning_rate = usual_rate(options.network, options.protocols, table_.info().task);
    names_.shared = ranks != nullptr;
    names_ = for_training(names_, network_, training_, options.range_check.on);
    const std::size_t batch = table_.info().batch;
    if (options.batch_given && training_.batch != batch)
      throw Error("--batch is " + std::to_string(training_.batch) + ", but " + options.data +
                  " was encrypted with --batch " + std::to_string(batch) +
                  ": leave --batch out, or encrypt it again");
    training_.batch = batch;
    origin_["options"]["batch"] = batch;
    origin_["table"] = table_json(table_.info());
    const TableGroups& groups = table_.groups();
    check_budget(network_, training_, batch_rows(groups, groups.batches.front()),
                 batch_rows(groups, groups.batches.back()), budget_);
    if (options.resume && std::filesystem::exists(options.out)) checkpoint_ = load_model(options.out, keys_);
    connect(key_holder);
    prepare_model();
    require_planned_distance();
    if (ranks_ == nullptr) return;
    // And all have read the checkpoint before the first replaces it.
    std::vector<EncryptedMatrix> all = model_->weights;
    all.insert(all.end(), model_->velocities.begin(), model_->velocities.end());
    require_same(*ranks_, seeds_,
                 {{"table", table_json(table_.info())},
                  {"network", network_.text()},
                  {"protocols", names_.by_family()},
                  {"training", model_->training},
                  {"epochs_done", first_epoch_},
                  {"range_check", options_.range_check.on}},
                 all, keys_.paillier());
  }

  void run();
  Json report(double wall) const;
  std::string summary() const;

 private:
  static TableFile open_table(const std::string& path, const SecretKeys* keys) {
    return keys != nullptr ? TableFile(path, keys->public_keys()) : TableFile(path);
  }
  std::size_t labelled_outputs() const {
    if (!table_.has_labels()) throw Error(options_.data + " has no labels to train on");
    return table_.info().outputs;
  }
  void connect(const KeyHolderAccess& key_holder);
  std::unique_ptr<Channel> channel(const KeyHolderAccess& key_holder, const ProtocolNames& names) const {
    return key_holder.connect(keys_, asked_protocols(names, options_.range_check.on), seeds_.key_holder());
  }
  /// Chooses products too, where they are left open: as the checkpoint has them, else the cheapest.
  void choose_and_connect(const KeyHolderAccess& key_holder);
  void choose_products(const LinkSpeed& link);
  void prepare_model();
  /// Throws Error where the epochs that are left would pass --statistical-bound.
  void require_planned_distance() const;
  /// What an epoch shows; the first of a session opens the table.
  Shown shown_by_epoch(bool first) const {
    const std::size_t ranks = ranks_ == nullptr ? 1 : ranks_->size();
    Shown all;
    for (std::size_t rank = 0; rank < ranks; ++rank)
      all += shown(epoch_cost(network_, names_, training_, table_.groups(), sizes_, first,
                              options_.range_check.on, 0, {rank, ranks, columns_})
                       .operations);
    return all;
  }
  /// Randomness of this rank alone, but for what decides roundings.
  std::unique_ptr<Session> session();
  void train(Session& session, Weights<EncryptedMatrix>& weights, std::uint32_t epoch,
             const std::function<void(std::size_t done, std::size_t total)>& observer);
  /// What was shown, the epochs that are left, and the hand-over of the model.
  Shown planned() const;

  const TrainOptions& options_;
  Ranks* ranks_;
  TrainingOptions training_;
  Json origin_;
  Console& console_;
  Seeds seeds_;
  ProtocolNames names_;
  std::size_t columns_ = 1;  ///< parts in which ranks share columns
  TableFile table_;
  const PublicKeys& keys_;
  Network network_;
  BitBudget budget_;
  Sizes sizes_;
  std::optional<EncryptedModel> checkpoint_;
  std::unique_ptr<Channel> channel_;
  std::optional<EncryptedModel> model_;
  std::uint64_t first_epoch_ = 0;
  Measured measured_;
  RankTotals totals_;  ///< of all ranks
};

void Training::connect(const KeyHolderAccess& key_holder) {
  if (is_first(ranks_)) choose_and_connect(key_holder);
  origin_["products"]["matmul"] = names_.matmul;  // also where nothing was left to choose
  if (ranks_ == nullptr) return;
  names_.matmul = from_first(*ranks_, names_.matmul);
  std::string columns;  // of the first: it counts operations as its processor has them
  if (is_first(ranks_))
    columns = std::to_string(column_parts(network_, names_, training_, table_.groups(), sizes_,
                                          options_.range_check.on, ranks_->size()));
  columns_ = std::stoul(from_first(*ranks_, columns));
  if (!is_first(ranks_)) channel_ = channel(key_holder, names_);
}

void Training::choose_and_connect(const KeyHolderAccess& key_holder) {
  const std::optional<LinkSpeed> link = options_.link.speed();
  const bool open = names_.chooses_products();
  if (link && (!open || checkpoint_))
    warn_of_unused_link(console_, checkpoint_                 ? options_.out
                                  : options_.protocols.matmul ? "--matmul"
                                                              : "the preset");
  if (open && checkpoint_) names_.matmul = ProtocolNames::from_families(checkpoint_->protocols).matmul;
  if (!names_.chooses_products()) {
    channel_ = channel(key_holder, names_);
    return;
  }
  ProtocolNames packed = names_;
  packed.matmul = "packed";
  channel_ = channel(key_holder, packed);  // which every key holder of such protocols answers
  try {
    channel_ = channel(key_holder, names_);
  } catch (const Error&) {
    names_ = packed;
    console_.note("products are packed: the key holder answers no other kind");
    return;
  }
  choose_products(link ? *link : key_holder.link_speed());
}

void Training::choose_products(const LinkSpeed& link) {
  const bool once = training_.epochs == 1;
  names_ = with_cheapest_products(
      names_, network_.layers(),
      [&](const ProtocolNames& names) {
        return epoch_cost(network_, names, training_, table_.groups(), sizes_, once, options_.range_check.on);
      },
      measure_speed(keys_, RandomSource::from_system()), link);
  origin_["products"] = products_json(names_, link);
  console_.note(products_text(names_, link));
}

void Training::prepare_model() {
  EncryptedModel start{.key = keys_.fingerprint(),
                       .handed_over = false,
                       .budget = budget_,
                       .task = table_.info().task,
                       .network = network_,
                       .protocols = names_.by_family(),
                       .training = training_.to_json(),
                       .table_id = table_.info().id,
                       .profile = table_.info().profile,
                       .epochs_done = 0,
                       .steps_done = 0,
                       .shown = {},
                       .weights = {},
                       .velocities = {}};
  if (checkpoint_) {
    model_ = std::move(checkpoint_);
    check_same_training(options_.out, *model_, start);
    model_->training = start.training;
    first_epoch_ = model_->epochs_done;
    return;
  }
  Weights<EncryptedMatrix> weights =
      encrypt_weights(initial_weights(network_, budget_.numbers(), seeds_.initial_weights()), network_,
                      keys_.paillier(), budget_, training_.momentum != 0, seeds_.initial_weights());
  start.weights = std::move(weights.weights);
  start.velocities = std::move(weights.velocities);
  model_ = std::move(start);
}

void Training::require_planned_distance() const {
  if (first_epoch_ == training_.epochs) return;  // nothing is left to show
  const std::size_t sigma = budget_.numbers().sigma, bound = options_.bound.bound;
  if (first_epoch_ == 0)
    require_distance("this training", names_, planned(), sigma, bound,
                     "encrypt the table with a --sigma above " + std::to_string(sigma) +
                         " (its --statistical-bound chooses one)");
  else
    require_distance("this training, with what it has shown already,", names_, planned(), sigma, bound,
                     options_.out + " is good as it is, after " + count_text(first_epoch_, "epoch") +
                         "; end there or with fewer --epochs");
}

Shown Training::planned() const {
  Shown all = model_->shown + shown(release_cost(network_, sizes_, keys_.paillier().bits()).operations);
  const std::uint64_t left = training_.epochs - first_epoch_;
  if (left > 0) all += shown_by_epoch(true);
  if (left > 1) all += static_cast<double>(left - 1) * shown_by_epoch(false);
  return all;
}

std::unique_ptr<Session> Training::session() {
  const RandomSource random = seeds_.training();
  return std::make_unique<Session>(keys_, std::move(channel_), budget_, names_,
                                   of_rank(seeds_, random, ranks_, columns_), true, options_.range_check.on,
                                   random);
}

void Training::train(Session& session, Weights<EncryptedMatrix>& weights, std::uint32_t epoch,
                     const std::function<void(std::size_t done, std::size_t total)>& observer) {
  const auto train_with = [&](auto& arithmetic, auto& model) {
    using Matrix = typename std::remove_reference_t<decltype(arithmetic)>::Matrix;
    const GroupReader<Matrix> reader{[&](std::size_t group) { return Matrix{table_.features(group)}; },
                                     [&](std::size_t group) { return Matrix{table_.labels(group)}; }};
    train_epoch(arithmetic, network_, model, reader, table_.groups(), training_, budget_, epoch,
                seeds_.batch_order(),
                [&](std::size_t done, std::size_t total, const Matrix&) { observer(done, total); });
  };
  if (ranks_ == nullptr) return train_with(session.arithmetic(), weights);
  SharedArithmetic arithmetic(session.arithmetic(), *ranks_, columns_);
  Weights<SharedMatrix> shared = on_every_rank(std::move(weights));
  train_with(arithmetic, shared);
  weights = on_every_rank(std::move(shared));
}

void Training::run() {
  const TableGroups& groups = table_.groups();
  console_.note(options_.data + ": " + count_text(table_.info().rows, "row") + ", " +
                count_text(network_.inputs(), "feature") + ", " +
                (model_->task == Task::regression ? "numbers to learn"
                                                  : std::to_string(network_.outputs()) + " classes") +
                ", key of " + key_text(keys_.paillier()));
  describe_training(console_, network_, training_, names_, batch_rows(groups, groups.batches.front()),
                    budget_, options_.range_check.on);
  warn_of_unused(console_, options_.protocols, names_);
  if (ranks_ != nullptr)
    console_.note(std::to_string(ranks_->size()) + " ranks share each step, in " +
                  grid_text(ranks_->size(), columns_) +
                  " parts of rows x columns; what follows is of the first");
  if (first_epoch_ > 0)
    console_.note(options_.out + " has " + std::to_string(first_epoch_) + " of " +
                  std::to_string(training_.epochs) + " epochs; continuing");

  MetricsFile metrics(is_first(ranks_) ? options_.output.metrics : "", first_epoch_);
  metrics.head(origin_);
  const std::unique_ptr<Session> session = this->session();
  Meter meter(*session);
  const auto save = [&] {
    if (is_first(ranks_)) save_model(options_.out, *model_, keys_);
  };
  // Counted before it is shown: what an interrupted epoch has shown is in the checkpoint before it.
  if (first_epoch_ < training_.epochs) {
    model_->shown += shown_by_epoch(true);
    if (first_epoch_ > 0) save();
  }
  // Moved to and fro: one copy of a large model is enough.
  Weights<EncryptedMatrix> weights{std::move(model_->weights), std::move(model_->velocities)};
  ProgressBar progress(console_, "", "steps", first_epoch_ * groups.batches.size());
  for (std::uint64_t epoch = first_epoch_; epoch < training_.epochs; ++epoch) {
    progress.rename("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(training_.epochs));
    Measured of_epoch;
    train(*session, weights, static_cast<std::uint32_t>(epoch), [&](std::size_t done, std::size_t total) {
      const Measured step = meter.lap();
      metrics.step(epoch + 1, epoch * total + done, step, Json::object());
      of_epoch += step;
      progress(epoch * total + done, training_.epochs * total);
    });
    Json of_ranks = Json::object();  // nothing of the data is visible to an evaluator
    if (ranks_ != nullptr) {
      const RankTotals so_far = rank_totals(*ranks_, measured_.traffic + of_epoch.traffic);
      of_ranks["ranks"] = (so_far - totals_).to_json();
      totals_ = so_far;
    }
    model_->weights = std::move(weights.weights);
    model_->velocities = std::move(weights.velocities);
    model_->epochs_done = epoch + 1;
    model_->steps_done = (epoch + 1) * groups.batches.size();
    if (epoch + 1 < training_.epochs) model_->shown += shown_by_epoch(false);
    // Before the checkpoint: a resumed training drops lines that it will write again, and lacks none.
    metrics.epoch(epoch + 1, of_epoch, of_ranks);
    save();
    weights = {std::move(model_->weights), std::move(model_->velocities)};
    measured_ += of_epoch;
    const auto bytes = static_cast<double>(of_epoch.traffic.to_key_holder + of_epoch.traffic.to_evaluator);
    console_.note("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(training_.epochs) + ": " +
                  duration_text(of_epoch.seconds) + ", " + bytes_text(bytes) + ", " +
                  std::to_string(of_epoch.traffic.rounds) + " rounds (" + of_epoch.split_text() + "); saved");
  }
  if (ranks_ != nullptr) ranks_->gather({});  // the first has saved
}

Json Training::report(double wall) const {
  const PaillierPublicKey& key = keys_.paillier();
  const Json found{{"key_bits", key.bits()},
                   {"variant", name(key.variant())},
                   {"protocols", names_.by_family()},
                   {"unused_protocols", names_.unused()},
                   {"task", name(table_.info().task)},
                   {"network", network_.shape()},
                   {"layers", network_.kind_names()},
                   {"rows", {{"train", table_.info().rows}}},
                   {"epochs", training_.epochs},
                   {"epochs_resumed", first_epoch_},
                   {"seconds", {{"wall", wall}, {"cpu", cpu_seconds()}, {"train", measured_.seconds}}},
                   {"bytes", to_json(measured_.traffic)},
                   {"rounds", measured_.traffic.rounds},
                   {"seconds_by_kind", measured_.by_kind},
                   {"statistical_bits", distance_json(names_, model_->shown, budget_.numbers().sigma)},
                   {"range_checks", options_.range_check.on && names_.checks_ranges()},
                   {"model", options_.out}};
  Json out = origin_;
  if (ranks_ != nullptr) out["ranks"] = totals_.to_json();
  out.update(found);
  return out;
}

std::string Training::summary() const {
  return options_.out + ": " + network_.text() + " after " + count_text(model_->epochs_done, "epoch") + ", " +
         (first_epoch_ == training_.epochs ? "nothing left to do"
                                           : "trained in " + duration_text(measured_.seconds) + ", " +
                                                 std::to_string(measured_.traffic.rounds) + " rounds") +
         "; " + distance_text(names_, model_->shown, budget_.numbers().sigma);
}

}  // namespace

int train_command(const Words& words, Console& console) {
  const double start = wall_seconds();
  TrainOptions options;
  CommandLine line(
      "train",
      "Trains a network on an encrypted table. The model is saved after each epoch and can be resumed.");
  declare(line, options);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  console.configure(options.output.json, options.output.quiet);
  options.key_holder.check("train");
  options.batch_given = line.given("batch");
  options.threads.apply();
  options.rate_given = line.given("learning-rate");
  options.training.check();
  options.bound.check();
  std::vector<std::filesystem::path> read = KeyHolderAccess::files(options.key_holder);
  read.emplace_back(options.data);
  if (options.resume && options.force.force)
    throw UsageError("--resume and --force exclude each other: one continues --out, the other replaces it");
  const bool may_exist = options.resume || options.force.force;
  const std::unique_ptr<Ranks> ranks = join_ranks(std::chrono::seconds(options.key_holder.timeout));
  on_rank(ranks.get(), [&] {
    const bool first = is_first(ranks.get());
    if (!first) console.say_nothing();  // and nothing is written
    std::optional<OutputPlace> place, metrics_place;
    if (first) place.emplace("--out", options.out, Content::file, read);
    if (place && place->holds_file() && !may_exist)
      refuse_existing("--out", options.out,
                      "continue its training with --resume, replace it with --force, or name another file");
    if (first && !options.output.metrics.empty()) {
      read.emplace_back(options.out);
      metrics_place.emplace("--metrics", options.output.metrics, Content::text, read);
      if (metrics_place->holds_file() && !may_exist) refuse_existing("--metrics", options.output.metrics);
    }

    const KeyHolderAccess key_holder(options.key_holder, "train", ranks ? ranks->rank() : 0);
    Training training(options, key_holder, provenance(line, options.key_holder.seed), console, ranks.get());
    if (key_holder.hosted() != nullptr)
      console.warning("note: the key holder runs in this process, so all roles are in one hand");
    locating_ranges("step", key_holder.after_refusal(training_remedy), [&] { training.run(); });
    if (options.output.json)
      console.document(
          training.report(wall_seconds() - start).dump(-1, ' ', false, Json::error_handler_t::replace));
    else
      console.result(training.summary());
  });
  return 0;
}

}  // namespace smlp
