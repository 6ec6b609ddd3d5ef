// smlp release: the evaluator hands the trained model to its owner, under the owner's key.
#include <filesystem>

#include "mlp/files/ciphertext_file.h"
#include "mlp/program/commands/commands.h"
#include "mlp/program/key_holder_access.h"
#include "mlp/program/output_place.h"
#include "mlp/program/report.h"
#include "mlp/program/seeds.h"
#include "mlp/training/network.h"
#include "mlp/training/out_of_range.h"
#include "mlp/training/release.h"
#include "mlp/training/training.h"

namespace smlp {

namespace {

struct ReleaseOptions {
  std::string model;
  std::string user_key;
  KeyHolderOptions key_holder;
  std::string out;
  ForceOption force;
  BoundOption bound;
  bool quiet = false;
  ThreadOption threads;
};

void declare(CommandLine& line, ReleaseOptions& options) {
  line.required("model", options.model, "a model of smlp train");
  line.required("user-key", options.user_key, "public.json of the data owner, who alone can open the result");
  options.key_holder.add_to(line);
  line.required("out", options.out, "the model under the owner's key, for smlp export");
  options.force.add_to(line);
  line.flag("quiet", options.quiet, "no progress");
  options.bound.add_to(line);
  options.threads.add_to(line);
}

}  // namespace

int release_command(const Words& words, Console& console) {
  ReleaseOptions options;
  CommandLine line("release", "Hands a model to its owner under the owner's key: no server can open it.");
  declare(line, options);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  console.configure(false, options.quiet);
  options.key_holder.check("release");
  options.bound.check();
  options.threads.apply();
  std::vector<std::filesystem::path> read = KeyHolderAccess::files(options.key_holder);
  read.insert(read.end(), {options.model, options.user_key});
  const OutputPlace place("--out", options.out, Content::file, read);
  if (place.holds_file() && !options.force.force) refuse_existing("--out", options.out);

  const KeyHolderAccess key_holder(options.key_holder, "release");
  const LoadedModel loaded = load_model(options.model);
  const EncryptedModel& model = loaded.model;
  options.key_holder.strength.check(loaded.keys, options.model);
  if (const SecretKeys* hosted = key_holder.hosted()) {
    check_same_key(options.model, loaded.keys.fingerprint(), hosted->public_keys().fingerprint());
    console.warning("note: the key holder runs in this process, so all roles are in one hand");
  }
  const PublicKeys owner = load_public_keys(options.user_key).with_sigma(model.budget.numbers().sigma);
  options.key_holder.strength.check(owner, options.user_key);
  const ProtocolNames names = for_training(ProtocolNames::from_families(model.protocols), model.network,
                                           TrainingOptions::from_json(model.training), true);
  const Sizes sizes{model.budget, loaded.keys.paillier().ciphertext_bytes(),
                    loaded.keys.dgk().ciphertext_bytes()};
  require_distance(
      "this hand-over, with the training of the model,", names,
      model.shown + shown(release_cost(model.network, sizes, owner.paillier().bits()).operations),
      model.budget.numbers().sigma, options.bound.bound, wider_model_remedy(model.budget.numbers().sigma));
  const Seeds seeds(options.key_holder.seed);
  Session session(loaded.keys,
                  key_holder.connect(loaded.keys, {"conversion/switch-key"}, seeds.key_holder(),
                                     Recipient{owner, Purpose::model}),
                  model.budget, names, seeds.release());
  Meter meter(session);
  ProgressBar progress(console, "release", "layers");
  const EncryptedModel released = locating_ranges(
      "layer", key_holder.after_refusal("its weights are of no use; train it with a lower --learning-rate"),
      [&] {
        return release_model(session.arithmetic().evaluator(), model, owner,
                             [&](std::size_t done, std::size_t total) { progress(done, total); });
      });
  save_model(options.out, released, owner);
  const Measured measured = meter.lap();
  console.result(options.out + ": " + model.network.text() + " after " +
                 count_text(model.epochs_done, "epoch") + ", under the key " +
                 to_hex(owner.fingerprint()).substr(0, 16) + ".., in " + duration_text(measured.seconds) +
                 ", " + std::to_string(measured.traffic.rounds) + " rounds");
  return 0;
}

}  // namespace smlp
