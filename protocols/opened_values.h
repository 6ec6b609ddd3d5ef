// Values that the key holder has opened and that stay opened: x = k - e. The evaluator holds its mask e, and
// k, sealed by the key holder; what works on k and e needs no ciphertext of x.
//
//   opened now      E -> K  [x + e], column-packed, e drawn for it       (K -> E  k = x + e, sealed)
//   opened before   E -> K  k, sealed
// Binding  A state holds one row group. It belongs to its session, keys, numbers, packing and shape, and to
//          its origin: step, layer, direction and tile of the operation that opened it, what e was drawn for
//          and its bits, and the row where the group begins. A request names the origin of what it brings.
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

namespace smlp {

// Evaluator.

/// What a request brings: the evaluator's side of it.
struct Brought {
  IntegerMatrix mask;  ///< e
  std::size_t mask_bits = 0;
  bool now = false;  ///< opened by this request, under a mask drawn at its place
};

/// Adds x to a request and says in its parameters how it comes: as it was opened, or, where it is held as
/// ciphertexts, masked under a draw of this kind, for |x| < 2^(L-1). Throws Error for what was opened at
/// another step or is transposed.
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
/// What such a state is sealed for: `header` is that of a request.
Header opened_context(const Header& header, const OperationId& origin, std::size_t group_rows);
/// The state of a row group, and the values in it, as bytes (masked_values.h). Throws Error unless it says
/// that they are these.
Bytes opened_state(const FixedIntegers& rows, RandomnessKind kind, std::size_t mask_bits,
                   std::size_t first_row);
std::span<const std::uint8_t> values_in(std::span<const std::uint8_t> state, RandomnessKind kind,
                                        std::size_t mask_bits, std::size_t first_row);

}  // namespace smlp
