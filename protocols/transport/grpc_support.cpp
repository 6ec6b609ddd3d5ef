// gRPC and OpenSSL, set up once.
#include "protocols/transport/grpc_support.h"

#include <grpc/support/log.h>
#include <grpcpp/health_check_service_interface.h>
#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>

#include "paillier/error.h"

namespace smlp {

namespace {

/// gRPC asks for TLS 1.2 or newer when it makes a context; the system-wide default of OpenSSL is what can say
/// otherwise.
void allow_tls_1_3_alone() {
  constexpr std::string_view text =
      "smlp = modules\n[modules]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\n"
      "Protocol = -ALL, TLSv1.3\n";
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG,
                   nullptr);  // the system's own first, so that it does not come after
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  const std::unique_ptr<CONF, decltype(&NCONF_free)> conf(NCONF_new(nullptr), &NCONF_free);
  if (!bio || !conf || NCONF_load_bio(conf.get(), bio.get(), nullptr) <= 0 ||
      CONF_modules_load(conf.get(), "smlp", 0) <= 0)
    throw Error("OpenSSL cannot be told to speak TLS 1.3 alone");
}

/// gRPC's log is the process's, and so are those who listen to it.
struct Listeners {
  std::mutex mutex;
  std::set<const HandshakeLog*> logs;
};

Listeners& listeners() {
  static Listeners instance;
  return instance;
}

}  // namespace

/// "Handshake failed with fatal error SSL_ERROR_SSL: error:0A000086:SSL routines::certificate verify
/// failed."
void HandshakeLog::hear(const std::string& line) {
  if (!line.starts_with("Handshake failed with fatal error")) return;
  const std::size_t colons = line.rfind("::");
  std::string cause = line.substr(colons == std::string::npos ? 0 : colons + 2);
  if (cause.ends_with('.')) cause.pop_back();
  const std::lock_guard lock(listeners().mutex);
  for (const HandshakeLog* one : listeners().logs) one->log_(cause);
}

HandshakeLog::HandshakeLog(Log log) : log_(std::move(log)) {
  const std::lock_guard lock(listeners().mutex);
  listeners().logs.insert(this);
}

HandshakeLog::~HandshakeLog() {
  const std::lock_guard lock(listeners().mutex);
  listeners().logs.erase(this);
}

void prepare_grpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    allow_tls_1_3_alone();
    // Connections are made only while somebody waits for a call, and by a poll at this interval (5 s unless
    // set): a call on a broken connection does not wait, and would find it unmade again and again.
    ::setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "50", 0);
    if (std::getenv("GRPC_VERBOSITY") == nullptr)
      gpr_set_log_function([](gpr_log_func_args* said) { HandshakeLog::hear(said->message); });
    grpc::EnableDefaultHealthCheckService(true);
  });
}

}  // namespace smlp
