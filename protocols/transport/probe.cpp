// A TLS client of OpenSSL's, for its words.
#include "protocols/transport/probe.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "paillier/error.h"
#include "protocols/transport/certificates.h"

namespace smlp {

namespace {

template <auto free>
struct Free {
  template <typename Object>
  void operator()(Object* object) const {
    free(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

Certificate read_pem(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

/// The certificates of `party` were checked before.
Context context_of(const Party& party) {
  Context context(SSL_CTX_new(TLS_client_method()));
  const Bio bio(BIO_new_mem_buf(party.private_key.data(), static_cast<int>(party.private_key.size())));
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  const Certificate own = read_pem(party.certificate), authority = read_pem(party.authority);
  if (!context || !key || !own || !authority || SSL_CTX_use_certificate(context.get(), own.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 ||
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.get()) != 1)
    throw Error("the certificates of this party cannot be used; smlp certificates makes new ones");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  return context;
}

/// What OpenSSL, or else the system, said first: the cause.
std::string cause() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (code == 0) {
    if (errno == EAGAIN || errno == EINPROGRESS) return "no answer in time";
    return errno == 0 ? "the connection was closed" : std::strerror(errno);
  }
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

std::string names_of(const SSL* ssl) {
  const Certificate certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return "none";
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  std::string names;
  for (const std::string& name :
       read_certificate({data, static_cast<std::size_t>(size)}, "its certificate").names)
    names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "none" : names;
}

}  // namespace

std::string probe(const Endpoint& endpoint, const Party& party, std::chrono::seconds timeout) {
  const Context context = context_of(party);
  ERR_clear_error();
  const Bio connection(BIO_new_ssl_connect(context.get()));
  SSL* ssl = nullptr;
  if (!connection || BIO_get_ssl(connection.get(), &ssl) != 1)
    throw Error("OpenSSL failed to start a connection");
  const std::string& name = party.peers.front();
  constexpr unsigned char http2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl, http2, sizeof http2);
  SSL_set_tlsext_host_name(ssl, name.c_str());
  SSL_set1_host(ssl, name.c_str());
  SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);  // looked at below
  BIO_set_conn_hostname(connection.get(), endpoint.text().c_str());

  BIO* tcp = BIO_next(connection.get());
  BIO_set_nbio(tcp, 1);
  const std::time_t end = std::time(nullptr) + timeout.count();
  errno = 0;
  while (BIO_do_connect(tcp) != 1)
    if (!BIO_should_retry(tcp) || BIO_wait(tcp, end, 50) != 1) return "unreachable: " + cause();
  int socket = -1;
  BIO_get_fd(tcp, &socket);
  const timeval patience{static_cast<time_t>(timeout.count()), 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  BIO_socket_nbio(socket, 0);
  errno = 0;
  if (SSL_connect(ssl) != 1) return "no TLS 1.3: " + cause();
  switch (const long verdict = SSL_get_verify_result(ssl); verdict) {
    case X509_V_OK:
      break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return "its certificate names " + names_of(ssl) + ", not " + name;
    default:
      return std::string("its certificate is not to be trusted: ") + X509_verify_cert_error_string(verdict);
  }
  char first = 0;
  errno = 0;
  if (SSL_read(ssl, &first, 1) != 1) return "it refuses this party's certificate: " + cause();
  return "";
}

}  // namespace smlp
