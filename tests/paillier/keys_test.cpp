// Key bundles: the fingerprint against Python's hashlib, generation, and one real key of 2048 bits.
#include "paillier/keys.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "tests/paillier/python_vectors.h"
#include "tests/support/toy_keys.h"

using namespace smlp;

TEST_CASE("the fingerprint is the one that Python computes") {
  CHECK(to_hex(PublicKeys(python::paillier_public(), python::dgk_public()).fingerprint()) ==
        python::fingerprint);
}

TEST_CASE("the fingerprint depends on every public number") {
  const Fingerprint good = PublicKeys(python::paillier_public(), python::dgk_public()).fingerprint();
  const auto differs = [&](const PaillierPublicKey& paillier, const DgkPublicKey& dgk) {
    CHECK(PublicKeys(paillier, dgk).fingerprint() != good);
  };
  const SecretKeys& toy = toy_keys();
  differs(toy.public_keys().paillier(), python::dgk_public());
  differs(python::paillier_public(), toy.public_keys().dgk());
  differs(PaillierPublicKey(Variant::subgroup, python::n, python::hs + 1, 64), python::dgk_public());
  differs(PaillierPublicKey(Variant::subgroup, python::n, python::hs, 65), python::dgk_public());
  differs(PaillierPublicKey(Variant::standard, python::n, python::hs, 0), python::dgk_public());
  differs(python::paillier_public(), DgkPublicKey(python::dgk_n, python::dgk_g, python::dgk_h, 197, 65));
}

TEST_CASE("the cryptosystems must not share a factor") {
  const DgkPublicKey& dgk = toy_keys().public_keys().dgk();
  const PaillierPublicKey paillier(Variant::standard, dgk.n(), 0, 0);
  CHECK_THROWS_WITH_AS(PublicKeys(paillier, dgk), "the Paillier and the DGK modulus share a factor", Error);
}

TEST_CASE("generation depends on the source alone") {
  const int before = thread_count();
  const auto make = [](int threads, std::uint64_t seed) {
    set_thread_count(threads);
    return SecretKeys::generate(Variant::subgroup, 256, 32, RandomSource::from_seed(seed));
  };
  const SecretKeys one = make(1, 80), two = make(2, 80), other = make(1, 81);
  set_thread_count(before);
  CHECK(one.public_keys().fingerprint() == two.public_keys().fingerprint());
  CHECK(one.sealing_secret() == two.sealing_secret());
  CHECK(one.public_keys().fingerprint() != other.public_keys().fingerprint());
  CHECK(one.sealing_secret() != other.sealing_secret());
  CHECK(one.paillier().public_key() == one.public_keys().paillier());
  CHECK(one.dgk().public_key() == one.public_keys().dgk());
}

TEST_CASE("a stop ends the generation of a key") {
  std::stop_source stop;
  const RandomSource source = RandomSource::from_seed(5).until(stop.get_token());
  const SecretKeys keys = SecretKeys::generate(Variant::subgroup, 512, 64, source);
  CHECK(keys.public_keys().fingerprint() ==
        SecretKeys::generate(Variant::subgroup, 512, 64, RandomSource::from_seed(5))
            .public_keys()
            .fingerprint());
  stop.request_stop();
  CHECK_THROWS_WITH_AS(SecretKeys::generate(Variant::subgroup, 512, 64, source),
                       "the computation was stopped", Error);
}

TEST_CASE("a real key of 2048 bits") {
  const SecretKeys keys =
      SecretKeys::generate(Variant::subgroup, 2048, default_subgroup_bits(2048), RandomSource::from_system());
  const PaillierPublicKey& pub = keys.public_keys().paillier();
  const DgkPublicKey& dgk = keys.public_keys().dgk();
  CHECK(pub.bits() == 2048);
  CHECK(dgk.bits() == 2048);
  CHECK(pub.ciphertext_bytes() == 512);
  CHECK(dgk.ciphertext_bytes() == 256);
  CHECK(pub.subgroup_bits() == 224);
  CHECK(bit_length(keys.paillier().alpha_p().value()) == 224);
  CHECK(bit_length(keys.dgk().v_q().value()) == 224);

  RandomStream random = RandomSource::from_system().stream({});
  const Integer a = random.bits(2000), b = -random.bits(2000), k = random.bits(30);
  const Ciphertext ca = pub.encrypt(a, random).local(), cb = keys.paillier().encrypt(b, random).local();
  CHECK(keys.paillier().decrypt(ca) == a);
  CHECK(keys.paillier().decrypt(pub.rerandomise(pub.add(ca, cb), random).local()) == a + b);
  const std::vector<Ciphertext> cs = {ca, cb};
  const std::vector<Integer> ks = {k, 3};
  CHECK(keys.paillier().decrypt(pub.dot_products(cs, ks, 2)) == std::vector<Integer>{Integer(k * a + 3 * b)});
  const std::vector<Integer> matrix = {k, 1, 2, k};  // 2 x 2
  CHECK(keys.paillier().decrypt(pub.matrix_product(cs, matrix, 1, 2, 2)) ==
        std::vector<Integer>{Integer(k * a + 2 * b), Integer(a + k * b)});
  const DgkCiphertext d = dgk.encrypt(190, random).local(), e = keys.dgk().encrypt(7, random).local();
  CHECK(keys.dgk().is_zero(dgk.add(d, e)));
  CHECK_FALSE(keys.dgk().is_zero(d));
  CHECK(keys.dgk().decrypt(dgk.rerandomise(dgk.scale(e, 3), random).local()) == 21);
}
