// All traffic between evaluator and key holder goes through one small channel that counts it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "paillier/error.h"
#include "protocols/sealed_state.h"
#include "protocols/turns.h"
#include "protocols/wire.h"

namespace smlp {

class Call;
class KeyHolder;

/// Payload bytes (bodies, not framing) and round trips. Requests that are sent together, and those of the
/// tiles of one operation that are under way together (tiles_together), are one round trip, of the last one's
/// protocol. Bytes are those of the requests one by one; gaps of a chain are sent as zeros.
struct Traffic {
  std::uint64_t to_key_holder = 0;
  std::uint64_t to_evaluator = 0;
  std::uint64_t rounds = 0;

  bool operator==(const Traffic&) const = default;
  Traffic& operator+=(const Traffic& other);
  friend Traffic operator+(Traffic a, const Traffic& b) { return a += b; }
};

/// The key holder refused a value out of range. It names none; the evaluator knows where it asked.
class RangeRefusal : public Error {
 public:
  explicit RangeRefusal(const OperationId& operation);
  const OperationId& operation() const { return operation_; }

 private:
  OperationId operation_;
};

/// The evaluator's end. One request, one answer: a round trip; or several that need not wait for each other.
class Channel {
 public:
  virtual ~Channel() = default;

  /// Sends requests, of which each may await states from the answers to those before it, and gives them their
  /// answers; other tasks may have their turn meanwhile. Throws Error when the key holder refuses one,
  /// RangeRefusal for a value out of range: those before it have their answers. Where an answer was lost that
  /// ended the session, the first of the requests that come again is named.
  void send(std::span<const std::shared_ptr<Call>> calls, const Turn& turn = {});

  const Traffic& traffic() const { return traffic_; }
  const std::map<std::string, Traffic>& traffic_by_protocol() const { return by_protocol_; }
  /// Seconds in which the evaluator did nothing but wait for answers.
  const std::map<std::string, double>& seconds_by_protocol() const { return seconds_; }
  /// From here on: SHA-256 chain over all frames in both directions, requests one by one. A change to the
  /// wire is seen in a seeded test.
  void keep_transcript() { transcript_.emplace(); }
  /// Throws std::bad_optional_access where none is kept.
  const Digest& transcript() const { return transcript_.value(); }

 protected:
  /// Thread-safe: requests of tasks that take turns are under way together.
  virtual Bytes exchange(std::span<const std::uint8_t> frame) = 0;
  /// The answers to requests in this order, up to the first refusal; fills their gaps or leaves them. One
  /// after another, unless a channel knows better.
  virtual std::vector<Bytes> exchange_chain(std::span<ChainedRequest> requests);

 private:
  Traffic traffic_;
  std::map<std::string, Traffic> by_protocol_;
  std::map<std::string, double> seconds_;
  std::optional<Digest> transcript_;
};

/// A connected pair in one process: frames are encoded and decoded as on a network.
class InProcessChannel : public Channel {
 public:
  explicit InProcessChannel(const KeyHolder& key_holder) : key_holder_(key_holder) {}

 protected:
  Bytes exchange(std::span<const std::uint8_t> frame) override;

 private:
  const KeyHolder& key_holder_;
};

}  // namespace smlp
