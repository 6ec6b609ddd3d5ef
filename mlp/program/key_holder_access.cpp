// Connecting an evaluator.
#include "mlp/program/key_holder_access.h"

#include <algorithm>

#include "protocols/transport/certificates.h"
#include "protocols/transport/hosted.h"
#include "protocols/transport/lockout.h"

namespace smlp {

namespace {

std::optional<SecretKeys> load(const KeyHolderOptions& options, const std::string& command) {
  options.check(command);
  if (!options.secret_key) return std::nullopt;
  SecretKeys keys = options.pass_phrase.load(*options.secret_key);
  options.strength.check(keys.public_keys(), *options.secret_key);
  return keys;
}

}  // namespace

KeyHolderAccess::KeyHolderAccess(const KeyHolderOptions& options, const std::string& command,
                                 std::size_t first)
    : options_(options), secret_(load(options, command)), first_(first) {}

std::vector<std::filesystem::path> KeyHolderAccess::files(const KeyHolderOptions& options) {
  if (!options.secret_key) return {};
  return {*options.secret_key};
}

std::unique_ptr<Channel> KeyHolderAccess::connect(const PublicKeys& keys,
                                                  const std::set<std::string>& protocols,
                                                  const AnswerRandomness& answers,
                                                  const std::optional<Recipient>& recipient) const {
  if (secret_) {
    KeyHolderPolicy policy{protocols};
    if (recipient) policy.user_keys.emplace_back(recipient->keys.paillier());
    return host_key_holder(std::make_shared<KeyHolder>(*secret_, std::move(policy), answers));
  }
  auto channel =
      std::make_unique<RemoteKeyHolder>(links(), Patience{.timeout = std::chrono::seconds(options_.timeout)});
  channel->check(keys.fingerprint(), protocols, recipient);
  return channel;
}

std::vector<KeyHolderLink> KeyHolderAccess::links() const {
  std::optional<Party> party;
  if (options_.tls) party = load_valid_party(*options_.tls, Use::client);
  std::vector<KeyHolderLink> out;
  std::vector<Endpoint> endpoints = parse_endpoints(*options_.addresses);
  std::ranges::rotate(endpoints, endpoints.begin() + static_cast<std::ptrdiff_t>(first_ % endpoints.size()));
  for (const Endpoint& endpoint : endpoints) out.emplace_back(endpoint, party);
  return out;
}

LinkSpeed KeyHolderAccess::link_speed() const {
  if (secret_) return LinkSpeed::loopback();
  std::vector<KeyHolderLink> all = links();
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    try {
      return measure_link(all[i]);
    } catch (const Error&) {  // the next one may answer
    }
  }
  return measure_link(all.back());
}

std::string KeyHolderAccess::after_refusal(const std::string& remedy) const {
  if (!options_.tls) return remedy;
  return remedy + "; the key holder counts such a session, and serves no more after " +
         std::to_string(Lockout::most_sessions) +
         " until its operator lets this evaluator in again (smlp serve --forgive NAME)";
}

}  // namespace smlp
