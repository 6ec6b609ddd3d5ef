// Values that the key holder has opened and that stay opened: x = k - e. The evaluator holds its mask e, and
// k, sealed by the key holder; what works on k and e needs no ciphertext of x.
//
//   opened now      E -> K  [x + e], column-packed, e drawn for it       (K -> E  k = x + e, sealed)
//   opened before   E -> K  k, sealed
//   a sum of such   E -> K  its terms under a new mask (opened_sums.h)   (K -> E  k = x + e, sealed)
// Binding  A state holds one row group, or an operand of a product. It belongs to its session, keys, numbers
//          and shape, and to its origin: step, layer, direction and tile of the operation that opened it,
//          what e was drawn for and its bits, and the row where it begins. A request names the origin of what
//          it brings.
// Ranges   |k|, |e| < 2^(b + 2) for a mask of b bits, sigma bits wider than x; e need not be a
//          mask as drawn, but may follow from some (truncation/division.h).
// Views    K: k, once. What comes again adds nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "paillier/fixed_width.h"
#include "protocols/evaluator.h"
#include "protocols/key_holder.h"
#include "protocols/protocol.h"

namespace smlp {

// Evaluator.

/// What a request brings: the evaluator's side of it.
struct Brought {
  IntegerMatrix mask;  ///< e
  std::size_t mask_bits = 0;
  bool now = false;  ///< opened by this request, under a mask drawn at its place
};

/// Adds x to a request and says in its parameters how it comes: as it was opened in this step, or masked
/// under a draw of this kind, for |x| < 2^(L-1), where it is held as ciphertexts, is a sum or of another
/// step. Throws Error for what is transposed.
Brought bring(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& x,
              RandomnessKind kind, RequestBody& body, std::vector<std::int64_t>& parameters);

/// The matrix x = k - e of which the answer holds k, sealed by put_opened with the same numbers.
EncryptedMatrix read_opened(AnswerBody& answer, const OperationId& operation, RandomnessKind kind,
                            const Layout& layout, const IntegerMatrix& mask, std::size_t mask_bits);

// Key holder.

struct Received {
  FixedIntegers values;  ///< k, row by row
  std::size_t mask_bits = 0;
  bool now = false;
};

/// Reads what `bring` added for the layout of the request; `next` is the first of its parameters and moves
/// past them. Throws Error on a form that does not fit and on a state of anything else.
Received receive(Responder& responder, std::size_t& next, std::string_view what);
/// The same, of what was opened before.
Received receive_opened(Responder& responder, std::size_t& next);

/// Appends k, sealed, one state a row group of the request's layout. Throws the uniform out-of-range Error
/// where |k| >= 2^(mask_bits + 2).
void put_opened(Responder& responder, const FixedIntegers& k, RandomnessKind kind, std::size_t mask_bits);
void put_opened(Responder& responder, const IntegerMatrix& k, RandomnessKind kind, std::size_t mask_bits);

/// Bytes of the sealed states of a matrix.
std::size_t opened_bytes(const Layout& layout, std::size_t mask_bits);
/// What `bring` sends of an operand, and what of it the key holder has not seen.
struct Bringing {
  Payload sent;
  std::size_t masked_values = 0;  ///< opened now
  std::size_t mask_bits = 0;
};
Bringing bringing(const Work& work, const Sizes& sizes);

/// x of an opened matrix, for who has both sides: an experiment, a test. `evaluator`: whose session it is of.
IntegerMatrix opened_in_clear(const Evaluator& evaluator, const SecretKeys& keys, const EncryptedMatrix& x);

// Sealed states.

/// Which values a state holds, as it says itself.
struct OpenedRecord {
  RandomnessKind kind{};
  std::size_t mask_bits = 0, first_row = 0, rows = 0, cols = 0;
  std::size_t state_bytes() const;
};
/// What such a state is sealed for: `header` is that of a request, of which neither its layout nor its
/// parameters count or cost.
Header opened_context(const Header& header, const OperationId& origin, std::size_t rows, std::size_t cols);
/// The state of these values.
SecretBytes opened_state(const FixedIntegers& values, const OpenedRecord& record);
/// The values in it. Throws Error unless it says that they are these.
FixedIntegers values_in(std::span<const std::uint8_t> state, const OpenedRecord& record);
/// Seals it at `origin`, and reads it again, from the request. Throws Error where it is of anything else.
void put_record(Responder& responder, const OperationId& origin, const FixedIntegers& values,
                const OpenedRecord& record);
FixedIntegers open_record(Responder& responder, const OperationId& origin, const OpenedRecord& record);
/// The state alone, of whichever direction.
OpenedState open_record_of(Responder& responder, const OperationId& place, const OpenedRecord& record);

/// Whether these rows were opened right below the others, in one matrix.
bool follows(const OpenedRows& rows, const OpenedRows& before);

/// An origin within its step as a number: kind of draw, layer, direction, tile. And back.
inline constexpr std::int64_t most_origin_word = (std::int64_t{1} << 40) - 1;
std::int64_t origin_word(const OperationId& origin, RandomnessKind kind);
OperationId origin_of(std::uint32_t step, std::size_t word);

/// Throws the uniform out-of-range Error unless all numbers are below 2^bits in size, in the same steps
/// whatever they are.
void refuse_wider(const FixedIntegers& numbers, std::size_t bits);

}  // namespace smlp
