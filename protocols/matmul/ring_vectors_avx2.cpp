// Four cells a step on AVX2. Compiled for it alone: call nothing here before the processor is known to have
// it.
#include "protocols/matmul/ring_vectors.h"

#if defined(__AVX2__)

#include <immintrin.h>

namespace smlp {
namespace {

constexpr std::size_t lanes = 4;

/// The low and high words of four cells.
struct Pair {
  __m256i low, high;
};

/// All ones where a < b, as numbers without sign.
__m256i below(__m256i a, __m256i b) {
  const __m256i sign = _mm256_set1_epi64x(static_cast<long long>(Limb{1} << 63));
  return _mm256_cmpgt_epi64(_mm256_xor_si256(b, sign), _mm256_xor_si256(a, sign));
}

Pair add(const Pair& a, const Pair& b) {
  const __m256i low = _mm256_add_epi64(a.low, b.low);
  return {low, _mm256_sub_epi64(_mm256_add_epi64(a.high, b.high), below(low, a.low))};
}
Pair subtract(const Pair& a, const Pair& b) {
  return {_mm256_sub_epi64(a.low, b.low),
          _mm256_add_epi64(_mm256_sub_epi64(a.high, b.high), below(a.low, b.low))};
}
/// The highest bit of the low word is what goes over.
Pair twice(const Pair& a) {
  return {_mm256_add_epi64(a.low, a.low),
          _mm256_or_si256(_mm256_add_epi64(a.high, a.high), _mm256_srli_epi64(a.low, 63))};
}

__m256i load(const Limb* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
void store(Limb* to, __m256i x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x);
}
Pair load(const Limb* from, std::size_t row) {
  return {load(from), load(from + row)};
}
void store(Limb* to, std::size_t row, const Pair& x) {
  store(to, x.low);
  store(to + row, x.high);
}

/// Bytes i and j of 16 each, in the two halves.
__m256i halves(const std::uint8_t* i, const std::uint8_t* j) {
  return _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(j), reinterpret_cast<const __m128i*>(i));
}

/// Widths up to 16: sixteen bytes from where each cell begins.
Pair read(const std::uint8_t* from, std::size_t width) {
  const __m256i even = halves(from, from + 2 * width), odd = halves(from + width, from + 3 * width);
  return {_mm256_unpacklo_epi64(even, odd), _mm256_unpackhi_epi64(even, odd)};
}
/// Each cell covers what the one before it has written too much.
void write(std::uint8_t* to, std::size_t width, const Pair& x) {
  const __m256i even = _mm256_unpacklo_epi64(x.low, x.high), odd = _mm256_unpackhi_epi64(x.low, x.high);
  const auto put = [to, width](std::size_t cell, __m128i bytes) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + cell * width), bytes);
  };
  put(0, _mm256_castsi256_si128(even));
  put(1, _mm256_castsi256_si128(odd));
  put(2, _mm256_extracti128_si256(even, 1));
  put(3, _mm256_extracti128_si256(odd, 1));
}

void send(const SendStep& step, std::size_t cells, std::size_t width) {
  if (width <= sizeof(Limb)) {
    for (std::size_t c = 0; c < cells; c += lanes) {
      const __m256i zero = read(step.zero + c * width, width).low,
                    one = read(step.one + c * width, width).low, sum = load(step.sum + c);
      write(step.message + c * width, width,
            {_mm256_add_epi64(_mm256_sub_epi64(zero, one), load(step.v + c)), _mm256_setzero_si256()});
      store(step.sum + c, _mm256_add_epi64(_mm256_add_epi64(sum, sum), zero));
    }
    return;
  }
  const std::size_t row = ring_row(cells);
  for (std::size_t c = 0; c < cells; c += lanes) {
    const Pair zero = read(step.zero + c * width, width), one = read(step.one + c * width, width);
    write(step.message + c * width, width, add(subtract(zero, one), load(step.v + c, row)));
    store(step.sum + c, row, add(twice(load(step.sum + c, row)), zero));
  }
}

void receive(const ReceiveStep& step, std::size_t cells, std::size_t width) {
  const __m256i choice = _mm256_set1_epi64x(static_cast<long long>(step.choice));
  if (width <= sizeof(Limb)) {
    for (std::size_t c = 0; c < cells; c += lanes) {
      const __m256i sum = load(step.sum + c),
                    chosen = _mm256_and_si256(read(step.message + c * width, width).low, choice);
      store(step.sum + c, _mm256_add_epi64(_mm256_add_epi64(sum, sum),
                                           _mm256_add_epi64(read(step.pad + c * width, width).low, chosen)));
    }
    return;
  }
  const std::size_t row = ring_row(cells);
  for (std::size_t c = 0; c < cells; c += lanes) {
    const Pair message = read(step.message + c * width, width);
    const Pair chosen{_mm256_and_si256(message.low, choice), _mm256_and_si256(message.high, choice)};
    store(step.sum + c, row,
          add(twice(load(step.sum + c, row)), add(read(step.pad + c * width, width), chosen)));
  }
}

constexpr RingKernels kernels{send, receive};

}  // namespace

const RingKernels* avx2_ring_kernels() {
  return __builtin_cpu_supports("avx2") ? &kernels : nullptr;
}

}  // namespace smlp

#else

namespace smlp {

const RingKernels* avx2_ring_kernels() {
  return nullptr;
}

}  // namespace smlp

#endif
