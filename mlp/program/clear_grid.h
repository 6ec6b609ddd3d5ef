// The --grid of smlp run --clear: options with several values each.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mlp/program/experiment.h"

namespace smlp {

/// One setting of the options of a grid: names and values.
using Setting = std::vector<std::pair<std::string, std::string>>;

/// "learning-rate=0.02,0.05 momentum=0,0.8": every combination, the last option changing fastest. "" gives
/// one setting of nothing. Throws UsageError: not of this form, an option that a grid does not take, one that
/// is named twice, more than 1,000 settings.
std::vector<Setting> settings_of_grid(const std::string& grid);

/// Sets these options. Throws UsageError where a value is no number, Error for a schedule that there is not.
void set_options(const Setting& setting, RunOptions& options);

}  // namespace smlp
