// smlp keygen: a new key pair, of a key holder or of a data owner who gets results under it.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "mlp/program/output_place.h"
#include "mlp/program/pass_phrase.h"
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

void save_secret(const SecretKeys& keys, const std::filesystem::path& file,
                 const std::optional<SecretText>& pass_phrase) {
  pass_phrase ? save(keys, file, *pass_phrase) : save(keys, file);
}

/// Writes a secret file again: sealed by a new pass phrase, or in the clear. The old file stays until the new
/// one is whole, which has its owner and mode.
void reseal_key(const std::filesystem::path& file, const PassPhraseOption& old_one,
                const std::optional<std::string>& new_one, Console& console) {
  if (new_one == "-" && old_one.file == "-" && ::isatty(STDIN_FILENO) != 1)
    throw UsageError("--pass-phrase and --new-pass-phrase cannot both be standard input");
  if (std::filesystem::is_symlink(file))
    throw Error("--out " + file.string() +
                " is a symbolic link: name the directory of the file that it leads to");
  const OutputPlace place("--out", file, Content::file);
  const SecretKeys keys = old_one.load(file);
  std::optional<SecretText> sealing;
  if (new_one) sealing = read_new_pass_phrase(*new_one);
  save_again(keys, file, sealing);
  console.result(
      file.string() +
      (sealing ? " is sealed by the new pass phrase" : " is sealed no more: who reads it decrypts") +
      "; copies of it stay as they are");
}

}  // namespace

int keygen_command(const Words& words, Console& console) {
  KeyOptions key;
  std::string out;
  ForceOption force;
  PassPhraseOption pass_phrase;
  std::optional<std::string> new_pass_phrase;
  bool reseal = false, unseal = false;
  CommandLine line(
      "keygen",
      "Makes DIR/public.json, which anybody may have, and DIR/secret.json (mode 0600), which decrypts.");
  key.add_to(line);
  line.required("out", out, "directory of the two files; made where it is missing");
  line.text(
      "pass-phrase", pass_phrase.file,
      "seals secret.json by the pass phrase in this file, - for standard input (asked for at a terminal); "
      "with --reseal the one that opens it");
  line.flag("reseal", reseal,
            "make no key: write secret.json of --out again, sealed by --new-pass-phrase, or in the clear "
            "with --unseal");
  line.text("new-pass-phrase", new_pass_phrase, "of --reseal: file with the new pass phrase, or -");
  line.flag("unseal", unseal, "of --reseal: in the clear, so that whoever reads the file decrypts");
  force.add_to(line);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  const std::filesystem::path directory = out, public_file = directory / "public.json",
                              secret_file = directory / "secret.json";
  if (new_pass_phrase && !reseal)
    throw UsageError("--new-pass-phrase goes with --reseal; a new key is sealed by --pass-phrase");
  if (unseal && !reseal) throw UsageError("--unseal goes with --reseal; a new key is not sealed");
  if (unseal && new_pass_phrase) throw UsageError("--unseal and --new-pass-phrase exclude each other");
  if (reseal && !unseal && !new_pass_phrase)
    throw UsageError("--reseal needs --new-pass-phrase FILE, or --unseal, which writes the key in the clear");
  if (reseal) {
    for (const char* option : {"bits", "variant", "insecure-key"})
      if (line.given(option))
        throw UsageError("--" + std::string(option) + " is of new keys, it excludes --reseal");
    reseal_key(secret_file, pass_phrase, new_pass_phrase, console);
    return 0;
  }
  key.check();
  make_directory(directory);
  const OutputPlace public_place("--out", public_file, Content::file);
  const OutputPlace secret_place("--out", secret_file, Content::file);
  for (const std::filesystem::path& file : {secret_file, public_file})
    if (!force.force)
      refuse_existing("--out", file,
                      "nothing that was encrypted under lost keys can be read again; take another directory, "
                      "or replace them with --force");

  std::optional<SecretText> sealing;
  if (pass_phrase.file) sealing = read_new_pass_phrase(*pass_phrase.file);
  const SecretKeys keys = SecretKeys::generate(key.variant, key.bits, default_subgroup_bits(key.bits),
                                               RandomSource::from_system());
  save_secret(keys, secret_file, sealing);
  try {
    save(keys.public_keys(), public_file);
  } catch (...) {
    if (!force.force) std::filesystem::remove(secret_file);
    throw;
  }
  console.result("key " + to_hex(keys.public_keys().fingerprint()) + " (" +
                 key_text(keys.public_keys().paillier()) + "): " + public_file.string() + ", and " +
                 secret_file.string() + (sealing ? " (sealed)" : "") + ", which stays with who may decrypt");
  return 0;
}

}  // namespace smlp
