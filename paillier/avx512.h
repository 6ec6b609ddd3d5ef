// The vectors of AVX-512 (foundation), for kernels that are compiled for it alone.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "paillier/digit_moves.h"

namespace smlp {
namespace {

struct Avx512 {
  using Doubles = __m512d;
  using Integers = __m512i;
  static constexpr std::size_t lanes = 8;

  static Doubles load(const Word* from) { return _mm512_loadu_pd(from); }
  static void store(Word* to, Doubles x) { _mm512_storeu_pd(to, x); }
  static void transpose(Doubles (&rows)[lanes]) {
    Doubles pairs[lanes], quads[lanes];  // pairs: words of two rows; quads: of four, a 128-bit part each
    unroll<lanes / 2>([&](auto half) __attribute__((always_inline)) {
      constexpr std::size_t i = 2 * half;
      pairs[i] = unpack_low(rows[i], rows[i + 1]);
      pairs[i + 1] = unpack_high(rows[i], rows[i + 1]);
    });
    unroll<lanes / 2>([&](auto half) __attribute__((always_inline)) {
      constexpr std::size_t i = half / 2 * 4 + half % 2;
      quads[i] = even_parts(pairs[i], pairs[i + 2]);
      quads[i + 2] = odd_parts(pairs[i], pairs[i + 2]);
    });
    unroll<lanes / 2>([&](auto i) __attribute__((always_inline)) {
      rows[i] = even_parts(quads[i], quads[i + 4]);
      rows[i + 4] = odd_parts(quads[i], quads[i + 4]);
    });
  }
  static Doubles broadcast(double x) { return _mm512_set1_pd(x); }
  static Integers broadcast(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
  static Doubles fma(Doubles a, Doubles b, Doubles c) { return _mm512_fmadd_pd(a, b, c); }
  static Doubles add(Doubles a, Doubles b) { return _mm512_add_pd(a, b); }
  static Doubles subtract(Doubles a, Doubles b) { return _mm512_sub_pd(a, b); }
  static Integers add(Integers a, Integers b) { return _mm512_add_epi64(a, b); }
  static Integers subtract(Integers a, Integers b) { return _mm512_sub_epi64(a, b); }
  static Integers both_or(Integers a, Integers b, Integers c) {
    return _mm512_ternarylogic_epi64(a, b, c, 0xEA);  // the truth table of (a & b) | c
  }
  template <unsigned Count>
  static Integers shift_right(Integers a) {
    using Words [[gnu::vector_size(64)]] =
        unsigned long long;  // the intrinsic draws a false warning from g++ 12
    return reinterpret_cast<Integers>(reinterpret_cast<Words>(a) >> Count);
  }
  static Integers bits(Doubles a) { return _mm512_castpd_si512(a); }
  static Doubles doubles(Integers a) { return _mm512_castsi512_pd(a); }

 private:
  // As the compiler's shuffles: the intrinsics draw false warnings from g++ 12.
  static Doubles unpack_low(Doubles a, Doubles b) {
    return __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
  }
  static Doubles unpack_high(Doubles a, Doubles b) {
    return __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
  }
  // 128-bit parts 0 and 2, or 1 and 3, of a, then of b.
  static Doubles even_parts(Doubles a, Doubles b) {
    return __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13);
  }
  static Doubles odd_parts(Doubles a, Doubles b) {
    return __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15);
  }
};

}  // namespace
}  // namespace smlp
