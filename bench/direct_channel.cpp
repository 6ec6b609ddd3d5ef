// Without a transport.
#include "bench/direct_channel.h"

#include "protocols/key_holder.h"
#include "protocols/registry.h"

namespace smlp::bench {

namespace {

KeyHolderPolicy every_protocol() {
  KeyHolderPolicy policy;
  for (const Descriptor& protocol : registry()) policy.protocols.insert(protocol.wire_name());
  return policy;
}

class DirectChannel : public Channel {
 public:
  explicit DirectChannel(const SecretKeys& keys)
      : key_holder_(keys, every_protocol(), AnswerRandomness::from_system()) {}

 protected:
  Bytes exchange(std::span<const std::uint8_t> frame) override { return key_holder_.answer(frame); }

 private:
  KeyHolder key_holder_;
};

}  // namespace

std::unique_ptr<Channel> direct_channel(const SecretKeys& keys) {
  return std::make_unique<DirectChannel>(keys);
}

}  // namespace smlp::bench
