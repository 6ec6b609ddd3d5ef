// The smlp program.
#include <unistd.h>

#include <iostream>

#include "mlp/program/commands.h"
#include "mlp/program/signals.h"

int main(int argc, char** argv) {
  smlp::remove_temporary_files_on_signals();
  return smlp::run_program(smlp::Words(argv + (argc > 0 ? 1 : 0), argv + argc), std::cout, std::cerr,
                           ::isatty(STDERR_FILENO) == 1);
}
