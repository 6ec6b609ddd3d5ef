// Handing a result to the user under the user's own key: neither server sees it, only the user can open it.
#pragma once

#include <vector>

#include "protocols/protocol.h"

namespace smlp {

/// Each packed ciphertext of the evaluator, under the user's key. Every slot is masked, filled or not. Throws
/// Error when the user's modulus is too short for the slots (S * slots + 2 bits), or when the key holder does
/// not know the user's key.
std::vector<Ciphertext> switch_key(const Evaluator& evaluator, const Place& place,
                                   const PaillierPublicKey& user, const std::vector<Ciphertext>& packed);

}  // namespace smlp
