// The Paillier cryptosystem in two variants behind one interface.
//   standard  Paillier 1999: randomness r^n, r uniform in Z_n*
//   subgroup  Paillier 1999 section 7, Jost et al. 2015: hs = h^n, h of secret order alpha_p alpha_q, both
//   t-bit primes;
//             exponents of 2t + sigma + 24 bits are statistically uniform in <hs>; decryption takes a t-bit
//             exponent a prime
// Plaintexts are signed, in (-n/2, n/2]. All batch functions run in parallel, element i drawing from
// draws.stream(i).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "paillier/ciphertext.h"
#include "paillier/fixed_width.h"
#include "paillier/integer.h"
#include "paillier/random.h"
#include "paillier/rerandomiser_pool.h"

namespace smlp {

enum class Variant { standard, subgroup };
std::string_view name(Variant variant);
/// Throws Error with the list of names; for `djn`, which there was, why it went.
Variant variant_from_name(std::string_view name);

class PaillierPublicKey;
class PaillierSecretKey;

/// The only maker of Paillier ciphertexts; its static functions are for the two key classes.
class Paillier {
  friend class PaillierPublicKey;
  friend class PaillierSecretKey;
  static BasicCiphertext<Paillier> local(Integer residue) {
    return BasicCiphertext<Paillier>(std::move(residue));
  }
  static BasicFreshCiphertext<Paillier> fresh(Integer residue) {
    return BasicFreshCiphertext<Paillier>(local(std::move(residue)));
  }
};
using Ciphertext = BasicCiphertext<Paillier>;
using FreshCiphertext = BasicFreshCiphertext<Paillier>;

/// What anybody may hold. Immutable; copies share state (tables are built once, at first use, thread-safe).
class PaillierPublicKey {
 public:
  /// Exponents of hs are sigma + exponent_margin bits longer than the order they cover, so hs^r is within a
  /// factor 1 +- 2^-(sigma + exponent_margin) of uniform in <hs>: millions of them show less than one mask
  /// does.
  static constexpr std::size_t exponent_margin = 24;
  /// The sigma of a new key.
  static constexpr std::size_t rerandomisation_sigma = 56;

  /// Checks what can be checked without the secret: n odd, composite, of even length, no factor below 2^16;
  /// hs in (1, n^2) a unit (ignored for standard); for subgroup t from 16 to bits / 2 - 16 (ignored
  /// otherwise). Throws Error naming the rule.
  PaillierPublicKey(Variant variant, Integer n, Integer hs, std::size_t subgroup_bits);
  /// The same key with exponents for another sigma, in bits.
  PaillierPublicKey with_sigma(std::size_t sigma) const;
  std::size_t sigma() const;
  /// Starts to build the table that randomness comes from in the background; the first use waits for it, or
  /// builds it.
  void prepare() const;

  Variant variant() const;
  std::size_t bits() const;           ///< of n
  std::size_t subgroup_bits() const;  ///< t; 0 except for subgroup
  const Integer& n() const;
  const Integer& n_squared() const;
  const Integer& hs() const;
  std::size_t ciphertext_bytes() const;  ///< fixed width on the wire and at rest: 2 * ceil(bits / 8)
  std::size_t plaintext_limbs() const;   ///< of a plaintext in two's complement
  bool operator==(const PaillierPublicKey&) const;

  /// Fresh encryption of a signed plaintext. Throws Error when |m| > n/2.
  FreshCiphertext encrypt(const Integer& m, RandomStream& random) const;
  /// c times a fresh encryption of 0; hides how c was made even from the key holder.
  FreshCiphertext rerandomise(const Ciphertext& c, RandomStream& random) const;
  std::vector<FreshCiphertext> encrypt(std::span<const Integer> ms, const Draws& draws) const;
  std::vector<FreshCiphertext> rerandomise(std::span<const Ciphertext> cs, const Draws& draws) const;
  /// What a pool needs to make encryptions of 0 ahead.
  RerandomiserMaker rerandomisers() const;
  /// cs[i] times re-randomiser i: one product. Throws Error when there are not as many.
  std::vector<FreshCiphertext> rerandomise(std::span<const Ciphertext> cs, Rerandomisers ready) const;

