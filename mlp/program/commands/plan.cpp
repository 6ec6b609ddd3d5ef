// smlp plan: what a training will need, before anything is encrypted.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "mlp/program/provenance.h"
#include "mlp/program/report.h"
#include "mlp/program/resident_memory.h"
#include "mlp/program/session.h"
#include "mlp/program/usual_training.h"
#include "mlp/training/batches.h"
#include "mlp/training/cost.h"
#include "mlp/training/machine_speed.h"
#include "mlp/training/product_choice.h"
#include "mlp/training/scaling.h"
#include "mlp/training/training.h"
#include "paillier/error.h"
#include "paillier/large_buffers.h"
#include "paillier/parallel.h"
#include "protocols/transport/link_speed.h"

namespace smlp {

namespace {

struct PlanOptions {
  DataOptions data;
  NetworkOptions network;
  std::size_t rows = 1000;
  std::size_t test_rows = 0;
  TrainingOptions training = usual_training;
  ProtocolOptions protocols;
  RangeCheckOption range_check;
  KeyOptions key;
  Numbers numbers;
  SigmaOption sigma;
  std::size_t inner = 1024;
  ThreadOption threads;
  LinkOption link;
  std::size_t ranks = 1, key_holders = 1;
  bool json = false;
};

void declare(CommandLine& line, PlanOptions& options) {
  options.data.add_to(line, false);
  options.network.add_to(line, false);
  line.number("rows", options.rows, "rows to train on (those of --data, else 1000)");
  line.number("test-rows", options.test_rows, "rows to classify afterwards");
  add_training_options(line, options.training);
  options.protocols.add_to(line);
  options.range_check.add_to(line);
  options.key.add_to(line);
  add_number_options(line, options.numbers);
  options.sigma.add_to(line);
  line.number("inner", options.inner, "widest inner dimension of a product that slots have room for");
  options.threads.add_to(line);
  options.link.add_to(line);
  line.number("ranks", options.ranks,
              "evaluators that share the training by MPI, with --threads threads each");
  line.number("key-holders", options.key_holders, "key holders that serve them, on as many machines");
  line.flag("json", options.json, "one JSON object on standard output");
}

Json to_json(const Operations& operations) {
  return {{"products", operations.products},
          {"rerandomisations", operations.rerandomisations},
          {"decryptions", operations.decryptions},
          {"encryptions", operations.encryptions},
          {"bit_products", operations.bit_products},
          {"bit_rerandomisations", operations.bit_rerandomisations},
          {"bit_encryptions", operations.bit_encryptions},
          {"zero_tests", operations.zero_tests},
          {"gates", operations.gates},
          {"transfers", operations.transfers},
          {"transfer_blocks", operations.transfer_blocks},
          {"masked_values", operations.masked_values}};
}

Json to_json(const Cost& cost, double seconds) {
  return {{"seconds", seconds},
          {"bytes", smlp::to_json(cost.traffic)},
          {"rounds", cost.traffic.rounds},
          {"operations", to_json(cost.operations)}};
}

/// One line for people: time, bytes, rounds.
std::string cost_text(const Cost& cost, double seconds) {
  return duration_text(seconds) + ", " + bytes_text(static_cast<double>(cost.traffic.to_key_holder)) +
         " to the key holder, " + bytes_text(static_cast<double>(cost.traffic.to_evaluator)) + " back, " +
         std::to_string(cost.traffic.rounds) + " rounds";
}

/// Both parties on this machine, and the way between them: nothing is computed meanwhile.
double seconds_over(const LinkSpeed& link, const Cost& cost, double seconds) {
  return seconds + link.seconds(cost.traffic);
}

/// Links for which presets are compared: of one building, between two, and across the sea.
const std::vector<std::string> usual_links{"10Gbit/100us", "1Gbit/1ms", "100Mbit/40ms"};

/// An epoch by a preset, with the products that are cheapest over one link.
struct EpochOverLink {
  std::string matmul;
  Cost cost;
  double seconds = 0;
};

/// An epoch by one of the presets.
struct PresetCost {
  std::string name;
  EpochOverLink own;                      ///< of the plan; seconds without the link
  std::vector<EpochOverLink> over_links;  ///< of each of the usual links; seconds with it
};

Json to_json(const EpochOverLink& epoch) {
  Json out = to_json(epoch.cost, epoch.seconds);
  out.erase("operations");
  out["matmul"] = epoch.matmul;
  return out;
}

Json to_json(const std::vector<PresetCost>& presets) {
  Json out = Json::object();
  for (const PresetCost& preset : presets) {
    Json& row = out[preset.name] = to_json(preset.own);
    for (std::size_t i = 0; i < usual_links.size(); ++i) {
      row["links"][usual_links[i]] = preset.over_links[i].seconds;
      row["over_links"][usual_links[i]] = to_json(preset.over_links[i]);
    }
  }
  return out;
}

/// Numbers of ranks that the table of a plan has, beside that of the plan.
const std::vector<std::size_t> usual_ranks{1, 2, 4, 8, 16, 32, 64};

Json to_json(const SharedEpoch& epoch) {
  return {{"ranks", epoch.ranks},
          {"row_parts", epoch.ranks / epoch.columns},
          {"column_parts", epoch.columns},
          {"seconds", epoch.seconds()},
          {"evaluators", epoch.evaluators},
          {"key_holders", epoch.key_holders},
          {"link", epoch.link},
          {"exchange", epoch.exchange},
          {"exchanged_bytes", epoch.exchanged},
          {"memory_bytes", epoch.memory > 0 ? Json(epoch.memory) : Json()},
          {"limit", epoch.limit()}};
}

std::string shared_text(const SharedEpoch& epoch) {
  return count_text(epoch.ranks, "rank") +
         (epoch.ranks > 1 ? ", " + grid_text(epoch.ranks, epoch.columns) : "") + ": " +
         duration_text(epoch.seconds()) + " (evaluators " + duration_text(epoch.evaluators) +
         ", key holders " + duration_text(epoch.key_holders) + ", links " +
         duration_text(epoch.link + epoch.exchange) + "); limited by " + std::string(epoch.limit()) +
         (epoch.memory > 0 ? "; " + bytes_text(static_cast<double>(epoch.memory)) + " a rank" : "");
}

Json to_json(const std::vector<SharedEpoch>& epochs) {
  Json out = Json::array();
  for (const SharedEpoch& epoch : epochs) out.push_back(to_json(epoch));
  return out;
}

/// A line for each preset, under a heading.
std::vector<std::string> table_text(const std::vector<PresetCost>& presets) {
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(width, text.size() + 1), ' ');
    return text;
  };
  constexpr std::size_t first = 14, column = 22;
  std::string heading = padded("an epoch by", first);
  for (const std::string& link : usual_links) heading += padded(LinkSpeed::parse(link).text(), column);
  std::vector<std::string> out{heading};
  for (const PresetCost& preset : presets) {
    std::string row = padded("  " + preset.name, first);
    for (const EpochOverLink& epoch : preset.over_links) {
      const Traffic& traffic = epoch.cost.traffic;
      row += padded(duration_text(epoch.seconds) + ", " +
                        bytes_text(static_cast<double>(traffic.to_key_holder + traffic.to_evaluator)),
                    column);
    }
    out.push_back(std::move(row));
  }
  for (std::string& line : out) line.resize(line.find_last_not_of(' ') + 1);
  return out;
}

