// The key holder's end of a connection: a gRPC server around a KeyHolder, on a port or inside the process.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/key_holder.h"
#include "protocols/transport/admission.h"
#include "protocols/transport/endpoint.h"
#include "protocols/transport/lockout.h"
#include "protocols/transport/party.h"

namespace grpc {
class Channel;
}

namespace smlp {

/// Where a server listens.
struct Listening {
  Endpoint endpoint;           ///< port 0: a free one
  std::optional<Party> party;  ///< none: without TLS, on a loopback address alone
};

/// Why a call got no answer, in classes.
enum class Refusal : std::uint8_t {
  none,          ///< it got one
  busy,          ///< bounds on calls, rate and memory: it may come again
  handshake,     ///< no certificate of the authority, or no TLS
  invalid,       ///< what it asks for is not answered: a protocol, a key, a version, a shape
  locked_out,    ///< too many sessions of this name ended by a value out of range
  not_served,    ///< the name is no peer's
  out_of_range,  ///< a masked value, in this or an earlier request of the session
  too_large,     ///< takes more memory than there will ever be
  unfinished,    ///< request or answer did not arrive whole: cancelled, cut off, or too slow
};
inline constexpr Refusal all_refusals[] = {Refusal::busy,       Refusal::handshake,  Refusal::invalid,
                                           Refusal::locked_out, Refusal::not_served, Refusal::out_of_range,
                                           Refusal::too_large,  Refusal::unfinished};
/// "busy", "out_of_range", ..; "" for none.
std::string_view name(Refusal refusal);

/// One call that was dealt with. Never a value.
struct CallRecord {
  std::string what;               ///< "request", "hello", "echo", "handshake"
  std::string peer;               ///< a name of its certificate, "local" without TLS, else its address or ""
  Header header{};                ///< empty where the frame has none that can be read
  std::size_t request_bytes = 0;  ///< of the frame
  std::size_t answer_bytes = 0;   ///< of the frame
  double seconds = 0;             ///< of computing
  std::string refusal{};          ///< empty: answered
  Refusal reason = Refusal::none;
  bool turned_away = false;  ///< nobody whom this key holder serves
  std::size_t left_out = 0;  ///< callers turned away before this one without a record of their own
};
/// Called from several threads.
using CallLog = std::function<void(const CallRecord&)>;

struct ServerOptions {
  std::optional<Listening> listening;  ///< none: only inside this process
  Limits limits;
  CallLog log;                       ///< of many that are turned away, some alone
  CallLog count{};                   ///< every call at once, before `log`; `left_out` is 0
  std::shared_ptr<Lockout> lockout;  ///< none: sessions that end are not counted
};

class KeyHolderServer {
 public:
  /// Serves from here on. Throws Error: an address that cannot be had, certificates that do not fit, no TLS
  /// on an address that is not loopback.
  KeyHolderServer(std::shared_ptr<const KeyHolder> key_holder, ServerOptions options);
  KeyHolderServer(const KeyHolderServer&) = delete;
  KeyHolderServer& operator=(const KeyHolderServer&) = delete;
  /// Cancels what is in progress.
  ~KeyHolderServer();

  /// From here on requests are answered by this key holder, and connections are made with this party's
  /// certificates. Those that are made stay, but callers that the party does not list are refused.
  void reload(std::shared_ptr<const KeyHolder> key_holder, const std::optional<Party>& party);
  /// Accepts nothing more, and ends after the requests in progress, or after `grace` without them.
  void shut_down(std::chrono::milliseconds grace);
  /// The port, where it listens.
  int port() const;
  /// A connection inside this process.
  std::shared_ptr<grpc::Channel> connect_inside() const;
  /// Bytes granted to calls at this moment.
  std::size_t memory_held() const;

 private:
  class Service;
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace smlp
