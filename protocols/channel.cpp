// The counting channel and its in-process pair.
#include "protocols/channel.h"

#include <algorithm>

#include "paillier/error.h"
#include "protocols/call.h"
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

void Channel::send(std::span<const std::shared_ptr<Call>> calls, const Turn& turn) {
  std::vector<ChainedRequest> requests;
  for (const auto& call : calls) {
    requests.push_back({std::move(call->frame_), {}});
    for (const Call::Reference& reference : call->references_) {
      const auto& state = *reference.state;
      const auto answer = std::ranges::find(calls, state.call);
      if (!state.call)  // it came meanwhile
        std::ranges::copy(state.bytes,
                          requests.back().frame.begin() + static_cast<std::ptrdiff_t>(reference.at));
      else if (answer == calls.end())
        throw Error("a request needs a state that was lost with another request");
      else
        requests.back().gaps.push_back(
            {static_cast<std::size_t>(answer - calls.begin()), state.from, reference.at, state.size});
    }
  }
  const std::string& protocol = calls.back()->protocol_;
  std::vector<Bytes> answers;
  seconds_[protocol] += turn.pass_while([&] {
    if (requests.size() == 1)
      answers.push_back(exchange(requests.front().frame));
    else
      answers = exchange_chain(requests);
  });
  const auto transcribe = [this](std::span<const std::uint8_t> frame) {
    if (!transcript_) return;
    const Digest digest = sha256(frame);
    Bytes link(transcript_->begin(), transcript_->end());
    link.insert(link.end(), digest.begin(), digest.end());
    transcript_ = sha256(link);
  };
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Call& call = *calls[i];
    fill_gaps(requests[i], std::span(answers).first(i));
    transcribe(requests[i].frame);
    transcribe(answers[i]);
    if (refusal_in(answers[i]) == OutOfRange().what()) throw RangeRefusal(call.operation_);
    const Traffic round{call.body_bytes_, answer_body_in(answers[i]).size(),
                        &call == calls.back().get() && call.operation_.tile % tiles_together == 0 ? 1U : 0U};
    traffic_ += round;
    by_protocol_[call.protocol_] += round;
    const bool last = i + 1 == answers.size();
    call.take(requests[i].frame, last ? std::move(answers[i]) : Bytes(answers[i]));
  }
}

std::vector<Bytes> Channel::exchange_chain(std::span<ChainedRequest> requests) {
  std::vector<Bytes> answers;
  for (ChainedRequest& request : requests) {
    fill_gaps(request, answers);
    request.gaps.clear();
    answers.push_back(exchange(request.frame));
    if (!refusal_in(answers.back()).empty()) break;
  }
  return answers;
}

Bytes InProcessChannel::exchange(std::span<const std::uint8_t> frame) {
  return key_holder_.answer(frame);
}

}  // namespace smlp
