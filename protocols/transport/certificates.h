// Certificates for the parties of one deployment, from an authority made for it alone.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace smlp {

/// A certificate with its private key, PEM.
struct Identity {
  std::string certificate;
  std::string private_key;
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
  std::vector<std::string> names;  ///< DNS
  Validity validity;
};
/// Throws Error, naming `what`, where the text is no PEM certificate.
CertificateInfo read_certificate(const std::string& pem, const std::string& what);
/// Throws Error saying what is wrong with a party's own files: the key is not the certificate's, the
/// certificate is not the authority's, is not valid yet or no more.
void check_identity(const std::string& authority, const Identity& identity,
                    std::chrono::system_clock::time_point now);

}  // namespace smlp
