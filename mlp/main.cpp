// The smlp program.
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif
#include <unistd.h>

#include <iostream>

#include "mlp/program/commands/commands.h"
#include "mlp/program/signals.h"
#include "paillier/parallel.h"

int main(int argc, char** argv) {
#ifdef M_MMAP_THRESHOLD
  // Buffers of matrix products go back to the system when they are freed, not into gaps between small
  // numbers.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  // The tiles of a step have threads of their own. Each would get a heap, with gaps of its own.
  ::mallopt(M_ARENA_MAX, smlp::thread_count());
#endif
  smlp::remove_temporary_files_on_signals();
  return smlp::run_program(smlp::Words(argv + (argc > 0 ? 1 : 0), argv + argc), std::cout, std::cerr,
                           ::isatty(STDERR_FILENO) == 1);
}
