// All traffic between evaluator and key holder goes through one small channel that counts it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "paillier/error.h"
#include "protocols/sealed_state.h"
#include "protocols/turns.h"
#include "protocols/wire.h"

namespace smlp {

class KeyHolder;
class RequestBody;

/// Payload bytes (bodies, not framing) and round trips. The requests of the tiles of one operation are under
/// way together: one round trip.
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

/// The evaluator's end. One request, one answer: a round trip.
class Channel {
 public:
  virtual ~Channel() = default;

  /// Sends a request and returns the body of the answer; others may have their turn meanwhile. Throws Error
  /// when the key holder refuses, RangeRefusal for a value out of range.
  Bytes call(const Header& header, const RequestBody& body, const Turn& turn = {});

  const Traffic& traffic() const { return traffic_; }
  const std::map<std::string, Traffic>& traffic_by_protocol() const { return by_protocol_; }
  /// Seconds in which the evaluator did nothing but wait for answers.
  const std::map<std::string, double>& seconds_by_protocol() const { return seconds_; }
  /// SHA-256 chain over all frames in both directions: a change to the wire is seen in a seeded test.
  const Digest& transcript() const { return transcript_; }

 protected:
  /// Thread-safe: requests of tasks that take turns are under way together.
  virtual Bytes exchange(std::span<const std::uint8_t> frame) = 0;

 private:
  Traffic traffic_;
  std::map<std::string, Traffic> by_protocol_;
  std::map<std::string, double> seconds_;
  Digest transcript_{};
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
