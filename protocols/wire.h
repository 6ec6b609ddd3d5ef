// Frames between evaluator and key holder: bounded reading, exact writing. Little-endian, fixed width.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "paillier/keys.h"
#include "protocols/bit_budget.h"
#include "protocols/encrypted_matrix.h"
#include "protocols/operation_id.h"

namespace smlp {

using SessionId = std::array<std::uint8_t, 16>;
/// Enough of a session to tell it from others: 8 hexadecimal digits.
std::string short_text(const SessionId& session);

/// Reads a byte string from its start; every read is checked. Throws Error "a frame is truncated at NAME".
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}
  std::span<const std::uint8_t> take(std::size_t count, std::string_view what);
  std::uint64_t number(std::size_t width, std::string_view what);
  std::size_t remaining() const { return rest_.size(); }
  /// Throws Error unless everything was read.
  void finish(std::string_view what) const;

 private:
  std::span<const std::uint8_t> rest_;
};

void append_number(std::uint64_t value, std::size_t width, Bytes& out);

/// Most groups on an axis of what a request is about.
inline constexpr std::size_t max_groups = 65536;

/// Bytes of an operation.
inline constexpr std::size_t operation_bytes = 8;
void append_operation(const OperationId& operation, Bytes& out);
OperationId read_operation(ByteReader& reader);

/// What a request is about. Public to both parties; counted as framing, not as payload.
struct Header {
  std::string protocol;    ///< registered name
  std::uint8_t stage = 0;  ///< which message of the protocol
  SessionId session{};
  Fingerprint key{};
  OperationId operation;
  Numbers numbers;
  std::uint32_t max_inner = 0;
  std::uint32_t slots = 0;
  Layout layout;                         ///< of the protocol's main operand or result
  std::vector<std::int64_t> parameters;  ///< public numbers, in an order that the protocol's file states

  bool operator==(const Header&) const = default;
  void append(Bytes& out) const;
  /// Throws Error on truncation, a name of more than 64 characters, more than 65,536 groups or
  /// 32,768 parameters, a group of 0 or more than 4,096 cells, or more than 2^24 cells in all.
  static Header read(ByteReader& reader);
};

/// Format version of frames and sealed states; another one is refused.
inline constexpr std::uint8_t wire_version = 7;

Bytes encode_request(const Header& header, std::span<const std::uint8_t> body);
/// What comes before the body of a request.
Bytes begin_request(const Header& header);
/// The size of a body that begins there, once it is in the frame.
void end_frame(std::size_t body_begins, Bytes& frame);
struct Request {
  Header header;
  Bytes body;
};
Request decode_request(std::span<const std::uint8_t> frame);
/// The same in place.
struct RequestView {
  Header header;
  std::span<const std::uint8_t> body, frame;
};
RequestView view_request(std::span<const std::uint8_t> frame);
/// The header alone, with its checks.
Header read_request_header(std::span<const std::uint8_t> frame);

/// Bytes of a request that the body of an earlier answer has.
struct Gap {
  std::size_t answer = 0;        ///< which one
  std::size_t from = 0, at = 0;  ///< where in its body, and where in the frame of the request
  std::size_t size = 0;
};
/// A request whose frame may have gaps.
struct ChainedRequest {
  Bytes frame;
  std::vector<Gap> gaps;
};
/// Most requests of a chain.
inline constexpr std::size_t most_chained = 192;
/// Fills the gaps, in the order of their places, from the answers, frames, to the requests before it. Throws
/// Error where they have no such bytes, or the request no such place.
void fill_gaps(ChainedRequest& request, std::span<const Bytes> answers);

/// Requests, at least two, to be answered in this order, in one frame.
Bytes encode_chain(std::span<const ChainedRequest> requests);
bool is_chain(std::span<const std::uint8_t> frame);
std::vector<ChainedRequest> decode_chain(std::span<const std::uint8_t> frame);
/// The answers to them, frames, of which the last may be a refusal: those after it have none.
Bytes encode_chain_answer(std::span<const Bytes> answers);
/// The inverse, for so many requests; a refusal of the whole chain is one answer.
std::vector<Bytes> decode_chain_answer(std::span<const std::uint8_t> frame, std::size_t requests);

/// An answer is a body, or a refusal in one sentence.
/// What comes before a body; its size is said at last (end_frame).
Bytes begin_answer();
Bytes encode_refusal(std::string_view sentence);
/// The body; throws Error("the key holder refused: ...") for a refusal.
Bytes decode_answer(std::span<const std::uint8_t> frame);
/// The same in place.
std::span<const std::uint8_t> answer_body_in(std::span<const std::uint8_t> frame);
/// The sentence of a refusal; "" for an answer.
std::string refusal_in(std::span<const std::uint8_t> frame);

}  // namespace smlp
