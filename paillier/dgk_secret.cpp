// DGK's secret operations: encryption by Chinese remainders, the zero test modulo p alone, key checks.
#include <algorithm>
#include <array>
#include <iterator>
#include <string>

#include "paillier/dgk.h"
#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "paillier/kernels.h"
#include "paillier/parallel.h"
#include "paillier/primes.h"

namespace smlp {
namespace {

// What the key holder needs modulo one prime. Residues are rows of limbs, and nothing here depends on what
// they or the plaintexts are.
struct Side {
  SecretInteger prime_integer, v;
  SecretModulus prime;
  std::shared_ptr<const ModularContext> modulo;
  WordBuffer powers_of_g;  // rows, each over the other prime, so that join_remainders undoes it
  std::unique_ptr<const FixedBase> powers_of_h;

  Side(const DgkPublicKey& key, const SecretInteger& p, const SecretInteger& order)
      : prime_integer(p),
        v(order),
        prime(p.value()),
        modulo(std::make_shared<const ModularContext>(p.value())),
        powers_of_g(key.u() * prime.limbs()) {
    powers_of_h =
        std::make_unique<const FixedBase>(modulo, Integer(key.h() % p.value()), bit_length(v.value()));
    const SecretInteger g(key.g() % p.value()), other(key.n() / p.value());
    SecretInteger power(inverse(other.value(), p.value()));
    for (unsigned m = 0; m < key.u(); ++m) {
      std::ranges::copy(limbs_of(power.value()), powers_of_g.data() + m * prime.limbs());
      power = SecretInteger(modulo->multiply(power.value(), g.value()));
    }
  }

  // Encryptions modulo prime, over the other prime, of plaintexts below `below`: each reads all their powers.
  // h^r has order v, so r uniform below v is uniform in <h>.
  WordBuffer encrypt(std::span<const unsigned> ms, unsigned below, std::span<RandomStream> random) const {
    const std::size_t limbs = prime.limbs();
    WordBuffer out(ms.size() * limbs);
    std::vector<SecretInteger> exponents;
    exponents.reserve(ms.size());
    for (std::size_t i = 0; i < ms.size(); ++i) {
      Limb* const residue = out.data() + i * limbs;
      for (unsigned m = 0; m < below; ++m) {
        const Limb differs = ms[i] ^ m, mask = ((differs | (0 - differs)) >> (limb_bits - 1)) - 1;
        for (std::size_t k = 0; k < limbs; ++k) residue[k] |= powers_of_g.data()[m * limbs + k] & mask;
      }
      exponents.emplace_back(random[i].below(v.value()));
    }
    powers_of_h->multiply_powers(out.data(), exponents);
    return out;
  }

  // c^v = (g^v)^m: the randomness is gone.
  WordBuffer strip(std::span<const DgkCiphertext> cs) const {
    WordBuffer residues(cs.size() * prime.limbs());
    Scratch scratch;
    for (std::size_t i = 0; i < cs.size(); ++i) {
      const auto c = limbs_of(cs[i].residue());
      prime.reduce(residues.data() + i * prime.limbs(), c.data(), c.size(), scratch);
    }
    modulo->power_secret(residues.data(), cs.size(), v);
    return residues;
  }
  SecretInteger strip(const Integer& c) const {
    const SecretIntegers residue({Integer(c % prime_integer.value())});
    return SecretInteger(std::move(modulo->power_secret(residue.values, v)[0]));
  }
};

void require(bool holds, const std::string& relation) {
  if (!holds) throw Error("the DGK secret key is wrong: " + relation);
}

void require_side(const DgkPublicKey& key, const Integer& p, const Integer& v, const std::string& side) {
  const std::string prime = side, order = "v_" + side;
  require(v > 0 && bit_length(v) == key.subgroup_bits(), order + " does not have t bits");
  require(is_prime(v), order + " is not prime");
  require(v != key.u(), order + " equals u");
  require((p - 1) % key.u() == 0, "u does not divide " + prime + " - 1");
  require((p - 1) % v == 0, order + " does not divide " + prime + " - 1");
  const Integer u = key.u();  // h = g^u was tested with the public key, so its order v follows from that of g
  require(power_secret(key.g(), u * v, p) == 1 && power_secret(key.g(), u, p) != 1 &&
              power_secret(key.g(), v, p) != 1,
          "g does not have order u " + order + " modulo " + prime);
}

}  // namespace

struct DgkSecretKey::State {
  DgkPublicKey key;
  std::array<Side, 2> sides;

