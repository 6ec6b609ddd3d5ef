// The cross terms A' e_B + e_A B' of a product by correlated transfers of vectors, both halves on what the
// messages hold. After Gilboa 1999 (section 4.1); Mohassel, Zhang 2017 (SecureML, section IV.B).
//
// The key holder has A' (rows x inner) and B' (inner x cols), numbers of w bits, the evaluator e_A and e_B.
// All is modulo 2^W. Elements are those of A', then those of B', row by row. An element has w transfers, its
// highest bit first; the key holder chooses by the bit c. The evaluator's vector v is row x of e_B for
// A'(i, x), whose products go into row i of a sum, and column x of e_A for B'(x, j), into column j. Bit b:
//   E -> K  for each cell   m = p_0 - p_1 + v           E adds 2^b p_0 to its sum
//   K                       p_c + c m = p_0 + c v       2^b times it leaves the sum of K
// Only the W - b lowest bits of m count: they are sent in whole bytes, n = ceil((W - b) / 8) a cell, modulo
// 2^(8n). The pads are bytes of the stream of a label (oblivious_transfer/pads.h), n a cell.
// A tile is a range of elements: corrections and messages of one take about tile_bytes. Each has a label and
// a key of the pads of its own; the transfers of all are numbered through.
// Views   K: m, uniform whatever v is, since one of p_0 and p_1 it does not know.  E: corrections
//         (extension.h).
#pragma once

#include <functional>

#include "paillier/fixed_width.h"
#include "protocols/bit_budget.h"
#include "protocols/matrix.h"
#include "protocols/oblivious_transfer/session.h"

namespace smlp {

/// A range of elements.
struct Elements {
  std::size_t first = 0, count = 0;
};

/// Sizes of the cross terms of one product.
struct CrossTerms {
  std::size_t rows = 0, inner = 0, cols = 0;
  std::size_t choice_bits = 0;  ///< w
  std::size_t ring_bits = 0;    ///< W
  std::size_t tile_bytes = std::size_t{32} << 20;

  std::size_t cells() const { return rows * cols; }  ///< of the result
  std::size_t left_elements() const { return rows * inner; }
  std::size_t elements() const { return inner * (rows + cols); }
  std::size_t transfers() const { return elements() * choice_bits; }
  std::size_t limbs() const { return limbs_for(ring_bits); }  ///< of a number of the ring
  std::size_t ring_bytes() const { return (ring_bits + 7) / 8; }
  std::size_t choice_limbs() const { return limbs_for(choice_bits); }  ///< of an element
  std::size_t choice_bytes() const { return (choice_bits + 7) / 8; }
  /// Of a cell's message for a bit.
  std::size_t message_bytes(std::size_t bit) const { return (ring_bits - bit + 7) / 8; }
  /// Of all messages for a range.
  std::size_t message_bytes(const Elements& range) const;
  /// Blocks of the pads of one label of each transfer.
  std::size_t pad_blocks() const;

  // Tiles: the elements whose first byte is in the same part of all bytes, in eights, so that corrections
  // fill theirs. In closed form: a request of any size is judged at once.
  std::size_t tiles() const;
  Elements tile(std::size_t number) const;
  /// No tile's corrections have more.
  std::size_t most_corrections() const;

 private:
  std::size_t element_bytes(bool left) const;
  std::size_t part_bytes() const;
  std::size_t tile_start(std::size_t number) const;
};

/// For products of this budget. Throws Error for one that is too large: where the messages of an element, or
/// the sums of all cells, have more than tile_bytes.
CrossTerms cross_terms(const BitBudget& budget, std::size_t rows, std::size_t inner, std::size_t cols);

/// A or R_A with 2^(l-1) more: so no A' is negative.
IntegerMatrix offset_operand(const BitBudget& budget, IntegerMatrix m);
/// The elements of A' and B' as numbers of choice_limbs(). Throws the uniform out-of-range Error for one that
/// is negative or has more than choice_bits.
FixedIntegers elements_of(const CrossTerms& terms, const IntegerMatrix& a, const IntegerMatrix& b);

/// Modulo 2^W, of limbs().
FixedIntegers ring_numbers(const CrossTerms& terms, const IntegerMatrix& m);
/// The numbers from -2^(W-1) to 2^(W-1) - 1 that they stand for.
IntegerMatrix ring_integers(const CrossTerms& terms, const FixedIntegers& numbers);

/// Appends the lowest `width` bytes of each.
void append_numbers(const FixedIntegers& numbers, const Elements& range, std::size_t width, Bytes& out);
/// Throws Error unless the bytes are those of `count` numbers.
FixedIntegers read_numbers(std::span<const std::uint8_t> bytes, std::size_t count, std::size_t width,
                           std::size_t limbs);

/// Of the bits of a tile's elements, which follow from the request that opened them.
Label tile_label(const Digest& request, std::size_t tile);

/// Bytes that the evaluator sends about a tile: the key of its pads, messages, and with the last tile V.
std::size_t cross_term_bytes(const CrossTerms& terms, std::size_t tile);

// Evaluator.

class CrossTermMessages {
 public:
  const Bytes& bytes() const { return bytes_; }

 private:
  friend class CrossTermSender;
  Bytes bytes_;
};

class CrossTermSender {
 public:
  CrossTermSender(const CrossTerms& terms, const IntegerMatrix& e_a, const IntegerMatrix& e_b,
                  const Mask& rho);
  /// A digest of all that messages hide.
  std::span<const std::uint64_t> content() const { return content_; }
  /// About the next tile. `holder` makes one of the tile's label, each time; `key` of its pads: secret_for
  /// the request, the answer that the corrections came in and content(). The last one has V = e_A e_B + rho +
  /// sum of 2^b p_0. Throws Error unless there are correction_bytes of the tile's transfers.
  CrossTermMessages send(const Block& offset, const std::function<OffsetHolder()>& holder,
                         std::span<const std::uint8_t> corrections, const Block& key);

 private:
  CrossTerms terms_;
  FixedIntegers columns_of_a_, rows_of_b_, sums_;
  std::array<std::uint64_t, sizeof(Digest) / sizeof(std::uint64_t)> content_{};
  std::size_t tile_ = 0;
};

// Key holder.

/// Corrections for the bits of these elements.
Bytes choose_elements(const CrossTerms& terms, TransferChooser chooser, const FixedIntegers& elements,
                      const Elements& range);

/// Takes the products of a tile's elements from the sums, and adds V with the last one. `chooser` makes one
/// of its ticket and label, each time. Throws Error unless there are cross_term_bytes.
void receive_cross_terms(const CrossTerms& terms, std::size_t tile,
                         const std::function<TransferChooser()>& chooser, const FixedIntegers& elements,
                         std::span<const std::uint8_t> messages, FixedIntegers& sums);

}  // namespace smlp
