// The evaluator's end of a connection: a channel to one or several processes of a key holder.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "protocols/channel.h"
#include "protocols/key_holder.h"
#include "protocols/transport/endpoint.h"
#include "protocols/transport/party.h"

namespace grpc {
class Channel;
}

namespace smlp {

class KeyHolderServer;

/// To whom results of a run are handed over.
struct Recipient {
  PublicKeys keys;
  Purpose purpose;
};

/// What a key holder says of itself.
struct KeyHolderInfo {
  std::string program_version;
  Fingerprint key{};
  std::set<std::string> protocols;            ///< wire names of those that it answers
  std::map<Fingerprint, Purposes> user_keys;  ///< to which it hands over
  std::int64_t unix_milliseconds = 0;
  std::uint64_t largest_request = 0;
};

/// One process of a key holder.
class KeyHolderLink {
 public:
  /// Connects at the first call. Throws Error without TLS on an address that is not loopback, and when the
  /// party's peers are not one name, the key holder's.
  KeyHolderLink(const Endpoint& endpoint, const std::optional<Party>& party);
  /// Inside this process.
  explicit KeyHolderLink(const KeyHolderServer& server);
  ~KeyHolderLink();
  KeyHolderLink(KeyHolderLink&&) noexcept;

  /// A status of gRPC.
  struct Outcome {
    bool ok = false;
    bool temporary = false;  ///< the same may succeed later
    bool timed_out = false;
    std::string message;
  };
  /// Throws Error where the other end speaks another version of frames or says nonsense.
  Outcome hello(KeyHolderInfo& info, std::chrono::milliseconds timeout);
  /// Sends `bytes` bytes and has `answer_bytes` (not more) of them sent back; at most 1 MiB.
  Outcome echo(std::size_t bytes, std::size_t answer_bytes, std::chrono::milliseconds timeout);
  /// One request frame, one answer frame of at most `largest_answer` bytes.
  Outcome answer(std::span<const std::uint8_t> frame, std::size_t largest_answer,
                 std::chrono::milliseconds timeout, Bytes& answer);
  const std::string& name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What is missing at a key holder that says this of itself, in a clause that begins with "it"; "" where it
/// hands over to the recipient.
std::string why_not_handed_over(const KeyHolderInfo& info, const Recipient& recipient);

/// How hard to try.
struct Patience {
  std::chrono::milliseconds timeout{600'000};  ///< of one attempt; 0: none
  std::size_t attempts = 30;                   ///< of one request, over all processes
  std::size_t timeouts = 3;                    ///< of those, that may end by the timeout
  std::chrono::milliseconds first_pause{50};   ///< doubled after each round over all processes, up to
  std::chrono::milliseconds longest_pause{5'000};
  std::size_t largest_answer = std::size_t{1} << 31;  ///< bytes of a frame
};

/// Requests go to the processes in turn; one that fails is passed over while others answer. A request that
/// met a failure of the connection is sent again, byte for byte. Refusals are not.
class RemoteKeyHolder : public Channel {
 public:
  explicit RemoteKeyHolder(std::vector<KeyHolderLink> links, const Patience& patience = {});

  /// Asks every process what it is: those that cannot be reached are left for later, as long as one answers.
  /// Throws Error: none can be reached, one has another key, does not answer one of these protocols or does
  /// not hand over to the recipient.
  void check(const Fingerprint& key, const std::set<std::string>& protocols,
             const std::optional<Recipient>& recipient = std::nullopt);
  /// Attempts beyond the first of each request, so far.
  std::size_t retries() const { return retries_; }

  Bytes exchange(std::span<const std::uint8_t> frame) override;
  /// In one frame. Throws Error for more than most_chained.
  std::vector<Bytes> exchange_chain(std::span<ChainedRequest> requests) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Process {
    KeyHolderLink link;
    Clock::time_point rests_until{};
  };
  /// The one whose turn it is, or that rests for the shortest time, and until when.
  std::pair<Process&, Clock::time_point> next_process();

  std::mutex mutex_;  // of what follows but the links, whose calls may go on together
  std::vector<Process> processes_;
  const Patience patience_;
  std::size_t turn_ = 0;
  std::atomic<std::size_t> retries_ = 0;
};

}  // namespace smlp
