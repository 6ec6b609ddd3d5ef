// X.509 through OpenSSL.
#include "protocols/transport/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "paillier/error.h"
#include "paillier/files.h"
#include "paillier/random.h"
#include "protocols/transport/party.h"

namespace smlp {

namespace {

template <auto free>
struct Free {
  template <typename Object>
  void operator()(Object* object) const {
    free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Store = std::unique_ptr<X509_STORE, Free<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;
using TimePoint = std::chrono::system_clock::time_point;

void check(bool ok, const char* what) {
  if (!ok) throw Error(std::string("OpenSSL failed to ") + what);
}

Key new_key() {
  Key key(EVP_EC_gen("P-256"));
  check(key != nullptr, "make a key for a certificate");
  return key;
}

/// A reading end of a text.
Bio source(const std::string& text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  check(bio != nullptr, "read from memory");
  return bio;
}

/// What was written to a BIO in memory; wiped there.
std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  wipe_memory(data, text.size());
  return text;
}

std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(bio && PEM_write_bio_X509(bio.get(), certificate) == 1, "write a certificate");
  return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "write a private key");
  return text_of(bio.get());
}

void set_serial(X509* certificate) {
  std::array<std::uint8_t, 16> bytes;
  RandomStream random = RandomSource::from_system().stream({});
  random.fill(bytes);
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0x7f) | 0x40);  // positive, of full length
  const std::unique_ptr<BIGNUM, Free<BN_free>> number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  check(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
        "number a certificate");
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
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

Certificate parse_certificate(const std::string& pem, const std::string& what) {
  Certificate certificate(PEM_read_bio_X509(source(pem).get(), nullptr, nullptr, nullptr));
  if (!certificate) throw Error(what + " is no certificate in PEM");
  return certificate;
}

TimePoint time_of(const ASN1_TIME* time) {
  std::tm parts{};
  check(ASN1_TIME_to_tm(time, &parts) == 1, "read the time of a certificate");
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

void write_new(const std::filesystem::path& path, const std::string& text, mode_t mode) {
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

CertificateInfo read_certificate(const std::string& pem, const std::string& what) {
  const Certificate certificate = parse_certificate(pem, what);
  CertificateInfo info;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    info.names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                            static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  info.validity = {time_of(X509_get0_notBefore(certificate.get())),
                   time_of(X509_get0_notAfter(certificate.get()))};
  return info;
}

void check_identity(const std::string& authority, const Identity& identity, TimePoint now) {
  const Certificate issuer = parse_certificate(authority, "authority.pem");
  const Certificate own = parse_certificate(identity.certificate, "certificate.pem");
  const Key key(PEM_read_bio_PrivateKey(source(identity.private_key).get(), nullptr, nullptr, nullptr));
  if (!key) throw Error("private_key.pem is no private key in PEM");
  if (X509_check_private_key(own.get(), key.get()) != 1)
    throw Error("private_key.pem is not the key of certificate.pem");
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  check(store && context && X509_STORE_add_cert(store.get(), issuer.get()) == 1 &&
            X509_STORE_CTX_init(context.get(), store.get(), own.get(), nullptr) == 1,
        "check a certificate");
  X509_STORE_CTX_set_time(context.get(), 0, std::chrono::system_clock::to_time_t(now));
  if (X509_verify_cert(context.get()) != 1)
    throw Error(std::string("certificate.pem is not to be trusted: ") +
                X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
}

}  // namespace smlp
