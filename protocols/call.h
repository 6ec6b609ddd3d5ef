// A request and its answer, and requests that wait for each other.
//
// The answer to some requests is nothing but sealed states (protocols/sealed_state.h), which the evaluator
// only carries. Such a request waits for the next one, and both travel in one round trip. Where a request
// needs a state that is not there yet, its frame has a gap, which the key holder fills from its own answer
// (promise pipelining: Liskov, Shrira 1988).
//
// Views    A filled frame is the request that the evaluator would have sent after the answer, and its hash is
//          that request's. So both parties see what they see of the same requests one by one. What the
//          evaluator derives from a request before it is sent, the label of its choices, has zeros for what
//          is awaited.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocols/opened_rows.h"
#include "protocols/sealed_state.h"
#include "protocols/turns.h"
#include "protocols/wire.h"

namespace smlp {

class CallQueue;
class Channel;
class RequestBody;

/// Of the body of a request that waits.
inline constexpr std::size_t most_waiting_bytes = std::size_t{16} << 20;
/// The same where the answer has more than states, which is in memory with those of the requests that it goes
/// with; and of what is read of it later.
inline constexpr std::size_t most_read_later_bytes = std::size_t{4} << 20;
/// Of requests that will follow on answers which are read later, all together: they go in one frame.
inline constexpr std::size_t most_following_bytes = std::size_t{16} << 20;
/// Of all that waits: where it has more, nothing waits with it.
inline constexpr std::size_t most_chained_bytes = std::size_t{64} << 20;

/// One request, from when it is made until its answer is read.
class Call {
 public:
  bool answered() const { return !answer_.empty(); }
  /// Whether it is short enough: a long one is not worth another copy, nor the wait of its link.
  bool may_wait() const { return body_bytes_ <= most_waiting_bytes; }
  // Of an answered one.
  const Bytes& answer() const { return answer_; }  ///< a frame
  std::span<const std::uint8_t> answer_body() const;
  /// SHA-256 of the frame, for labels: of a request that names a ticket. Error for another one.
  const Digest& request_digest() const;

 private:
  friend class AnswerBody;
  friend class CallQueue;
  friend class Channel;
  friend class SealedState;
  /// Bytes of the frame that are those of a state which is not there yet.
  struct Reference {
    std::shared_ptr<const SealedState::Content> state;
    std::size_t at = 0;
  };
  Call(const Header& header, const RequestBody& body);
  explicit Call(RequestBody&& body);
  void await_states(const RequestBody& body, std::size_t before);
  /// Gives the states that it was asked for their bytes. Throws Error where the answer has others.
  void take(std::span<const std::uint8_t> frame, Bytes answer);

  std::string protocol_;
  OperationId operation_;
  Bytes frame_;  ///< empty once it is sent
  std::size_t body_bytes_;
  std::vector<Reference> references_;
  std::vector<std::weak_ptr<SealedState::Content>> states_;
  std::optional<std::size_t> expected_;  ///< bytes of the answer, where it was read before it came
  bool labels_;                          ///< whether its digest will be asked for
  std::optional<Digest> request_digest_;
  Bytes answer_;
};

/// The requests of one task that were made and not yet sent, at most most_chained. Not thread-safe.
class CallQueue {
 public:
  explicit CallQueue(Channel& channel, Turn turn = {}) : channel_(channel), turn_(turn) {}

  std::shared_ptr<Call> add(const Header& header, const RequestBody& body);
  /// Of a body that was begun with its header.
  std::shared_ptr<Call> add(RequestBody&& body);
  /// Room for a request that will follow on an answer which is read later, as long as what is returned lives;
  /// null where most_following_bytes are taken.
  std::shared_ptr<void> room_to_follow(std::size_t bytes);
  /// Sends what waits, in one round trip, and reads the answers. Throws Error when the key holder refuses
  /// one, RangeRefusal for a value out of range: then that one and those after it are lost.
  void send();

 private:
  std::shared_ptr<Call> add(Call&& call);
  Channel& channel_;
  const Turn turn_;
  std::vector<std::shared_ptr<Call>> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::shared_ptr<std::size_t> following_ = std::make_shared<std::size_t>(0);  ///< bytes
};

}  // namespace smlp
