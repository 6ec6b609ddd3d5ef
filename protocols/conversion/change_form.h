// From ciphertexts to opened values and back.
#pragma once

#include "protocols/protocol.h"

namespace smlp {

/// The same matrix, opened under one mask: of ciphertexts, or of a sum of opened values. In one round trip,
/// and in none where it is that already.
EncryptedMatrix open_matrix(const Evaluator& evaluator, const OperationId& operation,
                            const EncryptedMatrix& x);
/// As ciphertexts in both packings. In one round trip, and in none where it has them.
EncryptedMatrix close_matrix(const Evaluator& evaluator, const OperationId& operation,
                             const EncryptedMatrix& x);

}  // namespace smlp
