// Encrypted tables, models and answers, byte by byte.
#include "tests/fuzz/loaders.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  smlp::fuzz::load_encrypted_file(smlp::fuzz::file_of(smlp::fuzz::text_of({data, size})));
  return 0;
}
