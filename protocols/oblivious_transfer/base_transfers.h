// The base transfers of a session, both ways, on P-256 (Chou, Orlandi 2015; Naor, Pinkas 2001): 128 pairs of
// seeds of which the other side gets those that its offset chooses. Semi-honest.
//
// G generates, K is the key holder, E the evaluator. A ticket is the SHA-256 of E's one request; all of K's
// secrets follow from it and the sealing secret, so that K keeps nothing and any replica answers alike:
//   K's point     A_K = a G, the same for a key file
//   E -> K        A_E = a_E G;  B_i = b_i G + delta_i A_K for the bits delta_i of E's offset
//   K -> E        A_K;  B'_i = b'_i G + delta'_i A_E for the bits of K's offset;
//                 K's seeds k_i^0 ^ H(a B_i) and k_i^1 ^ H(a (B_i - A_K)), of which E opens number delta_i by
//                 H(b_i A_K)
//   E's seeds     H(a_E B'_i) and H(a_E (B'_i - A_E)), of which K knows number delta'_i as H(b'_i A_E)
// Two pairs of K's seeds grow to a tree of depth 2 (extension.h; Goldreich, Goldwasser, Micali 1986; Roy
// 2022): of pair 2i come the children s_b0 and s_b1 of k_2i^b, and K sends for c = 0, 1
//   K -> E        s_0c ^ s_1c ^ k_(2i+1)^c
// so that E, who has both children of one side, gets one of the other. Leaf y has b as bit 0 and c as bit 1.
// For E's seeds that message would have to come after K's answer; they stay pairs. H is SHA-256 of who
// offers, the ticket, i and the point. Points are 33 bytes (SEC 1), on the curve, and not infinity. Views K:
// uniform points whatever E's offset is.  E: the same, and of each pair one seed under a point
//          that it cannot compute (computational Diffie-Hellman, H a random oracle); so of each tree one leaf
//          under k_(2i+1)^c of such a pair.
#pragma once

#include "protocols/oblivious_transfer/extension.h"

namespace smlp {

inline constexpr std::size_t point_bytes = 33;
inline constexpr std::size_t base_request_bytes = (1 + transfer_bits) * point_bytes + 32;
inline constexpr std::size_t base_answer_bytes =
    (1 + transfer_bits) * point_bytes + 3 * transfer_bits * sizeof(Block);

/// Of the trees of either party's seeds.
inline constexpr std::size_t evaluator_depth = 1, key_holder_depth = 2;
/// Bytes of the corrections of the party that chooses.
constexpr std::size_t evaluator_corrections(std::size_t transfers) {
  return correction_bytes(evaluator_depth, transfers);
}
constexpr std::size_t key_holder_corrections(std::size_t transfers) {
  return correction_bytes(key_holder_depth, transfers);
}

/// What a party has after the base transfers. For transfers in which the other side chooses: `offset`, its
/// lowest bit 1, and what it `knows` of the other's leaves. For those in which it chooses itself: its
/// `leaves`.
struct BaseTransfers {
  Digest ticket{};
  SecretBlocks offset = SecretBlocks(1), known, leaves;
};

/// K's point A_K.
Bytes key_holder_point(const std::array<std::uint8_t, 32>& sealing_secret);

/// The evaluator's half.
class BaseRequest {
 public:
  /// `key_point`: A_K. `secrets`: never of a seed but in tests. Throws Error unless it is a point.
  BaseRequest(std::span<const std::uint8_t> key_point, RandomStream& secrets);
  ~BaseRequest();
  /// base_request_bytes: points and 32 fresh bytes.
  const Bytes& bytes() const { return bytes_; }
  /// Reads K's answer. `ticket` is what both call this request. Throws Error for a wrong length, a point that
  /// is none, and another A_K.
  BaseTransfers finish(std::span<const std::uint8_t> answer, const Digest& ticket) const;

 private:
  struct Secrets;
  std::unique_ptr<Secrets> secrets_;
  Bytes key_point_, bytes_;
};

/// The key holder's half: a function of its arguments.
struct BaseAnswer {
  Bytes bytes;
  BaseTransfers transfers;
};
/// Throws Error for a wrong length and a point that is none.
BaseAnswer answer_base_request(std::span<const std::uint8_t> request, const Digest& ticket,
                               const std::array<std::uint8_t, 32>& sealing_secret);
/// K's leaves alone, which need no request.
SecretBlocks key_holder_leaves(const Digest& ticket, const std::array<std::uint8_t, 32>& sealing_secret);

}  // namespace smlp
