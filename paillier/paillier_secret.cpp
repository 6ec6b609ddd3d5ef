// Paillier's secret operations: everything modulo p^2 and q^2, joined by Chinese remainders.
#include <array>

#include "paillier/error.h"
#include "paillier/kernels.h"
#include "paillier/paillier.h"
#include "paillier/parallel.h"
#include "paillier/primes.h"

namespace smlp {
namespace {

// What the key holder needs modulo the square of one prime.
struct Side {
  SecretInteger prime, squared;
  SecretInteger order;  // of the randomness: alpha, or prime - 1
  // The other prime is o. Results are over o, or over o^2, so that joined_remainders undoes it.
  SecretInteger decrypt_factor;   // order^-1 o^-2 mod prime
  SecretInteger encrypt_factor;   // o^-1 mod prime
  SecretInteger inverse_squared;  // o^-2 mod prime^2
  std::shared_ptr<const ModularContext> modulo;
  std::unique_ptr<const FixedBase> powers_of_hs;  // none for standard

  Side(const PaillierPublicKey& key, const SecretInteger& p, const SecretInteger& alpha)
      : prime(p), squared(p.value() * p.value()) {
    order = sgn(alpha.value()) != 0 ? alpha : SecretInteger(p.value() - 1);
    const SecretInteger other(key.n() / p.value());
    decrypt_factor = SecretInteger(inverse(order.value() * other.value() * other.value(), p.value()));
    encrypt_factor = SecretInteger(inverse(other.value(), p.value()));
    inverse_squared = SecretInteger(inverse(other.value() * other.value(), squared.value()));
    modulo = std::make_shared<const ModularContext>(squared.value());
    if (key.variant() != Variant::standard)
      powers_of_hs = std::make_unique<const FixedBase>(modulo, Integer(key.hs() % squared.value()),
                                                       bit_length(order.value()));
  }

  // m / o mod prime from c = (1 + n)^m rho: c^order = 1 + m order n mod prime^2. Clears `valid` where c is no
  // ciphertext.
  std::vector<SecretInteger> decrypt(std::span<const Ciphertext> cs, bool& valid) const {
    SecretIntegers residues;
    for (const Ciphertext& c : cs) residues.values.push_back(c.residue() % squared.value());
    const Integer& p = prime.value();
    std::vector<SecretInteger> out;
    out.reserve(cs.size());
    const SecretIntegers powers(modulo->power_secret(residues.values, order));
    for (const Integer& power : powers.values) {
      Integer quotient, remainder;
      mpz_fdiv_qr(quotient.get_mpz_t(), remainder.get_mpz_t(), power.get_mpz_t(), p.get_mpz_t());
      valid &= remainder == 1;
      quotient *= decrypt_factor.value();
      mpz_mod(quotient.get_mpz_t(), quotient.get_mpz_t(), p.get_mpz_t());
      out.emplace_back(std::move(quotient));
    }
    return out;
  }

  // Encryptions modulo prime^2, over o^2: (1 + m n) / o^2 = o^-2 + prime (m / o mod prime), times a uniform
  // n-th residue.
  SecretIntegers encrypt(std::span<const Integer> ms, std::span<RandomStream> random) const {
    SecretIntegers out;
    out.values.reserve(ms.size());
    SecretIntegers scratch(std::vector<Integer>(1));
    Integer& quotient = scratch.values[0];
    for (const Integer& m : ms) {
      Integer& factor = out.values.emplace_back(inverse_squared.value());
      mpz_mod(quotient.get_mpz_t(), m.get_mpz_t(), prime.value().get_mpz_t());
      mpz_mul(quotient.get_mpz_t(), quotient.get_mpz_t(), encrypt_factor.value().get_mpz_t());
      mpz_mod(quotient.get_mpz_t(), quotient.get_mpz_t(), prime.value().get_mpz_t());
      mpz_addmul(factor.get_mpz_t(), quotient.get_mpz_t(), prime.value().get_mpz_t());
      if (factor >= squared.value()) factor -= squared.value();
    }
    if (powers_of_hs) {
      std::vector<SecretInteger> exponents;
      exponents.reserve(random.size());
      for (RandomStream& stream : random) exponents.emplace_back(stream.below(order.value()));
      powers_of_hs->multiply_powers(out.values, exponents);
      return out;
    }
    // r^n mod p^2 depends on r mod p alone, since (r + k p)^p = r^p mod p^2. The map x -> x^p is injective on
    // Z_p* into the cyclic group of order p - 1, and the further power q permutes that group, as gcd(q, p -
    // 1) = 1: for uniform x in Z_p* the residue x^p has the same distribution as r^n.
    SecretIntegers bases;
    for (RandomStream& stream : random) bases.values.push_back(1 + stream.below(Integer(prime.value() - 1)));
    const SecretIntegers powers(modulo->power_secret(bases.values, prime));
    for (std::size_t i = 0; i < powers.values.size(); ++i)
      out.values[i] = modulo->multiply(out.values[i], powers.values[i]);
    return out;
  }
};

void require(bool holds, const char* relation) {
  if (!holds) throw Error(std::string("the Paillier secret key is wrong: ") + relation);
}

Integer power(const Integer& base, const Integer& exponent, const Integer& modulus) {
  Integer result;
  mpz_powm(result.get_mpz_t(), base.get_mpz_t(), exponent.get_mpz_t(), modulus.get_mpz_t());
  return result;
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
    require(key.hs() % squared != 1 && power(key.hs(), *alpha, squared) == 1, order);
  }
}

}  // namespace

