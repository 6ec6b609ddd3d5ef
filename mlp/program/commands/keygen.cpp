// smlp keygen: a new key pair, of a key holder or of a data owner who gets results under it.
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "mlp/program/output_place.h"
#include "mlp/program/report.h"
#include "paillier/error.h"
#include "paillier/keys.h"

namespace smlp {

namespace {

/// Makes the directory, for its owner alone, where it is missing.
void make_directory(const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    throw Error("cannot make the directory --out " + directory.string() + ": " + std::strerror(errno));
  if (!std::filesystem::is_directory(directory))
    throw Error("--out " + directory.string() + " is not a directory");
}

}  // namespace

int keygen_command(const Words& words, Console& console) {
  KeyOptions key;
  std::string out;
  ForceOption force;
  CommandLine line(
      "keygen",
      "Makes DIR/public.json, which anybody may have, and DIR/secret.json (mode 0600), which decrypts.");
  key.add_to(line);
  line.required("out", out, "directory of the two files; made where it is missing");
  force.add_to(line);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  key.check();
  const std::filesystem::path directory = out, public_file = directory / "public.json",
                              secret_file = directory / "secret.json";
  make_directory(directory);
  const OutputPlace public_place("--out", public_file, Content::file);
  const OutputPlace secret_place("--out", secret_file, Content::file);
  for (const std::filesystem::path& file : {secret_file, public_file})
    if (!force.force)
      refuse_existing("--out", file,
                      "nothing that was encrypted under lost keys can be read again; take another directory, "
                      "or replace them with --force");

  const SecretKeys keys = SecretKeys::generate(key.variant, key.bits, default_subgroup_bits(key.bits),
                                               RandomSource::from_system());
  save(keys, secret_file);
  try {
    save(keys.public_keys(), public_file);
  } catch (...) {
    if (!force.force) std::filesystem::remove(secret_file);
    throw;
  }
  console.result("key " + to_hex(keys.public_keys().fingerprint()) + " (" +
                 key_text(keys.public_keys().paillier()) + "): " + public_file.string() + ", and " +
                 secret_file.string() + ", which stays with who may decrypt");
  return 0;
}

}  // namespace smlp
