// DGK: both halves against small integers, Python and plain GMP powers; every relation of a key broken once.
#include "paillier/dgk.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "paillier/error.h"
#include "paillier/primes.h"
#include "tests/paillier/plain_arithmetic.h"
#include "tests/paillier/python_vectors.h"
#include "tests/support/toy_keys.h"

using namespace smlp;

namespace {

DgkCiphertext decoded(const DgkPublicKey& key, const Integer& residue) {
  Bytes bytes;
  append_little_endian(residue, key.ciphertext_bytes(), bytes);
  return key.decode(bytes, 1, "test")[0];
}

// The numbers of a key, to be bent one at a time.
struct DgkParts {
  Integer n, g, h, p, q, v_p, v_q;
  unsigned u = 197;
  std::size_t t = 64;

  DgkPublicKey make_public() const { return DgkPublicKey(n, g, h, u, t); }
  DgkSecretKey make() const {
    return DgkSecretKey(make_public(), SecretInteger(p), SecretInteger(q), SecretInteger(v_p),
                        SecretInteger(v_q));
  }
  void refused(const std::string& relation) const {
    CHECK_THROWS_WITH_AS(make(), ("the DGK secret key is wrong: " + relation).c_str(), Error);
  }
};

// A key whose p - 1 and q - 1 have factors of the test's choice beside u, and g of order exactly the product
// of the two lists.
DgkParts crafted(const Integer& v_p, const Integer& v_q, const Integer& factor_p, const Integer& factor_q,
                 const std::vector<Integer>& orders_p, const std::vector<Integer>& orders_q,
                 RandomStream& random) {
  DgkParts k;
  k.v_p = v_p, k.v_q = v_q;
  k.p = random_prime_with_factor(256, Integer(k.u * factor_p), random).value();
  do k.q = random_prime_with_factor(256, Integer(k.u * factor_q), random).value();
  while (k.q == k.p);
  k.n = k.p * k.q;
  k.g = chinese_remainder(element_of_order(orders_p, k.p, random), k.p,
                          element_of_order(orders_q, k.q, random), k.q, inverse(k.p, k.q));
  k.h = power(k.g, k.u, k.n);
  return k;
}

DgkParts python_parts() {
  return {python::dgk_n, python::dgk_g,   python::dgk_h,  python::dgk_p,
          python::dgk_q, python::dgk_v_p, python::dgk_v_q};
}

}  // namespace

TEST_CASE("a ciphertext made by Python") {
  const DgkSecretKey key = python_parts().make();
  const DgkCiphertext c = decoded(key.public_key(), python::dgk_c);
  CHECK(key.decrypt(c) == python::dgk_m);
  CHECK_FALSE(key.is_zero(c));
  CHECK(key.is_zero(key.public_key().add(c, key.public_key().trivial(197 - python::dgk_m))));
}

TEST_CASE("public encryption is g^m h^r with the r that the stream names") {
  const DgkPublicKey& key = toy_keys().public_keys().dgk();
  CHECK(key.bits() == 512);
  CHECK(key.subgroup_bits() == 64);
  CHECK(key.ciphertext_bytes() == 64);
  for (const unsigned m : {0u, 1u, 196u}) {
    RandomStream ours = stream(60), expected = stream(60), again = stream(60);
    const Integer r = expected.bits(2 * 64 + 56 + 24);
    const FreshDgkCiphertext c = key.encrypt(m, ours);
    CHECK(c.local().residue() == power(key.g(), m, key.n()) * power(key.h(), r, key.n()) % key.n());
    CHECK(key.rerandomise(key.trivial(m), again).local() == c.local());
  }
}

