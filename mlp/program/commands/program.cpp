// Chooses the subcommand, and turns every failure into one line and an exit code.
#include <algorithm>
#include <array>
#include <iomanip>
#include <new>

#include "mlp/program/commands/commands.h"
#include "mlp/program/near_miss.h"
#include "mlp/tables/table.h"
#include "paillier/error.h"
#include "protocols/version.h"

namespace smlp {

namespace {

struct Command {
  const char* name;
  int (*execute)(const Words&, Console&);
  const char* summary;
};

constexpr std::array commands{
    Command{"run", run_command,
            "all roles in one process: train on an encrypted table and compare with the clear"},
    Command{"keygen", keygen_command, "make public.json and secret.json"},
    Command{"encrypt", encrypt_command, "encrypt a table (data owner)"},
    Command{"serve", serve_command, "answer evaluators (key holder)"},
    Command{"train", train_command, "train a network on an encrypted table (evaluator)"},
    Command{"predict", predict_command, "classify an encrypted table by an encrypted model (evaluator)"},
    Command{"release", release_command, "hand a model to its owner under the owner's key (evaluator)"},
    Command{"decrypt", decrypt_command, "decrypt answers (data owner)"},
    Command{"score", score_command, "compare decrypted answers with the labels of their table (data owner)"},
    Command{"export", export_command, "decrypt a model (data owner)"},
    Command{"plan", plan_command, "bit budget, time and bytes of a training before it runs"},
    Command{"protocols", protocols_command, "list every protocol with its paper, costs and leakage"},
    Command{"inspect", inspect_command, "tell what a key, table, model, answers or profile file holds"},
    Command{"certificates", certificates_command, "make certificates for the parties of a deployment"},
    Command{"doctor", doctor_command, "tell what is wrong with a deployment (evaluator)"},
};

void print_help(std::ostream& out) {
  out << "usage: smlp COMMAND [options]\n"
         "Trains multilayer perceptrons on Paillier-encrypted tables.\n\n";
  for (const Command& command : commands)
    out << "  " << std::left << std::setw(14) << command.name << command.summary << "\n";
  out << "\nsmlp COMMAND --help lists the options of each, smlp --version says which this is.\n";
}

/// "did you mean 'train'? " where a command is near the word.
std::string meant(const std::string& word) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.emplace_back(command.name);
  const std::string near = near_miss(word, names);
  return near.empty() ? "" : "did you mean " + in_quotes(near) + "? ";
}

int execute(const Words& words, std::ostream& out, std::ostream& err, bool terminal) {
  if (words.empty()) throw UsageError("a command is needed; smlp --help lists them");
  const std::string& name = words.front();
  if (name == "--version") return out << "smlp " << version << "\n", 0;
  if (name == "--help" || name == "-h" || name == "help") return print_help(out), 0;
  const auto found =
      std::ranges::find(commands, name, [](const Command& command) { return std::string(command.name); });
  if (found == commands.end())
    throw UsageError("there is no command " + in_quotes(name) + "; " + meant(name) +
                     "smlp --help lists them");
  Console console(out, err, terminal);
  try {
    return found->execute(Words(words.begin() + 1, words.end()), console);
  } catch (...) {
    console.end_progress();
    throw;
  }
}

}  // namespace

int run_program(const Words& words, std::ostream& out, std::ostream& err, bool terminal) {
  const auto fail = [&](const std::string& sentence, int code) {
    err << "smlp: " << one_line(sentence) << std::endl;
    return code;
  };
  try {
    const int code = execute(words, out, err, terminal);
    if (!out.flush()) throw Error("cannot write to standard output");
    return code;
  } catch (const UsageError& error) {
    return fail(error.what(), 2);
  } catch (const std::bad_alloc&) {
    return fail("not enough memory", 1);
  } catch (const std::exception& error) {
    return fail(error.what(), 1);
  }
}

}  // namespace smlp
