// Certificates for the parties of one deployment, from an authority made for it alone.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "paillier/secret_text.h"
#include "protocols/transport/party.h"

namespace smlp {

/// A certificate with its private key, PEM.
struct Identity {
  std::string certificate;  ///< and those of the authorities between it and the one that is believed
  SecretText private_key;
};

struct Validity {
  std::chrono::system_clock::time_point from, until;
};

/// Issues certificates. Its private key exists in this object alone and is wiped with it.
class CertificateAuthority {
 public:
  /// A new P-256 key and a certificate over it.
  explicit CertificateAuthority(const Validity& validity);
  ~CertificateAuthority();
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;

  const std::string& certificate() const;
  /// A certificate over a new P-256 key for both ends of a connection, with `name` as its only DNS name.
  /// Throws Error where that is no DNS name.
  Identity issue(const std::string& name, const Validity& validity) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes a folder that `load_party` reads: mode 0700, its private key 0600. Throws Error where one of the
/// files is there already.
void save_party(const std::filesystem::path& folder, const std::string& authority, const Identity& identity,
                const std::vector<std::string>& peers);

/// What a certificate says of itself.
struct CertificateInfo {
  std::string subject{};             ///< "/CN=.."
  std::vector<std::string> names{};  ///< DNS
  Validity validity{};
};
/// Every certificate of a text, at least one. Throws Error, naming `what`, where it is no PEM certificate.
std::vector<CertificateInfo> read_certificates(const std::string& pem, const std::string& what);

/// Which end of a connection a certificate is for.
enum class Use { client, server };

/// The party's own certificate, valid as long as every one on its way to an authority that it believes.
/// Throws Error saying what is wrong: the key is not the certificate's or has a pass phrase, the certificate
/// is not for this use, is not of the authority's, is not valid yet or no more.
CertificateInfo check_identity(const std::string& authority, const Identity& identity, Use use,
                               std::chrono::system_clock::time_point now);

/// load_party, and check_identity on what it holds. Throws the Error of either, naming the folder.
Party load_valid_party(const std::filesystem::path& folder, Use use);

}  // namespace smlp
