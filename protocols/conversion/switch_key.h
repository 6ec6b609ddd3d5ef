// Handing a result to the user under the user's own key: neither server sees it, only the user can open it.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "protocols/protocol.h"

namespace smlp {

/// What a request to hand over says that it is for; nullopt for any other request.
std::optional<Purpose> purpose_of(const Header& header);

/// Each packed ciphertext of the evaluator, under the user's key and under randomness that the key holder has
/// not seen. Every slot is masked, filled or not. `user` has at least the sigma of the budget. Takes `most`
/// ciphertexts a round trip, each round trip at a place of its own: `operation` and the layers after it.
/// Throws Error when the user's modulus is too short for the slots (S * slots + 2 bits), when the key holder
/// does not know the user's key or not for this purpose, or when there are no layers left.
std::vector<FreshCiphertext> switch_key(const Evaluator& evaluator, const OperationId& operation,
                                        const PaillierPublicKey& user, Purpose purpose,
                                        const std::vector<Ciphertext>& packed, std::size_t most = max_groups);

}  // namespace smlp
