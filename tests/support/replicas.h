// Key holders of one key file behind a channel that loses answers, and replays. Toy keys.
#pragma once

#include <cstring>
#include <functional>
#include <mutex>
#include <vector>

#include "protocols/channel.h"
#include "protocols/key_holder.h"
#include "protocols/oblivious_transfer/session.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/toy_keys.h"

namespace smlp::testing {

/// A request, or a chain, goes to a key holder of its own, as if the last one was killed after its answer; up
/// to three times since answers are lost; and now and then an old one comes again. `see` gets each frame with
/// its answer, `view` what key holders see.
class Replicas : public Channel {
 public:
  using Observer =
      std::function<void(std::span<const std::uint8_t> frame, std::span<const std::uint8_t> answer)>;
  Replicas(std::uint64_t seed, Observer see, const ViewObserver& view = nullptr)
      : see_(std::move(see)), view_(view), random_(RandomSource::from_seed(seed).stream({})) {}

 protected:
  Bytes exchange(std::span<const std::uint8_t> frame) override {
    const std::lock_guard lock(mutex_);
    sent_.emplace_back(frame.begin(), frame.end());
    Bytes answer;
    for (std::uint64_t times = 1 + random_.below(std::uint64_t{3}); times > 0; --times) {
      answer = ask(frame);
      if (random_.below(std::uint64_t{2}) == 0) ask(Bytes(sent_[random_.below(std::uint64_t{sent_.size()})]));
    }
    return answer;
  }
  /// As a whole: each time to one of them, which fills the gaps from its own answers.
  std::vector<Bytes> exchange_chain(std::span<ChainedRequest> requests) override {
    const std::lock_guard lock(mutex_);
    std::vector<Bytes> answers;
    for (std::uint64_t times = 1 + random_.below(std::uint64_t{3}); times > 0; --times) {
      KeyHolder key_holder = started();
      answers.clear();
      for (ChainedRequest request : requests) {
        fill_gaps(request, answers);
        answers.push_back(key_holder.answer(request.frame));
        see_(request.frame, answers.back());
        sent_.push_back(std::move(request.frame));
      }
      if (random_.below(std::uint64_t{2}) == 0) ask(Bytes(sent_[random_.below(std::uint64_t{sent_.size()})]));
    }
    return answers;
  }

 private:
  /// It has seen nothing yet.
  KeyHolder started() const {
    return {toy_keys(), permissive_policy(), AnswerRandomness::from_system(), view_};
  }
  Bytes ask(std::span<const std::uint8_t> frame) {
    Bytes answer = started().answer(frame);
    see_(frame, answer);
    return answer;
  }
  Observer see_;
  ViewObserver view_;
  std::mutex mutex_;
  std::vector<Bytes> sent_;
  RandomStream random_;
};

/// Whether two matrices of corrections are under one label: then they differ by the same bits in the column
/// of each tree, those of the choices.
inline bool same_columns(const Bytes& a, const Bytes& b, std::size_t depth) {
  if (a.size() != b.size()) return false;
  const std::size_t column = a.size() / (transfer_bits / depth);
  for (std::size_t i = column; i < a.size(); ++i)
    if ((a[i] ^ b[i]) != (a[i - column] ^ b[i - column])) return false;
  return true;
}

/// One piece of the key holder's corrections without the streams of the leaves that the evaluator has: of
/// each tree the stream of the other one, and the bits.
inline Bytes without_known_streams(Bytes corrections, const EvaluatorTransfers& transfers,
                                   const Label& label) {
  const SecretBlocks known =
      known_leaves(transfers.offset(), key_holder_leaves(transfers.ticket(), toy_keys().sealing_secret()),
                   key_holder_depth);
  const std::size_t trees = transfer_bits / key_holder_depth, of_tree = known.size() / trees,
                    column = corrections.size() / trees;
  Bytes stream((column + sizeof(Block) - 1) / sizeof(Block) * sizeof(Block));
  std::vector<Block> blocks(stream.size() / sizeof(Block));
  for (std::size_t i = 0; i < known.size(); ++i) {
    SeedStream(known[i], label).fill(0, blocks);
    std::memcpy(stream.data(), blocks.data(), stream.size());
    for (std::size_t k = 0; k < column; ++k) corrections[i / of_tree * column + k] ^= stream[k];
  }
  return corrections;
}

/// An evaluator on such a channel; the same source repeats what a resumed run draws, the same secrets what a
/// copy of its memory would.
inline Evaluator evaluator_on(Channel& channel, const RandomSource& random,
                              const RandomSource& secrets = RandomSource::from_system()) {
  const PublicKeys& keys = toy_keys().public_keys();
  return {keys,   BitBudget(toy_numbers, toy_max_inner, keys.paillier().bits()), channel, random, {}, false,
          secrets};
}

}  // namespace smlp::testing
