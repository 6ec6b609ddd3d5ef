// Paillier's secret operations: decryption, the key holder's encryption, and every relation of a key broken
// once.
#include <doctest/doctest.h>

#include <map>

#include "paillier/error.h"
#include "paillier/paillier.h"
#include "paillier/primes.h"
#include "tests/paillier/plain_arithmetic.h"
#include "tests/paillier/python_vectors.h"
#include "tests/support/toy_keys.h"

using namespace smlp;

namespace {

Ciphertext decoded(const PaillierPublicKey& key, const Integer& residue) {
  Bytes bytes;
  append_little_endian(residue, key.ciphertext_bytes(), bytes);
  return key.decode(bytes, 1, "test")[0];
}

// The numbers of a key, to be bent one at a time.
struct PaillierParts {
  Variant variant = Variant::subgroup;
  Integer n, hs, p, q, alpha_p, alpha_q;
  std::size_t t = 64;

  void refused(const std::string& relation) const {
    CHECK_THROWS_WITH_AS(make(), ("the Paillier secret key is wrong: " + relation).c_str(), Error);
  }
  PaillierSecretKey make() const {
    return PaillierSecretKey(PaillierPublicKey(variant, n, hs, t), SecretInteger(p), SecretInteger(q),
                             SecretInteger(alpha_p), SecretInteger(alpha_q));
  }
};

PaillierParts parts_of(const PaillierSecretKey& key) {
  const PaillierPublicKey& pub = key.public_key();
  return {pub.variant(),
          pub.n(),
          pub.hs(),
          key.p().value(),
          key.q().value(),
          key.alpha_p().value(),
          key.alpha_q().value(),
          pub.variant() == Variant::subgroup ? pub.subgroup_bits() : 64};
}

// A key with factors of p - 1 and q - 1 of the test's choice, hs of the order that belongs to alpha_p and
// alpha_q.
PaillierParts crafted(const Integer& alpha_p, const Integer& alpha_q, const Integer& factor_p,
                      const Integer& factor_q, RandomStream& random) {
  PaillierParts k;
  k.alpha_p = alpha_p, k.alpha_q = alpha_q;
  k.p = random_prime_with_factor(256, factor_p, random).value();
  do k.q = random_prime_with_factor(256, factor_q, random).value();
  while (k.q == k.p);
  k.n = k.p * k.q;
  const auto order = [&](const Integer& alpha, const Integer& prime) {
    Integer x = 1;
    while (x == 1) x = power(2 + random.below(Integer(prime - 3)), Integer((prime - 1) / alpha), prime);
    return x;
  };
  const bool divide = (k.p - 1) % alpha_p == 0 && (k.q - 1) % alpha_q == 0;
  const Integer h =
      divide ? chinese_remainder(order(alpha_p, k.p), k.p, order(alpha_q, k.q), k.q, inverse(k.p, k.q))
             : Integer(4);
  k.hs = power(h, k.n, Integer(k.n * k.n));
  return k;
}

}  // namespace

TEST_CASE("generated keys have the promised shape") {
  for (const Variant variant : variants) {
    CAPTURE(name(variant));
    const PaillierSecretKey& key = toy_keys(variant).paillier();
    const Integer &p = key.p().value(), &q = key.q().value(), &n = key.public_key().n();
    CHECK(bit_length(n) == 512);
    CHECK(key.public_key().bits() == 512);
    CHECK(n == p * q);
    CHECK(mpz_probab_prime_p(p.get_mpz_t(), 50) != 0);
    CHECK(mpz_probab_prime_p(q.get_mpz_t(), 50) != 0);
    CHECK(key.public_key().subgroup_bits() == (variant == Variant::subgroup ? 64 : 0));
    if (variant != Variant::subgroup) continue;
    const Integer &ap = key.alpha_p().value(), &aq = key.alpha_q().value(), &hs = key.public_key().hs();
    const Integer n2 = n * n;
    CHECK(power(hs, ap * aq, n2) == 1);
    CHECK(power(hs, ap, n2) != 1);
    CHECK(power(hs, aq, n2) != 1);
  }
}

TEST_CASE("the same stream generates the same key") {
  for (const Variant variant : variants) {
    RandomStream a = stream(50), b = stream(50), c = stream(51);
    const auto first = PaillierSecretKey::generate(variant, 256, 32, a);
    CHECK(first.public_key() == PaillierSecretKey::generate(variant, 256, 32, b).public_key());
    CHECK_FALSE(first.public_key() == PaillierSecretKey::generate(variant, 256, 32, c).public_key());
  }
}

