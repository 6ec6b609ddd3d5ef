// How an evaluator gets at its key holder: by a secret key file, or over the network.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "mlp/program/options.h"
#include "paillier/keys.h"
#include "protocols/channel.h"
#include "protocols/key_holder.h"
#include "protocols/transport/link_speed.h"
#include "protocols/transport/remote_key_holder.h"

namespace smlp {

class KeyHolderAccess {
 public:
  /// Loads the secret key, or the certificates. Throws what `options.check` throws, and Error on the files.
  /// Of several addresses the first that is tried is number `first`, modulo their number.
  KeyHolderAccess(const KeyHolderOptions& options, const std::string& command, std::size_t first = 0);

  /// The keys, where the key holder is in this process.
  const SecretKeys* hosted() const { return secret_ ? &*secret_ : nullptr; }
  /// `remedy` for a value out of range, and what such a session costs with this key holder.
  std::string after_refusal(const std::string& remedy) const;
  /// What was read: never to be written to.
  static std::vector<std::filesystem::path> files(const KeyHolderOptions& options);

  /// A channel to the holder of these keys, who answers these protocols and hands over to the recipient.
  /// `answers` is for a key holder in this process. Throws Error: none can be reached, or one that is has
  /// other keys, does not answer or does not hand over.
  std::unique_ptr<Channel> connect(const PublicKeys& keys, const std::set<std::string>& protocols,
                                   const AnswerRandomness& answers,
                                   const std::optional<Recipient>& recipient = std::nullopt) const;
  /// The way to it, measured: to the first process that answers. Throws Error where none does.
  LinkSpeed link_speed() const;

 private:
  std::vector<KeyHolderLink> links() const;

  KeyHolderOptions options_;
  std::optional<SecretKeys> secret_;
  std::size_t first_;
};

}  // namespace smlp
