// What the key holder must remember between two requests, sealed so that the evaluator can carry it but
// neither read nor change it, nor use it elsewhere. AES-256-GCM under a key derived (HKDF-SHA256) from the
// sealing secret in the key holder's file, the session and a fresh 256-bit salt; the header that made it and
// the tag of the request are bound in.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "paillier/random.h"
#include "paillier/secret_text.h"
#include "protocols/wire.h"

namespace smlp {

/// Bytes that `seal` adds to a plaintext: version, place, salt, request's tag and its own.
inline constexpr std::size_t sealed_overhead = 1 + operation_bytes + 32 + 32 + 16;

using Digest = std::array<std::uint8_t, 32>;
Digest sha256(std::span<const std::uint8_t> bytes);
/// What stands for a frame where nobody but its receiver derives anything from it: a function of its bytes
/// and a secret of the receiver, in a third of the time of SHA-256. GMAC, a universal hash, and a
/// pseudorandom function of that: so of two frames of b blocks both have the same with a probability of
/// (b + 1) / 2^128, whoever chose them (Carter, Wegman 1981).
Digest frame_tag(std::span<const std::uint8_t> frame, const std::array<std::uint8_t, 32>& secret);

/// Seals `state` in the context of `header` (all of it but its parameters) and the tag of `request`. `salt`
/// must be fresh.
Bytes seal(std::span<const std::uint8_t> state, const Header& header, const Digest& request,
           const std::array<std::uint8_t, 32>& sealing_secret, RandomStream& salt);

struct OpenedState {
  OperationId origin;  ///< where it was sealed
  SecretBytes state;
};

/// Opens a sealed state for a request about the same layout, session, keys, numbers, step, layer and tile;
/// the direction may differ (a derivative uses the forward pass's shares). `sealed_by` is the protocol that
/// made it, at stage `sealed_at`. Throws Error with one uniform sentence when anything differs.
OpenedState unseal(std::span<const std::uint8_t> sealed, const Header& header, const std::string& sealed_by,
                   std::uint8_t sealed_at, const std::array<std::uint8_t, 32>& sealing_secret);

}  // namespace smlp
