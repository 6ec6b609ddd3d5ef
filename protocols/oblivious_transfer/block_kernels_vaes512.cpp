// The block kernels on VAES with AVX-512: four blocks a vector. Compiled for it alone: call nothing here
// before the processor is known to have it.
#include "protocols/oblivious_transfer/block_kernels.h"

#if defined(__VAES__) && defined(__AVX512F__)

#include "protocols/oblivious_transfer/aes_ni_vector.h"

namespace smlp {
namespace {

/// The forms with a mask of all ones: GCC 12 takes the others for uses of something uninitialised.
struct Vaes512 {
  using Blocks = __m512i;
  static constexpr std::size_t width = 4;

  static constexpr auto expand = AesNi::expand;
  static __mmask8 words_of(std::size_t count) { return static_cast<__mmask8>((1U << (2 * count)) - 1); }
  static Blocks load(const Block* from, std::size_t count) {
    return count == width ? _mm512_loadu_si512(from) : _mm512_maskz_loadu_epi64(words_of(count), from);
  }
  static void store(Block* to, Blocks x, std::size_t count) {
    if (count == width)
      _mm512_storeu_si512(to, x);
    else
      _mm512_mask_storeu_epi64(to, words_of(count), x);
  }
  static Blocks broadcast(const Block& x) { return _mm512_maskz_broadcast_i32x4(0xffff, AesNi::load(&x, 1)); }
  static Blocks broadcast(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
  static Blocks numbers(std::uint64_t first) {
    return _mm512_add_epi64(_mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0),
                            _mm512_maskz_broadcast_i32x4(0xffff, AesNi::numbers(first)));
  }
  static Blocks exclusive(Blocks a, Blocks b) { return _mm512_xor_si512(a, b); }
  static Blocks both(Blocks a, Blocks b) { return _mm512_and_si512(a, b); }
  static Blocks shift_right(Blocks a, int s) {
    return _mm512_maskz_srli_epi64(0xff, a, static_cast<unsigned>(s));
  }
  static Blocks shift_left(Blocks a, int s) {
    return _mm512_maskz_slli_epi64(0xff, a, static_cast<unsigned>(s));
  }
  static Blocks low_halves(Blocks a, Blocks b) { return _mm512_maskz_unpacklo_epi64(0xff, a, b); }
  static Blocks high_halves(Blocks a, Blocks b) { return _mm512_maskz_unpackhi_epi64(0xff, a, b); }
  static Blocks round(Blocks x, Blocks key) { return _mm512_aesenc_epi128(x, key); }
  static Blocks last_round(Blocks x, Blocks key) { return _mm512_aesenclast_epi128(x, key); }
};

}  // namespace

const BlockKernels* vaes512_kernels() {
  return has_vaes() && __builtin_cpu_supports("avx512f") ? &kernels_of<Vaes512> : nullptr;
}

}  // namespace smlp

#else

namespace smlp {

const BlockKernels* vaes512_kernels() {
  return nullptr;
}

}  // namespace smlp

#endif
