// smlp run --clear: the twin and the doubles alone, to choose hyper-parameters before anything is encrypted.
#pragma once

#include <string>
#include <vector>

#include "mlp/program/experiment.h"

namespace smlp {

/// --clear and what goes with it.
struct ClearOptions {
  bool clear = false;
  std::string grid;
  std::size_t repeat = 1;
  void add_to(CommandLine& line);
  /// Throws UsageError: --grid or --repeat without --clear, options of keys and files beside it.
  void check(const CommandLine& line) const;
};

/// One setting of the options of a grid: names and values.
using Setting = std::vector<std::pair<std::string, std::string>>;

/// "learning-rate=0.02,0.05 momentum=0,0.8": every combination, the last option changing fastest. "" gives
/// one setting of nothing. Throws UsageError: not of this form, an option that a grid does not take, one that
/// is named twice, more than 1,000 settings.
std::vector<Setting> settings_of_grid(const std::string& grid);

/// Trains with every setting and `repeat` seeds from options.seed on, and says how it went. Throws Error.
void run_clear(const RunOptions& options, const ClearOptions& clear, const CommandLine& line, Json origin,
               Console& console);

}  // namespace smlp
