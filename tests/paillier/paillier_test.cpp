// Paillier's public operations, for the three variants, against integers in the clear and plain GMP powers.
#include "paillier/paillier.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "tests/paillier/plain_arithmetic.h"
#include "tests/paillier/python_vectors.h"
#include "tests/support/toy_keys.h"

using namespace smlp;

namespace {

// A signed number of up to `bits` bits.
Integer draw(RandomStream& random, std::size_t bits) {
  return random.bits(bits + 1) - power_of_two(bits);
}

// The representative in (-n/2, n/2].
Integer centred(const Integer& m, const Integer& n) {
  Integer r;
  mpz_mod(r.get_mpz_t(), m.get_mpz_t(), n.get_mpz_t());
  return 2 * r > n ? Integer(r - n) : r;
}

Bytes bytes_of(const PaillierPublicKey& key, const Integer& residue) {
  Bytes bytes;
  append_little_endian(residue, key.ciphertext_bytes(), bytes);
  return bytes;
}

}  // namespace

TEST_CASE("variant names") {
  for (const Variant variant : variants) CHECK(variant_from_name(name(variant)) == variant);
  CHECK(name(Variant::subgroup) == "subgroup");
  CHECK_THROWS_WITH_AS(variant_from_name("dj"),
                       "the Paillier variant 'dj' is unknown; it is one of standard, subgroup", Error);
  CHECK_THROWS_WITH_AS(
      variant_from_name("djn"),
      "the Paillier variant 'djn' (Damgard, Jurik and Nielsen 2010) is refused: its key "
      "holder could read low bits of the data; make new keys with smlp keygen and encrypt anew",
      Error);
}

TEST_CASE("subgroup bits of the design") {
  CHECK(default_subgroup_bits(512) == 64);
  CHECK(default_subgroup_bits(1024) == 160);
  CHECK(default_subgroup_bits(2048) == 224);
  CHECK(default_subgroup_bits(3072) == 256);
  CHECK(default_subgroup_bits(4096) == 304);
}

TEST_CASE("a ciphertext made by Python decrypts, and ours has Python's form") {
  const PaillierPublicKey key = python::paillier_public();
  const PaillierSecretKey secret(key, SecretInteger(python::p), SecretInteger(python::q),
                                 SecretInteger(python::alpha_p), SecretInteger(python::alpha_q));
  CHECK(secret.decrypt(key.decode(bytes_of(key, python::c), 1, "python")[0]) == python::m);
}

TEST_CASE("encryption is (1 + m n) times the n-th residue that the stream names") {
  for (const Variant variant : variants) {
    CAPTURE(name(variant));
    const PaillierPublicKey& key = toy_keys(variant).public_keys().paillier();
    const Integer &n = key.n(), &n2 = key.n_squared();
    CHECK(n2 == n * n);
    for (const Integer& m :
         {Integer(0), Integer(1), Integer(-1), Integer((n - 1) / 2), Integer(-(n - 1) / 2)}) {
      RandomStream ours = stream(40), expected = stream(40), again = stream(40);
      Integer residue;
      if (variant == Variant::standard) {
        residue = power(expected.below(n), n, n2);
      } else {
        residue = power(key.hs(), expected.bits(2 * 64 + 56 + 24), n2);
      }
      const Integer plain = (1 + centred(m, n) * n % n2 + n2) % n2;
      const FreshCiphertext c = key.encrypt(m, ours);
      CHECK(c.local().residue() == plain * residue % n2);
      CHECK(key.rerandomise(key.trivial(m), again).local() == c.local());
    }
  }
}

TEST_CASE("plaintexts outside (-n/2, n/2] are refused") {
  for (const Variant variant : variants) {
    const PaillierPublicKey& key = toy_keys(variant).public_keys().paillier();
    RandomStream random = stream(41);
    const std::vector<Integer> bad = {0, (key.n() + 1) / 2};
    CHECK_THROWS_WITH_AS(key.encrypt(bad[1], random),
                         "a plaintext of 511 bits is outside (-n/2, n/2] for n of 512 bits", Error);
    CHECK_THROWS_AS(key.encrypt(Integer(-bad[1]), random), Error);
    CHECK_THROWS_AS(key.encrypt(bad, Draws(RandomSource::from_seed(1), {})), Error);
    CHECK_THROWS_AS(toy_keys(variant).paillier().encrypt(bad[1], random), Error);
    CHECK_THROWS_AS(toy_keys(variant).paillier().encrypt(bad, Draws(RandomSource::from_seed(1), {})), Error);
  }
}

