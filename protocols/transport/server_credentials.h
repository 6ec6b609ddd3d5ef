// What a key holder shows to callers and asks of them, replaced without a stop.
#pragma once

#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <mutex>
#include <string>

#include "protocols/transport/party.h"

namespace smlp {

/// TLS with certificates on both sides. gRPC asks at each new connection whether the certificates are still
/// the same; connections that are made keep what they were made with.
class ReloadableCredentials final : public grpc::ServerCredentials {
 public:
  explicit ReloadableCredentials(Party party);
  ReloadableCredentials(const ReloadableCredentials&) = delete;
  ReloadableCredentials& operator=(const ReloadableCredentials&) = delete;
  ~ReloadableCredentials() override;
  /// For connections from here on.
  void reload(Party party);
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override;
  static grpc_ssl_certificate_config_reload_status fetch(void* self,
                                                         grpc_ssl_server_certificate_config** config);
  std::mutex mutex_;
  Party party_;
  bool is_new_ = true;
  grpc_server_credentials* credentials_;
};

}  // namespace smlp
