// The counting channel and its in-process pair.
#include "protocols/channel.h"

#include <chrono>

#include "protocols/key_holder.h"

namespace smlp {

Traffic& Traffic::operator+=(const Traffic& other) {
  to_key_holder += other.to_key_holder;
  to_evaluator += other.to_evaluator;
  rounds += other.rounds;
  return *this;
}

Bytes Channel::call(const Header& header, std::span<const std::uint8_t> body) {
  const auto chain = [this](std::span<const std::uint8_t> frame) {
    Bytes link(transcript_.begin(), transcript_.end());
    const Digest digest = sha256(frame);
    link.insert(link.end(), digest.begin(), digest.end());
    transcript_ = sha256(link);
  };
  const Bytes frame = encode_request(header, body);
  chain(frame);
  const auto start = std::chrono::steady_clock::now();
  const Bytes answer_frame = exchange(frame);
  seconds_[header.protocol] +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  chain(answer_frame);
  Bytes answer = decode_answer(answer_frame);
  const Traffic round{body.size(), answer.size(), 1};
  traffic_ += round;
  by_protocol_[header.protocol] += round;
  return answer;
}

Bytes InProcessChannel::exchange(std::span<const std::uint8_t> frame) {
  return key_holder_.answer(frame);
}

}  // namespace smlp
