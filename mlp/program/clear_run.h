// smlp run --clear: the twin and the doubles alone, to choose hyper-parameters before anything is encrypted.
#pragma once

#include <string>

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

/// Trains with every setting and `repeat` seeds from options.seed on, and says how it went. Throws Error.
void run_clear(const RunOptions& options, const ClearOptions& clear, const CommandLine& line, Json origin,
               Console& console);

}  // namespace smlp
