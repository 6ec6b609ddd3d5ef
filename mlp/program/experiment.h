// The experiment of `run`: one table, one network, trained on ciphertexts, on the same integers in the clear,
// and on doubles.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mlp/cost.h"
#include "mlp/network.h"
#include "mlp/program/console.h"
#include "mlp/program/options.h"
#include "mlp/program/output_place.h"
#include "mlp/program/owner.h"
#include "mlp/program/seeds.h"
#include "mlp/program/session.h"
#include "mlp/trainer.h"

namespace smlp {

struct RunOptions {
  DataOptions data;
  std::optional<std::string> test;
  std::optional<std::string> test_labels;
  double test_fraction = 0.2;
  NetworkOptions network{.text = "N-16-C"};
  Scaling scaling = Scaling::standard;
  TrainingOptions training;
  ProtocolOptions protocols;
  RangeCheckOption range_check;
  KeyOptions key;
  std::optional<SecretKeys> keys;  ///< that are there already, in place of new ones
  std::optional<std::string> out;  ///< keeps the model, and its profile beside it
  Numbers numbers;
  SigmaOption sigma;
  std::size_t inner = 1024;
  std::uint64_t seed = 0;
  ThreadOption threads;
  OutputOptions output;
  ForceOption force;
};

/// The owner's two parts.
struct Parts {
  Json tables;                      ///< digests of what was read
  std::vector<std::size_t> tested;  ///< rows of the file that the test part has, from 1
  Profile profile;
  OwnerTable train;
  OwnerTable test;
};

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
  Json history = Json::array();
};

class Experiment {
 public:
  /// Loads the table and checks everything that can be checked before keys are made. Throws Error.
  /// `origin` of the results: provenance().
  Experiment(const RunOptions& options, Json origin, Console& console);

  Findings run();
  /// What the results come from: provenance(), the tables and the rows that are tested.
  const Json& origin() const { return origin_; }
  const Parts& parts() const { return parts_; }
  const Network& network() const { return network_; }
  const ProtocolNames& names() const { return names_; }
  std::size_t sigma() const { return budget_.numbers().sigma; }
  /// What the whole run shows the key holder.
  Shown shown() const;

 private:
  Plan plan() const {
    return {network_,           names_,
            options_.training,  parts_.train.rows(),
            parts_.test.rows(), options_.range_check.on};
  }
  BitBudget chosen_budget() const;
  void describe() const;
  SecretKeys make_keys() const;
  void keep_model(const SecretKeys& keys) const;
  MemoryTable encrypted(const SecretKeys& keys, const OwnerTable& table, const Progress& progress) const;
  EpochReport train_all(const SecretKeys& keys, const MemoryTable& table, Findings& findings);
  void report_epoch(std::size_t epoch, const EpochReport& report, const Measured& measured,
                    Findings& findings);
  void test_all(const SecretKeys& keys, const MemoryTable& table, Findings& findings);

  const RunOptions& options_;
  Console& console_;
  Seeds seeds_;
  ProtocolNames names_;
  Parts parts_;
  Json origin_;
  Network network_;
  BitBudget table_budget_;  ///< of the encrypted tables
  BitBudget budget_;        ///< of the evaluator
  TableGroups groups_, test_groups_;
  TableId table_id_{};
  Weights<EncryptedMatrix> encrypted_model_;
  Weights<IntegerMatrix> twin_model_;
  Weights<Matrix<double>> float_model_;
};

}  // namespace smlp
