// What the digit kernels of all instruction sets share: loops that are unrolled, moves between blocks and
// residues, and the choice of a size.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "paillier/digit_kernels.h"

namespace smlp {
namespace {

template <std::size_t... Index, typename Body>
[[gnu::always_inline]] inline void unroll(std::index_sequence<Index...>, const Body& body) {
  (body(std::integral_constant<std::size_t, Index>{}), ...);
}
template <std::size_t Count, typename Body>
[[gnu::always_inline]] inline void unroll(const Body& body) {
  unroll(std::make_index_sequence<Count>{}, body);
}

/// Moves of residues of N digits on an instruction set V (its vectors and their operations).
template <class V, std::size_t N>
struct Moves {
  using Doubles = typename V::Doubles;
  using Integers = typename V::Integers;

  /// Calls body(i) for squares of lanes x lanes words from digit i on that cover N digits; the last two may
  /// overlap.
  template <typename Body>
  [[gnu::always_inline]] static void for_each_square(const Body& body) {
    static_assert(N >= V::lanes);
    for (std::size_t i = 0; i < N; i += V::lanes) body(std::min(i, N - V::lanes));
  }

  // Unrolled so that a square stays in registers.
  static void gather(Word* out, const Word* const* residues) {
    for_each_square([&](std::size_t i) __attribute__((always_inline)) {
      Doubles square[V::lanes];
      unroll<V::lanes>([&](auto k) __attribute__((always_inline)) { square[k] = V::load(residues[k] + i); });
      V::transpose(square);
      unroll<V::lanes>([&](auto k) __attribute__((always_inline)) {
        reinterpret_cast<Doubles*>(out)[i + k] = square[k];
      });
    });
  }

  static void scatter(Word* const* residues, std::size_t count, const Word* in) {
    for_each_square([&](std::size_t i) __attribute__((always_inline)) {
      Doubles square[V::lanes];
      unroll<V::lanes>([&](auto k) __attribute__((always_inline)) {
        square[k] = reinterpret_cast<const Doubles*>(in)[i + k];
      });
      V::transpose(square);
      unroll<V::lanes>([&](auto k) __attribute__((always_inline)) {
        if (k < count) V::store(residues[k] + i, square[k]);
      });
    });
  }

  // A few digits at a time over all entries: their sums stay in registers.
  template <std::size_t block>
  static void select(Word* out, const Word* table, std::size_t entries, std::size_t index) {
    static_assert(N % block == 0);
    const auto* const blocks = reinterpret_cast<const Integers*>(table);
    for (std::size_t i = 0; i < N; i += block) {
      Integers sum[block];
      unroll<block>([&](auto k) __attribute__((always_inline)) { sum[k] = V::broadcast(std::uint64_t{0}); });
      for (std::size_t e = 0; e < entries; ++e) {
        const std::uint64_t difference = e ^ index;
        const Integers mask =
            V::broadcast(((difference | (0 - difference)) >> 63) - 1);  // all ones where equal
        const Integers* const entry = blocks + e * N + i;
        unroll<block>([&](auto k)
                          __attribute__((always_inline)) { sum[k] = V::both_or(entry[k], mask, sum[k]); });
      }
      unroll<block>([&](auto k)
                        __attribute__((always_inline)) { reinterpret_cast<Integers*>(out)[i + k] = sum[k]; });
    }
  }
};

/// The first of some kernels, the smallest first, for moduli of `bits` bits: R > 32 m asks for five bits
/// more. Null where none is large enough.
template <std::size_t Count>
const DigitKernel* smallest(const DigitKernel (&kernels)[Count], std::size_t bits) {
  for (const DigitKernel& kernel : kernels)
    if (bits + 5 <= digit_bits(kernel.form) * kernel.digits) return &kernel;
  return nullptr;
}

}  // namespace
}  // namespace smlp
