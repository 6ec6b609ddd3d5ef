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
// H is SHA-256 of who offers, the ticket, i and the point. Points are 33 bytes (SEC 1), on the curve, and not
// infinity.
// Views    K: uniform points whatever E's offset is.  E: the same, and of each pair one seed under a point
//          that it cannot compute (computational Diffie-Hellman, H a random oracle).
#pragma once

#include "protocols/oblivious_transfer/extension.h"

namespace smlp {

inline constexpr std::size_t point_bytes = 33;
inline constexpr std::size_t base_request_bytes = (1 + transfer_bits) * point_bytes + 32;
inline constexpr std::size_t base_answer_bytes =
    (1 + transfer_bits) * point_bytes + 2 * transfer_bits * sizeof(Block);

/// What a party has after the base transfers. For transfers in which the other side chooses: `offset`, its
/// lowest bit 1, and `taken`, a seed of each pair. For those in which it chooses itself: `pairs`, pair i at
/// 2i and 2i + 1.
struct BaseTransfers {
  Digest ticket{};
  SecretBlocks offset = SecretBlocks(1), taken, pairs;
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
/// K's seed pairs alone, which need no request.
SecretBlocks key_holder_pairs(const Digest& ticket, const std::array<std::uint8_t, 32>& sealing_secret);

}  // namespace smlp