std::string budget_text(const BitBudget& budget) {
  const Numbers& numbers = budget.numbers();
  return "values of " + std::to_string(numbers.value_bits) + " bits, " +
         std::to_string(numbers.fraction_bits) + " behind the point, masks " + std::to_string(numbers.sigma) +
         " bits wider; products " + std::to_string(budget.product_bits()) + " bits, their masks up to " +
         std::to_string(budget.cross_term_mask_bits()) + "; slots of " + std::to_string(budget.slot_bits()) +
         " bits, " + std::to_string(budget.slots()) + " a ciphertext";
}

}  // namespace

int plan_command(const Words& words, Console& console) {
  const double program = resident_bytes();
  PlanOptions options;
  CommandLine line("plan", "Bit budget, time on this machine, bytes and statistical bound of a training.");
  declare(line, options);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  console.configure(options.json, false);
  options.threads.apply();
  if (!line.given("data") && !line.given("network"))
    throw UsageError("smlp plan needs --network with sizes in numbers, or --data for N and C of a table");
  if (!line.given("learning-rate"))
    options.training.learning_rate = usual_rate(options.network, options.protocols, options.data.task);
  options.training.check();
  options.key.check();
  options.sigma.check(line);
  const LinkSpeed link = options.link.speed().value_or(LinkSpeed::loopback());
  constexpr std::size_t most_rows = std::size_t{1} << 24, most_processes = 4096;
  if (options.ranks < 1 || options.ranks > most_processes || options.key_holders < 1 ||
      options.key_holders > most_processes)
    throw Error("--ranks is " + std::to_string(options.ranks) + " and --key-holders " +
                std::to_string(options.key_holders) + ", allowed are 1 to " + std::to_string(most_processes));
  if (options.rows < 1 || options.rows > most_rows || options.test_rows > most_rows)
    throw Error("--rows and --test-rows are at most 2^24, and --rows at least 1");
  std::size_t features = 0, outputs = options.data.task == Task::regression ? 1 : 0;
  if (line.given("data")) {
    const Table table = load_table(options.data.source());
    const Profile profile = learn_profile(table, Scaling::none, options.data.choice.missing);
    features = profile.features().size();
    outputs = profile.outputs();
    if (!line.given("rows")) options.rows = table.rows();
  }
  const Network network =
      network_of(options.network, features, outputs, options.protocols, options.data.task);
  const ProtocolNames named =
      for_training(options.protocols.names(), network, options.training, options.range_check.on);
  ProtocolNames names = named;
  Plan run{network, names, options.training, options.rows, options.test_rows, options.range_check.on};
  const auto shown = [&](const BitBudget& table) { return shown_by(run, table); };
  options.sigma.apply(options.numbers, options.inner, options.key.bits, shown);
  options.numbers.check();
  const BitBudget table_budget(options.numbers, options.inner, options.key.bits);
  const BitBudget budget = evaluator_budget(table_budget, names);
  make_protocols(names, budget);
  const TableGroups groups = table_groups(options.rows, options.training.batch, table_budget.slots());
  check_budget(network, options.training, batch_rows(groups, groups.batches.front()),
               batch_rows(groups, groups.batches.back()), budget);
  warn_of_unused(console, options.protocols, names);

  const double before_keys = resident_bytes();
  const SecretKeys keys =
      SecretKeys::generate(options.key.variant, options.key.bits, default_subgroup_bits(options.key.bits),
                           RandomSource::from_system());
  const PublicKeys& key = keys.public_keys();
  const MachineSpeed speed = measure_speed(keys, RandomSource::from_system());
  // What a process with both roles takes, without what this one read of --data, and what its measurements
  // have freed.
  return_freed_memory();
  const auto process = static_cast<std::uint64_t>(program + std::max(0.0, resident_bytes() - before_keys));
  const Sizes sizes{budget, key.paillier().ciphertext_bytes(), key.dgk().ciphertext_bytes()};
  const auto epoch_by = [&](const ProtocolNames& protocols, bool is_first) {
    const Sizes of_protocols{evaluator_budget(table_budget, protocols), sizes.ciphertext_bytes,
                             sizes.bit_bytes};
    return epoch_cost(network, protocols, options.training, groups, of_protocols, is_first,
                      options.range_check.on);
  };
  const bool once = options.training.epochs == 1;
  const CostOf later = [&](const ProtocolNames& protocols) { return epoch_by(protocols, once); };
  if (names.chooses_products())
    run.protocols = names = with_cheapest_products(names, network.layers(), later, speed, link);
  const Cost first = epoch_by(names, true), epoch = later(names);
  const double epoch_seconds = speed.seconds(epoch, thread_count());
  const double all_seconds =
      speed.seconds(first, thread_count()) + static_cast<double>(options.training.epochs - 1) * epoch_seconds;
  std::vector<PresetCost> presets;
  for (const std::string& name : preset_names()) {
    const auto over = [&](const LinkSpeed& way) {
      const ProtocolNames chosen = with_cheapest_products(preset(name), network.layers(), later, speed, way);
      const Cost cost = later(chosen);
      return EpochOverLink{chosen.matmul, cost, speed.seconds(cost, thread_count())};
    };
    presets.push_back({name, over(link), {}});
    for (const std::string& usual : usual_links) {
      const LinkSpeed way = LinkSpeed::parse(usual);
      EpochOverLink there = over(way);
      there.seconds = seconds_over(way, there.cost, there.seconds);
      presets.back().over_links.push_back(std::move(there));
    }
  }
  std::vector<SharedEpoch> shared;
  if (line.given("ranks") || line.given("key-holders")) {
    std::vector<std::size_t> counts = usual_ranks;
    if (std::ranges::find(counts, options.ranks) == counts.end()) counts.push_back(options.ranks);
    std::ranges::sort(counts);
    ProtocolNames of_several = named;  // as train does: named as shared, then products are chosen
    of_several.shared = true;
    of_several = with_cheapest_products(of_several, network.layers(), later, speed, link);
    for (const std::size_t ranks : counts)
      shared.push_back(shared_epoch(network, ranks > 1 ? of_several : names, options.training, groups, sizes,
                                    once, options.range_check.on, speed,
                                    {ranks, options.key_holders, thread_count(), link, process}));
  }
  std::optional<TableGroups> test;
  Cost testing;
  if (options.test_rows > 0) {
    test = table_groups(options.test_rows, options.training.batch, table_budget.slots());
    testing = classification_cost(network, names, *test, sizes, 0, options.range_check.on);
  }
  const double test_seconds = speed.seconds(testing, thread_count());
  const Shown all_shown = shown(table_budget);

  if (options.json) {
    const Json plan{{"task", name(options.data.task)},
                    {"network", network.shape()},
                    {"layers", network.kind_names()},
                    {"rows", {{"train", options.rows}, {"test", options.test_rows}}},
                    {"epochs", options.training.epochs},
                    {"batch", options.training.batch},
                    {"key_bits", options.key.bits},
                    {"variant", name(options.key.variant)},
                    {"protocols", names.by_family()},
                    {"unused_protocols", names.unused()},
                    {"value_bits", options.numbers.value_bits},
                    {"fraction_bits", options.numbers.fraction_bits},
                    {"sigma", options.numbers.sigma},
                    {"inner", options.inner},
                    {"slot_bits", budget.slot_bits()},
                    {"slots", budget.slots()},
                    {"threads", thread_count()},
                    {"first_epoch", to_json(first, speed.seconds(first, thread_count()))},
                    {"epoch", to_json(epoch, epoch_seconds)},
                    {"link", options.link.text.value_or("loopback")},
                    {"epoch_over_link", seconds_over(link, epoch, epoch_seconds)},
                    {"presets", to_json(presets)},
                    {"shared", to_json(shared)},
                    {"test",
                     {{"seconds", test_seconds},
                      {"bytes", smlp::to_json(testing.traffic)},
                      {"rounds", testing.traffic.rounds}}},
                    {"statistical_bits", distance_json(names, all_shown, options.numbers.sigma)}};
    Json report = provenance(line, std::nullopt);
    report.update(plan);
    console.document(report.dump());
    return 0;
  }
  console.result("network " + network.text() + ", " + count_text(options.rows, "row") + " in " +
                 std::to_string(groups.batches.size()) + " batches of " +
                 std::to_string(options.training.batch) + ", key of " + key_text(key.paillier()));
  console.result("protocols " + protocols_text(names));
  if (options.protocols.names().chooses_products()) console.result(products_text(names, link));
  console.result(budget_text(budget));
  console.result(rate_text(options.training, batch_rows(groups, groups.batches.front()), budget));
  console.result("an epoch: " + cost_text(epoch, epoch_seconds) + " (both parties on " +
                 std::to_string(thread_count()) + " threads of this machine)");
  if (options.link.text)
    console.result("over " + link.text() + ": " + duration_text(seconds_over(link, epoch, epoch_seconds)));
  if (options.protocols.preset != "hybrid") {
    const EpochOverLink& hybrid = std::ranges::find(presets, "hybrid", &PresetCost::name)->own;
    const auto seconds = [&](const Cost& cost, double computed) {
      return options.link.text ? seconds_over(link, cost, computed) : computed;
    };
    console.result((options.link.text ? "over " + link.text() + " " : "") +
                   hybrid_instead_text(seconds(epoch, epoch_seconds), epoch.traffic,
                                       seconds(hybrid.cost, hybrid.seconds), hybrid.cost.traffic));
  }
  for (const std::string& row : table_text(presets)) console.result(row);
  if (!shared.empty()) {
    console.result("an epoch shared by ranks of " +
                   count_text(static_cast<std::size_t>(thread_count()), "thread") + ", with " +
                   count_text(options.key_holders, "key holder") + " of as many, over " + link.text() +
                   ", a batch in parts of its rows x of columns:");
    for (const SharedEpoch& epoch : shared)
      console.result((epoch.ranks == options.ranks ? "* " : "  ") + shared_text(epoch));
    if (process > 0)
      console.result("a rank takes about as much memory with its key holder in the same process, " +
                     bytes_text(static_cast<double>(process)) +
                     " of it for the program and the tables of its keys");
  }
  console.result(count_text(options.training.epochs, "epoch") + ": " + duration_text(all_seconds));
  if (test) console.result("the test: " + cost_text(testing, test_seconds));
  console.result(distance_text(names, all_shown, options.numbers.sigma));
  warn_of_leakage(console, names);
  describe_range_checks(console, names, options.range_check.on);
  return 0;
}

}  // namespace smlp