TEST_CASE("homomorphic operations against integers in the clear") {
  for (const Variant variant : variants) {
    CAPTURE(name(variant));
    const PaillierPublicKey& key = toy_keys(variant).public_keys().paillier();
    const PaillierSecretKey& secret = toy_keys(variant).paillier();
    RandomStream random = stream(42);
    for (int trial = 0; trial < 5; ++trial) {
      const Integer a = draw(random, 200), b = draw(random, 200), k = draw(random, 60);
      const Ciphertext ca = key.encrypt(a, random).local(), cb = key.encrypt(b, random).local();
      CHECK(secret.decrypt(key.add(ca, cb)) == a + b);
      CHECK(secret.decrypt(key.subtract(ca, cb)) == a - b);
      CHECK(secret.decrypt(key.add_plain(ca, b)) == a + b);
      CHECK(key.add_plain(ca, b) == key.add(ca, key.trivial(b)));
      CHECK(secret.decrypt(key.scale(ca, k)) == a * k);
      CHECK(secret.decrypt(key.scale(ca, Integer(-k))) == -a * k);
      CHECK(secret.decrypt(key.scale(ca, 0)) == 0);
      CHECK(secret.decrypt(key.scale(ca, -1)) == -a);
      CHECK(secret.decrypt(key.trivial(a)) == a);
      CHECK(secret.decrypt(key.add_plain(ca, key.n() + b)) == a + b);
      const FreshCiphertext fresh = key.rerandomise(ca, random);
      CHECK(fresh.local() != ca);
      CHECK(secret.decrypt(fresh.local()) == a);
    }
    const Integer largest = (key.n() - 1) / 2;
    const Ciphertext top = key.encrypt(largest, random).local();
    CHECK(secret.decrypt(key.add_plain(top, 1)) == -largest);  // wraps, as the ring does
    CHECK(secret.decrypt(key.add_plain(top, Integer(-largest))) == 0);
  }
}

TEST_CASE("linear combinations, negations and matrix products") {
  for (const Variant variant : variants) {
    CAPTURE(name(variant));
    const PaillierPublicKey& key = toy_keys(variant).public_keys().paillier();
    const PaillierSecretKey& secret = toy_keys(variant).paillier();
    RandomStream random = stream(43);
    const std::size_t rows = 3, inner = 4, outputs = 2;
    std::vector<Integer> a(rows * inner), ks(inner * outputs);
    std::vector<Ciphertext> cs;
    for (Integer& value : a) {
      value = draw(random, 30);
      cs.push_back(key.encrypt(value, random).local());
    }
    for (Integer& value : ks) value = random.bits(60);
    const auto product = secret.decrypt(key.matrix_product(cs, ks, rows, inner, outputs));
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < outputs; ++j) {
        Integer sum = 0;
        for (std::size_t x = 0; x < inner; ++x) sum += a[i * inner + x] * ks[x * outputs + j];
        CHECK(product[i * outputs + j] == sum);
      }
    }
    const auto negated = secret.decrypt(key.negate(cs));
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(negated[i] == -a[i]);

    std::vector<Integer> weights(a.size()), sums(rows);
    for (std::size_t i = 0; i < a.size(); ++i) {
      weights[i] = i % 4 ? random.bits(40) : Integer(0);
      sums[i / inner] += a[i] * weights[i];
    }
    CHECK(secret.decrypt(key.dot_products(cs, weights, inner)) == sums);

    // Pairs: none, one left alone, a whole number of them, more than a block holds.
    std::vector<Ciphertext> many = cs;
    many.insert(many.end(), cs.begin(), cs.end());
    for (const std::size_t count : {0u, 1u, 2u, 7u, 24u}) {
      const auto pairs = secret.decrypt(key.join_pairs(std::span(many).first(count), 62));
      REQUIRE(pairs.size() == (count + 1) / 2);
      for (std::size_t i = 0; i < count; i += 2) {
        const Integer upper = i + 1 < count ? a[(i + 1) % a.size()] : Integer(0);
        CHECK(pairs[i / 2] == a[i % a.size()] + (upper << 62));
      }
    }
    CHECK(secret.decrypt(key.join_pairs(std::span(cs).first(2), 0))[0] == a[0] + a[1]);
    CHECK(key.dot_products({}, {}, 1).empty());
    CHECK_THROWS_WITH_AS(key.dot_products(cs, weights, 5), "dot products of 5 terms got 12 ciphertexts",
                         Error);
    CHECK_THROWS_AS(key.dot_products(cs, ks, inner), Error);
    weights[3] = -1;
    CHECK_THROWS_AS(key.dot_products(cs, weights, inner), Error);
  }
}

