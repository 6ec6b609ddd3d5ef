// The block kernels on VAES with AVX2: two blocks a vector. Compiled for it alone: call nothing here before
// the processor is known to have it.
#include "protocols/oblivious_transfer/block_kernels.h"

#if defined(__VAES__) && defined(__AVX2__)

#include "protocols/oblivious_transfer/aes_ni_vector.h"

namespace smlp {
namespace {

struct Vaes256 {
  using Blocks = __m256i;
  static constexpr std::size_t width = 2;

  static constexpr auto expand = AesNi::expand;
  static Blocks load(const Block* from, std::size_t count) {
    if (count == width) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm256_zextsi128_si256(AesNi::load(from, 1));
  }
  static void store(Block* to, Blocks x, std::size_t count) {
    if (count == width)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x);
    else
      AesNi::store(to, _mm256_castsi256_si128(x), 1);
  }
  static Blocks broadcast(const Block& x) { return _mm256_broadcastsi128_si256(AesNi::load(&x, 1)); }
  static Blocks broadcast(std::uint64_t x) { return _mm256_set1_epi64x(static_cast<long long>(x)); }
  static Blocks numbers(std::uint64_t first) {
    return _mm256_add_epi64(_mm256_set_epi64x(0, 1, 0, 0),
                            _mm256_broadcastsi128_si256(AesNi::numbers(first)));
  }
  static Blocks exclusive(Blocks a, Blocks b) { return _mm256_xor_si256(a, b); }
  static Blocks both(Blocks a, Blocks b) { return _mm256_and_si256(a, b); }
  static Blocks shift_right(Blocks a, int s) { return _mm256_srli_epi64(a, s); }
  static Blocks shift_left(Blocks a, int s) { return _mm256_slli_epi64(a, s); }
  static Blocks low_halves(Blocks a, Blocks b) { return _mm256_unpacklo_epi64(a, b); }
  static Blocks high_halves(Blocks a, Blocks b) { return _mm256_unpackhi_epi64(a, b); }
  static Blocks round(Blocks x, Blocks key) { return _mm256_aesenc_epi128(x, key); }
  static Blocks last_round(Blocks x, Blocks key) { return _mm256_aesenclast_epi128(x, key); }
};

}  // namespace

const BlockKernels* vaes256_kernels() {
  return has_vaes() && __builtin_cpu_supports("avx2") ? &kernels_of<Vaes256> : nullptr;
}

}  // namespace smlp

#else

namespace smlp {

const BlockKernels* vaes256_kernels() {
  return nullptr;
}

}  // namespace smlp

#endif