TEST_CASE("all plaintexts by both encryptions, and the zero test") {
  const DgkSecretKey& key = toy_keys().dgk();
  const DgkPublicKey& pub = key.public_key();
  RandomStream random = stream(61);
  for (unsigned m = 0; m < pub.u(); ++m) {
    const DgkCiphertext a = pub.encrypt(m, random).local(), b = key.encrypt(m, random).local();
    CHECK(a != b);
    CHECK(key.is_zero(a) == (m == 0));
    CHECK(key.is_zero(b) == (m == 0));
    if (m % 20 == 0) {
      CHECK(key.decrypt(a) == m);
      CHECK(key.decrypt(b) == m);
    }
  }
  CHECK_THROWS_WITH_AS(pub.encrypt(197, random), "the DGK plaintext 197 is not below u = 197", Error);
  CHECK_THROWS_AS(key.encrypt(197, random), Error);
  CHECK_THROWS_AS(pub.trivial(197), Error);
}

TEST_CASE("the key holder's randomness stays in the group of h") {
  const DgkSecretKey& key = toy_keys().dgk();
  const Integer& n = key.public_key().n();
  RandomStream random = stream(62);
  for (int i = 0; i < 10; ++i) {
    const Integer rho =
        key.encrypt(9, random).local().residue() * inverse(power(key.public_key().g(), 9, n), n) % n;
    CHECK(rho != 1);
    CHECK(power(rho, key.v_p().value() * key.v_q().value(), n) == 1);
  }
}

TEST_CASE("homomorphic operations modulo u") {
  const DgkSecretKey& key = toy_keys().dgk();
  const DgkPublicKey& pub = key.public_key();
  RandomStream random = stream(63);
  std::vector<DgkCiphertext> cs;
  std::vector<unsigned> ms;
  for (int i = 0; i < 12; ++i) {
    ms.push_back(static_cast<unsigned>(random.below(std::uint64_t{197})));
    cs.push_back(pub.encrypt(ms.back(), random).local());
  }
  const auto negated = pub.negate(cs);
  for (std::size_t i = 0; i < cs.size(); ++i) {
    const std::size_t j = (i + 5) % cs.size();
    CHECK(key.decrypt(pub.add(cs[i], cs[j])) == (ms[i] + ms[j]) % 197);
    CHECK(key.decrypt(negated[i]) == (197 - ms[i]) % 197);
    for (const unsigned k : {0u, 1u, 3u, 196u, 1000u})
      CHECK(key.decrypt(pub.scale(cs[i], k)) == ms[i] * k % 197);
    const DgkCiphertext fresh = pub.rerandomise(cs[i], random).local();
    CHECK(fresh != cs[i]);
    CHECK(key.decrypt(fresh) == ms[i]);
  }
}

TEST_CASE("the byte form, and what it refuses") {
  const DgkSecretKey& secret = toy_keys().dgk();
  const DgkPublicKey& key = secret.public_key();
  RandomStream random = stream(64);
  std::vector<FreshDgkCiphertext> cs;
  std::vector<DgkCiphertext> locals;
  for (unsigned i = 0; i < 5; ++i) {
    cs.push_back(key.encrypt(i, random));
    locals.push_back(cs.back().local());
  }
  Bytes bytes;
  key.encode(cs, bytes);
  CHECK(bytes.size() == 5 * 64);
  CHECK(key.decode(bytes, 5, "bits") == locals);
  CHECK_THROWS_WITH_AS(key.decode(bytes, 4, "bits"), "bits: 320 bytes do not hold 4 ciphertexts of 64 bytes",
                       Error);
  CHECK_THROWS_WITH_AS(decoded(key, 0), "test: ciphertext 0 is zero or not below its modulus", Error);
  CHECK_THROWS_AS(decoded(key, key.n()), Error);
  CHECK_THROWS_WITH_AS(decoded(key, 3 * secret.p().value()),
                       "test: ciphertext 0 shares a factor with the modulus", Error);
}

TEST_CASE("decryption refuses a residue outside the scheme") {
  const DgkSecretKey& key = toy_keys().dgk();
  RandomStream random = stream(65);
  for (int i = 0; i < 5; ++i) {
    const DgkCiphertext c = decoded(key.public_key(), random.below(key.public_key().n()));
    CHECK_THROWS_WITH_AS(key.decrypt(c), "the residue is not a DGK ciphertext under this key", Error);
    CHECK_FALSE(key.is_zero(c));
  }
}

