// An operand of a matrix product, masked and opened once however many products read it.
//
//   first product   E -> K  [X + R], in pairs      K -> E  X + R, sealed
//   later products  E -> K  X + R, sealed
// An operand that E holds opened comes under R as well, without ciphertexts (opened_sums.h):
//   first product   E -> K  its terms, sealed, c          K -> E  X + R, sealed
// What a selection gave is under such an R already (selection/oblivious_transfer.cpp), and comes as it is:
//   first product   E -> K  X + R, sealed by rows         K -> E  X + R, sealed
// Of a left operand that E holds in the packing `column_packed` alone, where it will be read transposed, K
// gives the other packing with its first product:
//                                                  K -> E  [X + R] across; E subtracts R
// The key holder sees X + R once (as a selection's result, where it comes as it is), under one mask sigma
// bits wider than X. Everything else that it sees of a product is under masks of that product: with the same
// R_A in two products, the cross terms are under two R_T, the products under two rho, and A R_B + R_T and R_A
// B + R_U still follow from what it has (R_U = R_A R_B - R_T - rho). So its view of any number of products is
// that of one opening of each operand and one (R_T, rho) a product, all independent. It is made of what K has
// opened anyway, and is an encryption to E: it shows neither party anything. What E makes of it is masked and
// re-randomised like any other ciphertext before it leaves. Range    X: l bits under R of l + sigma: |X + R|
// < 2^(l + sigma + 2). Binding  a sealed state belongs to its session, keys, numbers and shape, and to its
// step and layer; where
//          its rows last (the table, the weights of a classification), to its group and layer. It is one of
//          an opened value (opened_values.h): whichever product opens one seals it for all, and sums take it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocols/opened_sums.h"
#include "protocols/opened_values.h"
#include "protocols/protocol.h"

namespace smlp {

/// Most pieces of an operand, two parameters each. More are masked anew for each product.
inline constexpr std::size_t most_pieces = 100;

/// Evaluator's half, for one product.
class Operand {
 public:
  /// Takes the mask of an earlier product of this step or session, else draws one.
  Operand(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& matrix, Side side);

  const IntegerMatrix& mask() const { return drawn_ ? drawn_->values() : mask_; }
  /// [X + R] re-randomised, or the sealed states, or those of its terms and c.
  void add_to(RequestBody& body) const;
  /// How the operand comes, for the key holder: public numbers.
  void append_to(std::vector<std::int64_t>& parameters) const;
  /// Reads the states that the key holder has sealed, and the packing that it made.
  void read(AnswerBody& answer);
  /// Keeps them with the masks, once the whole answer was good.
  void keep();

 private:
  const Evaluator& evaluator_;
  OperationId operation_;
  const EncryptedMatrix& matrix_;
  Side side_;
  bool reused_ = false, kept_ = false;
  bool as_it_is_ = false;            ///< opened before, under a mask of an operand
  std::vector<Mask> piece_masks_;    ///< drawn now; else none
  std::optional<Mask> drawn_;        ///< these under each other
  std::vector<SealedState> sealed_;  ///< of the answer
  bool closes_ = false;              ///< the answer has the packing `row_packed`
  bool has_constant_ = false;        ///< whose last column is in a group of its own
  LaterCiphertexts row_packed_;      ///< X in it
  IntegerMatrix mask_;               ///< when reused, or as it is
};

/// What an answer has of both, at its end; keeps it once all of the answer was good.
void read_operands(AnswerBody& answer, Operand& left, Operand& right);

/// Key holder's half: reads how an operand of rows x cols comes from parameter `next` on, which moves past
/// it.
class OpenedOperand {
 public:
  /// `layout` of the operand. Throws Error on a form that does not fit it.
  OpenedOperand(Responder& responder, const Layout& layout, Side side, std::size_t& next);
  /// Reads X + R from the request, `what` it is.
  const IntegerMatrix& open(std::string_view what);
  /// Appends the states, and the packing, that were asked for.
  void seal() const;

 private:
  struct Piece {
    std::size_t rows = 0;
    std::uint32_t step = 0;  ///< of rows that last: which they are
  };
  OpenedRecord record(const Piece& piece, std::size_t cols) const;
  /// Where a piece is sealed.
  OperationId place(const Piece& piece) const;

  Responder& responder_;
  const Layout& layout_;
  Side side_;
  bool sealed_ = false, kept_ = false, lasting_ = false, transposed_ = false, closes_ = false,
       as_it_is_ = false;
  Layout closed_;  ///< of the packing that is asked for
  std::size_t omitted_rows_ = 0;
  std::vector<Piece> pieces_;
  std::optional<BroughtSum> sum_;  ///< of one that comes opened
  IntegerMatrix values_;
};

/// Where the forms of both operands begin in the parameters of a product.
inline constexpr std::size_t first_form = 4;
/// Whether a product asks for the other packing of its left operand.
bool asks_for_row_packing(std::span<const std::int64_t> parameters);
/// Ciphertexts on the wire of an operand that has so many in its packing: two in one.
std::size_t operand_ciphertexts(std::size_t packed);
/// Bytes of the sealed states of `cells` values in so many pieces.
std::size_t sealed_operand_bytes(std::size_t pieces, std::size_t cells, const BitBudget& budget);
/// Adds what an operand of `packed` ciphertexts in its packing sends, and the products that pair them.
void declare_operand(const OperandStates& states, const Layout& layout, std::size_t packed,
                     const BitBudget& budget, Declaration& out);

}  // namespace smlp
