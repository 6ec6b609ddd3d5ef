// Both halves of a batch of selections on what the messages hold: beta (k - e) for beta = s xor t, where the
// evaluator has s and e, the key holder t and k, as a number of the key holder under a mask that the
// evaluator chose. Two transfers a cell, one each way (Rathee et al. 2020, CrypTFlow2, section 4.2).
//
//   beta k = t k + s (1 - 2t) k       E chooses with s:  it gets p + s (1 - 2t) k of K's pad p
//   beta e = s e + t (1 - 2s) e       K chooses with t:  it gets c - t (1 - 2s) e of E's number c
//   with c = p + s (1 - 2t) k - s e + mask, K has t k - p + c - t (1 - 2s) e = beta (k - e) + mask
//
//   E -> K  corrections for s
//   K -> E  (1 - 2t) k between two pads, one of which E has; corrections for t
//   E -> K  c and c - (1 - 2s) e, each under a pad, of which K has one
// Ranges   all modulo 2^W, W the bits of the bytes that a number takes: k and e may be of any length, and the
//          sum is right where |beta (k - e) + mask| < 2^(W - 1).
// Views    K: corrections, pseudorandom without seeds of E; c or c - (1 - 2s) e, and the other under a pad
//          that it cannot compute; from both beta (k - e) + mask follows and nothing else, since p is its
//          own. E: corrections; of two pads it has one, so p + s (1 - 2t) k, uniform modulo 2^W.
// Pads hang on the request (K's) or on request, answer and content (E's); a label serves one content.
#pragma once

#include "paillier/fixed_width.h"
#include "protocols/oblivious_transfer/session.h"

namespace smlp {

/// How numbers travel: modulo 2^(8 bytes).
struct RingBytes {
  std::size_t bytes = 0;
  /// For |x| < 2^bits.
  static constexpr RingBytes for_signed(std::size_t bits) { return {(bits + 1 + 7) / 8}; }
  std::size_t limbs() const { return limbs_for(8 * bytes); }
};

/// Appends the numbers, `ring.bytes` each.
void append_ring(const FixedIntegers& numbers, RingBytes ring, Bytes& out);
/// The inverse, modulo 2^(64 limbs). Throws Error unless the bytes are a multiple of ring.bytes.
FixedIntegers read_ring(std::span<const std::uint8_t> bytes, RingBytes ring);

// Evaluator.

/// Its choices s: label and corrections, as they are sent.
class SelectionChoices {
 public:
  /// `content`: whatever these choices stand beside; with s it decides the label.
  SelectionChoices(const EvaluatorTransfers& transfers, std::span<const std::uint8_t> content,
                   const Matrix<std::uint8_t>& s);
  const Bytes& bytes() const { return bytes_; }
  const SecretBlocks& labels() const { return labels_; }

 private:
  Bytes bytes_;
  SecretBlocks labels_;
};

/// Bytes of the choices of so many cells.
constexpr std::size_t selection_choice_bytes(std::size_t cells) {
  return sizeof(Label) + evaluator_corrections(cells);
}
/// Of the key holder's answer to them.
constexpr std::size_t selection_answer_bytes(std::size_t cells, RingBytes ring) {
  return cells * ring.bytes + key_holder_corrections(cells);
}
/// Of what the evaluator sends then.
constexpr std::size_t selection_message_bytes(std::size_t cells, RingBytes ring) {
  return sizeof(Block) + 2 * cells * ring.bytes;
}

/// What gives the key holder beta (k - e) + mask.
class SelectionMessage {
 public:
  /// `request`: of the choices; `answer_tag`: of the answer to it, `answer` its part about them. Throws
  /// Error unless that has selection_answer_bytes.
  SelectionMessage(const EvaluatorTransfers& transfers, const SelectionChoices& choices,
                   const Digest& request, const Digest& answer_tag, std::span<const std::uint8_t> answer,
                   const Matrix<std::uint8_t>& s, const FixedIntegers& e, const FixedIntegers& mask,
                   RingBytes ring);
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

// Key holder.

/// Its answer to the choices, and what it must remember of a cell: t k - p.
struct AnsweredSelection {
  Bytes bytes;
  FixedIntegers remembered;
};
/// `request`: the digest of the one that `choices`, of selection_choice_bytes, came in.
AnsweredSelection answer_choices(const TransferSender& sender, TransferChooser chooser, const Digest& request,
                                 std::span<const std::uint8_t> choices, const Matrix<std::uint8_t>& t,
                                 const FixedIntegers& k, RingBytes ring);

/// beta (k - e) + mask. The chooser is one of the same ticket and label.
FixedIntegers finish_selection(TransferChooser chooser, std::span<const std::uint8_t> message,
                               const Matrix<std::uint8_t>& t, FixedIntegers remembered, RingBytes ring);

/// The label of the key holder's choices in answer to this request.
Label selection_label(const Digest& request);

}  // namespace smlp
