// The cross terms A' e_B + e_A B' of a product by correlated transfers of vectors, both halves on what the
// messages hold. After Gilboa 1999 (section 4.1); Mohassel, Zhang 2017 (SecureML, section IV.B).
//
// The key holder has A' (rows x inner) and B' (inner x cols), numbers of w bits, the evaluator e_A and e_B.
// All is modulo 2^W. An element has w transfers, its highest bit first; who has it chooses by the bit c. The
// other's vector v is row x of its right matrix for an element (i, x) of a left one, whose products go into
// row i of a sum, and column x of its left matrix for an element (x, j) of a right one, into column j. Bit b:
//   sender    for each cell   m = p_0 - p_1 + v           2^b p_0 comes to the sender's sum
//   chooser                   p_c + c m = p_0 + c v       2^b times it leaves the chooser's sum
// Who chooses with what (CrossTerms::by): as many bits as there are, times vectors as long as the other side,
// are as much whichever side they are of; but of transfers there are as many as bits. So both parties choose
// with the smaller operand, the key holder with A' and the evaluator with e_A where A has fewer rows than B
// columns, as long as that is no more than half a tile. Else the key holder chooses with A', then with B'.
// Only the W - b lowest bits of m count: they are sent in whole bytes, n = ceil((W - b) / 8) a cell, modulo
// 2^(8n). The pads are bytes of the stream of a label (oblivious_transfer/pads.h), n a cell.
// A tile is a range of elements: corrections and messages of one take about tile_bytes. Each has a label and
// a key of the pads of its own; the transfers of all are numbered through.
// Views   Of a chooser: m, uniform whatever v is, since one of p_0 and p_1 it does not know.  Of a sender:
//         corrections (extension.h).
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

/// By whose bits the cross terms go: those of the key holder alone, of both operands; or of both parties, of
/// one.
enum class ChosenBy { both_operands, left, right };

/// Sizes of the cross terms of one product, and of what one party chooses: where both do, either has as much.
struct CrossTerms {
  std::size_t rows = 0, inner = 0, cols = 0;
  std::size_t choice_bits = 0;  ///< w
  std::size_t ring_bits = 0;    ///< W
  std::size_t tile_bytes = std::size_t{32} << 20;
  ChosenBy by = ChosenBy::both_operands;

  bool both_choose() const { return by != ChosenBy::both_operands; }
  std::size_t cells() const { return rows * cols; }  ///< of the result
  /// Those of the left operand, before those of the right one, row by row.
  std::size_t left_elements() const { return by == ChosenBy::right ? 0 : rows * inner; }
  std::size_t elements() const { return left_elements() + (by == ChosenBy::left ? 0 : inner * cols); }
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
/// The elements of A' and B', or e_A and e_B, as numbers of choice_limbs(). Throws the uniform out-of-range
/// Error for one that is negative or has more than choice_bits, in whichever of them.
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

/// Of the bits of the key holder's elements in a tile, which follow from the request that opened them.
Label tile_label(const Digest& request, std::size_t tile);

/// Bytes of the messages about a tile: the key of their pads before them.
std::size_t cross_term_bytes(const CrossTerms& terms, std::size_t tile);
/// Of the evaluator's sum, V.
std::size_t cross_sum_bytes(const CrossTerms& terms);

// Either party.

/// What one party sends of.
class CrossTermSender {
 public:
  /// A' and B', or e_A and e_B; `sums`: of rows x cols, where the sums of pads come to. `depth`: of the
  /// chooser's trees.
  CrossTermSender(const CrossTerms& terms, std::size_t depth, const IntegerMatrix& a, const IntegerMatrix& b,
                  const IntegerMatrix& sums);
  /// Appends, about the next tile, `key` of its pads, then messages. `holder` makes one of the tile's label,
  /// each time. Throws Error unless there are correction_bytes of the tile's transfers.
  void append(const Block& offset, const std::function<OffsetHolder()>& holder,
              std::span<const std::uint8_t> corrections, const Block& key, Bytes& out);
  Bytes send(const Block& offset, const std::function<OffsetHolder()>& holder,
             std::span<const std::uint8_t> corrections, const Block& key) {
    Bytes out;
    append(offset, holder, corrections, key, out);
    return out;
  }
  FixedIntegers& sums() { return sums_; }
  /// A digest of all that messages hide.
  std::array<std::uint64_t, sizeof(Digest) / sizeof(std::uint64_t)> content() const;

 private:
  CrossTerms terms_;
  std::size_t depth_;
  FixedIntegers columns_of_a_, rows_of_b_, sums_;
  std::size_t tile_ = 0;
};

/// Corrections for the bits of these elements.
Bytes choose_elements(const CrossTerms& terms, TransferChooser chooser, const FixedIntegers& elements,
                      const Elements& range);

/// Takes the products of a tile's elements from the sums. `chooser` makes one of its label, each time. Throws
/// Error unless there are cross_term_bytes.
void receive_cross_terms(const CrossTerms& terms, std::size_t tile,
                         const std::function<TransferChooser()>& chooser, const FixedIntegers& elements,
                         std::span<const std::uint8_t> messages, FixedIntegers& sums);

// Evaluator.

class EvaluatorCrossTerms;

/// What leaves of its half of a product, about one tile: made where it goes (RequestBody::add()), which saves
/// copies.
class CrossTermMessages {
 public:
  CrossTermMessages(CrossTermMessages&&) = default;
  CrossTermMessages& operator=(CrossTermMessages&&) = default;
  /// Once. Throws Error for a second time.
  void append_to(Bytes& out);

 private:
  friend class EvaluatorCrossTerms;
  explicit CrossTermMessages(std::function<void(Bytes&)> append) : append_(std::move(append)) {}
  std::function<void(Bytes&)> append_;
};
class ElementChoices {
 public:
  const Bytes& bytes() const { return bytes_; }

 private:
  friend class EvaluatorCrossTerms;
  Bytes bytes_;
};

class EvaluatorCrossTerms {
 public:
  EvaluatorCrossTerms(const CrossTerms& terms, const EvaluatorTransfers& transfers, const IntegerMatrix& e_a,
                      const IntegerMatrix& e_b, const Mask& rho);
  /// Its own choices, where both choose: label and corrections. `content`: whatever they stand beside.
  ElementChoices choices(std::span<const std::uint8_t> content);
  /// Takes the products of its elements from its sum.
  void receive(std::span<const std::uint8_t> messages);
  /// About the next tile, of this product's first request; `answer`: digest of the one that the corrections
  /// came in. With the last one V = e_A e_B + rho and what came to and left the sum. The corrections, and
  /// this, stay until they are added.
  CrossTermMessages send(const Digest& request, const Digest& answer,
                         std::span<const std::uint8_t> corrections);

 private:
  /// The key of each batch of pads: secret_for the request, the answer and content().
  void append_messages(const Digest& request, const Digest& answer, std::span<const std::uint8_t> corrections,
                       Bytes& out);
  CrossTerms terms_;
  const EvaluatorTransfers& transfers_;
  FixedIntegers elements_;  ///< where both choose
  CrossTermSender sender_;
  std::array<std::uint64_t, sizeof(Digest) / sizeof(std::uint64_t)> content_;
  Label label_{};
  std::size_t tile_ = 0;
};
inline std::size_t element_choice_bytes(const CrossTerms& terms) {
  return sizeof(Label) + evaluator_corrections(terms.transfers());
}

// Key holder.

/// Adds V.
void add_cross_sum(const CrossTerms& terms, std::span<const std::uint8_t> v, FixedIntegers& sums);

}  // namespace smlp
