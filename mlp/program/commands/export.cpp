// smlp export: a model in the clear for who holds its secret key.
#include <nlohmann/json.hpp>

#include "mlp/files/model_file.h"
#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "mlp/program/output_place.h"
#include "mlp/training/fixed_point.h"
#include "mlp/training/network.h"
#include "mlp/training/prediction.h"

namespace smlp {

namespace {

nlohmann::ordered_json to_json(const EncryptedModel& model, const std::vector<IntegerMatrix>& weights) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const IntegerMatrix& integers : weights) {
    const Matrix<double> values = decode(integers, model.budget.numbers());
    std::vector<std::vector<double>> rows;
    for (std::size_t i = 0; i < values.rows(); ++i) {
      const auto row = values.cells().begin() + static_cast<std::ptrdiff_t>(i * values.cols());
      rows.emplace_back(row, row + static_cast<std::ptrdiff_t>(values.cols()));
    }
    std::vector<double> biases = std::move(rows.back());
    rows.pop_back();
    const LayerKind& kind = model.network.kind(layers.size());
    layers.push_back(
        {{"weights", rows}, {"biases", biases}, {"kind", kind.name}, {"function", kind.formula}});
  }
  return {{"format", "smlp-model"},
          {"version", 3},
          {"task", name(model.task)},
          {"network", model.network.sizes},
          {"fraction_bits", model.budget.numbers().fraction_bits},
          {"layers", std::move(layers)}};
}

}  // namespace

int export_command(const Words& words, Console& console) {
  std::string model_file, key, out;
  ForceOption force;
  KeyStrength strength;
  CommandLine line(
      "export", "Decrypts a model: weights (inputs x outputs of each layer) and biases, exact to 53 bits.");
  line.required("model", model_file, "a model of smlp release, or of smlp train");
  line.required("key", key, "secret.json of its owner; of the key holder where the model is of smlp train");
  line.required("out", out, "the JSON, for its owner's eyes (mode 0600)");
  force.add_to(line);
  strength.add_to(line);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  const OutputPlace place("--out", out, Content::text, {key, model_file});
  if (place.holds_file() && !force.force) refuse_existing("--out", out);
  const SecretKeys keys = load_secret_keys(key);
  strength.check(keys.public_keys(), key);
  const EncryptedModel model = load_model(model_file, keys.public_keys());
  if (!model.handed_over)
    console.warning("note: " + model_file +
                    " is under the key holder's key, so all roles are in one hand; smlp release "
                    "hands a model to its owner");
  const std::string json = to_json(model, open_weights(model.weights, model.budget, keys)).dump() + "\n";
  place.write(json, 0600);
  if (place.is_stream()) return 0;
  console.result(out + ": " + model.network.text() + " after " + count_text(model.epochs_done, "epoch"));
  return 0;
}

}  // namespace smlp
