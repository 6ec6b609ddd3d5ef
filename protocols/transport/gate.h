// Who calls a key holder, whether the call is let in, and what the log has of it.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "protocols/transport/admission.h"
#include "protocols/transport/grpc_support.h"
#include "protocols/transport/server.h"

namespace smlp {

/// The status of a call that ends by this error.
grpc::Status status_of(const Error& error);
/// The class of refusals that the error is of.
Refusal refusal_of(const Error& error);

/// Thread-safe.
class Gate {
 public:
  explicit Gate(const ServerOptions& options);

  /// Lists other peers from here on.
  void reload(const Party& party);
  /// Fills the record's peer and the ticket. OK, or why there is none, which is recorded.
  grpc::Status admit(const grpc::CallbackServerContext& context, CallRecord& record,
                     Admission::Ticket& ticket);
  /// Records one who is not served. Most of many are only counted: strangers cannot fill a disk. Handshakes
  /// that fail, which anybody can make, take nothing from those who have a certificate.
  void turn_away(CallRecord record);
  /// Records one that was refused, and returns its status.
  grpc::Status refuse(CallRecord& record, const Error& error) const;
  /// Records the last ones that were only counted.
  void record_left_out();
  /// Counts a call and records it.
  void log(const CallRecord& record) const;
  Admission& admission() { return admission_; }
  const Admission& admission() const { return admission_; }

 private:
  /// What may be recorded, and those that were not.
  struct Records {
    TokenBucket allowed;
    std::size_t left_out = 0;
    CallRecord last{};  ///< of those
  };
  /// The name of the caller's certificate that is a peer's. OK, or why the caller is nobody.
  grpc::Status identify(const grpc::CallbackServerContext& context, std::string& peer) const;

  const CallLog log_, count_;
  Admission admission_;
  mutable std::mutex mutex_;                       // of what follows
  std::optional<std::vector<std::string>> peers_;  ///< none without TLS
  Records of_handshakes_;
  Records of_callers_;
  std::optional<HandshakeLog> handshakes_;
};

}  // namespace smlp