TEST_CASE("sizes that cannot be generated") {
  RandomStream random = stream(52);
  CHECK_THROWS_AS(PaillierSecretKey::generate(Variant::standard, 511, 0, random), Error);
  CHECK_THROWS_AS(PaillierSecretKey::generate(Variant::standard, 64, 0, random), Error);
  CHECK_THROWS_AS(PaillierSecretKey::generate(Variant::subgroup, 512, 8, random), Error);
  CHECK_THROWS_AS(PaillierSecretKey::generate(Variant::subgroup, 512, 250, random), Error);
}

TEST_CASE("both encryptions decrypt to every edge of the plaintext range") {
  for (const Variant variant : variants) {
    CAPTURE(name(variant));
    const PaillierSecretKey& key = toy_keys(variant).paillier();
    RandomStream random = stream(53);
    const Integer largest = (key.public_key().n() - 1) / 2;
    for (const Integer& m : {Integer(0), Integer(1), Integer(-1), largest, Integer(-largest),
                             Integer(random.bits(400)), Integer(-random.bits(400))}) {
      CHECK(key.decrypt(key.encrypt(m, random).local()) == m);
      CHECK(key.decrypt(key.public_key().encrypt(m, random).local()) == m);
    }
  }
}

TEST_CASE("the key holder's randomness is an n-th residue of the group of the public one, and varies") {
  for (const Variant variant : variants) {
    CAPTURE(name(variant));
    const PaillierSecretKey& key = toy_keys(variant).paillier();
    const Integer &n = key.public_key().n(), &n2 = key.public_key().n_squared();
    const Integer order = variant == Variant::subgroup
                              ? Integer(key.alpha_p().value() * key.alpha_q().value())
                              : Integer((key.p().value() - 1) * (key.q().value() - 1));
    RandomStream random = stream(54);
    Integer last = 0;
    for (int i = 0; i < 10; ++i) {
      const Integer c = key.encrypt(7, random).local().residue();
      const Integer rho = c * inverse(1 + 7 * n, n2) % n2;
      CHECK(power(rho, order, n2) ==
            1);  // (p - 1)(q - 1) is prime to n: only n-th residues have such an order
      CHECK(rho != last);
      last = rho;
    }
  }
}

TEST_CASE("standard: the key holder draws every n-th residue of a small key equally often") {
  // p = 11, q = 17 is far below any key, so the argument of the code is replayed: x^p mod p^2 for x in Z_p*
  // against r^n mod p^2 for r in Z_n*. Each residue must come up in the same proportion.
  const long p = 11, q = 17, n = p * q;
  std::map<Integer, int> short_way, long_way;
  for (long x = 1; x < p; ++x) ++short_way[power(x, p, p * p)];
  for (long r = 1; r < n; ++r)
    if (gcd(Integer(r), Integer(n)) == 1) ++long_way[power(r, n, p * p)];
  REQUIRE(short_way.size() == static_cast<std::size_t>(p - 1));
  REQUIRE(long_way.size() == short_way.size());
  for (const auto& [residue, count] : long_way) CHECK(count == short_way[residue] * (q - 1));
}

TEST_CASE("subgroup: what the scheme cannot have made is refused") {
  const PaillierSecretKey& key = toy_keys(Variant::subgroup).paillier();
  const PaillierPublicKey& pub = key.public_key();
  const char* message = "the residue is not a ciphertext under this key";
  RandomStream random = stream(55);
  for (int i = 0; i < 20; ++i) {
    const Ciphertext c = decoded(pub, random.below(pub.n_squared()));
    CHECK_THROWS_WITH_AS(key.decrypt(c), message, Error);
  }
  CHECK_THROWS_WITH_AS(key.decrypt(decoded(pub, pub.n_squared() - 1)), message, Error);
  CHECK(key.decrypt(decoded(pub, 1)) == 0);
  // Right modulo one prime and wrong modulo the other.
  const Integer p2 = key.p().value() * key.p().value(), q2 = key.q().value() * key.q().value();
  const Integer c = key.encrypt(5, random).local().residue(), inv = inverse(p2, q2);
  CHECK_THROWS_WITH_AS(key.decrypt(decoded(pub, chinese_remainder(c % p2, p2, 2, q2, inv))), message, Error);
  CHECK_THROWS_WITH_AS(key.decrypt(decoded(pub, chinese_remainder(2, p2, c % q2, q2, inv))), message, Error);
  CHECK(key.decrypt(decoded(pub, chinese_remainder(c % p2, p2, c % q2, q2, inv))) == 5);
  // One bad element spoils a batch, and the message does not say which.
  const std::vector<Ciphertext> batch = {decoded(pub, c), decoded(pub, 2), decoded(pub, c)};
  CHECK_THROWS_WITH_AS(key.decrypt(batch), message, Error);
}

