// A key holder in the process of the evaluator, through the same calls as on a network.
#pragma once

#include <memory>

#include "protocols/channel.h"
#include "protocols/key_holder.h"
#include "protocols/transport/remote_key_holder.h"
#include "protocols/transport/server.h"

namespace smlp {

/// A server and its only client, over gRPC's in-process transport. Bounds nothing: both ends are in one hand.
class HostedKeyHolder : public Channel {
 public:
  explicit HostedKeyHolder(std::shared_ptr<const KeyHolder> key_holder);

  Bytes exchange(std::span<const std::uint8_t> frame) override { return client_.exchange(frame); }
  std::vector<Bytes> exchange_chain(std::span<ChainedRequest> requests) override {
    return client_.exchange_chain(requests);
  }

 private:
  KeyHolderServer server_;
  RemoteKeyHolder client_;
};

std::unique_ptr<Channel> host_key_holder(std::shared_ptr<const KeyHolder> key_holder);

}  // namespace smlp
