// The counting channel and its in-process pair.
#include "protocols/channel.h"

#include "protocols/evaluator.h"
#include "protocols/key_holder.h"

namespace smlp {

Traffic& Traffic::operator+=(const Traffic& other) {
  to_key_holder += other.to_key_holder;
  to_evaluator += other.to_evaluator;
  rounds += other.rounds;
  return *this;
}

RangeRefusal::RangeRefusal(const OperationId& operation)
    : Error(std::string("the key holder refused: ") + OutOfRange().what()), operation_(operation) {}

Bytes Channel::call(const Header& header, const RequestBody& body, const Turn& turn) {
  const auto chain = [this](std::span<const std::uint8_t> frame) {
    Bytes link(transcript_.begin(), transcript_.end());
    const Digest digest = sha256(frame);
    link.insert(link.end(), digest.begin(), digest.end());
    transcript_ = sha256(link);
  };
  const Bytes frame = encode_request(header, body.bytes());
  chain(frame);
  Bytes answer_frame;
  seconds_[header.protocol] += turn.pass_while([&] { answer_frame = exchange(frame); });
  chain(answer_frame);
  if (refusal_in(answer_frame) == OutOfRange().what()) throw RangeRefusal(header.operation);
  Bytes answer = decode_answer(answer_frame);
  const Traffic round{body.bytes().size(), answer.size(), header.operation.tile == 0 ? 1U : 0U};
  traffic_ += round;
  by_protocol_[header.protocol] += round;
  return answer;
}

Bytes InProcessChannel::exchange(std::span<const std::uint8_t> frame) {
  return key_holder_.answer(frame);
}

}  // namespace smlp
