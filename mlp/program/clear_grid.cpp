// What a grid takes, and its combinations.
#include "mlp/program/clear_grid.h"

#include <algorithm>
#include <functional>
#include <map>

#include "mlp/text.h"

namespace smlp {

namespace {

constexpr std::size_t most_settings = 1000;

template <typename Number>
Number number(const std::string& name, const std::string& text) {
  const auto value = number_from<Number>(text);
  if (!value) throw UsageError("--grid has " + name + "=" + text.substr(0, 40) + ", which is no number");
  return *value;
}

using Set = std::function<void(RunOptions&, const std::string&)>;

/// The options that a grid takes.
const std::map<std::string, Set>& grid_options() {
  const auto real = [](double TrainingOptions::*field, const char* name) {
    return [=](RunOptions& o, const std::string& text) { o.training.*field = number<double>(name, text); };
  };
  const auto count = [](std::size_t TrainingOptions::*field, const char* name) {
    return
        [=](RunOptions& o, const std::string& text) { o.training.*field = number<std::size_t>(name, text); };
  };
  static const std::map<std::string, Set> all = {
      {"batch", count(&TrainingOptions::batch, "batch")},
      {"epochs", count(&TrainingOptions::epochs, "epochs")},
      {"learning-rate", real(&TrainingOptions::learning_rate, "learning-rate")},
      {"momentum", real(&TrainingOptions::momentum, "momentum")},
      {"weight-decay", real(&TrainingOptions::weight_decay, "weight-decay")},
      {"clip-gradient", real(&TrainingOptions::clip_gradient, "clip-gradient")},
      {"network", [](RunOptions& o, const std::string& text) { o.network.text = text; }},
      {"output", [](RunOptions& o, const std::string& text) { o.network.output = text; }},
      {"schedule",
       [](RunOptions& o, const std::string& text) { o.training.schedule = schedule_from_name(text); }},
  };
  return all;
}

}  // namespace

std::vector<Setting> settings_of_grid(const std::string& grid) {
  std::vector<Setting> out{{}};
  std::string known;
  for (const auto& [name, set] : grid_options()) known += (known.empty() ? "" : ", ") + name;
  for (const std::string& part : split(grid, ' ')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    if (equals == part.npos || equals + 1 == part.size())
      throw UsageError("--grid has '" + part.substr(0, 40) + "', which is not NAME=VALUE,VALUE,..");
    const std::string name = part.substr(0, equals);
    if (!grid_options().contains(name))
      throw UsageError("--grid does not take '" + name.substr(0, 40) + "'; it takes " + known);
    if (std::ranges::any_of(out.front(), [&](const auto& option) { return option.first == name; }))
      throw UsageError("--grid names " + name + " twice");
    std::vector<Setting> longer;
    for (const Setting& setting : out)
      for (const std::string& value : split(part.substr(equals + 1), ',')) {
        longer.push_back(setting);
        longer.back().emplace_back(name, value);
      }
    out = std::move(longer);
    if (out.size() > most_settings)
      throw UsageError("--grid has more than " + std::to_string(most_settings) + " settings");
  }
  return out;
}

void set_options(const Setting& setting, RunOptions& options) {
  for (const auto& [name, value] : setting) grid_options().at(name)(options, value);
}

}  // namespace smlp
