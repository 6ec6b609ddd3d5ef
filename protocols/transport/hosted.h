// A key holder in the process of the evaluator, through the same calls as on a network.
#pragma once

#include <memory>

#include "protocols/channel.h"
#include "protocols/key_holder.h"

namespace smlp {

/// A channel to this key holder over gRPC's in-process transport. Bounds nothing: both ends are in one hand.
std::unique_ptr<Channel> host_key_holder(std::shared_ptr<const KeyHolder> key_holder);

}  // namespace smlp