TEST_CASE("standard: residues that decode are residues of the scheme's whole group") {
  const PaillierSecretKey& key = toy_keys(Variant::standard).paillier();
  CHECK(key.decrypt(decoded(key.public_key(), 1 + 9 * key.public_key().n())) == 9);
}

TEST_CASE("keys with wrong factors are refused") {
  for (const Variant variant : variants) {
    CAPTURE(name(variant));
    const PaillierParts good = parts_of(toy_keys(variant).paillier());
    CHECK_NOTHROW(good.make());
    PaillierParts bad = good;
    bad.p = python::p;
    bad.refused("p q differs from n");
    bad = good;
    bad.p = good.n;
    bad.refused("p does not have half as many bits as n");
    bad = good;
    bad.q = 0;
    bad.refused("q does not have half as many bits as n");
    bad = good;
    bad.p = -good.p, bad.q = -good.q;
    bad.refused("p q differs from n");
    if (variant != Variant::subgroup) {
      bad = good;
      bad.alpha_p = python::alpha_p;
      bad.refused("alpha_p and alpha_q belong to the variant subgroup alone");
    }
  }
}

TEST_CASE("keys with composite factors are refused") {
  RandomStream random = stream(56);
  const Integer a = random_prime_with_factor(128, 1, random).value();
  Integer b = random_prime_with_factor(128, 1, random).value();
  Integer composite = a * b;
  PaillierParts k;
  k.variant = Variant::standard;
  k.p = composite, k.q = python::q, k.n = k.p * k.q;
  k.refused("p is not prime");
  std::swap(k.p, k.q);
  k.refused("q is not prime");
}

TEST_CASE("subgroup keys with wrong orders are refused") {
  RandomStream random = stream(57);
  const Integer ap = random_prime(64, random).value(), aq = random_prime(64, random).value();
  CHECK_NOTHROW(crafted(ap, aq, ap, aq, random).make());

  PaillierParts k = crafted(ap, aq, ap, aq, random);
  std::swap(k.alpha_p, k.alpha_q);
  k.refused("alpha_p does not divide p - 1");
  crafted(ap, aq, ap, 1, random).refused("alpha_q does not divide q - 1");
  crafted(ap, aq, ap, ap * aq, random).refused("alpha_p divides q - 1");
  crafted(ap, aq, ap * aq, aq, random).refused("alpha_q divides p - 1");
  crafted(ap, ap, ap, ap, random).refused("alpha_p equals alpha_q");
  const Integer short_prime = random_prime(63, random).value();
  crafted(short_prime, aq, short_prime, aq, random).refused("alpha_p does not have t bits");
  crafted(ap, short_prime, ap, short_prime, random).refused("alpha_q does not have t bits");
  const Integer composite = power_of_two(63) + 1;  // divisible by 3
  crafted(composite, aq, composite, aq, random).refused("alpha_p is not prime");
  crafted(ap, composite, ap, composite, random).refused("alpha_q is not prime");

  k = crafted(ap, aq, ap, aq, random);
  const Integer n2 = k.n * k.n, hs = k.hs;
  k.hs = power(4, k.n, n2);  // an n-th residue of large order
  k.refused("hs does not have order alpha_p modulo p^2");
  k.hs = power(hs, ap, n2);  // trivial modulo p^2
  k.refused("hs does not have order alpha_p modulo p^2");
  k.hs = power(hs, aq, n2);
  k.refused("hs does not have order alpha_q modulo q^2");
  k.hs = hs * (1 + k.n) % n2;  // no n-th residue: an encryption of 1
  k.refused("hs does not have order alpha_p modulo p^2");
  k.hs = power(hs, 2, n2);  // another generator of the same group
  CHECK_NOTHROW(k.make());
}
