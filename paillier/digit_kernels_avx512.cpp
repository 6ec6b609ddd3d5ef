// The digit kernels on AVX-512 (foundation): eight lanes. Compiled for it alone: call nothing here before the
// processor is known to have it.
#include "paillier/digit_kernels.h"

#ifdef __AVX512F__

#include "paillier/avx512.h"
#include "paillier/digit_products.h"

namespace smlp {

const DigitKernel* avx512_kernel(std::size_t bits) {
  return __builtin_cpu_supports("avx512f") ? smallest_kernel<Avx512>(bits) : nullptr;
}

}  // namespace smlp

#else

namespace smlp {

const DigitKernel* avx512_kernel(std::size_t) {
  return nullptr;
}

}  // namespace smlp

#endif