  State(const DgkPublicKey& public_key, const SecretInteger& p, const SecretInteger& q,
        const SecretInteger& v_p, const SecretInteger& v_q)
      : key(public_key), sides{Side(key, p, v_p), Side(key, q, v_q)} {}
};

DgkSecretKey::DgkSecretKey(const DgkPublicKey& public_key, SecretInteger secret_p, SecretInteger secret_q,
                           SecretInteger secret_v_p, SecretInteger secret_v_q) {
  const Integer &p = secret_p.value(), &q = secret_q.value(), &v_p = secret_v_p.value(),
                &v_q = secret_v_q.value();
  require(p > 0 && bit_length(p) == public_key.bits() / 2, "p does not have half as many bits as n");
  require(q > 0 && bit_length(q) == public_key.bits() / 2, "q does not have half as many bits as n");
  require(p * q == public_key.n(), "p q differs from n");
  require(p != q, "p equals q");
  require(is_prime(p), "p is not prime");
  require(is_prime(q), "q is not prime");
  require(v_p != v_q, "v_p equals v_q, so the keyless attack strips the randomness");
  require_side(public_key, p, v_p, "p");
  require_side(public_key, q, v_q, "q");
  require((q - 1) % v_p != 0, "v_p divides q - 1");
  require((p - 1) % v_q != 0, "v_q divides p - 1");
  state_ = std::make_shared<const State>(public_key, secret_p, secret_q, secret_v_p, secret_v_q);

  // The self-test hides nothing, so a public seed serves. Public encryption needs no trial: g and h were
  // tested above.
  RandomStream random = RandomSource::from_seed(0).stream({});
  for (const unsigned m : {0u, 1u, public_key.u() - 1}) {
    const DgkCiphertext c = encrypt(m, random).local();
    require(decrypt(c) == m, "a plaintext does not survive encryption and decryption");
    require(is_zero(c) == (m == 0), "the zero test is wrong");
  }
}

DgkSecretKey DgkSecretKey::generate(std::size_t bits, std::size_t subgroup_bits, unsigned u,
                                    RandomStream& random) {
  if (bits < 128 || bits % 2 != 0)
    throw Error("a DGK key of " + std::to_string(bits) +
                " bits was asked for; an even number from 128 is needed");
  if (subgroup_bits < 16 || 2 * (subgroup_bits + 32) > bits)
    throw Error("DGK subgroup primes of " + std::to_string(subgroup_bits) +
                " bits were asked for; 16 to bits / 2 - 32 are possible");
  if (u < 3 || u >= 1u << 16 || !is_prime(u))
    throw Error("the DGK plaintext modulus u = " + std::to_string(u) + " is not an odd prime below 2^16");
  for (;;) {
    const SecretInteger v_p = random_prime(subgroup_bits, random);
    const SecretInteger v_q = random_prime(subgroup_bits, random);
    if (v_p.value() == v_q.value() || v_p.value() == u || v_q.value() == u) continue;
    const SecretInteger p = random_prime_with_factor(bits / 2, Integer(u * v_p.value()), random);
    const SecretInteger q = random_prime_with_factor(bits / 2, Integer(u * v_q.value()), random);
    if (p.value() == q.value() || (q.value() - 1) % v_p.value() == 0 || (p.value() - 1) % v_q.value() == 0)
      continue;
    const Integer n = p.value() * q.value();
    const Integer factors_p[] = {u, v_p.value()};
    const Integer factors_q[] = {u, v_q.value()};
    const Integer g_p = element_of_order(factors_p, p.value(), random);
    const Integer g_q = element_of_order(factors_q, q.value(), random);
    const Integer g = chinese_remainder(g_p, p.value(), g_q, q.value(), inverse(p.value(), q.value()));
    const DgkPublicKey key(n, g, power_secret(g, u, n), u, subgroup_bits);
    return DgkSecretKey(key, p, q, v_p, v_q);
  }
}

const DgkPublicKey& DgkSecretKey::public_key() const {
  return state_->key;
}
const SecretInteger& DgkSecretKey::p() const {
  return state_->sides[0].prime_integer;
}
const SecretInteger& DgkSecretKey::q() const {
  return state_->sides[1].prime_integer;
}
const SecretInteger& DgkSecretKey::v_p() const {
  return state_->sides[0].v;
}
const SecretInteger& DgkSecretKey::v_q() const {
  return state_->sides[1].v;
}

FreshDgkCiphertext DgkSecretKey::encrypt(unsigned m, RandomStream& random) const {
  return std::move(encrypt_block({&m, 1}, state_->key.u(), {&random, 1})[0]);
}

std::vector<FreshDgkCiphertext> DgkSecretKey::encrypt(std::span<const unsigned> ms,
                                                      const Draws& draws) const {
  return encrypt(ms, draws, state_->key.u());
}

std::vector<FreshDgkCiphertext> DgkSecretKey::encrypt(std::span<const unsigned> ms, const Draws& draws,
                                                      unsigned below) const {
  std::vector<std::vector<FreshDgkCiphertext>> blocks(state_->sides[0].modulo->lanes().blocks(ms.size()));
  const std::size_t lanes = state_->sides[0].modulo->lanes().lanes();
  parallel_blocks(ms.size(), lanes, [&](std::size_t first, std::size_t count) {
    std::vector<RandomStream> random;
    random.reserve(count);
    for (std::size_t i = first; i < first + count; ++i) random.push_back(draws.stream(i));
    blocks[first / lanes] = encrypt_block(ms.subspan(first, count), below, random);
  });
  std::vector<FreshDgkCiphertext> out;
  out.reserve(ms.size());
  for (auto& block : blocks) std::ranges::move(block, std::back_inserter(out));
  return out;
}

std::vector<FreshDgkCiphertext> DgkSecretKey::encrypt_block(std::span<const unsigned> ms, unsigned below,
                                                            std::span<RandomStream> random) const {
  unsigned outside = static_cast<unsigned>(below > state_->key.u());
  for (const unsigned m : ms) outside |= static_cast<unsigned>(m >= below);
  refuse_where(outside, [&] {
    throw Error("a DGK plaintext is not below " + std::to_string(std::min(below, state_->key.u())) +
                ", with u = " + std::to_string(state_->key.u()));
  });
  const auto& [p, q] = state_->sides;
  const WordBuffer a = p.encrypt(ms, below, random), b = q.encrypt(ms, below, random);
  const Integer& n = state_->key.n();
  const std::size_t size = mpz_size(n.get_mpz_t());
  std::vector<FreshDgkCiphertext> out;
  out.reserve(ms.size());
  Scratch scratch;
  for (std::size_t i = 0; i < ms.size(); ++i) {
    Integer residue;
    Limb* const limbs = mpz_limbs_write(residue.get_mpz_t(), static_cast<mp_size_t>(size));
    join_remainders({limbs, size}, a.data() + i * p.prime.limbs(), p.prime, b.data() + i * q.prime.limbs(),
                    q.prime, n, scratch);
    mpz_limbs_finish(residue.get_mpz_t(), static_cast<mp_size_t>(size));  // public from here on
    out.push_back(Dgk::fresh(std::move(residue)));
  }
  return out;
}

bool DgkSecretKey::is_zero(const DgkCiphertext& c) const {
  return are_zero({&c, 1})[0] != 0;
}

std::vector<std::uint8_t> DgkSecretKey::are_zero(std::span<const DgkCiphertext> cs) const {
  const Side& side = state_->sides[0];
  std::vector<std::uint8_t> out(cs.size());
  parallel_blocks(cs.size(), side.modulo->lanes().lanes(), [&](std::size_t first, std::size_t count) {
    const WordBuffer stripped = side.strip(cs.subspan(first, count));
    const std::size_t limbs = side.prime.limbs();
    for (std::size_t i = 0; i < count; ++i) {
      Limb differs = stripped.data()[i * limbs] ^ 1;
      for (std::size_t k = 1; k < limbs; ++k) differs |= stripped.data()[i * limbs + k];
      out[first + i] = static_cast<std::uint8_t>(((differs | (0 - differs)) >> (limb_bits - 1)) ^ 1);
    }
  });
  return out;
}

unsigned DgkSecretKey::decrypt(const DgkCiphertext& c) const {
  const auto& [p_side, q_side] = state_->sides;
  const SecretInteger strip_a = p_side.strip(c.residue()), strip_b = q_side.strip(c.residue());
  const SecretInteger strip_g_a = p_side.strip(state_->key.g()), strip_g_b = q_side.strip(state_->key.g());
  const Integer &a = strip_a.value(), &b = strip_b.value(), &base_a = strip_g_a.value(),
                &base_b = strip_g_b.value();
  Integer power_a = 1, power_b = 1;
  unsigned found = state_->key.u();
  for (unsigned m = 0; m < state_->key.u(); ++m) {
    if (a == power_a && b == power_b) found = m;
    power_a = p_side.modulo->multiply(power_a, base_a);
    power_b = q_side.modulo->multiply(power_b, base_b);
  }
  if (found == state_->key.u()) throw Error("the residue is not a DGK ciphertext under this key");
  return found;
}

}  // namespace smlp
