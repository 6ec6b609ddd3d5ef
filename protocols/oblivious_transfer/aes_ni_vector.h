// One block a vector, on AES-NI; and the key schedule, which the wider kernels share. Compiled into each of
// their files apart.
#pragma once

#include <cpuid.h>
#include <immintrin.h>

#include "protocols/oblivious_transfer/block_kernels_template.h"

namespace smlp {
namespace {

/// Clang 16 knows no name for it. (What the system saves of the registers, the caller asks for.)
inline bool has_vaes() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c >> 9 & 1) != 0;
}

/// The next round key (FIPS 197, section 5.2); `assist` holds SubWord(RotWord(w)) ^ Rcon in its highest word.
inline __m128i next_round_key(__m128i key, __m128i assist) {
  assist = _mm_shuffle_epi32(assist, 0xff);
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, assist);
}

template <int... rcon>
inline void expand_key(__m128i key, __m128i* out) {
  *out = key;
  ((key = next_round_key(key, _mm_aeskeygenassist_si128(key, rcon)), *++out = key), ...);
}

struct AesNi {
  using Blocks = __m128i;
  static constexpr std::size_t width = 1;

  static void expand(const Block& key, Block* round_keys) {
    __m128i keys[aes_round_keys];
    expand_key<0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36>(load(&key, 1), keys);
    for (std::size_t i = 0; i < aes_round_keys; ++i) store(round_keys + i, keys[i], 1);
  }
  static Blocks load(const Block* from, std::size_t) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  static void store(Block* to, Blocks x, std::size_t) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), x); }
  static Blocks broadcast(const Block& x) { return load(&x, 1); }
  static Blocks broadcast(std::uint64_t x) { return _mm_set1_epi64x(static_cast<long long>(x)); }
  static Blocks numbers(std::uint64_t first) { return _mm_set_epi64x(0, static_cast<long long>(first)); }
  static Blocks exclusive(Blocks a, Blocks b) { return _mm_xor_si128(a, b); }
  static Blocks both(Blocks a, Blocks b) { return _mm_and_si128(a, b); }
  static Blocks shift_right(Blocks a, int s) { return _mm_srli_epi64(a, s); }
  static Blocks shift_left(Blocks a, int s) { return _mm_slli_epi64(a, s); }
  static Blocks low_halves(Blocks a, Blocks b) { return _mm_unpacklo_epi64(a, b); }
  static Blocks high_halves(Blocks a, Blocks b) { return _mm_unpackhi_epi64(a, b); }
  static Blocks round(Blocks x, Blocks key) { return _mm_aesenc_si128(x, key); }
  static Blocks last_round(Blocks x, Blocks key) { return _mm_aesenclast_si128(x, key); }
};

}  // namespace
}  // namespace smlp
