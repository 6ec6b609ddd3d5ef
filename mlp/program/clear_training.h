// Training in the clear: the twin of an encrypted training, and the same in doubles.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mlp/program/parts.h"
#include "mlp/program/quality.h"
#include "mlp/training/fixed_point.h"
#include "mlp/training/float_arithmetic.h"
#include "mlp/training/network.h"
#include "mlp/training/trainer.h"
#include "mlp/training/twin_arithmetic.h"

namespace smlp {

/// One number for each of the two.
struct Two {
  double twin = 0, clear = 0;
  Json to_json() const { return {{"twin", twin}, {"float", clear}}; }
};

/// One epoch.
struct ClearEpoch {
  std::vector<Two> step_losses;             ///< of each batch, before its step
  std::map<std::string, Two> measures;      ///< `loss` on the training part, quality.h on the test part
  std::map<std::string, std::size_t> bits;  ///< widest value of each tensor, with its sign
};

/// What an encrypted training with these options, this budget and these seeds computes. Parts and options
/// stay where they are while it is used.
class ClearTraining {
 public:
  ClearTraining(const Parts& parts, const Network& network, const TrainingOptions& options,
                const BitBudget& budget, TableGroups groups, const Seeds& seeds);

  /// The next one. Throws Error naming step and tensor where a value of the twin leaves its range.
  ClearEpoch train_epoch();
  const Weights<WordMatrix>& twin() const { return twin_model_; }
  const std::vector<Matrix<double>>& clear() const { return float_model_.weights; }

 private:
  const Parts& parts_;
  const Network& network_;
  const TrainingOptions& options_;
  BitBudget budget_;
  TableGroups groups_;
  Seeds seeds_;
  ClearTable<std::int64_t> integers_;
  ClearTable<double> doubles_;
  TwinArithmetic twin_;
  FloatArithmetic clear_;
  Weights<WordMatrix> twin_model_;
  Weights<Matrix<double>> float_model_;
  std::uint32_t epoch_ = 0;
};

/// `loss` on the training part, quality.h on the test part.
Measures measures(const Network& network, const std::vector<Matrix<double>>& weights, const Parts& parts);

/// The largest of half, a quarter, .. of the learning rate at which the whole training stays in range; none
/// down to 2^-10 of it.
std::optional<double> rate_in_range(const Parts& parts, const Network& network, TrainingOptions options,
                                    const BitBudget& budget, const TableGroups& groups, const Seeds& seeds);

/// Cell by cell, as doubles.
std::vector<Matrix<double>> decoded(const std::vector<IntegerMatrix>& weights, const Numbers& numbers);

}  // namespace smlp
