// smlp export: a model in the clear for who holds its secret key.
#include <nlohmann/json.hpp>

#include "mlp/files/model_file.h"
#include "mlp/program/commands/commands.h"
#include "mlp/program/exported_model.h"
#include "mlp/program/options.h"
#include "mlp/program/output_place.h"
#include "mlp/training/prediction.h"

namespace smlp {

int export_command(const Words& words, Console& console) {
  std::string model_file, key, out;
  ForceOption force;
  PassPhraseOption pass_phrase;
  KeyStrength strength;
  CommandLine line(
      "export", "Decrypts a model: weights (inputs x outputs of each layer) and biases, exact to 53 bits.");
  line.required("model", model_file, "a model of smlp release, or of smlp train");
  line.required("key", key, "secret.json of its owner; of the key holder where the model is of smlp train");
  line.required("out", out, "the JSON, for its owner's eyes (mode 0600)");
  pass_phrase.add_to(line);
  force.add_to(line);
  strength.add_to(line);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  const OutputPlace place("--out", out, Content::text, {key, model_file});
  if (place.holds_file() && !force.force) refuse_existing("--out", out);
  const SecretKeys keys = pass_phrase.load(key);
  strength.check(keys.public_keys(), key);
  const EncryptedModel model = load_model(model_file, keys.public_keys());
  if (!model.handed_over)
    console.warning("note: " + model_file +
                    " is under the key holder's key, so all roles are in one hand; smlp release "
                    "hands a model to its owner");
  const std::string json = exported_model(model.network, model.task, model.budget.numbers(),
                                          open_weights(model.weights, model.budget, keys))
                               .dump() +
                           "\n";
  place.write(json, 0600);
  if (place.is_stream()) return 0;
  console.result(out + ": " + model.network.text() + " after " + count_text(model.epochs_done, "epoch"));
  return 0;
}

}  // namespace smlp
