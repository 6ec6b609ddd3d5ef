// Pass phrases of sealed secret keys: from a file, a pipe, a terminal, or a credential of systemd.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "mlp/program/command_line.h"
#include "paillier/keys.h"

namespace smlp {

/// Of every command that reads a secret.json.
struct PassPhraseOption {
  std::optional<std::string> file;
  void add_to(CommandLine& line);
  /// The keys of a file. A sealed one opens by --pass-phrase; else by the credential smlp-pass-phrase that
  /// systemd gave this process; else it is asked for, where standard input is a terminal. Throws Error, also
  /// where --pass-phrase is given and the file is not sealed.
  SecretKeys load(const std::filesystem::path& path) const;
};

/// The pass phrase that is in a file, or comes from standard input for "-": the bytes before its one line
/// end, 1 to 1,024 of them. A terminal is asked, without echo. Throws Error; also on a file that others may
/// read.
SecretText read_pass_phrase(const std::string& file, const std::string& question);

/// The same for a new one: a terminal is asked twice.
SecretText read_new_pass_phrase(const std::string& file);

}  // namespace smlp
