// smlp decrypt: the answers become a table for their owner.
#include <filesystem>

#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "mlp/program/output_place.h"
#include "mlp/tables/profile.h"
#include "mlp/text.h"
#include "mlp/training/prediction.h"
#include "paillier/error.h"

namespace smlp {

namespace {

/// A cell of a CSV, in quotes where it must be.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

/// That of the model's training table. Throws Error where it is another.
Profile profile_of(const std::string& path, const EncryptedAnswers& answers) {
  Profile profile = load_profile(path);
  const bool numbers = answers.task == Task::regression;
  if (fingerprint(profile) != answers.profile || profile.task != answers.task)
    throw Error("the profile " + path + " is not that of the model's training table, so its " +
                (numbers ? "units would be wrong: give that one by --profile"
                         : "class names would be wrong: give that one by --profile, or leave --profile out "
                           "for class numbers"));
  return profile;
}

std::vector<std::string> class_names(const std::optional<Profile>& profile, const EncryptedAnswers& answers,
                                     const std::string& path) {
  std::vector<std::string> names;
  const std::size_t outputs = answers.outputs;
  if (profile) {
    names = profile->classes;
    if (names.size() != outputs)
      throw Error("the profile " + path + " has " + std::to_string(names.size()) +
                  " classes, the answers have " + std::to_string(outputs) + " outputs");
  } else {
    for (std::size_t i = 0; i < outputs; ++i) names.push_back(std::to_string(i));
  }
  return names;
}

/// In the label's own units.
std::string number_csv(const Answers& answers, const Profile& profile) {
  std::string out = "row,value\n";
  for (std::size_t i = 0; i < answers.outputs.rows(); ++i)
    out += std::to_string(i + 1) + "," + shortest_text(profile.label_of(answers.outputs(i, 0))) + "\n";
  return out;
}

std::string to_csv(const Answers& answers, const std::vector<std::string>& names) {
  std::string out = "row,class";
  for (const std::string& name : names) out += "," + csv_cell("output_" + name);
  out += "\n";
  for (std::size_t i = 0; i < answers.outputs.rows(); ++i) {
    out += std::to_string(i + 1) + "," + csv_cell(names[answers.classes[i]]);
    for (std::size_t j = 0; j < answers.outputs.cols(); ++j)
      out += "," + shortest_text(answers.outputs(i, j));
    out += "\n";
  }
  return out;
}

}  // namespace

int decrypt_command(const Words& words, Console& console) {
  std::string key, in, out;
  std::optional<std::string> profile;
  ForceOption force;
  PassPhraseOption pass_phrase;
  KeyStrength strength;
  CommandLine line("decrypt",
                   "Decrypts answers into a CSV: row of the owner's file (from 1), class and every output, "
                   "exact to 53 bits; of a regression, the value in the label's units.");
  line.required("key", key, "secret.json of their owner; of the key holder where predict had no --user-key");
  line.required("in", in, "answers of smlp predict");
  line.text("profile", profile,
            "profile of the training table, for class names (else numbers from 0) and for the units of a "
            "regression");
  line.required("out", out, "the CSV, for its owner's eyes (mode 0600)");
  pass_phrase.add_to(line);
  force.add_to(line);
  strength.add_to(line);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  std::vector<std::filesystem::path> read{key, in};
  if (profile) read.emplace_back(*profile);
  const OutputPlace place("--out", out, Content::text, read);
  if (place.holds_file() && !force.force) refuse_existing("--out", out);
  const SecretKeys keys = pass_phrase.load(key);
  strength.check(keys.public_keys(), key);
  const EncryptedAnswers encrypted = load_answers(in, keys.public_keys());
  if (!encrypted.handed_over)
    console.warning("note: " + in +
                    " is under the key holder's key, so all roles are in one hand; smlp predict --user-key "
                    "hands answers to their owner");
  std::optional<Profile> known;
  if (profile) known = profile_of(*profile, encrypted);
  const bool numbers = encrypted.task == Task::regression;
  if (numbers && !known)
    throw Error(in +
                " has answers of a regression, whose units only the profile of the training table knows: " +
                "name it by --profile");
  const std::vector<std::string> names =
      numbers ? std::vector<std::string>() : class_names(known, encrypted, profile.value_or(""));
  const Answers opened = open_answers(encrypted, keys);
  const std::string csv = numbers ? number_csv(opened, *known) : to_csv(opened, names);
  place.write(csv, 0600);
  if (!place.is_stream()) console.result(out + ": " + count_text(encrypted.rows, "row"));
  return 0;
}

}  // namespace smlp
