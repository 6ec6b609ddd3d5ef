// smlp encrypt: the data owner's table becomes a file that servers may have.
#include <filesystem>

#include "mlp/files/table_file.h"
#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "mlp/program/output_place.h"
#include "mlp/program/owner.h"
#include "mlp/program/report.h"
#include "mlp/program/seeds.h"
#include "mlp/tables/suspicions.h"
#include "mlp/training/cost.h"
#include "mlp/training/network.h"
#include "paillier/error.h"

namespace smlp {

namespace {

struct EncryptOptions {
  std::string key;
  DataOptions data;
  std::size_t batch = 32;
  std::size_t inner = 1024;
  Scaling scaling = Scaling::standard;
  std::string profile;
  Numbers numbers;
  SigmaOption sigma;
  std::string network;
  std::size_t epochs = 10;
  std::optional<std::uint64_t> seed;
  std::string out;
  ForceOption force;
  KeyStrength strength;
  bool quiet = false;
  ThreadOption threads;
};

void declare(CommandLine& line, EncryptOptions& options) {
  line.required("key", options.key, "public.json of the key holder");
  options.data.add_to(line);
  line.number("batch", options.batch, "rows of a mini-batch, as training will have them");
  line.number("inner", options.inner, "widest inner dimension of a product that slots have room for");
  line.choice("scaling", std::string(name(options.scaling)), "of the features: standard, min-max or none",
              [&](const std::string& value) { options.scaling = scaling_from_name(value); });
  line.text(
      "profile", options.profile,
      "scaling and class names (OUT.profile.json): applied where the file is there, else learnt and written");
  add_number_options(line, options.numbers);
  options.sigma.add_to(line);
  line.text("network", options.network,
            "layer sizes that --statistical-bound reckons with; N features, C classes");
  line.number("epochs", options.epochs, "passes over the table that --statistical-bound reckons with");
  line.number("seed", options.seed, "repeatable order of the rows (never ciphertexts)");
  line.required("out", options.out, "the encrypted table");
  options.force.add_to(line);
  options.strength.add_to(line);
  line.flag("quiet", options.quiet, "no progress");
  options.threads.add_to(line);
}

/// Labels of queries do not matter; those of a table to train on do. Where not all are classes of the
/// profile, they are left out, and training such a table is refused.
void drop_unknown_labels(Table& table, const Profile& profile, const std::string& file, Console& console) {
  const std::optional<std::string> unknown = unknown_label(profile, table);
  if (!unknown) return;
  table.labels.clear();
  table.label_column.clear();
  console.warning("note: " + file + ": " + *unknown +
                  "; the labels are left out, which is right for queries and not for training");
}

/// What the table is for, by the default protocols: the epochs and one that is repeated after an
/// interruption, and as many queries as it has rows. Momentum, clipped errors and range checks are counted
/// whether or not there will be any.
Plan planned(const EncryptOptions& options, std::size_t features, std::size_t outputs, std::size_t rows) {
  TrainingOptions training;
  training.epochs = options.epochs + 1;
  training.batch = options.batch;
  training.momentum = 0.5;
  training.clip_gradient = 0.5;
  return {parse_network(options.network, features, outputs), preset("homomorphic"), training, rows, rows};
}

}  // namespace

int encrypt_command(const Words& words, Console& console) {
  EncryptOptions options;
  CommandLine line("encrypt",
                   "Encrypts a table. The profile beside it tells about the data and stays with the owner.");
  declare(line, options);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  console.configure(false, options.quiet);
  options.threads.apply();
  options.numbers.check();
  options.sigma.check(line);
  if (options.sigma.bound && options.network.empty())
    throw UsageError(
        "--statistical-bound needs to know what the table is for: give --network, and --epochs if not " +
        std::to_string(options.epochs));
  if (!options.sigma.bound && (line.given("network") || line.given("epochs")))
    throw UsageError("encrypt takes --network and --epochs with --statistical-bound alone");
  if (options.batch < 1 || options.batch > 65536)
    throw Error("--batch is " + std::to_string(options.batch) + ", allowed are 1 to 65536");
  if (options.profile.empty()) options.profile = options.out + ".profile.json";
  std::vector<std::filesystem::path> read = options.data.files();
  read.emplace_back(options.key);
  read.emplace_back(options.profile);
  const OutputPlace place("--out", options.out, Content::file, read);
  read.back() = options.out;
  if (place.holds_file() && !options.force.force) refuse_existing("--out", options.out);
  // A profile that is there is read: by many at once, and from where nobody may write.
  const auto profile_is_there = [&] { return std::filesystem::exists(options.profile); };
  std::optional<OutputPlace> profile_place;
  if (!profile_is_there()) profile_place.emplace("--profile", options.profile, Content::file, read);
  const bool known = profile_is_there();  // or by now: another process had the place
  if (known) refuse_one_of("--profile", options.profile, read);

  const PublicKeys keys = load_public_keys(options.key);
  options.strength.check(keys, options.key);
  Profile profile;
  if (known) profile = load_profile(options.profile);
  Table table =
      load_table(known ? options.data.source(profile, options.profile, line) : options.data.source());
  if (known && !line.given("profile") && profile.table != to_hex(digest(table)))
    throw Error("the profile " + options.profile + " beside --out was learnt from another table than " +
                options.data.data +
                ": name it by --profile where these are rows for that table's model, else " +
                "name another --out");
  if (known && line.given("scaling") && profile.scaling != options.scaling)
    throw Error("the profile " + options.profile + " scales by " + std::string(name(profile.scaling)) +
                ", --scaling asks for " + std::string(name(options.scaling)) +
                ": leave --scaling out, or name another --profile");
  if (!known && !table.has_labels())
    throw Error("the table has no labels and the profile " + options.profile +
                " is not there; give the --profile of the training table");
  if (!known) profile = learn_profile(table, options.scaling, options.data.choice.missing);
  for (const std::string& note : table.notes) console.warning("note: " + note);
  if (known) drop_unknown_labels(table, profile, options.data.data, console);

  const Seeds seeds(options.seed);
  OwnerTable ready = prepare_table(table, profile, seeds.shuffle());
  const std::size_t features = ready.features.cols();
  for (const std::string& warning :
       known ? unknown_texts(profile, table) : suspicions(table, profile, options.numbers))
    console.warning("warning: " + options.data.data + ": " + warning);
  table = {};  // its values are in the scaled features now
  options.sigma.apply(options.numbers, options.inner, keys.paillier().bits(), [&](const BitBudget& of_table) {
    return shown_by(planned(options, features, profile.outputs(), ready.rows()), of_table);
  });
  const BitBudget budget(options.numbers, options.inner, keys.paillier().bits());
  budget.check_product("the forward product of layer 1", features + 1, {1, 0});
  const TableEncryptor encryptor(keys, budget, options.batch, std::move(ready.features), ready.targets,
                                 ready.row_order, RandomSource::from_system(), profile.features(),
                                 fingerprint(profile));
  budget.check_product("the gradient of layer 1", std::min(options.batch, ready.rows()), {1, 0});
  ProgressBar progress(console, "encrypt", "groups");
  save_table(options.out, encryptor, keys,
             [&](std::size_t done, std::size_t total) { progress(done, total); });
  if (!known) {
    try {
      save_profile(profile, options.profile);
    } catch (...) {  // answers could not be read without it
      std::error_code ignored;
      std::filesystem::remove(options.out, ignored);
      throw;
    }
  }

  // Rows for a model that is there already need its profile: a forgotten --profile must be seen.
  const bool new_profile = !known && !line.given("profile");
  console.result(options.out + ": " + (new_profile ? "a training table, " : "") +
                 count_text(ready.rows(), "row") + ", " + count_text(features, "feature") + ", " +
                 (ready.has_labels() ? labels_text(profile) : std::string("no labels")) + ", " +
                 count_text(budget.slots(), "value") + " a ciphertext, batches of " +
                 count_text(options.batch, "row") + ", masks " + std::to_string(options.numbers.sigma) +
                 " bits wider");
  console.result(
      options.profile + (profile.task == Task::regression ? ": scaling, " : ": scaling and class names, ") +
      (known ? "applied" : "learnt and written") + "; it tells about the data and stays with its owner");
  if (new_profile)
    console.result("rows for the model of another table are encrypted with --profile of that table");
  return 0;
}

}  // namespace smlp