TEST_CASE("the same stream generates the same key") {
  RandomStream a = stream(66), b = stream(66);
  const DgkSecretKey first = DgkSecretKey::generate(256, 32, 101, a);
  CHECK(first.public_key() == DgkSecretKey::generate(256, 32, 101, b).public_key());
  CHECK(bit_length(first.public_key().n()) == 256);
  CHECK(first.public_key().u() == 101);
  CHECK_FALSE(first.public_key() == toy_keys().public_keys().dgk());
  CHECK_THROWS_AS(DgkSecretKey::generate(255, 32, 101, a), Error);
  CHECK_THROWS_AS(DgkSecretKey::generate(64, 32, 101, a), Error);
  CHECK_THROWS_AS(DgkSecretKey::generate(256, 100, 101, a), Error);
  CHECK_THROWS_AS(DgkSecretKey::generate(256, 8, 101, a), Error);
  for (const unsigned u : {0u, 2u, 99u, 65537u})
    CHECK_THROWS_AS(DgkSecretKey::generate(256, 32, u, a), Error);
}

TEST_CASE("with one common v anybody reads plaintexts, and such a key is refused") {
  RandomStream random = stream(67);
  const Integer v = random_prime(64, random).value();
  const DgkParts k = crafted(v, v, v, v, {197, v}, {197, v}, random);
  // The attack: the exponent (n-1)/u strips the randomness without any key.
  const Integer exponent = (k.n - 1) / k.u;
  const auto stripped = [&](unsigned m) {
    const Integer c = power(k.g, m, k.n) * power(k.h, random.bits(168), k.n) % k.n;
    return power(c, exponent, k.n);
  };
  CHECK(stripped(5) == stripped(5));
  CHECK(stripped(5) != stripped(6));
  CHECK_THROWS_WITH_AS(k.make_public(),
                       "the DGK key falls to the keyless attack: h^((n-1)/u) is 1 modulo a factor of n",
                       Error);
  // On a sound key the same exponent leaves the randomness in.
  const DgkPublicKey& sound = toy_keys().public_keys().dgk();
  const auto left = [&] {
    return power(sound.encrypt(5, random).local().residue(), Integer((sound.n() - 1) / sound.u()), sound.n());
  };
  CHECK(left() != left());
}

TEST_CASE("a v that divides both p - 1 and q - 1 gives a factor of n away, and such a key is refused") {
  RandomStream random = stream(68);
  const Integer v_p = random_prime(64, random).value(), v_q = random_prime(64, random).value();
  const DgkParts k = crafted(v_p, v_q, v_p, v_p * v_q, {197, v_p}, {197, v_q}, random);
  const Integer factor = gcd(Integer(power(k.h, Integer((k.n - 1) / k.u), k.n) - 1), k.n);
  CHECK(factor == k.p);
  CHECK_THROWS_AS(k.make_public(), Error);
}

TEST_CASE("public keys that are refused") {
  const DgkParts good = python_parts();
  CHECK_NOTHROW(good.make_public());
  const auto refused = [](const DgkParts& parts, const std::string& message) {
    CHECK_THROWS_WITH_AS(parts.make_public(), message.c_str(), Error);
  };
  DgkParts k = good;
  k.n = 2 * good.n;
  refused(k, "the DGK modulus n is not an odd integer above 1");
  for (const unsigned u : {0u, 1u, 2u, 99u, 199u, 65537u}) {
    k = good;
    k.u = u;
    refused(k, "the DGK plaintext modulus u = " + std::to_string(u) +
                   " is not an odd prime below 2^16 that divides n - 1");
  }
  k = good;
  k.t = 225;
  refused(k, "the DGK subgroup bits t = 225 are outside 16 to bits / 2 - 32 for n of 512 bits");
  k.t = 15;
  CHECK_THROWS_AS(k.make_public(), Error);
  for (const Integer& bad : {Integer(0), Integer(1), good.n, Integer(good.n + 2), good.p, Integer(-1)}) {
    k = good;
    k.g = bad;
    refused(k, "the DGK generator g is not a unit between 1 and n");
    k = good;
    k.h = bad;
    refused(k, "the DGK generator h is not a unit between 1 and n");
  }
  k = good;
  k.h = good.h * good.h % good.n;
  refused(k, "the DGK generators do not satisfy g^u = h");
}

