// gRPC reloads certificates through its C interface alone.
#include "protocols/transport/server_credentials.h"

#include <grpc/grpc.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace smlp {

ReloadableCredentials::ReloadableCredentials(Party party)
    : party_(std::move(party)),
      credentials_(grpc_ssl_server_credentials_create_with_options(
          grpc_ssl_server_credentials_create_options_using_config_fetcher(
              GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, &fetch, this))) {}

ReloadableCredentials::~ReloadableCredentials() {
  grpc_server_credentials_release(credentials_);
}

void ReloadableCredentials::reload(Party party) {
  const std::lock_guard lock(mutex_);
  party_ = std::move(party);
  is_new_ = true;
}

int ReloadableCredentials::AddPortToServer(const std::string& address, grpc_server* server) {
  return grpc_server_add_http2_port(server, address.c_str(), credentials_);
}

grpc_ssl_certificate_config_reload_status ReloadableCredentials::fetch(
    void* self, grpc_ssl_server_certificate_config** config) {
  auto& mine = *static_cast<ReloadableCredentials*>(self);
  const std::lock_guard lock(mine.mutex_);
  if (!mine.is_new_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair{mine.party_.private_key.c_str(), mine.party_.certificate.c_str()};
  *config = grpc_ssl_server_certificate_config_create(mine.party_.authority.c_str(), &pair, 1);
  mine.is_new_ = false;
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

std::string why_not_listening(const Endpoint& endpoint) {
  if (const std::string unknown = why_unknown(endpoint); !unknown.empty()) return unknown;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(endpoint.address().c_str(), endpoint.port.c_str(), &hints, &found) != 0)
    return "its address is not found";
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  std::string why;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const int socket = ::socket(one->ai_family, one->ai_socktype, one->ai_protocol);
    const int on = 1;
    const bool can = socket >= 0 && ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                     ::bind(socket, one->ai_addr, one->ai_addrlen) == 0 && ::listen(socket, 1) == 0;
    const int error = errno;
    if (socket >= 0) ::close(socket);
    if (can) return "";
    switch (error) {
      case EADDRINUSE:
        why = "the port is in use, by another key holder perhaps: end that process or take another port";
        break;
      case EACCES:
        why = "this user may not listen on port " + endpoint.port + ": take one above 1023";
        break;
      case EADDRNOTAVAIL:
        why = endpoint.host + " is no address of this machine: take one of its own, or 0.0.0.0 for all";
        break;
      default:
        why = std::strerror(error);
    }
  }
  return why;
}

}  // namespace smlp
