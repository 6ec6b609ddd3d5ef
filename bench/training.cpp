// Training in processor seconds and bytes, both parties included, for three workloads:
//   A  the AND of two bits, 1,000 rows, network 2-10-2, batches of 40
//   B  Wisconsin breast cancer, network 30-16-2, batches of 32
//   C  one batch of 128 images of 28 x 28 random pixels, network 784-128-10
#include <algorithm>
#include <iostream>

#include "bench/direct_channel.h"
#include "bench/samples.h"
#include "mlp/program/owner.h"
#include "mlp/program/session.h"
#include "mlp/text.h"
#include "mlp/training/batches.h"
#include "mlp/training/initial_weights.h"
#include "mlp/training/product_choice.h"
#include "mlp/training/training.h"
#include "paillier/error.h"
#include "paillier/parallel.h"

namespace smlp::bench {

namespace {

struct Workload {
  std::string name, text;
  Network network;
  std::size_t batch = 0;
  Table table;
};

Table random_images(std::size_t rows, std::size_t pixels) {
  Table table;
  table.values = Matrix<double>(rows, pixels);
  table.label_column = "label";
  RandomStream random = RandomSource::from_seed(1).stream({});
  for (std::size_t j = 0; j < pixels; ++j) table.columns.push_back("pixel" + std::to_string(j));
  for (double& pixel : table.values.cells()) pixel = static_cast<double>(random.below(std::uint64_t{256}));
  for (std::size_t i = 0; i < rows; ++i) table.labels.push_back(std::to_string(i % 10));
  return table;
}

Table from_file(const std::string& folder, const char* file) {
  return load_table({.data = folder + "/" + file, .labels = {}, .label_column = {}, .expected = {}});
}

Workload workload(char letter, const std::string& folder) {
  switch (letter) {
    case 'A': {
      Table all = from_file(folder, "and.csv");
      std::vector<std::size_t> first(std::min<std::size_t>(1000, all.rows()));
      for (std::size_t i = 0; i < first.size(); ++i) first[i] = i;
      return {"A", "AND, 2-10-2", {{2, 10, 2}}, 40, take_rows(all, first)};
    }
    case 'B':
      return {"B", "breast cancer, 30-16-2", {{30, 16, 2}}, 32, from_file(folder, "breast_cancer.csv")};
    case 'C':
      return {"C", "random pixels, 784-128-10", {{784, 128, 10}}, 128, random_images(128, 784)};
    default:
      throw Error(std::string("--workloads has ") + letter + "; there are A, B and C");
  }
}

/// What a step is declared to do: each kind of operation, how often.
Json counts_of(const Operations& all, std::size_t steps) {
  const auto of_step = [&](double count) { return count / static_cast<double>(steps); };
  return {{"products mod n^2", of_step(all.products)},
          {"re-randomisations", of_step(all.rerandomisations)},
          {"decryptions", of_step(all.decryptions)},
          {"encryptions by the key holder", of_step(all.encryptions)},
          {"products of DGK", of_step(all.bit_products)},
          {"re-randomisations of DGK", of_step(all.bit_rerandomisations)},
          {"encryptions of DGK by the key holder", of_step(all.bit_encryptions)},
          {"zero tests of DGK", of_step(all.zero_tests)},
          {"gates", of_step(all.gates)},
          {"transfers of products and selections", of_step(all.transfers)},
          {"blocks of pads in them", of_step(all.transfer_blocks)},
          {"values under masks", of_step(all.masked_values)}};
}

/// What makes the tables of fixed bases, which keys keep.
void make_tables(const PublicKeys& keys) {
  RandomStream unused = RandomSource::from_system().stream({});
  keys.paillier().encrypt(0, unused);
  keys.dgk().encrypt(0, unused);
}

/// Seconds of those of both parties, of keys without any.
double table_seconds(const SecretKeys& keys, std::size_t sigma) {
  RandomStream unused = RandomSource::from_system().stream({});
  const PublicKeys evaluator = keys.public_keys().with_sigma(sigma + 1).with_sigma(sigma);
  const double start = process_seconds();
  make_tables(evaluator);
  keys.paillier().encrypt(0, unused);
  keys.dgk().encrypt(0, unused);
  return process_seconds() - start;
}

/// Trains the first steps of an epoch. A whole epoch is as many times the mean step as it has steps.
/// `unchecked`: the same without range checks, in turns with them.
Json measure(const SecretKeys& keys, const Workload& work, const ProtocolNames& chosen,
             const Numbers& numbers, std::size_t steps, bool unchecked) {
  const double tables = table_seconds(keys, numbers.sigma);
  const TrainingOptions options{.batch = work.batch, .learning_rate = 0.05, .momentum = 0.8};
  const RandomSource random = RandomSource::from_system();
  const BitBudget budget(numbers, 1024, keys.public_keys().paillier().bits());
  const Profile profile = learn_profile(work.table, Scaling::standard);
  const OwnerTable rows = prepare_table(work.table, profile, random.derive("shuffle").stream({}));
  const TableEncryptor table(keys.public_keys(), budget, work.batch, rows.features, rows.targets,
                             rows.row_order, random.derive("owner"));
  const TableGroups& groups = table.groups();
  const std::size_t all = groups.batches.size(), measured = std::min(steps, all);

  const Sizes sizes{budget, keys.public_keys().paillier().ciphertext_bytes(),
                    keys.public_keys().dgk().ciphertext_bytes()};
  const MachineSpeed speed = measure_speed(keys, random);
  const auto cost_of = [&](const ProtocolNames& each, bool first) {
    return epoch_cost(work.network, each, options, groups, sizes, first);
  };
  const ProtocolNames names = with_cheapest_products(
      chosen, work.network.layers(), [&](const ProtocolNames& each) { return cost_of(each, false); }, speed,
      LinkSpeed::loopback());
  const Operations declared = cost_of(names, true).operations;

  Session session(keys.public_keys(), direct_channel(keys), budget, names, random.derive("train"), false);
  Session without(keys.public_keys(), direct_channel(keys), budget, names, random.derive("unchecked"), false,
                  false);
  Weights<EncryptedMatrix> model = encrypt_weights(
      initial_weights(work.network, budget.numbers(), random.derive("weights")), work.network,
      session.arithmetic().evaluator().paillier(), budget, options.momentum != 0, random.derive("weights"));
  Weights<EncryptedMatrix> unchecked_model = model;
  make_tables(session.arithmetic().evaluator().keys);
  const auto make_transfers = [&](const Session& of) {
    const double start = process_seconds();
    if (std::ranges::any_of(names.used(), [](const Descriptor* each) { return each->transfers; }))
      of.arithmetic().evaluator().transfers(feature_operation(0));
    return process_seconds() - start;
  };
  const double base_transfers = make_transfers(session);
  if (unchecked) make_transfers(without);
  Samples encryption, seconds, unchecked_seconds;
  for (std::size_t b = 0; b < measured; ++b) {
    const auto step = static_cast<std::uint32_t>(b);
    double start = process_seconds();
    const auto features = detail::read_groups<EncryptedMatrix>(
        groups.batches[b], [&](std::size_t group) { return table.features(group); });
    const auto labels = detail::read_groups<EncryptedMatrix>(
        groups.batches[b], [&](std::size_t group) { return table.labels(group); });
    encryption.seconds.push_back(process_seconds() - start);
    const std::size_t batch = batch_rows(groups, groups.batches[b]);
    const auto train = [&](EncryptedArithmetic& arithmetic, Weights<EncryptedMatrix>& weights,
                           Samples& samples) {
      start = process_seconds();
      train_batch(arithmetic, work.network, weights, step,
                  arithmetic.features(feature_operation(step), groups.batches[b], features),
                  arithmetic.labels(label_operation(step), work.network.layers() - 1, labels),
                  update_factors(options, 0, batch, budget));
      if (b + 1 == measured) arithmetic.evaluator().calls->send();  // what waits for the next step
      samples.seconds.push_back(process_seconds() - start);
      std::cerr << work.name << " step " << b + 1 << " of " << all << ": " << samples.seconds.back()
                << (&samples == &seconds ? " s\n" : " s without range checks\n");
    };
    train(session.arithmetic(), model, seconds);
    if (unchecked) train(without.arithmetic(), unchecked_model, unchecked_seconds);
  }
  Json by_kind = Json::object();
  for (const auto& [kind, of_kind] : session.arithmetic().seconds())
    by_kind[kind] = of_kind / static_cast<double>(measured);
  const Traffic& traffic = session.channel().traffic();
  Json row{{"workload", work.name},
           {"text", work.text},
           {"matmul", names.matmul},  // as they were chosen, not "cheapest"
           {"rows", work.table.rows()},
           {"batch", work.batch},
           {"steps", all},
           {"measured_steps", measured},
           {"step", seconds.to_json()},
           {"once", tables + base_transfers},
           {"encryption_step", encryption.to_json()},
           {"wall_by_kind", std::move(by_kind)},
           {"operations", counts_of(declared, all)},
           {"by_count", speed.seconds({.operations = declared, .traffic = {}}, 1) / static_cast<double>(all)},
           {"bytes_to_key_holder", traffic.to_key_holder / measured},
           {"bytes_to_evaluator", traffic.to_evaluator / measured},
           {"rounds", traffic.rounds / measured}};
  if (!unchecked) return row;
  row["unchecked_step"] = unchecked_seconds.to_json();
  row["unchecked_bytes_to_evaluator"] = without.channel().traffic().to_evaluator / measured;
  std::cerr << work.name << ": range checks cost a factor of "
            << std::ranges::min(seconds.seconds) / std::ranges::min(unchecked_seconds.seconds) << " ("
            << seconds.median() / unchecked_seconds.median() << " of medians)\n";
  return row;
}

void run_training(int argc, char** argv) {
  const Options options(
      argc, argv,
      "Training steps in processor seconds of both parties on one thread.\n"
      "--workloads ABC  which\n"
      "--bits N         size of n (2048)\n"
      "--protocols P,P  presets (homomorphic); hybrid:packed is hybrid with these products\n"
      "--sigma N,N      statistical security (56)\n"
      "--unchecked yes  the same steps without range checks too, in turns (no)\n"
      "--steps N        steps of each at most; an epoch is extrapolated from them (3)\n"
      "--datasets DIR   folder of and.csv and breast_cancer.csv (datasets)\n"
      "--json FILE      results\n");
  set_thread_count(1);
  const std::size_t bits = options.number("bits", 2048), steps = options.number("steps", 3);
  const bool unchecked = options.text("unchecked", "no") == "yes";
  const std::vector<std::string> presets = split(options.text("protocols", "homomorphic"), ',');
  Json rows = Json::array();
  for (const char letter : options.text("workloads", "ABC")) {
    const Workload work = workload(letter, options.text("datasets", "datasets"));
    for (const std::string& sigma : split(options.text("sigma", "56"), ','))
      for (const std::string& name : presets) {
        Numbers numbers;
        numbers.sigma = number_from<std::size_t>(sigma).value_or(0);
        numbers.check();
        const std::vector<std::string> parts = split(name, ':');
        ProtocolNames names = preset(parts[0]);
        if (parts.size() > 1) names.matmul = parts[1];
        const SecretKeys keys = make_keys(Variant::subgroup, bits);  // without tables
        Json row = measure(keys, work, names, numbers, steps, unchecked);
        row["protocols"] = name;
        row["sigma"] = numbers.sigma;
        rows.push_back(std::move(row));
      }
  }
  write_results(options.text("json", ""), "training", {{"bits", bits}, {"rows", std::move(rows)}});
}

}  // namespace

}  // namespace smlp::bench

int main(int argc, char** argv) {
  return smlp::bench::run_benchmark(argc, argv, smlp::bench::run_training);
}
