// What both ends of a connection share: sizes, and gRPC set up once for the process.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace smlp {

/// Largest part of a frame in one message, and largest payload of an echo.
inline constexpr std::size_t largest_part = std::size_t{1} << 20;
/// Largest message of gRPC: a part and what names it.
inline constexpr int largest_message = (1 << 20) + 4096;
/// What may be under way before the other end says that it has it: the usual 64 KiB would make a frame of a
/// megabyte wait for many round trips.
inline constexpr int window_bytes = 4 << 20;
/// Seconds of silence after which a connection is asked whether it lives, and in which it must answer.
inline constexpr int keep_alive_seconds = 20, keep_alive_timeout_seconds = 10;

/// Once for the process: TLS below 1.3 is off for every connection that OpenSSL makes from here on (gRPC 1.51
/// cannot be told), gRPC's own log is silent unless GRPC_VERBOSITY is set, broken connections are mended in
/// the background (GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS unless set), servers get the standard health
/// service.
void prepare_grpc();

/// While it lives, `log` is called with OpenSSL's words for each TLS handshake of this process that fails, in
/// gRPC's threads: gRPC tells of them in its own log alone, and never whose they were. Not where
/// GRPC_VERBOSITY is set, which has gRPC print that log.
class HandshakeLog {
 public:
  using Log = std::function<void(const std::string& cause)>;
  explicit HandshakeLog(Log log);
  HandshakeLog(const HandshakeLog&) = delete;
  HandshakeLog& operator=(const HandshakeLog&) = delete;
  ~HandshakeLog();
  /// A line of gRPC's log.
  static void hear(const std::string& line);

 private:
  Log log_;
};

}  // namespace smlp
