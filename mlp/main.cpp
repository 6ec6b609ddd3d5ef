// The smlp program.
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "mlp/program/commands/commands.h"
#include "mlp/program/signals.h"
#include "paillier/large_buffers.h"
#include "paillier/parallel.h"

namespace {

/// Lets threads sleep while they wait for others. OpenMP's own choice is to spin, which takes the processor
/// from the threads that are waited for. It reads its settings when it is loaded, so they are made by
/// starting again.
void wait_passively(char** argv) {
  constexpr const char* policy = "OMP_WAIT_POLICY";
  if (::getenv(policy) != nullptr) return;
  std::error_code status;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", status);
  if (status || ::setenv(policy, "passive", 1) != 0) return;
  ::execv(program.c_str(), argv);  // where that fails, threads spin
}

}  // namespace

int main(int argc, char** argv) {
  wait_passively(argv);
  // Above what a file is opened with, and set by some sites: HDF5's locks are off (mlp/files/hdf5.cpp).
  ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  smlp::keep_freed_memory();
#ifdef M_ARENA_MAX
  // The tiles of a step have threads of their own. Each would get a heap, with gaps of its own.
  ::mallopt(M_ARENA_MAX, smlp::thread_count());
#endif
  smlp::remove_temporary_files_on_signals();
  return smlp::run_program(smlp::Words(argv + (argc > 0 ? 1 : 0), argv + argc), std::cout, std::cerr,
                           ::isatty(STDERR_FILENO) == 1);
}
