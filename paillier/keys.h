// The key bundles of the parties and their JSON files.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "paillier/dgk.h"
#include "paillier/paillier.h"
#include "paillier/sealed_text.h"

namespace smlp {

/// SHA-256 over the canonical form of the public keys; names them in every file and frame.
using Fingerprint = std::array<std::uint8_t, 32>;
std::string to_hex(const Fingerprint& fingerprint);

/// Public halves: for the data owner and the evaluator.
class PublicKeys {
 public:
  PublicKeys(PaillierPublicKey paillier, DgkPublicKey dgk);
  const PaillierPublicKey& paillier() const { return paillier_; }
  const DgkPublicKey& dgk() const { return dgk_; }
  const Fingerprint& fingerprint() const { return fingerprint_; }
  /// The same keys whose re-randomisation is within 2^-sigma of uniform: for a run with masks of this sigma.
  PublicKeys with_sigma(std::size_t sigma) const {
    return {paillier_.with_sigma(sigma), dgk_.with_sigma(sigma)};
  }
  /// Starts to build the tables that randomness comes from, in the background.
  void prepare() const {
    paillier_.prepare();
    dgk_.prepare();
  }

 private:
  PaillierPublicKey paillier_;
  DgkPublicKey dgk_;
  Fingerprint fingerprint_{};
};

/// Secret halves and the sealing secret: for the key holder alone.
class SecretKeys {
 public:
  SecretKeys(PaillierSecretKey paillier, DgkSecretKey dgk, std::array<std::uint8_t, 32> sealing_secret);
  ~SecretKeys();
  SecretKeys(const SecretKeys&) = default;
  SecretKeys& operator=(const SecretKeys&) = delete;
  /// Both cryptosystems with moduli of `bits` bits and a random sealing secret.
  static SecretKeys generate(Variant variant, std::size_t bits, std::size_t subgroup_bits,
                             const RandomSource& random);

  const PaillierSecretKey& paillier() const { return paillier_; }
  const DgkSecretKey& dgk() const { return dgk_; }
  const std::array<std::uint8_t, 32>& sealing_secret() const { return sealing_secret_; }
  const PublicKeys& public_keys() const { return public_keys_; }

 private:
  PaillierSecretKey paillier_;
  DgkSecretKey dgk_;
  std::array<std::uint8_t, 32> sealing_secret_{};
  PublicKeys public_keys_;
};

/// JSON in the style of python-paillier's JWK-like files: base64url integers, a key id, a version. Written
/// whole or not at all (temporary file, fsync, rename); the secret one with mode 0600. Throws Error on any
/// failure.
void save(const PublicKeys& keys, const std::filesystem::path& path);
void save(const SecretKeys& keys, const std::filesystem::path& path);
/// Throws Error naming the file and the field: not JSON, another format or version, bad base64url, sizes out
/// of bounds (n of 512 to 8192 bits), broken relations, fingerprint that does not match; for the secret file
/// also permissions open to group or others.
PublicKeys load_public_keys(const std::filesystem::path& path);
/// Gives a pass phrase. Asked for that of a sealed file alone.
using PassPhrase = std::function<SecretText()>;
SecretKeys load_secret_keys(const std::filesystem::path& path, const PassPhrase& pass_phrase = {});

/// The secret file sealed by a pass phrase. load_secret_keys then throws Error also for another pass phrase.
void save(const SecretKeys& keys, const std::filesystem::path& path, std::string_view pass_phrase,
          ScryptCost cost = {});
/// Writes the file of secret keys at `path` again, sealed by the pass phrase, or in the clear without one:
/// with its owner and mode. Throws Error also where it is a link.
void save_again(const SecretKeys& keys, const std::filesystem::path& path,
                std::optional<std::string_view> pass_phrase, ScryptCost cost = {});
/// The public keys of a sealed file, which need no pass phrase. Throws Error as load_secret_keys does.
PublicKeys load_sealed_public_keys(const std::filesystem::path& path);

/// The content of a public key file as text, for files that carry the key they are under (tables, models,
/// answers).
std::string to_json(const PublicKeys& keys);
/// The inverse, with the checks of load_public_keys; errors name `what`.
PublicKeys public_keys_from_json(std::string_view text, std::string_view what);

}  // namespace smlp
