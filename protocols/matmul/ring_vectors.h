// Vectors of numbers modulo a power of two against the bytes of messages: the inner loops of cross terms. In
// the same steps whatever the numbers are.
//
// Word i of all cells of a vector stands in one row (its words are ring_row(cells) apart), so that a step
// works on one word of many cells. A message and a pad have `width` bytes a cell; where these are fewer than
// the words hold, what stands above them is of no meaning: each step takes words that are wide enough.
#pragma once

#include <cstdint>

#include "paillier/fixed_width.h"

namespace smlp {

inline constexpr std::size_t most_ring_words = 5;
/// Bytes after the last cell that a step may read, and of a message write.
inline constexpr std::size_t ring_slack = 128;

/// Words of a row: whole vectors of the widest unit.
constexpr std::size_t ring_row(std::size_t cells) {
  return (cells + 7) / 8 * 8;
}

/// message = zero - one + v and sum = 2 sum + zero, cell by cell.
struct SendStep {
  const Limb* v;
  const std::uint8_t *zero, *one;
  std::uint8_t* message;
  Limb* sum;
};
/// sum = 2 sum + pad, and + message where `choice` is all ones; it is that or zero.
struct ReceiveStep {
  const std::uint8_t *pad, *message;
  Limb choice;
  Limb* sum;
};

struct RingKernels {
  void (*send)(const SendStep& step, std::size_t cells, std::size_t width);
  void (*receive)(const ReceiveStep& step, std::size_t cells, std::size_t width);
};

/// For every width, at most 8 most_ring_words.
const RingKernels& portable_ring_kernels();
/// For widths up to 16; null where the compiler or this processor has no AVX-512 VBMI.
const RingKernels* avx512_ring_kernels();
/// The same of AVX2.
const RingKernels* avx2_ring_kernels();
/// The fastest.
const RingKernels& ring_kernels(std::size_t width);

}  // namespace smlp
