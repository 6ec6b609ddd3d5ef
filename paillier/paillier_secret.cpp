// Paillier's secret operations: everything modulo p^2 and q^2, joined by Chinese remainders.
#include <algorithm>
#include <array>
#include <iterator>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "paillier/kernels.h"
#include "paillier/paillier.h"
#include "paillier/parallel.h"
#include "paillier/primes.h"

namespace smlp {
namespace {

// What the key holder needs modulo the square of one prime. Residues and plaintexts are rows of limbs, and
// nothing here depends on what they hold.
struct Side {
  SecretInteger prime_integer;
  SecretModulus prime, squared;
  SecretInteger order;  // of the randomness: alpha, or prime - 1
  // The other prime is o. Results are over o, or over o^2, so that join_remainders undoes it.
  SecretInteger decrypt_factor;  // order^-1 o^-2 mod prime
  SecretInteger encrypt_factor;  // o^-1 mod prime
  SecretInteger encrypt_base;    // o^-2 - prime (lift / o mod prime) mod prime^2
  std::shared_ptr<const ModularContext> modulo;
  std::unique_ptr<const FixedBase> powers_of_hs;  // none for standard

  Side(const PaillierPublicKey& key, const SecretInteger& p, const SecretInteger& alpha, const Integer& lift)
      : prime_integer(p), prime(p.value()), squared(SecretInteger(p.value() * p.value()).value()) {
    order = sgn(alpha.value()) != 0 ? alpha : SecretInteger(p.value() - 1);
    const SecretInteger other(key.n() / p.value()), square(p.value() * p.value());
    decrypt_factor = SecretInteger(inverse(order.value() * other.value() * other.value(), p.value()));
    encrypt_factor = SecretInteger(inverse(other.value(), p.value()));
    encrypt_base = SecretInteger((inverse(other.value() * other.value(), square.value()) + square.value() -
                                  p.value() * (lift * encrypt_factor.value() % p.value())) %
                                 square.value());
    modulo = std::make_shared<const ModularContext>(square.value());
    if (key.variant() != Variant::standard)
      powers_of_hs = std::make_unique<const FixedBase>(modulo, Integer(key.hs() % square.value()),
                                                       bit_length(order.value()));
  }

  // A constant of this side as a row of limbs.
  static WordBuffer row(const SecretInteger& value, std::size_t limbs) {
    WordBuffer out(limbs);
    std::ranges::copy(limbs_of(value.value()), out.data());
    return out;
  }

  // m / o mod p from c = (1 + n)^m rho: c^order = 1 + m order n mod prime^2. Sets `wrong` where c is no
  // ciphertext.
  WordBuffer decrypt(std::span<const Ciphertext> cs, Limb& wrong, Scratch& scratch) const {
    const std::size_t size = squared.limbs(), half = prime.limbs();
    WordBuffer powers(cs.size() * size), out(cs.size() * half);
    for (std::size_t i = 0; i < cs.size(); ++i) {
      const auto c = limbs_of(cs[i].residue());
      squared.reduce(powers.data() + i * size, c.data(), c.size(), scratch);
    }
    modulo->power_secret(powers.data(), cs.size(), order);
    const WordBuffer factor = row(decrypt_factor, half);
    WordBuffer quotient(size - half + 1), remainder(half);
    for (std::size_t i = 0; i < cs.size(); ++i) {
      prime.divide(quotient.data(), remainder.data(), powers.data() + i * size, size, scratch);
      wrong |= remainder.data()[0] ^ 1;
      for (std::size_t k = 1; k < half; ++k) wrong |= remainder.data()[k];
      prime.reduce(remainder.data(), quotient.data(), quotient.size(), scratch);
      prime.multiply(out.data() + i * half, remainder.data(), factor.data(), scratch);
    }
    return out;
  }