  /// 1 + m n: a ciphertext of a public m, taken mod n, with no randomness at all. Local by type.
  Ciphertext trivial(const Integer& m) const;
  Ciphertext add(const Ciphertext& a, const Ciphertext& b) const;
  Ciphertext subtract(const Ciphertext& a, const Ciphertext& b) const;
  Ciphertext add_plain(const Ciphertext& c, const Integer& m) const;  ///< m of either sign, taken mod n
  /// c^k, k of either sign.
  Ciphertext scale(const Ciphertext& c, const Integer& k) const;
  /// [sum_k ks[i inner + k] cs[i inner + k]] for each row i of `inner` terms; ks >= 0. Variable time in ks.
  std::vector<Ciphertext> dot_products(std::span<const Ciphertext> cs, std::span<const Integer> ks,
                                       std::size_t inner) const;
  /// The same for ks below 2^bits: whatever they are, in the same steps but for the addresses of tables.
  std::vector<Ciphertext> dot_products(std::span<const Ciphertext> cs, const FixedIntegers& ks,
                                       std::size_t inner, std::size_t bits) const;
  /// rows x inner ciphertexts times inner x outputs non-negative integers -> rows x outputs ciphertexts.
  std::vector<Ciphertext> matrix_product(std::span<const Ciphertext> cs, std::span<const Integer> ks,
                                         std::size_t rows, std::size_t inner, std::size_t outputs) const;
  /// [-c_i] for each, by one shared inversion.
  std::vector<Ciphertext> negate(std::span<const Ciphertext> cs) const;
  /// [cs[2 i] + 2^shift cs[2 i + 1]]; the last of an odd number alone. shift + 2 products each.
  std::vector<Ciphertext> join_pairs(std::span<const Ciphertext> cs, std::size_t shift) const;

  /// Wire form: ciphertext_bytes() each, little-endian, appended to out.
  void encode(std::span<const FreshCiphertext> cs, Bytes& out) const;
  /// At rest with their holder (checkpoints): the same bytes, but never for a peer.
  void encode_at_rest(std::span<const Ciphertext> cs, Bytes& out) const;
  /// `count` ciphertexts from exactly count * ciphertext_bytes() bytes; each checked to be in (0, n^2) and a
  /// unit (one gcd for the batch). Throws Error naming `what`, the element and the rule.
  std::vector<Ciphertext> decode(std::span<const std::uint8_t> bytes, std::size_t count,
                                 std::string_view what) const;

 private:
  friend class PaillierSecretKey;
  Integer plain_factor(const Integer& m) const;
  Integer random_unit(RandomStream& random) const;
  void blind(std::span<Integer> residues, std::span<RandomStream> random) const;
  std::vector<FreshCiphertext> blind(std::vector<Integer> residues, const Draws& draws) const;
  static std::vector<Ciphertext> wrap(std::vector<Integer> residues);
  void require_plaintext(const Integer& m) const;
  struct State;
  std::shared_ptr<State> state_;
};

/// The secret factors. Unrelated to the public type; evaluator code cannot name it.
class PaillierSecretKey {
 public:
  /// Checks every relation: p, q prime and distinct, |p| = |q| = bits / 2, p q = n, gcd(n, (p-1)(q-1)) = 1;
  /// for subgroup alpha_p, alpha_q t-bit primes, distinct, alpha_p | p-1, alpha_q | q-1, not the other way
  /// round, and hs of order exactly alpha_p alpha_q; a round trip of encryption. Throws Error naming the
  /// relation.
  PaillierSecretKey(const PaillierPublicKey& public_key, SecretInteger p, SecretInteger q,
                    SecretInteger alpha_p, SecretInteger alpha_q);
  /// `bits` even; t = subgroup_bits (used by subgroup alone). n has exactly `bits` bits.
  static PaillierSecretKey generate(Variant variant, std::size_t bits, std::size_t subgroup_bits,
                                    RandomStream& random);

  const PaillierPublicKey& public_key() const;
  const SecretInteger& p() const;
  const SecretInteger& q() const;
  const SecretInteger& alpha_p() const;  ///< 0 except for subgroup
  const SecretInteger& alpha_q() const;

  /// Throws Error("... is not a ciphertext under this key") for what the scheme cannot have made.
  Integer decrypt(const Ciphertext& c) const;
  std::vector<Integer> decrypt(std::span<const Ciphertext> cs) const;
  /// The same in plaintext_limbs() limbs each, in the same steps whatever they are.
  FixedIntegers decrypt_fixed(std::span<const Ciphertext> cs) const;
  std::size_t plaintext_limbs() const { return public_key().plaintext_limbs(); }
  /// By CRT with exponents reduced mod each order.
  FreshCiphertext encrypt(const Integer& m, RandomStream& random) const;
  std::vector<FreshCiphertext> encrypt(std::span<const Integer> ms, const Draws& draws) const;
  /// The same of plaintext_limbs() limbs each, in the same steps whatever they are.
  std::vector<FreshCiphertext> encrypt(const FixedIntegers& ms, const Draws& draws) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// Subgroup prime bits for a modulus of these bits: 224 at 2048, 256 at 3072, 304 at 4096 (160 at 1024,
/// insecure).
std::size_t default_subgroup_bits(std::size_t modulus_bits);

}  // namespace smlp
