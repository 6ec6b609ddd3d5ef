// A key holder that answers in the thread that calls it, so that the processor time of both parties is
// counted together.
#pragma once

#include <memory>

#include "protocols/channel.h"

namespace smlp::bench {

/// It answers every protocol.
std::unique_ptr<Channel> direct_channel(const SecretKeys& keys);

}  // namespace smlp::bench
