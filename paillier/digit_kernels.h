// What the vectorised digit arithmetic offers to the rest: a table of functions an instruction set.
#pragma once

#include <gmp.h>

#include <cstddef>

namespace smlp {

/// One word of a residue: a limb, or a digit in the form of its kernel.
using Word = mp_limb_t;
static_assert(sizeof(Word) == sizeof(double));

/// How the words of a kernel hold the digits of a residue.
enum class DigitForm {
  balanced,  // doubles, from -2^48 to 2^48: sum_i d_i 2^(49 i), of either sign
  whole,     // integers from 0 to 2^52 - 1: sum_i d_i 2^(52 i)
};
constexpr unsigned digit_bits(DigitForm form) {
  return form == DigitForm::balanced ? 49 : 52;
}

/// Modular products of `lanes` residues of `digits` digits each, R = 2^(digit bits * digits). Digit i of
/// lane k is word i * lanes + k of an operand, which is aligned to a vector. `modulus` holds the digits of m,
/// then the `block` lowest digits of -1/m, each in all lanes. 32 m < R. Operands and results x are congruent
/// to what they stand for: -m <= x <= m for balanced digits, 0 <= x <= 1.04 m for whole ones.
struct DigitKernel {
  DigitForm form;
  std::size_t lanes;
  std::size_t digits;
  std::size_t block;
  /// out = a b / R mod m; out may be a or b.
  void (*multiply)(Word* out, const Word* a, const Word* b, const Word* modulus);
  /// out = a a / R mod m; out may be a.
  void (*square)(Word* out, const Word* a, const Word* modulus);
  /// Lane k of the block = residues[k], digit after digit without gaps, for all lanes.
  void (*gather)(Word* block, const Word* const* residues);
  /// residues[k] = lane k of the block, for the first `count` lanes.
  void (*scatter)(Word* const* residues, std::size_t count, const Word* block);
  /// out = the block at `index` of a table of `entries` blocks, all of which are read.
  void (*select)(Word* out, const Word* table, std::size_t entries, std::size_t index);
};

/// The smallest kernel of an instruction set for moduli of `bits` bits, which may be 8192 and few more; null
/// for longer ones and where the processor or the compiler lacks the instructions.
const DigitKernel* avx2_kernel(std::size_t bits);
const DigitKernel* avx512_kernel(std::size_t bits);
const DigitKernel* avx512_ifma_kernel(std::size_t bits);

}  // namespace smlp