TEST_CASE("batches draw element by element, whatever the number of threads") {
  const int before = thread_count();
  for (const Variant variant : variants) {
    const PaillierPublicKey& key = toy_keys(variant).public_keys().paillier();
    const PaillierSecretKey& secret = toy_keys(variant).paillier();
    const RandomSource source = RandomSource::from_seed(44);
    const Draws draws(source, {.step = 9, .element = 7});
    const std::vector<Integer> ms = {3, -4, 0, 99, -12345, 6, 7, 8, 9};
    std::vector<Ciphertext> single, single_secret;
    for (std::size_t i = 0; i < ms.size(); ++i) {
      const Address address{.step = 9, .element = 7 + i};
      RandomStream a = source.stream(address), b = source.stream(address);
      single.push_back(key.encrypt(ms[i], a).local());
      single_secret.push_back(secret.encrypt(ms[i], b).local());
    }
    for (const int threads : {1, 2, 4}) {
      set_thread_count(threads);
      const auto encrypted = key.encrypt(ms, draws), by_secret = secret.encrypt(ms, draws);
      for (std::size_t i = 0; i < ms.size(); ++i) {
        CHECK(encrypted[i].local() == single[i]);
        CHECK(by_secret[i].local() == single_secret[i]);
      }
      CHECK(secret.decrypt(single) == ms);
    }
  }
  set_thread_count(before);
}

TEST_CASE("a table is built once though many threads ask first") {
  const PaillierPublicKey fresh(Variant::subgroup, python::n, python::hs, 64);
  const int before = thread_count();
  set_thread_count(4);
  const std::vector<Integer> ms(16, 5);
  const Draws draws(RandomSource::from_seed(45), {});
  const auto many = fresh.encrypt(ms, draws);
  set_thread_count(before);
  for (std::size_t i = 0; i < ms.size(); ++i) {
    RandomStream random = draws.stream(i);
    CHECK(many[i].local() == python::paillier_public().encrypt(5, random).local());
  }
}

TEST_CASE("the byte form") {
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  CHECK(key.ciphertext_bytes() == 128);
  RandomStream random = stream(46);
  std::vector<FreshCiphertext> cs;
  std::vector<Ciphertext> locals;
  for (int i = 0; i < 70; ++i) {
    cs.push_back(key.encrypt(i, random));
    locals.push_back(cs.back().local());
  }
  Bytes wire = {1, 2}, rest = {1, 2};
  key.encode(cs, wire);
  key.encode_at_rest(locals, rest);
  CHECK(wire == rest);
  CHECK(wire.size() == 2 + 70 * 128);
  CHECK(from_little_endian(std::span(wire).subspan(2 + 69 * 128)) == locals[69].residue());
  CHECK(key.decode(std::span(wire).subspan(2), 70, "frame") == locals);
  CHECK(key.decode({}, 0, "nothing").empty());
}

