// Certificates and keys in PEM, as OpenSSL's objects.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "protocols/transport/certificates.h"
#include "protocols/transport/party.h"

namespace smlp {

template <auto free>
struct OpenSslFree {
  template <typename Object>
  void operator()(Object* object) const {
    free(object);
  }
};
using OpenSslBio = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;
using OpenSslKey = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using OpenSslCertificate = std::unique_ptr<X509, OpenSslFree<X509_free>>;

/// A reading end of memory that stays.
OpenSslBio read_from(const char* data, std::size_t size);

/// All certificates of a text, at least one, in their order; what else it holds is passed over. Throws Error,
/// naming `what`, where there is none or one cannot be read.
std::vector<OpenSslCertificate> parse_certificates(const std::string& pem, const std::string& what);

/// Throws Error, naming `what`: no private key, or one with a pass phrase, which nobody is asked for.
OpenSslKey parse_private_key(const SecretText& pem, const std::string& what);

/// What the certificate says of itself.
CertificateInfo info_of(const X509* certificate);
/// A certificate, valid as long as every one on its way to an authority.
CertificateInfo info_of(const X509* leaf, const STACK_OF(X509) * chain);

}  // namespace smlp
