// From several values a ciphertext to one: how protocols of the paper work on a table that was packed.
#pragma once

#include "protocols/protocol.h"

namespace smlp {

/// The cells of a matrix, row-major, one value a ciphertext, from its `column_packed` packing. |x| < 2^(l +
/// guard).
std::vector<Ciphertext> unpack_cells(const Evaluator& evaluator, const OperationId& operation,
                                     const std::vector<Ciphertext>& column_packed, const Layout& layout);

/// The same matrix with one value a ciphertext; no round trip when it is that already.
EncryptedMatrix unpack_matrix(const Evaluator& evaluator, const OperationId& operation,
                              const EncryptedMatrix& x);

}  // namespace smlp
