// Big integers: byte form, shifts, inverses, Chinese remainders, wiping.
#include "paillier/integer.h"

#include <doctest/doctest.h>

#include "paillier/error.h"

using namespace smlp;

TEST_CASE("bit length and powers of two") {
  CHECK(bit_length(0) == 0);
  CHECK(bit_length(1) == 1);
  CHECK(bit_length(255) == 8);
  CHECK(bit_length(-256) == 9);
  CHECK(power_of_two(0) == 1);
  CHECK(power_of_two(70) == Integer("1180591620717411303424"));
}

TEST_CASE("floor shift rounds down for either sign") {
  CHECK(floor_shift(7, 1) == 3);
  CHECK(floor_shift(-7, 1) == -4);
  CHECK(floor_shift(-1, 100) == -1);
  CHECK(floor_shift(-8, 3) == -1);
  CHECK(floor_shift(5, 0) == 5);
}

TEST_CASE("little-endian bytes") {
  Bytes out = {9};
  append_little_endian(0x010203, 5, out);
  CHECK(out == Bytes{9, 3, 2, 1, 0, 0});
  append_little_endian(0, 0, out);
  CHECK(out.size() == 6);
  CHECK(from_little_endian(out) == 9 + 256 * Integer(0x010203));
  CHECK(from_little_endian({}) == 0);
  CHECK_THROWS_WITH_AS(append_little_endian(256, 1, out), "an integer of 2 bytes does not fit in 1", Error);
  CHECK_THROWS_WITH_AS(append_little_endian(-1, 4, out), "a negative integer has no fixed-width byte form",
                       Error);
  CHECK(out.size() == 6);
}

TEST_CASE("inverse") {
  CHECK(inverse(3, 7) == 5);
  CHECK(inverse(-3, 7) == 2);
  CHECK_THROWS_AS(inverse(6, 9), Error);
  CHECK_THROWS_AS(inverse(0, 9), Error);
  CHECK_THROWS_AS(inverse(1, 0), Error);
}

TEST_CASE("Chinese remainders: every residue modulo 5 x 7") {
  for (int x = 0; x < 35; ++x) CHECK(chinese_remainder(x % 5, 5, x % 7, 7, 3) == x);  // 5 * 3 = 1 mod 7
}

TEST_CASE("a secret integer copies, moves and wipes") {
  const Integer value = power_of_two(300) + 17;
  SecretInteger a(value);
  SecretInteger b(a);
  CHECK(b.value() == value);
  SecretInteger c(std::move(b));
  CHECK(c.value() == value);
  a = SecretInteger(5);
  CHECK(a.value() == 5);
  a = c;
  CHECK(a.value() == value);
  const SecretInteger& alias = a;
  a = alias;
  CHECK(a.value() == value);
}

TEST_CASE("wiped memory is zero") {
  std::uint64_t words[2] = {~std::uint64_t{0}, 5};
  wipe_memory(words, sizeof(words));
  CHECK(words[0] == 0);
  CHECK(words[1] == 0);
  wipe_memory(nullptr, 0);
}

TEST_CASE("assigning over a secret integer overwrites the limbs it held") {
  // The released block is watched through GMP's own memory functions.
  static bool found = false;
  static const mp_limb_t pattern = 0x5ec7e75ec7e75ec7;
  void* (*allocate)(std::size_t);
  void* (*reallocate)(void*, std::size_t, std::size_t);
  void (*release)(void*, std::size_t);
  mp_get_memory_functions(&allocate, &reallocate, &release);
  static void (*original)(void*, std::size_t);
  original = release;
  mp_set_memory_functions(allocate, reallocate, [](void* block, std::size_t size) {
    const auto* limbs = static_cast<const mp_limb_t*>(block);
    for (std::size_t i = 0; i < size / sizeof(mp_limb_t); ++i) found = found || limbs[i] == pattern;
    original(block, size);
  });
  const auto make = [] {
    Integer value;
    mpz_import(value.get_mpz_t(), 1, -1, sizeof(pattern), 0, 0, &pattern);
    return value;
  };
  { Integer ordinary = make(); }
  CHECK(found);  // the watch works
  found = false;
  {
    SecretInteger secret(make());
    SecretInteger copy(secret);
    copy = SecretInteger(1);
    secret = copy;
  }
  mp_set_memory_functions(allocate, reallocate, release);
  CHECK_FALSE(found);
}