  // Encryptions modulo prime^2, over o^2: (1 + m n) / o^2 = o^-2 + prime (m / o mod prime), times a uniform
  // n-th residue. Of m + lift, which is not negative.
  WordBuffer encrypt(const FixedIntegers& lifted, std::size_t first, std::span<RandomStream> random,
                     Scratch& scratch) const {
    const std::size_t count = random.size(), size = squared.limbs(), half = prime.limbs();
    WordBuffer out(count * size);
    const WordBuffer factor = row(encrypt_factor, half), base = row(encrypt_base, size);
    const auto n = static_cast<mp_size_t>(half), all = static_cast<mp_size_t>(size);
    WordBuffer quotient(half), product(2 * half + static_cast<std::size_t>(mpn_sec_mul_itch(n, n)));
    for (std::size_t i = 0; i < count; ++i) {
      const std::span<const Limb> m = lifted[first + i];
      prime.reduce(quotient.data(), m.data(), m.size(), scratch);
      prime.multiply(quotient.data(), quotient.data(), factor.data(), scratch);
      mpn_sec_mul(product.data(), quotient.data(), n, prime.data(), n, product.data() + 2 * half);
      Limb* const residue = out.data() + i * size;
      const Limb carry = mpn_add_n(residue, product.data(), base.data(), all);
      const Limb below = mpn_sub_n(residue, residue, squared.data(), all);
      mpn_cnd_add_n(below & (carry ^ 1), residue, residue, squared.data(), all);
    }
    if (powers_of_hs) {
      std::vector<SecretInteger> exponents;
      exponents.reserve(count);
      for (RandomStream& stream : random) exponents.emplace_back(stream.below(order.value()));
      powers_of_hs->multiply_powers(out.data(), exponents);
      return out;
    }
    // r^n mod p^2 depends on r mod p alone, since (r + k p)^p = r^p mod p^2. The map x -> x^p is injective on
    // Z_p* into the cyclic group of order p - 1, and the further power q permutes that group, as gcd(q, p -
    // 1) = 1: for uniform x in Z_p* the residue x^p has the same distribution as r^n.
    WordBuffer powers(count * size);
    const SecretInteger most(prime_integer.value() - 1);
    for (std::size_t i = 0; i < count; ++i) {
      const SecretInteger x(1 + random[i].below(most.value()));
      std::ranges::copy(limbs_of(x.value()), powers.data() + i * size);
    }
    modulo->power_secret(powers.data(), count, prime_integer);
    for (std::size_t i = 0; i < count; ++i)
      squared.multiply(out.data() + i * size, out.data() + i * size, powers.data() + i * size, scratch);
    return out;
  }
};

void require(bool holds, const char* relation) {
  if (!holds) throw Error(std::string("the Paillier secret key is wrong: ") + relation);
}

void require_prime_relations(const PaillierPublicKey& key, const Integer& p, const Integer& q) {
  require(bit_length(p) == key.bits() / 2, "p does not have half as many bits as n");
  require(bit_length(q) == key.bits() / 2, "q does not have half as many bits as n");
  require(p > 0 && q > 0 && p * q == key.n(), "p q differs from n");
  require(p != q, "p equals q");
  require(is_prime(p), "p is not prime");
  require(is_prime(q), "q is not prime");
  require(gcd(key.n(), Integer((p - 1) * (q - 1))) == 1, "n shares a factor with (p - 1)(q - 1)");
}

void require_subgroup_relations(const PaillierPublicKey& key, const Integer& p, const Integer& q,
                                const Integer& alpha_p, const Integer& alpha_q) {
  require(alpha_p > 0 && bit_length(alpha_p) == key.subgroup_bits(), "alpha_p does not have t bits");
  require(alpha_q > 0 && bit_length(alpha_q) == key.subgroup_bits(), "alpha_q does not have t bits");
  require(is_prime(alpha_p), "alpha_p is not prime");
  require(is_prime(alpha_q), "alpha_q is not prime");
  require(alpha_p != alpha_q, "alpha_p equals alpha_q");
  require((p - 1) % alpha_p == 0, "alpha_p does not divide p - 1");
  require((q - 1) % alpha_q == 0, "alpha_q does not divide q - 1");
  require((q - 1) % alpha_p != 0, "alpha_p divides q - 1");
  require((p - 1) % alpha_q != 0, "alpha_q divides p - 1");
  for (const auto& [prime, alpha, order] :
       {std::tuple(&p, &alpha_p, "hs does not have order alpha_p modulo p^2"),
        std::tuple(&q, &alpha_q, "hs does not have order alpha_q modulo q^2")}) {
    const Integer squared = *prime * *prime;
    require(key.hs() % squared != 1 && power_secret(key.hs(), *alpha, squared) == 1, order);
  }
}

}  // namespace

struct PaillierSecretKey::State {
  PaillierPublicKey key;
  SecretInteger alpha_p, alpha_q;
  Integer lift;  // (n - 1) / 2: plaintexts plus this are not negative
  std::array<Side, 2> sides;

  State(const PaillierPublicKey& public_key, const SecretInteger& p, const SecretInteger& q,
        const SecretInteger& order_p, const SecretInteger& order_q)
      : key(public_key),
        alpha_p(order_p),
        alpha_q(order_q),
        lift((public_key.n() - 1) / 2),
        sides{Side(key, p, alpha_p, lift), Side(key, q, alpha_q, lift)} {}

  std::size_t lanes() const { return sides[0].modulo->lanes().lanes(); }
  std::size_t limbs() const { return limbs_for(key.bits()); }

