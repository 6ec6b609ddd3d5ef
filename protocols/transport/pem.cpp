// Reading PEM.
#include "protocols/transport/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <algorithm>

#include <array>
#include <ctime>

#include "paillier/error.h"

namespace smlp {

namespace {

using Names = std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>>;

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) throw Error("OpenSSL failed to read the time of a certificate");
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

/// Notes that a pass phrase was asked for, and gives none.
int no_pass_phrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

OpenSslBio read_from(const char* data, std::size_t size) {
  OpenSslBio bio(BIO_new_mem_buf(data, static_cast<int>(size)));
  if (size > std::size_t{1} << 30 || !bio) throw Error("OpenSSL failed to read from memory");
  return bio;
}

std::vector<OpenSslCertificate> parse_certificates(const std::string& pem, const std::string& what) {
  const OpenSslBio source = read_from(pem.data(), pem.size());
  std::vector<OpenSslCertificate> out;
  for (;;) {
    ERR_clear_error();
    OpenSslCertificate one(PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr));
    if (!one) break;
    out.push_back(std::move(one));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (out.empty()) throw Error(what + " is no certificate in PEM");
  if (!at_end)
    throw Error(what + " has a certificate that cannot be read, number " + std::to_string(out.size() + 1));
  return out;
}

OpenSslKey parse_private_key(const SecretText& pem, const std::string& what) {
  bool asked = false;
  OpenSslKey key(
      PEM_read_bio_PrivateKey(read_from(pem.data(), pem.size()).get(), nullptr, no_pass_phrase, &asked));
  ERR_clear_error();
  if (asked)
    throw Error(what + " has a pass phrase, which nobody is asked for: openssl pkey -in " + what +
                " -out NEW takes it off; keep the new file with mode 0600");
  if (!key) throw Error(what + " is no private key in PEM");
  return key;
}

CertificateInfo info_of(const X509* certificate) {
  CertificateInfo info;
  const Names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    info.names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                            static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  std::array<char, 256> subject{};
  X509_NAME_oneline(X509_get_subject_name(certificate), subject.data(), static_cast<int>(subject.size()));
  info.subject = subject.data();
  info.validity = {time_of(X509_get0_notBefore(certificate)), time_of(X509_get0_notAfter(certificate))};
  return info;
}

CertificateInfo info_of(const X509* leaf, const STACK_OF(X509) * chain) {
  CertificateInfo info = info_of(leaf);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const Validity validity = info_of(sk_X509_value(chain, i)).validity;
    info.validity.from = std::max(info.validity.from, validity.from);
    info.validity.until = std::min(info.validity.until, validity.until);
  }
  return info;
}

}  // namespace smlp