TEST_CASE("secret keys with wrong factors or orders are refused") {
  const DgkParts good = python_parts();
  DgkParts k = good;
  k.p = good.n;
  k.refused("p does not have half as many bits as n");
  k = good;
  k.q = 1;
  k.refused("q does not have half as many bits as n");
  k = good;
  k.q = python::q;
  k.refused("p q differs from n");
  k = good;
  k.v_q = good.v_p;
  k.refused("v_p equals v_q, so the keyless attack strips the randomness");
  k = good;
  k.v_p = good.v_p / 4;
  k.refused("v_p does not have t bits");
  k = good;
  k.v_q = power_of_two(63) + 1;
  k.refused("v_q is not prime");
  k = good;
  std::swap(k.v_p, k.v_q);
  k.refused("v_p does not divide p - 1");

  RandomStream random = stream(69);
  const Integer v_p = random_prime(64, random).value(), v_q = random_prime(64, random).value();
  CHECK_NOTHROW(crafted(v_p, v_q, v_p, v_q, {197, v_p}, {197, v_q}, random).make());
  crafted(v_p, v_q, v_p, v_q, {v_p}, {197, v_q}, random).refused("g does not have order u v_p modulo p");
  crafted(v_p, v_q, v_p, v_q, {197, v_p}, {v_q}, random).refused("g does not have order u v_q modulo q");
  crafted(v_p, v_q, v_p, v_q, {197, v_p, 2}, {197, v_q}, random)
      .refused("g does not have order u v_p modulo p");
}

TEST_CASE("secret keys whose u does not divide p - 1 are refused") {
  RandomStream random = stream(70);
  DgkParts k;
  k.u = 5;
  k.v_p = random_prime(64, random).value(), k.v_q = random_prime(64, random).value();
  do {
    k.p = random_prime_with_factor(256, k.v_p, random).value();
    k.q = random_prime_with_factor(256, k.v_q, random).value();
    k.n = k.p * k.q;
  } while (k.p % k.u == 1 || k.n % k.u != 1);
  const Integer orders[] = {k.v_p}, others[] = {k.v_q};
  k.g = chinese_remainder(element_of_order(orders, k.p, random), k.p, element_of_order(others, k.q, random),
                          k.q, inverse(k.p, k.q));
  k.h = power(k.g, k.u, k.n);
  k.refused("u does not divide p - 1");
}

TEST_CASE("secret keys with composite factors are refused") {
  RandomStream random = stream(71);
  const Integer v_p = random_prime(64, random).value(), v_q = random_prime(64, random).value();
  DgkParts k;
  k.u = 3, k.t = 64, k.v_p = v_p, k.v_q = v_q;
  const Integer a = random_prime_with_factor(128, Integer(3 * v_p), random).value();
  const Integer b = random_prime_with_factor(128, 3, random).value();
  k.p = a * b;
  k.q = random_prime_with_factor(256, Integer(3 * v_q), random).value();
  k.n = k.p * k.q;
  k.g = power(2, Integer(1), k.n);
  k.h = power(k.g, k.u, k.n);
  k.refused("p is not prime");
  std::swap(k.p, k.q);
  std::swap(k.v_p, k.v_q);
  k.refused("q is not prime");
}