TEST_CASE("decoding refuses wrong sizes and what is no unit below n^2, naming the element") {
  const SecretKeys& keys = toy_keys();
  const PaillierPublicKey& key = keys.public_keys().paillier();
  const Bytes good = bytes_of(key, 4);
  CHECK_THROWS_WITH_AS(key.decode(std::span(good).first(127), 1, "frame"),
                       "frame: 127 bytes do not hold 1 ciphertexts of 128 bytes", Error);
  CHECK_THROWS_AS(key.decode(good, 2, "frame"), Error);
  CHECK_THROWS_AS(key.decode(good, 0, "frame"), Error);
  CHECK_THROWS_AS(key.decode(good, (std::size_t{1} << 57) + 1, "frame"), Error);  // 128 times it wraps to 128

  const Integer &n = key.n(), &n2 = key.n_squared(), &p = keys.paillier().p().value();
  const auto refused = [&](const Integer& residue, std::size_t position, const std::string& rule) {
    Bytes bytes;
    for (std::size_t i = 0; i < 100; ++i)
      append_little_endian(i == position ? residue : Integer(i + 2), key.ciphertext_bytes(), bytes);
    CHECK_THROWS_WITH_AS(key.decode(bytes, 100, "frame"),
                         ("frame: ciphertext " + std::to_string(position) + " " + rule).c_str(), Error);
  };
  refused(0, 3, "is zero or not below its modulus");
  refused(n2, 99, "is zero or not below its modulus");
  refused(n2 + 1, 0, "is zero or not below its modulus");
  refused(n, 64, "shares a factor with the modulus");
  refused(p, 63, "shares a factor with the modulus");
  refused(5 * p, 70, "shares a factor with the modulus");
  refused(n2 - n, 1, "shares a factor with the modulus");
  CHECK_NOTHROW(key.decode(bytes_of(key, Integer(n2 - 1)), 1, "frame"));
  CHECK_NOTHROW(key.decode(bytes_of(key, 1), 1, "frame"));
}

TEST_CASE("public keys that are refused") {
  const Integer &n = python::n, &hs = python::hs;
  const auto refused = [](Variant variant, const Integer& modulus, const Integer& generator, std::size_t t,
                          const char* message) {
    CHECK_THROWS_WITH_AS(PaillierPublicKey(variant, modulus, generator, t), message, Error);
  };
  refused(Variant::subgroup, 2 * n, hs, 64, "the Paillier modulus n is not an odd integer above 1");
  refused(Variant::subgroup, 3 * n, hs, 64, "the Paillier modulus n has a prime factor below 2^16");
  for (const Integer& bad :
       {Integer(0), Integer(1), Integer(-hs), n, Integer(n * n), Integer(n * n + 2), python::p})
    refused(Variant::subgroup, n, bad, 64, "the Paillier generator hs is not a unit between 1 and n^2");
  refused(Variant::subgroup, n, hs, 15,
          "the Paillier subgroup bits t = 15 are outside 16 to bits / 2 - 16 for n of 512 bits");
  CHECK_THROWS_AS(PaillierPublicKey(Variant::subgroup, n, hs, 241), Error);
  CHECK(PaillierPublicKey(Variant::standard, n, 0, 64).subgroup_bits() == 0);
  CHECK(PaillierPublicKey(Variant::standard, n, hs, 0).hs() == 0);
}

TEST_CASE("public keys compare by value") {
  CHECK(python::paillier_public() == python::paillier_public());
  CHECK_FALSE(python::paillier_public() == toy_keys().public_keys().paillier());
  CHECK_FALSE(python::paillier_public() == PaillierPublicKey(Variant::subgroup, python::n, python::hs, 65));
  CHECK_FALSE(python::paillier_public() == PaillierPublicKey(Variant::standard, python::n, python::hs, 64));
}

TEST_CASE("a wider sigma lengthens the exponents of re-randomisation and changes nothing else") {
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  const PaillierPublicKey wide = key.with_sigma(80);
  CHECK(wide == key);
  const RandomSource source = RandomSource::from_seed(80);
  RandomStream random = source.stream({}), same = source.stream({}), exponent = source.stream({});
  const FreshCiphertext c = wide.encrypt(-7, random);
  CHECK(toy_keys().paillier().decrypt(c.local()) == -7);
  CHECK_FALSE(c.local() == key.encrypt(-7, same).local());
  // (1 - 7 n) hs^r with r of 2t + 80 + 24 bits, by GMP.
  Integer power;
  const Integer r = exponent.bits(2 * key.subgroup_bits() + 80 + 24);
  mpz_powm(power.get_mpz_t(), key.hs().get_mpz_t(), r.get_mpz_t(), key.n_squared().get_mpz_t());
  CHECK(c.local().residue() == (1 + (key.n() - 7) * key.n()) * power % key.n_squared());
}
