// Hyper-parameters, and the public integers that they become inside a gradient's product.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/bit_budget.h"

namespace smlp {

/// How the learning rate moves over the epochs.
enum class Schedule {
  constant,
  linear,  ///< falls in equal steps, from the full rate in the first epoch to rate / epochs in the last
  cosine,  ///< half a cosine from the full rate toward 0
  step,    ///< the full rate, a tenth from half of the epochs on, a hundredth from three quarters on
};
std::string_view name(Schedule schedule);
/// Throws Error with the list.
Schedule schedule_from_name(std::string_view name);

struct TrainingOptions {
  std::size_t epochs = 5;
  std::size_t batch = 32;
  double learning_rate = 0.1;
  Schedule schedule = Schedule::constant;
  double momentum = 0;  ///< in [0, 1)
  /// The gradient is taken at W + momentum V (Nesterov 1983; Sutskever et al. 2013, section 2).
  bool nesterov = false;
  double weight_decay = 0;  ///< L2 coefficient, at least 0
  /// The error of the outputs is clipped to [-c, c]: with squared error that is the gradient of Huber's loss
  /// (Huber 1964). 0: it is not.
  double clip_gradient = 0;

  bool operator==(const TrainingOptions&) const = default;
  /// Throws Error naming the option: epochs outside 1 .. 100,000, batch outside 1 .. 65,536, a rate that is
  /// not finite and positive, momentum outside [0, 1) or 0 with Nesterov's, a decay or a bound that is
  /// not finite and at least 0.
  void check() const;
  /// Without secrets, stable; for model files.
  std::string to_json() const;
  static TrainingOptions from_json(std::string_view text);
};

/// The name on the command line of a field of to_json(): "--learning-rate" of "learning_rate".
std::string option_of_field(std::string field);

/// The public integers of one update: velocity = floor((rescale.scale X^T delta + momentum V + decay W) /
/// 2^rescale.shift), with rescale.scale = -rate / rows * 2^e, shift = f + e.
struct UpdateFactors {
  static constexpr std::size_t lookahead_bits = 3;

  Rescale rescale;
  std::int64_t momentum = 0;
  std::int64_t decay = 0;
  /// Eighths of V that the gradient looks ahead: the momentum, rounded so that W + V lookahead / 2^3 takes
  /// three bits more and no rescaling. 0: it does not.
  std::int64_t lookahead = 0;
  double clip = 0;  ///< a multiple of 2^-f; 0: none

  /// The learning rate over the rows of the batch that the integers really stand for.
  double rate_over_rows(std::size_t fraction_bits) const;
  double effective_momentum() const;
  double effective_decay() const;  ///< rate times weight decay; at least 0
  /// Bits of momentum V + decay W.
  std::size_t addend_bits(const Numbers& numbers) const;
};

/// For one batch of `rows` rows in `epoch` (from 0). Every rate is rounded to the nearest scale / 2^e; throws
/// Error when it rounds to zero or is larger than the bit budget allows, and for a bound of the gradient
/// outside 2^-f .. 2^(l-2-f).
UpdateFactors update_factors(const TrainingOptions& options, std::size_t epoch, std::size_t rows,
                             const BitBudget& budget);

}  // namespace smlp
