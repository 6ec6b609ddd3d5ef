// The smlp program.
#include <unistd.h>

#include <iostream>

#include "mlp/program/commands.h"

int main(int argc, char** argv) {
  return smlp::run_program(smlp::Words(argv + (argc > 0 ? 1 : 0), argv + argc), std::cout, std::cerr,
                           ::isatty(STDERR_FILENO) == 1);
}
