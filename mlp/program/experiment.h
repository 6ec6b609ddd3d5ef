// The experiment of `run`: one table, one network, trained on ciphertexts, on the same integers in the clear,
// and on doubles.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mlp/program/clear_training.h"
#include "mlp/program/console.h"
#include "mlp/program/options.h"
#include "mlp/program/output_place.h"
#include "mlp/program/owner.h"
#include "mlp/program/parts.h"
#include "mlp/program/seeds.h"
#include "mlp/program/session.h"
#include "mlp/program/usual_training.h"
#include "mlp/training/cost.h"
#include "mlp/training/network.h"
#include "mlp/training/prediction.h"
#include "mlp/training/trainer.h"

namespace smlp {

struct RunOptions : PartOptions {
  NetworkOptions network;
  TrainingOptions training = usual_training;
  ProtocolOptions protocols;
  LinkOption link;
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

/// One number for each of the three.
struct Three {
  double encrypted = 0, twin = 0, clear = 0;
  Json to_json() const { return {{"encrypted", encrypted}, {"twin", twin}, {"float", clear}}; }
};

/// As ClearEpoch::measures.
using EpochReport = std::map<std::string, Three>;
/// An object of each measure.
Json to_json(const EpochReport& report);
/// "R^2 0.5 encrypted, 0.5 twin, 0.5 float".
std::string text_of(const EpochReport& report, const std::string& measure);

/// What the run found out.
struct Findings {
  EpochReport last;
  bool weights_equal = false;
  bool answers_equal = false;
  std::vector<IntegerMatrix> weights;  ///< decrypted
  Answers answers;                     ///< of the test part
  Measured training, testing;
  double keygen_seconds = 0, encrypt_seconds = 0;
  Json history = Json::array();
};

/// The budget of the tables of a run, with the sigma that --statistical-bound chooses.
BitBudget run_budget(const RunOptions& options, const Network& network, const Parts& parts);

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
  const Numbers& numbers() const { return budget_.numbers(); }
  std::size_t sigma() const { return budget_.numbers().sigma; }
  /// What the whole run shows the key holder.
  Shown shown() const;

 private:
  void describe() const;
  Cost later_epoch(const PublicKeys& key, const ProtocolNames& names) const;
  /// The cheapest ones, for --link.
  void choose_products(const SecretKeys& keys);
  /// What an epoch will take, and with the preset hybrid.
  std::string hybrid_instead(const SecretKeys& keys) const;
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
  std::optional<ClearTraining> clear_;
  std::vector<ClearEpoch> clear_epochs_;
};

}  // namespace smlp
