// The affine masking of the paper's comparison, shared by `affine` and `max`. LEAKS the order and the scale
// to the key holder.
#pragma once

#include "protocols/protocol.h"

namespace smlp {

inline constexpr Leakage affine_leakage{
    "to the key holder: the sign of every compared value, whether it is 0, and a random multiple of it "
    "(size, divisors)",
    [](const IntegerMatrix& z, const IntegerMatrix&) { return z.cells(); }};

/// Evaluator: [rho z + r] and [r], re-randomised.
RequestBody affine_request(const Evaluator& evaluator, const OperationId& operation,
                           const EncryptedMatrix& z);

/// Key holder: opens both and compares; bit = [z >= 0].
Matrix<std::uint8_t> open_affine_signs(Responder& responder);

/// The request; the answer differs.
Declaration declared_affine(const Layout& z, const BitBudget& budget);

}  // namespace smlp
