// The block kernels on AES-NI. Compiled for it alone: call nothing here before the processor is known to have
// it.
#include "protocols/oblivious_transfer/block_kernels.h"

#ifdef __AES__

#include "protocols/oblivious_transfer/aes_ni_vector.h"

namespace smlp {

const BlockKernels* aes_ni_kernels() {
  return __builtin_cpu_supports("aes") ? &kernels_of<AesNi> : nullptr;
}

}  // namespace smlp

#else

namespace smlp {

const BlockKernels* aes_ni_kernels() {
  return nullptr;
}

}  // namespace smlp

#endif
