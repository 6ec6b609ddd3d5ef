// The digit kernels on AVX-512 (foundation): eight lanes. Compiled for it alone: call nothing here before the
// processor is known to have it.
#include "paillier/digit_kernels.h"

#ifdef __AVX512F__

#include <immintrin.h>

#include "paillier/digit_products.h"

namespace smlp {
namespace {

struct Avx512 {
  using Doubles = __m512d;
  using Integers = __m512i;
  static constexpr std::size_t lanes = 8;

  static Doubles broadcast(double x) { return _mm512_set1_pd(x); }
  static Integers broadcast(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
  static Doubles fma(Doubles a, Doubles b, Doubles c) { return _mm512_fmadd_pd(a, b, c); }
  static Doubles add(Doubles a, Doubles b) { return _mm512_add_pd(a, b); }
  static Doubles subtract(Doubles a, Doubles b) { return _mm512_sub_pd(a, b); }
  static Integers add(Integers a, Integers b) { return _mm512_add_epi64(a, b); }
  static Integers subtract(Integers a, Integers b) { return _mm512_sub_epi64(a, b); }
  static Integers both(Integers a, Integers b) { return _mm512_and_si512(a, b); }
  static Integers either(Integers a, Integers b) { return _mm512_or_si512(a, b); }
  template <unsigned Count>
  static Integers shift_right(Integers a) {
    using Words [[gnu::vector_size(64)]] =
        unsigned long long;  // the intrinsic draws a false warning from g++ 12
    return reinterpret_cast<Integers>(reinterpret_cast<Words>(a) >> Count);
  }
  static Integers bits(Doubles a) { return _mm512_castpd_si512(a); }
  static Doubles doubles(Integers a) { return _mm512_castsi512_pd(a); }
};

}  // namespace

const DigitKernel* avx512_kernel(std::size_t bits) {
  return __builtin_cpu_supports("avx512f") ? Digits<Avx512>::smallest_kernel(bits) : nullptr;
}

}  // namespace smlp

#else

namespace smlp {

const DigitKernel* avx512_kernel(std::size_t) {
  return nullptr;
}

}  // namespace smlp

#endif
