// The subcommands of the program, one file each.
#pragma once

#include "mlp/program/command_line.h"
#include "mlp/program/console.h"

namespace smlp {

// Each parses its words and returns the exit code. Throws UsageError and Error.
int run_command(const Words& words, Console& console);
int keygen_command(const Words& words, Console& console);
int encrypt_command(const Words& words, Console& console);
int serve_command(const Words& words, Console& console);
int train_command(const Words& words, Console& console);
int predict_command(const Words& words, Console& console);
int release_command(const Words& words, Console& console);
int decrypt_command(const Words& words, Console& console);
int score_command(const Words& words, Console& console);
int export_command(const Words& words, Console& console);
int plan_command(const Words& words, Console& console);
int protocols_command(const Words& words, Console& console);
int inspect_command(const Words& words, Console& console);
int certificates_command(const Words& words, Console& console);
int doctor_command(const Words& words, Console& console);

/// The whole program: `words` are those after its name. Returns 0 (done), 1 (failed) or 2 (wrong usage); the
/// latter two with one line on `err`.
int run_program(const Words& words, std::ostream& out, std::ostream& err, bool terminal);

}  // namespace smlp