  void decrypt(std::span<const Ciphertext> cs, FixedIntegers& out, std::size_t first) const {
    const auto& [p, q] = sides;
    Scratch scratch;
    Limb wrong = 0;  // both sides run to the end before either is judged
    const WordBuffer m_p = p.decrypt(cs, wrong, scratch), m_q = q.decrypt(cs, wrong, scratch);
    refuse_where(wrong, [] { throw Error("the residue is not a ciphertext under this key"); });
    const auto size = static_cast<mp_size_t>(limbs());
    const WordBuffer half = row_of_lift();
    WordBuffer above(limbs());
    for (std::size_t i = 0; i < cs.size(); ++i) {
      const std::span<Limb> m = out[first + i];
      join_remainders(m, m_p.data() + i * p.prime.limbs(), p.prime, m_q.data() + i * q.prime.limbs(), q.prime,
                      key.n(), scratch);
      const Limb negative = mpn_sub_n(above.data(), half.data(), m.data(), size);
      mpn_cnd_sub_n(negative, m.data(), m.data(), limbs_of(key.n()).data(), size);
    }
  }

  // (n - 1) / 2 in as many limbs as n has: n's highest bit may be the lowest of its limb.
  WordBuffer row_of_lift() const { return Side::row(SecretInteger(lift), limbs()); }

  // Plaintexts plus lift, in [0, n).
  FixedIntegers lifted(const FixedIntegers& ms) const {
    const auto size = static_cast<mp_size_t>(limbs());
    if (ms.limbs() != limbs())
      throw Error("plaintexts of " + std::to_string(ms.limbs()) + " limbs reached a key of " +
                  std::to_string(limbs()));
    const WordBuffer addend = row_of_lift();
    WordBuffer difference(limbs());
    FixedIntegers out(ms.size(), limbs());
    Limb outside = 0;
    for (std::size_t i = 0; i < ms.size(); ++i) {
      mpn_add_n(out[i].data(), ms[i].data(), addend.data(), size);
      outside |= mpn_sub_n(difference.data(), out[i].data(), limbs_of(key.n()).data(), size) ^ 1;
    }
    refuse_where(outside, [this] {
      throw Error("a plaintext is outside (-n/2, n/2] for n of " + std::to_string(key.bits()) + " bits");
    });
    return out;
  }

