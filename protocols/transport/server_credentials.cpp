// gRPC reloads certificates through its C interface alone.
#include "protocols/transport/server_credentials.h"

#include <grpc/grpc.h>

#include <utility>

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

}  // namespace smlp
