// Requests that wait for each other.
#include "protocols/call.h"

#include <algorithm>
#include <utility>

#include "paillier/error.h"
#include "protocols/channel.h"
#include "protocols/evaluator.h"

namespace smlp {

namespace {

/// Puts the bytes into a frame at that place.
void put_at(std::size_t at, const Bytes& bytes, Bytes& frame) {
  std::ranges::copy(bytes, frame.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

const Bytes& SealedState::bytes() const {
  if (content_->call) queue_->send();
  if (content_->call) throw Error("a sealed state was lost with the request whose answer would have had it");
  return content_->bytes;
}

Call::Call(const Header& header, const RequestBody& body)
    : protocol_(header.protocol),
      operation_(header.operation),
      frame_(encode_request(header, body.bytes())),
      body_bytes_(body.bytes().size()),
      labels_(body.labels_) {
  await_states(body, frame_.size() - body_bytes_ - body.begins_);
}

Call::Call(RequestBody&& body)
    : protocol_(body.header_.value().protocol),
      operation_(body.header_->operation),
      frame_(std::move(body.bytes_)),
      body_bytes_(frame_.size() - body.begins_),
      labels_(body.labels_) {
  end_frame(body.begins_, frame_);
  await_states(body, 0);
}

/// `before`: what the frame has before the bytes of the body.
void Call::await_states(const RequestBody& body, std::size_t before) {
  for (const auto& [state, at] : body.awaited_) {
    if (state->call)
      references_.push_back({state, before + at});
    else  // it came meanwhile
      put_at(before + at, state->bytes, frame_);
  }
}

std::span<const std::uint8_t> Call::answer_body() const {
  return answer_body_in(answer_);
}

const Digest& Call::request_digest() const {
  if (!request_digest_) throw Error("the digest of a request of " + protocol_ + " was not kept");
  return *request_digest_;
}

void Call::take(std::span<const std::uint8_t> frame, Bytes answer) {
  if (labels_) request_digest_ = sha256(frame);
  answer_ = std::move(answer);
  references_.clear();
  const auto body = answer_body();
  if (expected_) {
    ByteReader reader(body);
    reader.take(*expected_, "a sealed state");
    reader.finish("an answer");
  }
  for (const auto& waiting : states_)
    if (const auto state = waiting.lock()) {
      const auto bytes =
          ByteReader(body.subspan(std::min(state->from, body.size()))).take(state->size, "a sealed state");
      state->bytes.assign(bytes.begin(), bytes.end());
      state->call = nullptr;
    }
  states_.clear();
}

std::shared_ptr<Call> CallQueue::add(const Header& header, const RequestBody& body) {
  return add(Call(header, body));
}

std::shared_ptr<Call> CallQueue::add(RequestBody&& body) {
  return add(Call(std::move(body)));
}

std::shared_ptr<Call> CallQueue::add(Call&& call) {
  if (waiting_.size() == most_chained || waiting_bytes_ > most_chained_bytes) send();
  waiting_bytes_ += call.body_bytes_;
  waiting_.push_back(std::make_shared<Call>(std::move(call)));
  return waiting_.back();
}

std::shared_ptr<void> CallQueue::room_to_follow(std::size_t bytes) {
  if (*following_ + bytes > most_following_bytes) return nullptr;
  *following_ += bytes;
  return {following_.get(), [following = following_, bytes](void*) { *following -= bytes; }};
}

void CallQueue::send() {
  if (waiting_.empty()) return;
  const std::vector<std::shared_ptr<Call>> calls = std::exchange(waiting_, {});
  waiting_bytes_ = 0;
  channel_.send(calls, turn_);
}

}  // namespace smlp
