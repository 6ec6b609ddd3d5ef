// The Damgard-Geisler-Kroigaard cryptosystem (2007, corrected 2009): small plaintexts, cheap zero test.
// u | p-1 and q-1; v_p | p-1, v_q | q-1 with v_p != v_q: with one common v anybody strips the randomness by
// c^((n-1)/u). g has order u v_p mod p and u v_q mod q, h = g^u (both blinding groups, up to a scalar).
// Plaintexts in Z_u, u = 197 serves comparisons of up to 64 bits. A zero test is one v_p-exponentiation mod
// p.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "paillier/ciphertext.h"
#include "paillier/integer.h"
#include "paillier/lanes.h"
#include "paillier/random.h"
#include "paillier/rerandomiser_pool.h"

namespace smlp {

class DgkPublicKey;
class DgkSecretKey;

class Dgk {
  friend class DgkPublicKey;
  friend class DgkSecretKey;
  static BasicCiphertext<Dgk> local(Integer residue) { return BasicCiphertext<Dgk>(std::move(residue)); }
  static BasicFreshCiphertext<Dgk> fresh(Integer residue) {
    return BasicFreshCiphertext<Dgk>(local(std::move(residue)));
  }
};
using DgkCiphertext = BasicCiphertext<Dgk>;
using FreshDgkCiphertext = BasicFreshCiphertext<Dgk>;

/// As many DGK ciphertexts as the arithmetic computes together, in its own form. Local by type, like
/// DgkCiphertext.
class DgkBlock {
  friend class DgkPublicKey;
  explicit DgkBlock(std::size_t words) : words_(words) {}
  WordBuffer words_;
};

class DgkPublicKey {
 public:
  static constexpr unsigned default_u = 197;

  /// Exponents of h are sigma + exponent_margin bits longer than its order, so h^r is within a factor 1 +-
  /// 2^-(sigma + exponent_margin) of uniform in <h>: millions of them show less than one mask does.
  static constexpr std::size_t exponent_margin = 24;
  /// The sigma of a new key.
  static constexpr std::size_t rerandomisation_sigma = 56;

  /// Checks n odd, composite, of even length, no factor below 2^16; u an odd prime below 2^16 that divides
  /// n-1; t from 16 to bits / 2 - 32; g and h units, h != 1, g^u = h; and that the keyless attack fails
  /// modulo both primes: h^((n-1)/u) - 1 is a unit. Throws Error naming the rule.
  DgkPublicKey(Integer n, Integer g, Integer h, unsigned u, std::size_t subgroup_bits);
  /// The same key with exponents for another sigma, in bits.
  DgkPublicKey with_sigma(std::size_t sigma) const;
  /// Starts to build the table that randomness comes from in the background; the first use waits for it, or
  /// builds it.
  void prepare() const;

  std::size_t bits() const;
  std::size_t subgroup_bits() const;  ///< t
  unsigned u() const;
  const Integer& n() const;
  const Integer& g() const;
  const Integer& h() const;
  std::size_t ciphertext_bytes() const;  ///< ceil(bits / 8)
  bool operator==(const DgkPublicKey&) const;

  FreshDgkCiphertext encrypt(unsigned m, RandomStream& random) const;
  FreshDgkCiphertext rerandomise(const DgkCiphertext& c, RandomStream& random) const;

  DgkCiphertext trivial(unsigned m) const;  ///< g^m, m < u
  DgkCiphertext add(const DgkCiphertext& a, const DgkCiphertext& b) const;
  DgkCiphertext scale(const DgkCiphertext& c, unsigned k) const;  ///< c^k
  std::vector<DgkCiphertext> negate(std::span<const DgkCiphertext> cs) const;

  // ---- up to lanes() ciphertexts at a time, on the calling thread, by the same operations whatever they
  // hold ----

  std::size_t lanes() const;
  DgkBlock block(std::span<const DgkCiphertext> cs) const;
  DgkBlock trivial(std::span<const unsigned> ms) const;  ///< g^m, m < u, in each lane
  DgkBlock add(const DgkBlock& a, const DgkBlock& b) const;
  DgkBlock twice(const DgkBlock& c) const;
  /// Lane k of `one` where bits[k] is 1, of `zero` where it is 0 or there is none.
  DgkBlock choose(const DgkBlock& zero, const DgkBlock& one, std::span<const unsigned> bits) const;
  /// c^k in each lane, k < 2^16: windows of two bits of the longest plaintext, u - 1.
  DgkBlock scale(const DgkBlock& c, std::span<const unsigned> ks) const;
  /// [-c] for all blocks together, by one inversion.
  std::vector<DgkBlock> negate(std::span<const DgkBlock> blocks) const;
  /// What a pool needs to make encryptions of 0 ahead.
  RerandomiserMaker rerandomisers() const;
  /// Lane k times re-randomiser which[k]: one product; as many ciphertexts as are named.
  std::vector<FreshDgkCiphertext> rerandomise(const DgkBlock& c, Rerandomisers& ready,
                                              std::span<const std::size_t> which) const;

  void encode(std::span<const FreshDgkCiphertext> cs, Bytes& out) const;
  std::vector<DgkCiphertext> decode(std::span<const std::uint8_t> bytes, std::size_t count,
                                    std::string_view what) const;

 private:
  friend class DgkSecretKey;
  const Integer& power_of_g(unsigned m) const;
  void require_lanes(std::size_t count) const;
  struct State;
  std::shared_ptr<State> state_;
};

class DgkSecretKey {
 public:
  /// Checks primality, sizes, divisibility (u and v_p | p-1, u and v_q | q-1, v_p not | q-1, v_q not | p-1,
  /// v_p != v_q), the exact orders of g and h mod p and q, p q = n, the keyless attack, and round trips.
  /// Throws Error naming the relation.
  DgkSecretKey(const DgkPublicKey& public_key, SecretInteger p, SecretInteger q, SecretInteger v_p,
               SecretInteger v_q);
  static DgkSecretKey generate(std::size_t bits, std::size_t subgroup_bits, unsigned u, RandomStream& random);

  const DgkPublicKey& public_key() const;
  const SecretInteger& p() const;
  const SecretInteger& q() const;
  const SecretInteger& v_p() const;
  const SecretInteger& v_q() const;

  /// By CRT with exponents reduced mod each order.
  FreshDgkCiphertext encrypt(unsigned m, RandomStream& random) const;
  /// Element i draws from draws.stream(i). Parallel, like is_zero on many.
  std::vector<FreshDgkCiphertext> encrypt(std::span<const unsigned> ms, const Draws& draws) const;
  /// Of plaintexts below `below` <= u, in the same steps and reads whatever they are; the fewer there may be,
  /// the faster. Throws Error for another.
  std::vector<FreshDgkCiphertext> encrypt(std::span<const unsigned> ms, const Draws& draws,
                                          unsigned below) const;
  bool is_zero(const DgkCiphertext& c) const;
  /// 1 where the plaintext is zero; the same work whatever the answers.
  std::vector<std::uint8_t> are_zero(std::span<const DgkCiphertext> cs) const;
  /// The plaintext, by search over Z_u; for tests and key checks. Throws Error when there is none.
  unsigned decrypt(const DgkCiphertext& c) const;

 private:
  std::vector<FreshDgkCiphertext> encrypt_block(std::span<const unsigned> ms, unsigned below,
                                                std::span<RandomStream> random) const;
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace smlp
