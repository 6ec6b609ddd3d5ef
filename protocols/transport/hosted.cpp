// Both ends of a connection in one process.
#include "protocols/transport/hosted.h"

namespace smlp {

namespace {

std::vector<KeyHolderLink> links_to(const KeyHolderServer& server) {
  std::vector<KeyHolderLink> links;
  links.emplace_back(server);
  return links;
}

}  // namespace

HostedKeyHolder::HostedKeyHolder(std::shared_ptr<const KeyHolder> key_holder)
    : server_(std::move(key_holder), {.listening = {}, .limits = Limits::none(), .log = {}, .lockout = {}}),
      client_(links_to(server_), {.timeout = {}, .attempts = 1, .largest_answer = SIZE_MAX}) {}

std::unique_ptr<Channel> host_key_holder(std::shared_ptr<const KeyHolder> key_holder) {
  return std::make_unique<HostedKeyHolder>(std::move(key_holder));
}

}  // namespace smlp
