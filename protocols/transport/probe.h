// Looks at the other end of a connection step by step, to say which of them fails. gRPC tells no more than
// that one did.
#pragma once

#include <chrono>
#include <string>

#include "protocols/transport/certificates.h"
#include "protocols/transport/endpoint.h"
#include "protocols/transport/party.h"

namespace smlp {

/// What is wrong, in one clause, and the certificate that was shown.
struct Probed {
  std::string fault{};  ///< "" where all is well
  CertificateInfo other_end{};
};

/// Connects, shakes hands under TLS 1.3 with this party's certificate, and waits for the other end's first
/// byte, each within `timeout`. Faults: a host that is unknown, unreachable, no TLS, a certificate that is
/// expired, not yet valid, of another authority or under other names than the party's peer, or this party's
/// certificate refused.
Probed probe(const Endpoint& endpoint, const Party& party, std::chrono::seconds timeout);

}  // namespace smlp