TEST_CASE("blocks: the same results as one ciphertext at a time") {
  const DgkSecretKey& secret = toy_keys().dgk();
  const DgkPublicKey& key = secret.public_key();
  key.prepare();
  RandomStream random = RandomSource::from_seed(77).stream({});
  const std::vector<unsigned> plain = {0, 1, 196, 100, 5, 7, 11, 13},
                              factors = {196, 0, 1, 2, 3, 77, 128, 255};
  const std::size_t count = std::min(key.lanes(), plain.size());
  const auto first = [&](const std::vector<unsigned>& v) { return std::span(v).first(count); };
  std::vector<DgkCiphertext> cs;
  for (const unsigned m : first(plain)) cs.push_back(key.encrypt(m, random).local());
  RerandomiserPool pool(key.rerandomisers(), RandomSource::from_seed(78), 0);
  const DgkBlock block = key.block(cs), trivial = key.trivial(first(plain));
  const auto decrypted = [&](const DgkBlock& b) {
    Rerandomisers ready = pool.take(count);
    std::vector<std::size_t> which(count);
    std::iota(which.begin(), which.end(), 0);
    std::vector<unsigned> out;
    for (const FreshDgkCiphertext& c : key.rerandomise(b, ready, which))
      out.push_back(secret.decrypt(c.local()));
    return out;
  };
  const auto expected = [&](auto&& f) {
    std::vector<unsigned> out;
    for (std::size_t k = 0; k < count; ++k) out.push_back(f(k) % key.u());
    return out;
  };
  CHECK(decrypted(block) == expected([&](std::size_t k) { return plain[k]; }));
  CHECK(decrypted(trivial) == expected([&](std::size_t k) { return plain[k]; }));
  CHECK(decrypted(key.add(block, trivial)) == expected([&](std::size_t k) { return 2 * plain[k]; }));
  CHECK(decrypted(key.twice(block)) == expected([&](std::size_t k) { return 2 * plain[k]; }));
  CHECK(decrypted(key.scale(block, first(factors))) ==
        expected([&](std::size_t k) { return plain[k] * factors[k]; }));
  const std::vector<unsigned> bits = {1, 0, 1, 1, 0, 0, 1, 0};
  CHECK(decrypted(key.choose(block, key.twice(block), first(bits))) ==
        expected([&](std::size_t k) { return plain[k] * (1 + bits[k]); }));
  std::vector<DgkBlock> pair;
  pair.push_back(key.twice(block));
  pair.push_back(key.trivial(first(plain)));
  const std::vector<DgkBlock> both = key.negate(pair);
  CHECK(decrypted(both[0]) == expected([&](std::size_t k) { return 2 * (key.u() - plain[k]); }));
  CHECK(decrypted(both[1]) == expected([&](std::size_t k) { return key.u() - plain[k]; }));

  const std::vector<unsigned> too_many(key.lanes() + 1, 0), too_long = {256}, no_plaintext = {key.u()};
  CHECK_THROWS_AS(key.choose(block, trivial, too_many), Error);
  CHECK_THROWS_AS(key.trivial(too_many), Error);
  CHECK_THROWS_AS(key.trivial(no_plaintext), Error);
  CHECK_THROWS_WITH_AS(key.scale(block, too_long), "the DGK factor 256 is longer than u - 1", Error);
  CHECK_THROWS_AS(key.block(std::vector<DgkCiphertext>(key.lanes() + 1, cs[0])), Error);
}

TEST_CASE("batches: the same as one by one [parallel]") {
  const DgkSecretKey& secret = toy_keys().dgk();
  const Draws draws(RandomSource::from_seed(78), {});
  std::vector<unsigned> plain;
  for (unsigned i = 0; i < 21; ++i) plain.push_back(i % 3 == 0 ? 0 : i);
  std::vector<DgkCiphertext> cs;
  const auto encrypted = secret.encrypt(plain, draws);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    RandomStream random = draws.stream(i);
    CHECK(encrypted[i].local() == secret.encrypt(plain[i], random).local());
    cs.push_back(encrypted[i].local());
  }
  const auto zero = secret.are_zero(cs);
  for (std::size_t i = 0; i < cs.size(); ++i) CHECK((zero[i] == 1) == (plain[i] == 0));
}
