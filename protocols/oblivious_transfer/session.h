// The oblivious transfers of an evaluator's session: base transfers in two round trips, made when a protocol
// first needs them.
//
//   E -> K  nothing          K -> E  its point A_K, the same for a key file
//   E -> K  base request     K -> E  base answer                                        (base_transfers.h)
// The SHA-256 of the second request is the ticket: by it a later request names these transfers. K keeps
// nothing. Its seeds follow from the sealing secret and the ticket, and a stream of theirs from a label that
// holds the SHA-256 of the request that the bits are from. So any replica answers a request alike, and two
// requests have no stream in common, nor have two sessions with one id. What it took of E's pairs follows
// from E's points besides: E carries it for K, sealed. What the evaluator draws for a batch follows from its
// own secrets, the request, the answer and the batch. The secrets are of the operating system, other ones for
// each evaluator, and never from a seed. A resumed run takes a new ticket.
#pragma once

#include "protocols/evaluator.h"
#include "protocols/key_holder.h"
#include "protocols/oblivious_transfer/base_transfers.h"

namespace smlp {

// Evaluator.

class EvaluatorTransfers {
 public:
  /// Makes base transfers, alone: no other task has its turn meanwhile. `secrets` of the operating system; of
  /// a seed in tests alone.
  EvaluatorTransfers(const Evaluator& evaluator, const OperationId& operation, RandomSource secrets);

  const Digest& ticket() const { return base_.ticket; }
  const Block& offset() const { return base_.offset[0]; }
  /// For transfers in which the key holder chooses.
  OffsetHolder offset_holder(const Label& label) const {
    return {offset(), base_.known, key_holder_depth, label};
  }
  /// For transfers in which the evaluator chooses, which take what the key holder has of them, sealed.
  TransferChooser chooser(const Label& label) const { return {base_.leaves, evaluator_depth, label}; }
  const SealedState& sealed() const { return *sealed_; }
  /// A label for choices of its own, which follows from what they are and what they stand beside.
  Label own_label(std::span<const std::uint8_t> content) const;
  /// What stands for an answer, a frame, in secret_for.
  Digest answer_tag(std::span<const std::uint8_t> answer) const {
    return frame_tag(answer, tag_secret_.bytes);
  }
  /// A secret block for this request, this answer (its tag) and what it is to hide.
  Block secret_for(const Digest& request, const Digest& answer, std::span<const std::uint64_t> hidden) const;

 private:
  struct TagSecret {
    std::array<std::uint8_t, 32> bytes;
    explicit TagSecret(const RandomSource& secrets) { secrets.stream({}).fill(bytes); }
    TagSecret(const TagSecret&) = delete;
    TagSecret& operator=(const TagSecret&) = delete;
    ~TagSecret() { wipe_memory(bytes.data(), bytes.size()); }
  };
  RandomSource secrets_;
  TagSecret tag_secret_;
  BaseTransfers base_;
  std::optional<SealedState> sealed_;
};

/// The first of the parameters by which a request about transfers names the version of its program: both
/// sides read requests alike only where they have the same.
std::int64_t version_word();

// Key holder.

/// Throws Error unless the request is of this version.
void require_same_version(std::int64_t word);
/// Reads the ticket of a request.
Digest read_ticket(Responder& responder);
/// For transfers in which the key holder chooses.
TransferChooser transfer_chooser(const Responder& responder, const Digest& ticket, const Label& label);

/// For transfers in which the evaluator chooses.
class TransferSender {
 public:
  TransferSender(const Block& offset, SecretBlocks known) : offset_{offset}, known_(std::move(known)) {}
  const Block& offset() const { return offset_[0]; }
  OffsetHolder offset_holder(const Label& label) const { return {offset(), known_, evaluator_depth, label}; }

 private:
  SecretBlocks offset_, known_;
};
/// Bytes of what the evaluator carries for them.
inline constexpr std::size_t sender_bytes =
    sealed_overhead + sizeof(Digest) + (1 + transfer_bits) * sizeof(Block);
/// Reads it. Throws Error where it is of other transfers than the ticket's.
TransferSender read_sender(Responder& responder, const Digest& ticket);

}  // namespace smlp