struct PaillierSecretKey::State {
  PaillierPublicKey key;
  SecretInteger alpha_p, alpha_q;
  std::array<Side, 2> sides;

  State(const PaillierPublicKey& public_key, const SecretInteger& p, const SecretInteger& q,
        const SecretInteger& order_p, const SecretInteger& order_q)
      : key(public_key),
        alpha_p(order_p),
        alpha_q(order_q),
        sides{Side(key, p, alpha_p), Side(key, q, alpha_q)} {}

  std::size_t lanes() const { return sides[0].modulo->lanes().lanes(); }

  std::vector<Integer> decrypt(std::span<const Ciphertext> cs) const {
    const Integer &p = sides[0].prime.value(), &q = sides[1].prime.value();
    bool valid = true;  // both sides run to the end before either is judged
    const std::vector<SecretInteger> m_p = sides[0].decrypt(cs, valid), m_q = sides[1].decrypt(cs, valid);
    if (!valid) throw Error("the residue is not a ciphertext under this key");
    std::vector<Integer> out;
    out.reserve(cs.size());
    for (std::size_t i = 0; i < cs.size(); ++i) {
      Integer m = joined_remainders(m_p[i].value(), p, m_q[i].value(), q, key.n());
      if (2 * m > key.n()) m -= key.n();
      out.push_back(std::move(m));
    }
    return out;
  }

  void encrypt(std::span<const Integer> ms, std::span<RandomStream> random, Integer* out) const {
    const SecretIntegers a = sides[0].encrypt(ms, random), b = sides[1].encrypt(ms, random);
    for (std::size_t i = 0; i < ms.size(); ++i)
      out[i] = joined_remainders(a.values[i], sides[0].squared.value(), b.values[i], sides[1].squared.value(),
                                 key.n_squared());
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
    const PaillierPublicKey key(variant, n, power(h, n, Integer(n * n)), subgroup_bits);
    return PaillierSecretKey(key, p, q, alpha_p, alpha_q);
  }
}

const PaillierPublicKey& PaillierSecretKey::public_key() const {
  return state_->key;
}
const SecretInteger& PaillierSecretKey::p() const {
  return state_->sides[0].prime;
}
const SecretInteger& PaillierSecretKey::q() const {
  return state_->sides[1].prime;
}
const SecretInteger& PaillierSecretKey::alpha_p() const {
  return state_->alpha_p;
}
const SecretInteger& PaillierSecretKey::alpha_q() const {
  return state_->alpha_q;
}

Integer PaillierSecretKey::decrypt(const Ciphertext& c) const {
  return std::move(state_->decrypt({&c, 1})[0]);
}

std::vector<Integer> PaillierSecretKey::decrypt(std::span<const Ciphertext> cs) const {
  std::vector<Integer> out(cs.size());
  parallel_blocks(cs.size(), state_->lanes(), [&](std::size_t first, std::size_t count) {
    std::vector<Integer> plaintexts = state_->decrypt(cs.subspan(first, count));
    std::move(plaintexts.begin(), plaintexts.end(), out.begin() + static_cast<std::ptrdiff_t>(first));
  });
  return out;
}

FreshCiphertext PaillierSecretKey::encrypt(const Integer& m, RandomStream& random) const {
  state_->key.require_plaintext(m);
  Integer residue;
  state_->encrypt({&m, 1}, {&random, 1}, &residue);
  return Paillier::fresh(std::move(residue));
}

std::vector<FreshCiphertext> PaillierSecretKey::encrypt(std::span<const Integer> ms,
                                                        const Draws& draws) const {
  for (const Integer& m : ms) state_->key.require_plaintext(m);
  std::vector<Integer> residues(ms.size());
  parallel_blocks(ms.size(), state_->lanes(), [&](std::size_t first, std::size_t count) {
    std::vector<RandomStream> random;
    random.reserve(count);
    for (std::size_t i = first; i < first + count; ++i) random.push_back(draws.stream(i));
    state_->encrypt(ms.subspan(first, count), random, residues.data() + first);
  });
  std::vector<FreshCiphertext> out;
  out.reserve(ms.size());
  for (Integer& residue : residues) out.push_back(Paillier::fresh(std::move(residue)));
  return out;
}

}  // namespace smlp