  // A ciphertext for each stream, of plaintexts from `first` on.
  void encrypt(const FixedIntegers& lifted, std::size_t first, std::span<RandomStream> random,
               std::vector<FreshCiphertext>& out) const {
    const auto& [p, q] = sides;
    Scratch scratch;
    const WordBuffer a = p.encrypt(lifted, first, random, scratch),
                     b = q.encrypt(lifted, first, random, scratch);
    const std::size_t size = mpz_size(key.n_squared().get_mpz_t());
    for (std::size_t i = 0; i < random.size(); ++i) {
      Integer residue;
      Limb* const limbs = mpz_limbs_write(residue.get_mpz_t(), static_cast<mp_size_t>(size));
      join_remainders({limbs, size}, a.data() + i * p.squared.limbs(), p.squared,
                      b.data() + i * q.squared.limbs(), q.squared, key.n_squared(), scratch);
      mpz_limbs_finish(residue.get_mpz_t(), static_cast<mp_size_t>(size));  // public from here on
      out.push_back(Paillier::fresh(std::move(residue)));
    }
  }
};

PaillierSecretKey::PaillierSecretKey(const PaillierPublicKey& public_key, SecretInteger p, SecretInteger q,
                                     SecretInteger alpha_p, SecretInteger alpha_q) {
  require_prime_relations(public_key, p.value(), q.value());
  if (public_key.variant() == Variant::subgroup) {
    require_subgroup_relations(public_key, p.value(), q.value(), alpha_p.value(), alpha_q.value());
  } else {
    require(alpha_p.value() == 0 && alpha_q.value() == 0,
            "alpha_p and alpha_q belong to the variant subgroup alone");
  }
  state_ = std::make_shared<const State>(public_key, p, q, alpha_p, alpha_q);

  // The self-test hides nothing, so a public seed serves. Public encryption needs no trial: hs was tested
  // above.
  RandomStream random = RandomSource::from_seed(0).stream({});
  const Integer largest = (public_key.n() - 1) / 2;
  for (const Integer& m : {Integer(0), Integer(1), Integer(-1), largest, Integer(-largest)}) {
    const Ciphertext c = encrypt(m, random).local();
    require(decrypt(c) == m, "a plaintext does not survive the key holder's encryption and decryption");
    const Integer two_m = 2 * abs(m) < public_key.n() / 2 ? Integer(2 * m) : Integer(m > 0 ? -1 : 1);
    require(decrypt(public_key.add(c, c)) == two_m, "decryption is not additive");
  }
}

PaillierSecretKey PaillierSecretKey::generate(Variant variant, std::size_t bits, std::size_t subgroup_bits,
                                              RandomStream& random) {
  if (bits < 128 || bits % 2 != 0)
    throw Error("a Paillier key of " + std::to_string(bits) +
                " bits was asked for; an even number from 128 is needed");
  const bool subgroup = variant == Variant::subgroup;
  if (subgroup && (subgroup_bits < 16 || 2 * (subgroup_bits + 16) > bits))
    throw Error("Paillier subgroup primes of " + std::to_string(subgroup_bits) +
                " bits were asked for; 16 to bits / 2 - 16 are possible");
  for (;;) {
    const SecretInteger alpha_p = subgroup ? random_prime(subgroup_bits, random) : SecretInteger();
    const SecretInteger alpha_q = subgroup ? random_prime(subgroup_bits, random) : SecretInteger();
    const Integer one = 1;
    const SecretInteger p = random_prime_with_factor(bits / 2, subgroup ? alpha_p.value() : one, random);
    const SecretInteger q = random_prime_with_factor(bits / 2, subgroup ? alpha_q.value() : one, random);
    const Integer n = p.value() * q.value();
    const SecretInteger totient((p.value() - 1) * (q.value() - 1));
    if (p.value() == q.value() || gcd(n, totient.value()) != 1) continue;
    if (subgroup && (alpha_p.value() == alpha_q.value() || (q.value() - 1) % alpha_p.value() == 0 ||
                     (p.value() - 1) % alpha_q.value() == 0))
      continue;
    Integer h = 0;
    if (subgroup) {
      const Integer h_p = element_of_order(std::span(&alpha_p.value(), 1), p.value(), random);
      const Integer h_q = element_of_order(std::span(&alpha_q.value(), 1), q.value(), random);
      h = chinese_remainder(h_p, p.value(), h_q, q.value(), inverse(p.value(), q.value()));
    }
    const PaillierPublicKey key(variant, n, power_secret(h, n, Integer(n * n)), subgroup_bits);
    return PaillierSecretKey(key, p, q, alpha_p, alpha_q);
  }
}

const PaillierPublicKey& PaillierSecretKey::public_key() const {
  return state_->key;
}
const SecretInteger& PaillierSecretKey::p() const {
  return state_->sides[0].prime_integer;
}
const SecretInteger& PaillierSecretKey::q() const {
  return state_->sides[1].prime_integer;
}
const SecretInteger& PaillierSecretKey::alpha_p() const {
  return state_->alpha_p;
}
const SecretInteger& PaillierSecretKey::alpha_q() const {
  return state_->alpha_q;
}

Integer PaillierSecretKey::decrypt(const Ciphertext& c) const {
  return std::move(decrypt(std::span(&c, 1))[0]);
}

std::vector<Integer> PaillierSecretKey::decrypt(std::span<const Ciphertext> cs) const {
  return decrypt_fixed(cs).integers();
}

FixedIntegers PaillierSecretKey::decrypt_fixed(std::span<const Ciphertext> cs) const {
  FixedIntegers out(cs.size(), plaintext_limbs());
  parallel_blocks(cs.size(), state_->lanes(), [&](std::size_t first, std::size_t count) {
    state_->decrypt(cs.subspan(first, count), out, first);
  });
  return out;
}

FreshCiphertext PaillierSecretKey::encrypt(const Integer& m, RandomStream& random) const {
  state_->key.require_plaintext(m);
  std::vector<FreshCiphertext> out;
  state_->encrypt(state_->lifted(FixedIntegers({&m, 1}, plaintext_limbs())), 0, {&random, 1}, out);
  return std::move(out[0]);
}

std::vector<FreshCiphertext> PaillierSecretKey::encrypt(std::span<const Integer> ms,
                                                        const Draws& draws) const {
  for (const Integer& m : ms) state_->key.require_plaintext(m);
  return encrypt(FixedIntegers(ms, plaintext_limbs()), draws);
}

std::vector<FreshCiphertext> PaillierSecretKey::encrypt(const FixedIntegers& ms, const Draws& draws) const {
  const FixedIntegers lifted = state_->lifted(ms);
  const std::size_t lanes = state_->lanes();
  std::vector<std::vector<FreshCiphertext>> blocks((ms.size() + lanes - 1) / lanes);
  parallel_blocks(ms.size(), lanes, [&](std::size_t first, std::size_t count) {
    std::vector<RandomStream> random;
    random.reserve(count);
    for (std::size_t i = first; i < first + count; ++i) random.push_back(draws.stream(i));
    state_->encrypt(lifted, first, random, blocks[first / lanes]);
  });
  std::vector<FreshCiphertext> out;
  out.reserve(ms.size());
  for (auto& block : blocks) std::ranges::move(block, std::back_inserter(out));
  return out;
}

}  // namespace smlp
