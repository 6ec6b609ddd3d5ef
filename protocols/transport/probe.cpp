// A TLS client of OpenSSL's, for its words.
#include "protocols/transport/probe.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "paillier/error.h"
#include "protocols/transport/pem.h"

namespace smlp {

namespace {

using Context = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;

/// The certificates of `party` were checked before.
Context context_of(const Party& party) {
  Context context(SSL_CTX_new(TLS_client_method()));
  const OpenSslKey key = parse_private_key(party.private_key, "private_key.pem");
  const auto own = parse_certificates(party.certificate, "certificate.pem");
  bool ok = context && SSL_CTX_use_certificate(context.get(), own.front().get()) == 1 &&
            SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1;
  for (std::size_t i = 1; i < own.size(); ++i)
    ok = ok && SSL_CTX_add1_chain_cert(context.get(), own[i].get()) == 1;
  for (const OpenSslCertificate& one : parse_certificates(party.authority, "authority.pem"))
    ok = ok && X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), one.get()) == 1;
  if (!ok) throw Error("the certificates of this party cannot be used; smlp certificates makes new ones");
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

/// Where it was verified, valid as long as its whole chain is.
CertificateInfo other_end_of(const SSL* ssl) {
  const OpenSslCertificate certificate(SSL_get1_peer_certificate(ssl));
  return certificate ? info_of(certificate.get(), SSL_get0_verified_chain(ssl)) : CertificateInfo{};
}

std::string names_of(const CertificateInfo& certificate) {
  std::string names;
  for (const std::string& name : certificate.names) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "none" : names;
}

}  // namespace

Probed probe(const Endpoint& endpoint, const Party& party, std::chrono::seconds timeout) {
  if (const std::string unknown = why_unknown(endpoint); !unknown.empty()) return {unknown};
  const Context context = context_of(party);
  ERR_clear_error();
  const OpenSslBio connection(BIO_new_ssl_connect(context.get()));
  SSL* ssl = nullptr;
  if (!connection || BIO_get_ssl(connection.get(), &ssl) != 1)
    throw Error("OpenSSL failed to start a connection");
  const std::string& name = party.peers.front();
  constexpr unsigned char http2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl, http2, sizeof http2);
  SSL_set_tlsext_host_name(ssl, name.c_str());
  SSL_set1_host(ssl, name.c_str());
  SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);  // looked at below
  BIO_set_conn_hostname(connection.get(), endpoint.address_text().c_str());

  BIO* tcp = BIO_next(connection.get());
  BIO_set_nbio(tcp, 1);
  const std::time_t end = std::time(nullptr) + timeout.count();
  errno = 0;
  while (BIO_do_connect(tcp) != 1)
    if (!BIO_should_retry(tcp) || BIO_wait(tcp, end, 50) != 1) return {"unreachable: " + cause()};
  int socket = -1;
  BIO_get_fd(tcp, &socket);
  const timeval patience{static_cast<time_t>(timeout.count()), 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  BIO_socket_nbio(socket, 0);
  errno = 0;
  if (SSL_connect(ssl) != 1) return {"no TLS 1.3: " + cause()};
  const CertificateInfo other_end = other_end_of(ssl);
  switch (const long verdict = SSL_get_verify_result(ssl); verdict) {
    case X509_V_OK:
      break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return {"its certificate names " + names_of(other_end) + ", not " + name, other_end};
    default:
      return {std::string("its certificate is not to be trusted: ") + X509_verify_cert_error_string(verdict),
              other_end};
  }
  char first = 0;
  errno = 0;
  if (SSL_read(ssl, &first, 1) != 1) return {"it refuses this party's certificate: " + cause(), other_end};
  return {"", other_end};
}

}  // namespace smlp
