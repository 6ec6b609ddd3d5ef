// Eight cells a step on AVX-512 with byte permutations (VBMI). Compiled for it alone: call nothing here
// before the processor is known to have it.
#include "protocols/matmul/ring_vectors.h"

#if defined(__AVX512VBMI__) && defined(__AVX512F__)

#include <immintrin.h>

#include <array>

namespace smlp {
namespace {

using Indices = std::array<std::uint8_t, 64>;

/// How the bytes of eight cells of a width, 128 at most, become their low and high words, and the reverse.
struct Bytes8 {
  alignas(64) Indices low{}, high{}, first{}, second{};
};

constexpr Bytes8 bytes_of(std::size_t width) {
  Bytes8 out;
  for (std::size_t lane = 0; lane < 8; ++lane)
    for (std::size_t i = 0; i < 8; ++i) {
      out.low[8 * lane + i] = static_cast<std::uint8_t>(lane * width + i);
      out.high[8 * lane + i] = static_cast<std::uint8_t>(lane * width + 8 + i);
    }
  for (std::size_t j = 0; j < 128; ++j) {
    const std::size_t lane = j / width % 8, byte = j % width;
    (j < 64 ? out.first : out.second)[j % 64] =
        static_cast<std::uint8_t>(8 * lane + (byte < 8 ? byte : 64 + byte - 8));
  }
  return out;
}

constexpr std::array<Bytes8, 16> make_all() {
  std::array<Bytes8, 16> all;
  for (std::size_t width = 1; width <= 16; ++width) all[width - 1] = bytes_of(width);
  return all;
}
constexpr std::array<Bytes8, 16> all_bytes = make_all();

__m512i indices(const Indices& from) {
  return _mm512_load_si512(from.data());
}

struct Pair {
  __m512i low, high;
};

Pair add(const Pair& a, const Pair& b) {
  const __m512i low = _mm512_add_epi64(a.low, b.low), high = _mm512_add_epi64(a.high, b.high);
  return {low, _mm512_mask_sub_epi64(high, _mm512_cmplt_epu64_mask(low, a.low), high, _mm512_set1_epi64(-1))};
}
Pair subtract(const Pair& a, const Pair& b) {
  const __m512i high = _mm512_sub_epi64(a.high, b.high);
  return {_mm512_sub_epi64(a.low, b.low),
          _mm512_mask_add_epi64(high, _mm512_cmplt_epu64_mask(a.low, b.low), high, _mm512_set1_epi64(-1))};
}
Pair load(const Limb* from, std::size_t row) {
  return {_mm512_loadu_si512(from), _mm512_loadu_si512(from + row)};
}
void store(Limb* to, std::size_t row, const Pair& x) {
  _mm512_storeu_si512(to, x.low);
  _mm512_storeu_si512(to + row, x.high);
}

/// Widths up to 8. With a mask of all ones: GCC 12 takes the other form for a use of something uninitialised.
struct Narrow {
  explicit Narrow(std::size_t width)
      : low(indices(all_bytes[width - 1].low)), first(indices(all_bytes[width - 1].first)) {}
  __m512i read(const std::uint8_t* from) const {
    return _mm512_maskz_permutexvar_epi8(~__mmask64{0}, low, _mm512_loadu_si512(from));
  }
  void write(std::uint8_t* to, __m512i x) const {
    _mm512_storeu_si512(to, _mm512_maskz_permutexvar_epi8(~__mmask64{0}, first, x));
  }
  __m512i low, first;
};

/// Widths up to 16.
struct Double {
  explicit Double(std::size_t width)
      : low(indices(all_bytes[width - 1].low)),
        high(indices(all_bytes[width - 1].high)),
        first(indices(all_bytes[width - 1].first)),
        second(indices(all_bytes[width - 1].second)) {}
  Pair read(const std::uint8_t* from) const {
    const __m512i a = _mm512_loadu_si512(from), b = _mm512_loadu_si512(from + 64);
    return {_mm512_permutex2var_epi8(a, low, b), _mm512_permutex2var_epi8(a, high, b)};
  }
  void write(std::uint8_t* to, const Pair& x) const {
    _mm512_storeu_si512(to, _mm512_permutex2var_epi8(x.low, first, x.high));
    _mm512_storeu_si512(to + 64, _mm512_permutex2var_epi8(x.low, second, x.high));
  }
  __m512i low, high, first, second;
};

void send(const SendStep& step, std::size_t cells, std::size_t width) {
  if (width <= 8) {
    const Narrow bytes(width);
    for (std::size_t c = 0; c < cells; c += 8) {
      const __m512i zero = bytes.read(step.zero + c * width), one = bytes.read(step.one + c * width),
                    sum = _mm512_loadu_si512(step.sum + c);
      bytes.write(step.message + c * width,
                  _mm512_add_epi64(_mm512_sub_epi64(zero, one), _mm512_loadu_si512(step.v + c)));
      _mm512_storeu_si512(step.sum + c, _mm512_add_epi64(_mm512_add_epi64(sum, sum), zero));
    }
    return;
  }
  const Double bytes(width);
  const std::size_t row = ring_row(cells);
  for (std::size_t c = 0; c < cells; c += 8) {
    const Pair zero = bytes.read(step.zero + c * width), one = bytes.read(step.one + c * width),
               sum = load(step.sum + c, row);
    bytes.write(step.message + c * width, add(subtract(zero, one), load(step.v + c, row)));
    store(step.sum + c, row, add(add(sum, sum), zero));
  }
}

void receive(const ReceiveStep& step, std::size_t cells, std::size_t width) {
  const __m512i choice = _mm512_set1_epi64(static_cast<long long>(step.choice));
  if (width <= 8) {
    const Narrow bytes(width);
    for (std::size_t c = 0; c < cells; c += 8) {
      const __m512i sum = _mm512_loadu_si512(step.sum + c),
                    chosen = _mm512_and_si512(bytes.read(step.message + c * width), choice);
      _mm512_storeu_si512(step.sum + c,
                          _mm512_add_epi64(_mm512_add_epi64(sum, sum),
                                           _mm512_add_epi64(bytes.read(step.pad + c * width), chosen)));
    }
    return;
  }
  const Double bytes(width);
  const std::size_t row = ring_row(cells);
  for (std::size_t c = 0; c < cells; c += 8) {
    const Pair sum = load(step.sum + c, row), message = bytes.read(step.message + c * width);
    const Pair chosen{_mm512_and_si512(message.low, choice), _mm512_and_si512(message.high, choice)};
    store(step.sum + c, row, add(add(sum, sum), add(bytes.read(step.pad + c * width), chosen)));
  }
}

constexpr RingKernels kernels{send, receive};

}  // namespace

const RingKernels* avx512_ring_kernels() {
  return __builtin_cpu_supports("avx512vbmi") ? &kernels : nullptr;
}

}  // namespace smlp

#else

namespace smlp {

const RingKernels* avx512_ring_kernels() {
  return nullptr;
}

}  // namespace smlp

#endif
