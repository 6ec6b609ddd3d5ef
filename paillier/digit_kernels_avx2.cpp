// The digit kernels on AVX2 with fused multiply-add: four lanes. Compiled for it alone: call nothing here
// before the processor is known to have it.
#include "paillier/digit_kernels.h"

#ifdef __AVX2__

#include <immintrin.h>

#include "paillier/digit_products.h"

namespace smlp {
namespace {

struct Avx2 {
  using Doubles = __m256d;
  using Integers = __m256i;
  static constexpr std::size_t lanes = 4;

  static Doubles load(const Word* from) { return _mm256_loadu_pd(reinterpret_cast<const double*>(from)); }
  static void store(Word* to, Doubles x) { _mm256_storeu_pd(reinterpret_cast<double*>(to), x); }
  static void transpose(Doubles (&rows)[lanes]) {
    const Doubles a = _mm256_unpacklo_pd(rows[0], rows[1]), b = _mm256_unpackhi_pd(rows[0], rows[1]);
    const Doubles c = _mm256_unpacklo_pd(rows[2], rows[3]), d = _mm256_unpackhi_pd(rows[2], rows[3]);
    rows[0] = _mm256_permute2f128_pd(a, c, 0x20);
    rows[1] = _mm256_permute2f128_pd(b, d, 0x20);
    rows[2] = _mm256_permute2f128_pd(a, c, 0x31);
    rows[3] = _mm256_permute2f128_pd(b, d, 0x31);
  }
  static Doubles broadcast(double x) { return _mm256_set1_pd(x); }
  static Integers broadcast(std::uint64_t x) { return _mm256_set1_epi64x(static_cast<long long>(x)); }
  static Doubles fma(Doubles a, Doubles b, Doubles c) { return _mm256_fmadd_pd(a, b, c); }
  static Doubles add(Doubles a, Doubles b) { return _mm256_add_pd(a, b); }
  static Doubles subtract(Doubles a, Doubles b) { return _mm256_sub_pd(a, b); }
  static Integers add(Integers a, Integers b) { return _mm256_add_epi64(a, b); }
  static Integers subtract(Integers a, Integers b) { return _mm256_sub_epi64(a, b); }
  static Integers both_or(Integers a, Integers b, Integers c) {
    return _mm256_or_si256(_mm256_and_si256(a, b), c);
  }
  template <unsigned Count>
  static Integers shift_right(Integers a) {
    return _mm256_srli_epi64(a, Count);
  }
  static Integers bits(Doubles a) { return _mm256_castpd_si256(a); }
  static Doubles doubles(Integers a) { return _mm256_castsi256_pd(a); }
};

}  // namespace

const DigitKernel* avx2_kernel(std::size_t bits) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? smallest_kernel<Avx2>(bits)
                                                                         : nullptr;
}

}  // namespace smlp

#else

namespace smlp {

const DigitKernel* avx2_kernel(std::size_t) {
  return nullptr;
}

}  // namespace smlp

#endif
