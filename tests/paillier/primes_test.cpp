// Primes against a sieve and known numbers; shapes and orders of what key generation draws.
#include "paillier/primes.h"

#include <doctest/doctest.h>

#include <set>

#include "paillier/error.h"

using namespace smlp;

TEST_CASE("primality to 2,000, of Carmichael numbers and of Mersenne numbers") {
  for (int n = -2; n < 2000; ++n) {
    bool prime = n >= 2;
    for (int d = 2; d * d <= n; ++d) prime = prime && n % d != 0;
    CHECK(is_prime(n) == prime);
  }
  for (const char* carmichael : {"561", "41041", "825265", "321197185", "5394826801", "232250619601",
                                 "9746347772161", "1436697831295441", "3825123056546413051"})
    CHECK_FALSE(is_prime(Integer(carmichael)));
  for (const std::size_t exponent : std::initializer_list<std::size_t>{61, 89, 107, 127, 521})
    CHECK(is_prime(power_of_two(exponent) - 1));
  for (const std::size_t exponent : std::initializer_list<std::size_t>{67, 83, 97, 101, 523})
    CHECK_FALSE(is_prime(power_of_two(exponent) - 1));
}

TEST_CASE("random primes have exactly the bits asked for") {
  RandomStream random = RandomSource::from_seed(30).stream({});
  std::set<Integer> small;
  for (int i = 0; i < 200; ++i) small.insert(random_prime(5, random).value());
  CHECK(small == std::set<Integer>{17, 19, 23, 29, 31});
  for (const std::size_t bits : std::initializer_list<std::size_t>{3, 16, 64, 224}) {
    const SecretInteger p = random_prime(bits, random);
    CHECK(bit_length(p.value()) == bits);
    CHECK(is_prime(p.value()));
  }
  CHECK_THROWS_AS(random_prime(2, random), Error);
}

TEST_CASE("primes with a factor in p - 1 and the top two bits set") {
  RandomStream random = RandomSource::from_seed(31).stream({});
  const Integer factor = 197 * random_prime(64, random).value();
  for (int i = 0; i < 10; ++i) {
    const Integer p = random_prime_with_factor(256, factor, random).value();
    CHECK(is_prime(p));
    CHECK((p - 1) % factor == 0);
    CHECK(floor_shift(p, 254) == 3);
  }
  std::set<Integer> found;  // every prime of the shape in [192, 256) is reached, and no other
  for (int i = 0; i < 300; ++i) found.insert(random_prime_with_factor(8 + 2, 3, random).value());
  std::set<Integer> expected;
  for (int p = 769; p < 1024; p += 6)
    if (is_prime(p)) expected.insert(p);
  CHECK(found == expected);
  CHECK_THROWS_AS(random_prime_with_factor(64, power_of_two(60) + 1, random), Error);
  CHECK_THROWS_AS(random_prime_with_factor(64, 4, random), Error);
}

TEST_CASE("elements of exact order, checked by walking the group") {
  RandomStream random = RandomSource::from_seed(32).stream({});
  const Integer p = 2311;  // 2311 - 1 = 2 3 5 7 11
  for (const auto& factors :
       {std::vector<Integer>{2}, {3}, {11}, {2, 3}, {5, 7}, {3, 5, 11}, {2, 3, 5, 7, 11}}) {
    Integer order = 1;
    for (const Integer& factor : factors) order *= factor;
    for (int trial = 0; trial < 5; ++trial) {
      const Integer x = element_of_order(factors, p, random);
      Integer y = x;
      int walked = 1;
      for (; y != 1; ++walked) y = y * x % p;
      CHECK(walked == order);
    }
  }
  const Integer factors[] = {13};
  CHECK_THROWS_AS(element_of_order(factors, p, random), Error);
}

TEST_CASE("smooth part") {
  CHECK(smooth_part(1) == 1);
  CHECK(smooth_part(720720) == 720720);
  const Integer rough = Integer(65537) * (power_of_two(61) - 1);
  CHECK(smooth_part(rough) == 1);
  CHECK(smooth_part(Integer(rough * 1024 * 65521)) == Integer(1024) * 65521);
}

TEST_CASE("public moduli that are refused") {
  const Integer p = power_of_two(89) - 1, q = power_of_two(107) - 1;  // product: 196 bits
  CHECK_NOTHROW(require_public_modulus(Integer(p * q), "toy"));
  const auto check = [](const Integer& n, const char* message) {
    CHECK_THROWS_WITH_AS(require_public_modulus(n, "toy"), message, Error);
  };
  check(0, "the toy modulus n is not an odd integer above 1");
  check(-15, "the toy modulus n is not an odd integer above 1");
  check(2 * p * q, "the toy modulus n is not an odd integer above 1");
  check(p * (power_of_two(127) - 1) * 65537, "the toy modulus n has 233 bits, not an even number");
  check(p * q * 9, "the toy modulus n has a prime factor below 2^16");
  check(p * p, "the toy modulus n is a square");
  check(power_of_two(2203) - 1, "the toy modulus n has 2203 bits, not an even number");
  Integer prime;
  mpz_nextprime(prime.get_mpz_t(), power_of_two(127).get_mpz_t());
  check(prime, "the toy modulus n is a prime, not a product of two");
}
