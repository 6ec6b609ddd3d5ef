// smlp decrypt: the answers become a table for their owner.
#include <array>
#include <charconv>
#include <filesystem>

#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "mlp/program/output_place.h"
#include "mlp/tables/profile.h"
#include "mlp/training/prediction.h"
#include "paillier/error.h"

namespace smlp {

namespace {

/// A cell of a CSV, in quotes where it must be.
std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

/// The shortest text that reads back as the same double.
std::string shortest(double value) {
  std::array<char, 32> out{};
  return {out.data(), std::to_chars(out.data(), out.data() + out.size(), value).ptr};
}

std::vector<std::string> class_names(const std::optional<std::string>& path,
                                     const EncryptedAnswers& answers) {
  std::vector<std::string> names;
  const std::size_t outputs = answers.outputs;
  if (path) {
    const Profile profile = load_profile(*path);
    if (fingerprint(profile) != answers.profile)
      throw Error("the profile " + *path +
                  " is not that of the model's training table, so its class names would be wrong: give that "
                  "one by --profile, or leave --profile out for class numbers");
    names = profile.classes;
    if (names.size() != outputs)
      throw Error("the profile " + *path + " has " + std::to_string(names.size()) +
                  " classes, the answers have " + std::to_string(outputs) + " outputs");
  } else {
    for (std::size_t i = 0; i < outputs; ++i) names.push_back(std::to_string(i));
  }
  return names;
}

std::string to_csv(const Answers& answers, const std::vector<std::string>& names) {
  std::string out = "row,class";
  for (const std::string& name : names) out += "," + cell("output_" + name);
  out += "\n";
  for (std::size_t i = 0; i < answers.outputs.rows(); ++i) {
    out += std::to_string(i + 1) + "," + cell(names[answers.classes[i]]);
    for (std::size_t j = 0; j < answers.outputs.cols(); ++j) out += "," + shortest(answers.outputs(i, j));
    out += "\n";
  }
  return out;
}

}  // namespace

int decrypt_command(const Words& words, Console& console) {
  std::string key, in, out;
  std::optional<std::string> profile;
  ForceOption force;
  KeyStrength strength;
  CommandLine line("decrypt",
                   "Decrypts answers into a CSV: row of the owner's file (from 1), class, and every output, "
                   "exact to 53 bits.");
  line.required("key", key, "secret.json of their owner; of the key holder where predict had no --user-key");
  line.required("in", in, "answers of smlp predict");
  line.text("profile", profile,
            "profile of the training table, for class names; else classes are numbers from 0");
  line.required("out", out, "the CSV, for its owner's eyes (mode 0600)");
  force.add_to(line);
  strength.add_to(line);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  std::vector<std::filesystem::path> read{key, in};
  if (profile) read.emplace_back(*profile);
  const OutputPlace place("--out", out, Content::text, read);
  if (place.holds_file() && !force.force) refuse_existing("--out", out);
  const SecretKeys keys = load_secret_keys(key);
  strength.check(keys.public_keys(), key);
  const EncryptedAnswers encrypted = load_answers(in, keys.public_keys());
  if (!encrypted.handed_over)
    console.warning("note: " + in +
                    " is under the key holder's key, so all roles are in one hand; smlp predict --user-key "
                    "hands answers to their owner");
  const std::vector<std::string> names = class_names(profile, encrypted);
  const std::string csv = to_csv(open_answers(encrypted, keys), names);
  place.write(csv, 0600);
  if (!place.is_stream()) console.result(out + ": " + count_text(encrypted.rows, "row"));
  return 0;
}

}  // namespace smlp
