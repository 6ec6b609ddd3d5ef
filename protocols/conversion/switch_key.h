// Handing a result to the user under the user's own key: neither server sees it, only the user can open it.
#pragma once

#include <cstddef>
#include <vector>

#include "protocols/protocol.h"

namespace smlp {

/// Each packed ciphertext of the evaluator, under the user's key and under randomness that the key holder has
/// not seen. Every slot is masked, filled or not. `user` has at least the sigma of the budget. Takes `most`
/// ciphertexts a round trip, each round trip at a place of its own: `place` and the layers after it. Throws
/// Error when the user's modulus is too short for the slots (S * slots + 2 bits), when the key holder does
/// not know the user's key, or when there are no layers left.
std::vector<FreshCiphertext> switch_key(const Evaluator& evaluator, const Place& place,
                                        const PaillierPublicKey& user, const std::vector<Ciphertext>& packed,
                                        std::size_t most = max_groups);

}  // namespace smlp
