// Both parties of a protocol in one test, over a channel that keeps every frame. Toy keys: they protect
// nothing.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "protocols/evaluator.h"
#include "protocols/key_holder.h"
#include "protocols/registry.h"

namespace smlp::testing {

/// Toy numbers: slots of 129 bits, three in a toy key's plaintext.
inline constexpr Numbers toy_numbers{20, 10, 40};
inline constexpr std::size_t toy_max_inner = 8;

/// A toy key under which results are handed over.
const PaillierPublicKey& toy_user_key();
const PaillierSecretKey& toy_user_secret_key();

/// Answers every protocol, leaking ones too, and hands over to the toy user.
KeyHolderPolicy permissive_policy();

/// An in-process channel that keeps the frames of both directions.
class RecordingChannel : public Channel {
 public:
  explicit RecordingChannel(const KeyHolder& key_holder) : key_holder_(key_holder) { keep_transcript(); }
  const std::vector<Bytes>& requests() const { return requests_; }
  const std::vector<Bytes>& answers() const { return answers_; }

 protected:
  Bytes exchange(std::span<const std::uint8_t> frame) override;

 private:
  const KeyHolder& key_holder_;
  std::mutex mutex_;
  std::vector<Bytes> requests_;
  std::vector<Bytes> answers_;
};

struct Setup {
  std::size_t slots = 0;  ///< 0: as many as fit
  std::uint64_t seed = 1;
  KeyHolderPolicy policy = permissive_policy();
  ViewObserver observer = nullptr;
  std::shared_ptr<AddressLog> log = nullptr;
  Numbers numbers = toy_numbers;
  std::size_t max_inner = toy_max_inner;
};

/// Data owner, evaluator and key holder with sources of their own, derived from one seed.
class TwoParties {
 public:
  explicit TwoParties(const Setup& setup = {});

  const KeyHolder& key_holder() const { return key_holder_; }
  /// After what waits was sent.
  RecordingChannel& channel() {
    evaluator_.calls->send();
    return channel_;
  }
  const Evaluator& evaluator() const { return evaluator_; }
  const BitBudget& budget() const { return evaluator_.budget; }
  Sizes sizes() const;
  /// The evaluator's, to replay what it drew.
  const RandomSource& evaluator_random() const { return evaluator_random_; }

  /// By the data owner, each call under randomness of its own.
  EncryptedMatrix encrypt(const IntegerMatrix& m);
  EncryptedMatrix encrypt(const IntegerMatrix& m, const Layout& layout);
  /// Opened at this place, by a truncation that divides by 1; cells of 2l + log k bits.
  EncryptedMatrix open(const IntegerMatrix& m, const OperationId& operation);
  EncryptedMatrix open(const IntegerMatrix& m, const OperationId& operation, const Layout& layout);
  /// k - e of what is held opened; else reads the packings that are there, which must agree: Error otherwise.
  IntegerMatrix decrypt(const EncryptedMatrix& m) const;

  /// A place that no other call has had.
  OperationId next_operation() { return {++step_, 1, Direction::forward}; }

 private:
  KeyHolder key_holder_;
  RecordingChannel channel_;
  RandomSource evaluator_random_;
  Evaluator evaluator_;
  RandomSource owner_;
  std::uint32_t encryptions_ = 0;
  std::uint32_t step_ = 0;
};

/// rows x cols cells from the list, repeated.
IntegerMatrix matrix_of(std::size_t rows, std::size_t cols, const std::vector<long>& values);
/// Signed cells of at most `bits` bits, in [-2^(bits-1), 2^(bits-1)).
IntegerMatrix random_matrix(std::size_t rows, std::size_t cols, std::size_t bits, RandomStream& random);
IntegerMatrix sum(IntegerMatrix a, const IntegerMatrix& b);
/// Schoolbook product.
IntegerMatrix naive_product(const IntegerMatrix& a, const IntegerMatrix& b);

/// Every choice of protocols in which `descriptor` takes part, all else the default.
std::vector<ProtocolNames> compositions(const Descriptor& descriptor);
std::string to_string(const ProtocolNames& names);

inline constexpr std::size_t one_slot = 1;
inline constexpr std::size_t many_slots = 0;  ///< as many as fit

// Refusals of opened values.
inline constexpr auto foreign = "the key holder refused: a sealed state does not belong to this request";
inline constexpr auto misfit = "the key holder refused: the form of opened values does not fit their matrix";

/// Calls test(names, slots) for each composition of each protocol of a family, for one slot and for many
/// where it serves them.
template <typename Test>
void for_each_protocol(Family family, Test&& test) {
  for (const Descriptor& descriptor : registry()) {
    if (descriptor.family != family) continue;
    for (const ProtocolNames& names : compositions(descriptor))
      for (const std::size_t slots : {one_slot, many_slots}) {
        if (slots != one_slot && (descriptor.single_value || names.needs_one_value_a_ciphertext())) continue;
        INFO(descriptor.wire_name(), " in ", to_string(names),
             slots == one_slot ? ", one slot" : ", many slots");
        test(descriptor, names, slots);
      }
  }
}

/// What `action` throws; "" when it throws no Error.
template <typename Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

/// The evaluator, with evidence of ranges of its own.
Evaluator gathering_evidence(const Evaluator& evaluator);
/// The default ReLU of z, and the check of its range.
void compare_and_check(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& z);

/// The key holder's answer to a frame as an outcome: "" for an answer, else the refusal.
std::string refusal_of(const KeyHolder& key_holder, std::span<const std::uint8_t> frame);

/// Runs every protocol of the registry once, in every composition that the slots allow, at places of its own.
void run_every_protocol(TwoParties& parties);
/// Runs one protocol in one of its compositions on small fixed operands.
void run_protocol(TwoParties& parties, const Descriptor& descriptor, const ProtocolNames& names);

}  // namespace smlp::testing
