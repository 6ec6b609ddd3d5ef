// The entry of the test program; the tests are in the files named *_test.cpp.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

// What the leak sanitizer must not count as ours: HDF5 keeps a little memory when a checksum of its
// structures fails (seen in 1.10.8), LLVM's OpenMP runtime when its threads end with the process.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5\nleak:libomp";
}
