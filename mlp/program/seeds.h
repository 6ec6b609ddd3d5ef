// Where the randomness of each role comes from: the same in `run` and along the files, so that both give the
// same answers.
#pragma once

#include <cstdint>
#include <optional>

#include "paillier/random.h"
#include "protocols/key_holder.h"

namespace smlp {

/// Keys and the owner's encryption are not here: they always draw from the operating system, so no seed makes
/// them predictable.
class Seeds {
 public:
  explicit Seeds(const std::optional<std::uint64_t>& seed)
      : seeded_(seed.has_value()),
        root_(seed ? RandomSource::from_seed(*seed) : RandomSource::from_system()) {}

  bool seeded() const { return seeded_; }
  /// Of a key that the ranks of an evaluator share.
  Seeds(bool seeded, RandomSource root) : seeded_(seeded), root_(std::move(root)) {}

  /// Training and test part.
  RandomSource split() const { return root_.derive("split"); }
  /// The owner's order of the rows of a table.
  RandomStream shuffle() const { return root_.derive("shuffle").stream({}); }
  /// The evaluator: masks of training, initial weights, order of the batches, masks of prediction and of a
  /// release.
  RandomSource training() const { return root_.derive("train"); }
  RandomSource initial_weights() const { return training().derive("initial weights"); }
  RandomSource batch_order() const { return training().derive("order"); }
  RandomSource prediction() const { return root_.derive("predict"); }
  RandomSource release() const { return root_.derive("release"); }
  /// The key holder in the same process.
  AnswerRandomness key_holder() const {
    return seeded_ ? AnswerRandomness::from_source(root_.derive("key holder"))
                   : AnswerRandomness::from_system();
  }

 private:
  bool seeded_;
  RandomSource root_;
};

}  // namespace smlp
