// X.509 through OpenSSL.
#include "protocols/transport/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "paillier/error.h"
#include "paillier/files.h"
#include "paillier/random.h"
#include "protocols/transport/pem.h"

namespace smlp {

namespace {

using Key = OpenSslKey;
using Certificate = OpenSslCertificate;
using Bio = OpenSslBio;
using Store = std::unique_ptr<X509_STORE, OpenSslFree<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, OpenSslFree<X509_STORE_CTX_free>>;
using TimePoint = std::chrono::system_clock::time_point;

void free_stack(STACK_OF(X509) * stack) {
  sk_X509_free(stack);
}

void check(bool ok, const char* what) {
  if (!ok) throw Error(std::string("OpenSSL failed to ") + what);
}

Key new_key() {
  Key key(EVP_EC_gen("P-256"));
  check(key != nullptr, "make a key for a certificate");
  return key;
}

/// What was written to a BIO in memory; wiped there.
template <typename Text>
Text text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  Text text(data, static_cast<std::size_t>(size));
  wipe_memory(data, text.size());
  return text;
}

std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(bio && PEM_write_bio_X509(bio.get(), certificate) == 1, "write a certificate");
  return text_of<std::string>(bio.get());
}

SecretText pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "write a private key");
  return text_of<SecretText>(bio.get());
}

void set_serial(X509* certificate) {
  std::array<std::uint8_t, 16> bytes;
  RandomStream random = RandomSource::from_system().stream({});
  random.fill(bytes);
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0x7f) | 0x40);  // positive, of full length
  const std::unique_ptr<BIGNUM, OpenSslFree<BN_free>> number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  check(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
        "number a certificate");
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, OpenSslFree<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  check(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "extend a certificate");
}

/// Everything but extensions, issuer and signature.
Certificate unsigned_certificate(const std::string& name, EVP_PKEY* key, const Validity& validity) {
  Certificate certificate(X509_new());
  check(certificate != nullptr, "make a certificate");
  set_serial(certificate.get());
  const auto seconds = [](TimePoint time) { return std::chrono::system_clock::to_time_t(time); };
  check(X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
            ASN1_TIME_set(X509_getm_notBefore(certificate.get()), seconds(validity.from)) != nullptr &&
            ASN1_TIME_set(X509_getm_notAfter(certificate.get()), seconds(validity.until)) != nullptr &&
            X509_set_pubkey(certificate.get(), key) == 1 &&
            X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) == 1,
        "fill a certificate");
  return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  check(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1, "name an issuer");
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  check(X509_sign(certificate, key, EVP_sha256()) > 0, "sign a certificate");
}

void write_new(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  if (std::filesystem::exists(std::filesystem::symlink_status(path)))
    throw Error(path.string() + " exists: certificates are never overwritten");
  write_file_atomically(path, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, mode);
}

}  // namespace

struct CertificateAuthority::State {
  Key key;
  Certificate certificate;
  std::string pem;
};

CertificateAuthority::CertificateAuthority(const Validity& validity) : state_(std::make_unique<State>()) {
  state_->key = new_key();
  state_->certificate = unsigned_certificate("SMLP deployment authority", state_->key.get(), validity);
  X509* self = state_->certificate.get();
  add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(self, self, NID_key_usage, "critical,keyCertSign");
  sign(self, self, state_->key.get());
  state_->pem = pem_of(self);
}

CertificateAuthority::~CertificateAuthority() = default;

const std::string& CertificateAuthority::certificate() const {
  return state_->pem;
}

Identity CertificateAuthority::issue(const std::string& name, const Validity& validity) const {
  check_party_name(name);
  const Key key = new_key();
  const Certificate certificate = unsigned_certificate(name, key.get(), validity);
  X509* issuer = state_->certificate.get();
  add_extension(certificate.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(certificate.get(), issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  add_extension(certificate.get(), issuer, NID_subject_alt_name, "DNS:" + name);
  sign(certificate.get(), issuer, state_->key.get());
  return {pem_of(certificate.get()), pem_of(key.get())};
}

void save_party(const std::filesystem::path& folder, const std::string& authority, const Identity& identity,
                const std::vector<std::string>& peers) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    throw Error("cannot make the directory " + folder.string() + ": " + std::strerror(errno));
  write_new(folder / "private_key.pem", identity.private_key, 0600);
  write_new(folder / "certificate.pem", identity.certificate, 0644);
  write_new(folder / "authority.pem", authority, 0644);
  write_new(folder / "peers.json", peers_json(peers), 0644);
}

std::vector<CertificateInfo> read_certificates(const std::string& pem, const std::string& what) {
  std::vector<CertificateInfo> out;
  for (const Certificate& one : parse_certificates(pem, what)) out.push_back(info_of(one.get()));
  return out;
}

CertificateInfo check_identity(const std::string& authority, const Identity& identity, Use use,
                               TimePoint now) {
  const std::vector<Certificate> issuers = parse_certificates(authority, "authority.pem");
  const std::vector<Certificate> own = parse_certificates(identity.certificate, "certificate.pem");
  const Key key = parse_private_key(identity.private_key, "private_key.pem");
  X509* leaf = own.front().get();
  if (X509_check_private_key(leaf, key.get()) != 1)
    throw Error("private_key.pem is not the key of certificate.pem" +
                std::string(own.size() > 1 ? ", whose own certificate comes first" : ""));
  const bool client = use == Use::client;
  const int purpose = client ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER;
  if (X509_check_purpose(leaf, purpose, 0) != 1)
    throw Error(std::string("certificate.pem is not for ") + (client ? "clients" : "servers") +
                ": its authority is to issue one whose extended key usage has " +
                (client ? "clientAuth" : "serverAuth"));
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  const std::unique_ptr<STACK_OF(X509), OpenSslFree<free_stack>> between(sk_X509_new_null());
  bool ok = store && context && between;
  for (const Certificate& one : issuers) ok = ok && X509_STORE_add_cert(store.get(), one.get()) == 1;
  for (const Certificate& one : own) ok = ok && sk_X509_push(between.get(), one.get()) > 0;
  check(ok && X509_STORE_CTX_init(context.get(), store.get(), leaf, between.get()) == 1 &&
            X509_STORE_CTX_set_purpose(context.get(), purpose) == 1,
        "check a certificate");
  X509_STORE_CTX_set_time(context.get(), 0, std::chrono::system_clock::to_time_t(now));
  if (X509_verify_cert(context.get()) != 1)
    throw Error(std::string("certificate.pem is not to be trusted: ") +
                X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  return info_of(leaf, X509_STORE_CTX_get0_chain(context.get()));
}

Party load_valid_party(const std::filesystem::path& folder, Use use) {
  Party party = load_party(folder);
  try {
    check_identity(party.authority, {party.certificate, party.private_key}, use,
                   std::chrono::system_clock::now());
  } catch (const Error& error) {
    throw Error(folder.string() + ": " + error.what());
  }
  return party;
}

}  // namespace smlp
