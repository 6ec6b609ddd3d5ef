// What the vectorised digit arithmetic offers to the rest: a table of functions an instruction set.
#pragma once

#include <cstddef>

namespace smlp {

/// Modular products of `lanes` residues of `digits` digits of 49 bits each, R = 2^(49 digits). Digit i of
/// lane k is word i * lanes + k of an operand, which is aligned to a vector. `modulus` holds the digits of m,
/// then the `block` lowest digits of -1/m, each in all lanes. m < 2^(49 digits - 5).
struct DigitKernel {
  std::size_t lanes;
  std::size_t digits;
  std::size_t block;
  /// out = a b / R mod m; out may be a or b.
  void (*multiply)(double* out, const double* a, const double* b, const double* modulus);
  /// out = a a / R mod m; out may be a.
  void (*square)(double* out, const double* a, const double* modulus);
  /// Lane k of the block = residues[k], digit after digit without gaps, for all lanes.
  void (*gather)(double* block, const double* const* residues);
  /// residues[k] = lane k of the block, for the first `count` lanes.
  void (*scatter)(double* const* residues, std::size_t count, const double* block);
  /// out = the block at `index` of a table of `entries` blocks, all of which are read.
  void (*select)(double* out, const double* table, std::size_t entries, std::size_t index);
};

/// The smallest kernel of an instruction set for moduli of `bits` bits; null where the processor or the
/// compiler lacks the instructions, and above 8192 bits.
const DigitKernel* avx2_kernel(std::size_t bits);
const DigitKernel* avx512_kernel(std::size_t bits);

}  // namespace smlp
