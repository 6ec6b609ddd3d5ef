// A server and its only client.
#include "protocols/transport/hosted.h"

#include "protocols/transport/remote_key_holder.h"
#include "protocols/transport/server.h"

namespace smlp {

namespace {

std::vector<KeyHolderLink> links_to(const KeyHolderServer& server) {
  std::vector<KeyHolderLink> links;
  links.emplace_back(server);
  return links;
}

class HostedKeyHolder : public Channel {
 public:
  explicit HostedKeyHolder(std::shared_ptr<const KeyHolder> key_holder)
      : server_(std::move(key_holder), {.listening = {}, .limits = Limits::none(), .log = {}, .lockout = {}}),
        client_(links_to(server_), {.timeout = {}, .attempts = 1, .largest_answer = SIZE_MAX}) {}

 protected:
  Bytes exchange(std::span<const std::uint8_t> frame) override { return client_.exchange(frame); }
  std::vector<Bytes> exchange_chain(std::span<ChainedRequest> requests) override {
    return client_.exchange_chain(requests);
  }

 private:
  KeyHolderServer server_;
  RemoteKeyHolder client_;
};

}  // namespace

std::unique_ptr<Channel> host_key_holder(std::shared_ptr<const KeyHolder> key_holder) {
  return std::make_unique<HostedKeyHolder>(std::move(key_holder));
}

}  // namespace smlp
