// Products of powers against GMP's mpz_powm, for every instruction set of this processor.
#include "paillier/simultaneous_powers.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "paillier/random.h"
#include "tests/paillier/plain_arithmetic.h"

using namespace smlp;

namespace {

std::vector<Integer> gmp_matrix_power(const std::vector<Integer>& bases,
                                      const std::vector<Integer>& exponents, std::size_t rows,
                                      std::size_t inner, std::size_t outputs, const Integer& m) {
  std::vector<Integer> out(rows * outputs, 1);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < outputs; ++j)
      for (std::size_t k = 0; k < inner; ++k)
        out[i * outputs + j] =
            out[i * outputs + j] * power(bases[i * inner + k], exponents[k * outputs + j], m) % m;
  return out;
}

}  // namespace

TEST_CASE("matrix powers of many shapes and exponent lengths") {
  RandomStream random = RandomSource::from_seed(23).stream({});
  const Integer m = 2 * random.bits(254) + 1 + power_of_two(255);
  const Lanes lanes(m);
  const std::size_t shapes[][3] = {{1, 1, 1}, {1, 7, 1},   {1, 1, 9}, {5, 1, 1},
                                   {3, 4, 5}, {2, 30, 16}, {7, 3, 2}};
  for (const auto& [rows, inner, outputs] : shapes) {
    for (const std::size_t bits : std::initializer_list<std::size_t>{1, 2, 17, 60, 84, 200}) {
      std::vector<Integer> bases(rows * inner), exponents(inner * outputs);
      for (Integer& base : bases) base = random.below(m);
      for (Integer& exponent : exponents) exponent = random.bits(bits);
      exponents[0] = 0;
      exponents.back() = power_of_two(bits) - 1;
      CHECK(
          simultaneous_powers(lanes, bases, exponents, {.rows = rows, .inner = inner, .outputs = outputs}) ==
          gmp_matrix_power(bases, exponents, rows, inner, outputs, m));
    }
  }
}

TEST_CASE("matrix powers of rows of limbs, zeros too") {
  RandomStream random = RandomSource::from_seed(29).stream({});
  const Integer m = power_of_two(192) - 237;
  const Lanes lanes(m);
  std::vector<Integer> bases(6);
  for (Integer& base : bases) base = random.below(m);
  for (const std::size_t bits : std::initializer_list<std::size_t>{1, 64, 84}) {
    std::vector<Integer> exponents(4);
    for (int repeat = 0; repeat < 3; ++repeat) {
      CHECK(simultaneous_powers(lanes, bases, FixedIntegers(exponents, 2),
                                {.rows = 3, .inner = 2, .outputs = 2, .bits = bits}) ==
            gmp_matrix_power(bases, exponents, 3, 2, 2, m));
      for (Integer& exponent : exponents) exponent = random.bits(bits);
    }
  }
}

TEST_CASE("matrix powers: mixed exponent lengths, zero columns, edge bases") {
  const Integer m = power_of_two(192) - 237;
  const Lanes lanes(m);
  const std::vector<Integer> bases = {0, 1, Integer(m - 1), 2, Integer(m / 2), 12345};
  const std::vector<Integer> exponents = {0, 1, 0, 0, 2, 3, 0, power_of_two(150)};  // 2 bases x 4 outputs
  const auto got = simultaneous_powers(lanes, bases, exponents, {.rows = 3, .inner = 2, .outputs = 4});
  CHECK(got == gmp_matrix_power(bases, exponents, 3, 2, 4, m));
  CHECK(got[2] == 1);
}

TEST_CASE("matrix powers of so many bases that their tables are built in turns") {
  RandomStream random = RandomSource::from_seed(29).stream({});
  const Integer m = 2 * random.bits(4094) + 1 + power_of_two(4095);
  std::vector<Integer> bases(100), exponents(100 * 8);
  for (Integer& base : bases) base = random.below(m);
  for (Integer& exponent : exponents) exponent = random.bits(60);
  const auto expected = gmp_matrix_power(bases, exponents, 1, 100, 8, m);
  for (const Instructions instructions :
       {Instructions::scalar, Instructions::avx2, Instructions::avx512, Instructions::avx512_ifma})
    CHECK(simultaneous_powers(Lanes(m, instructions), bases, exponents,
                              {.rows = 1, .inner = 100, .outputs = 8}) == expected);
}

TEST_CASE("empty matrix powers") {
  const Lanes lanes(35);
  CHECK(simultaneous_powers(lanes, {}, std::vector<Integer>(), {.rows = 2, .inner = 0, .outputs = 3}) ==
        std::vector<Integer>(6, 1));
  CHECK(simultaneous_powers(lanes, {}, std::vector<Integer>(6, 5), {.rows = 0, .inner = 2, .outputs = 3})
            .empty());
  CHECK(simultaneous_powers(lanes, std::vector<Integer>(4, 2), std::vector<Integer>(),
                            {.rows = 2, .inner = 2, .outputs = 0})
            .empty());
}

TEST_CASE("matrix powers do not depend on the number of threads") {
  RandomStream random = RandomSource::from_seed(24).stream({});
  const Integer m = 2 * random.bits(510) + 1 + power_of_two(511);
  const Lanes lanes(m);
  std::vector<Integer> bases(5 * 6), exponents(6 * 4);
  for (Integer& base : bases) base = random.below(m);
  for (Integer& exponent : exponents) exponent = random.bits(60);
  const auto expected = gmp_matrix_power(bases, exponents, 5, 6, 4, m);
  const int before = thread_count();
  for (const int threads : {1, 2, 3, 8}) {
    set_thread_count(threads);
    CHECK(simultaneous_powers(lanes, bases, exponents, {.rows = 5, .inner = 6, .outputs = 4}) == expected);
  }
  set_thread_count(before);
}

TEST_CASE("matrix powers refuse wrong sizes, negative exponents and unreduced bases") {
  const Lanes lanes(35);
  const std::vector<Integer> two(2, 3), three(3, 4);
  CHECK_THROWS_WITH_AS(simultaneous_powers(lanes, two, two, {.rows = 3, .inner = 1, .outputs = 2}),
                       "the bases of simultaneous powers number 2, not 3", Error);
  CHECK_THROWS_WITH_AS(simultaneous_powers(lanes, three, two, {.rows = 3, .inner = 1, .outputs = 3}),
                       "the exponents of simultaneous powers number 2, not 3", Error);
  const PowersShape pair = {.rows = 1, .inner = 2, .outputs = 1};
  CHECK_THROWS_AS(simultaneous_powers(lanes, two, three, pair), Error);
  CHECK_THROWS_WITH_AS(simultaneous_powers(lanes, two, std::vector<Integer>{1, -1}, pair),
                       "simultaneous powers need exponents of at least 0", Error);
  CHECK_THROWS_AS(simultaneous_powers(lanes, std::vector<Integer>{2, 35}, two, pair), Error);
}

TEST_CASE("rows with exponents of their own, on every instruction set") {
  RandomStream random = RandomSource::from_seed(28).stream({});
  const Integer m = 2 * random.bits(1022) + 1 + power_of_two(1023);
  for (const Instructions instructions :
       {Instructions::scalar, Instructions::avx2, Instructions::avx512, Instructions::avx512_ifma}) {
    const Lanes lanes(m, instructions);  // scalar where the processor lacks them
    for (const auto& [rows, inner] : {std::pair<std::size_t, std::size_t>{1, 1}, {3, 5}, {17, 2}, {9, 15}}) {
      std::vector<Integer> bases(rows * inner), exponents(rows * inner), expected(rows, 1);
      for (Integer& base : bases) base = random.below(m);
      for (Integer& exponent : exponents) exponent = random.bits(62);
      exponents.back() = 0;
      for (std::size_t i = 0; i < bases.size(); ++i)
        expected[i / inner] = expected[i / inner] * power(bases[i], exponents[i], m) % m;
      CHECK(simultaneous_powers(lanes, bases, exponents,
                                {.rows = rows, .inner = inner, .outputs = 1, .own_exponents = true}) ==
            expected);
    }
  }
}

TEST_CASE("the plan costs what it says") {
  RandomStream random = RandomSource::from_seed(29).stream({});
  const Integer m = 2 * random.bits(1022) + 1 + power_of_two(1023);
  for (const auto& [rows, inner, outputs] :
       {std::tuple<std::size_t, std::size_t, std::size_t>{3, 31, 16}, {8, 2, 10}, {4, 100, 8}}) {
    const Lanes lanes(m);
    const PowersShape shape = {.rows = rows, .inner = inner, .outputs = outputs, .bits = 60};
    std::vector<Integer> bases(rows * inner), exponents(inner * outputs);
    for (Integer& base : bases) base = random.below(m);
    for (Integer& exponent : exponents) exponent = power_of_two(59) + random.bits(59);
    const OperationCount before = lanes.count();
    static_cast<void>(simultaneous_powers(lanes, bases, exponents, shape));
    const OperationCount after = lanes.count();
    const double done =
        static_cast<double>(after.products - before.products + after.squares - before.squares);
    // Entering and leaving, the last group and idle lanes of tables are not in the plan.
    const double planned = plan_powers(shape, lanes.lanes()).products;
    CHECK(done > 0.85 * planned);
    CHECK(done < 1.25 * planned);
  }
}

TEST_CASE("the plan of the reference shape: at most 7.5 products a term") {
  const PowersPlan plan = plan_powers({.rows = 8, .inner = 784, .outputs = 128, .bits = 60}, 8);
  CHECK(plan.products / (8.0 * 784 * 128) < 7.0);
}

TEST_CASE("the buffers of matrix powers stay within their bounds") {
  constexpr std::size_t residue_bytes = 640;
  for (const std::size_t lanes : std::initializer_list<std::size_t>{1, 4, 8})
    for (const PowersShape& shape :
         {PowersShape{1, 1, 1, 84}, PowersShape{11, 784, 128, 84}, PowersShape{66, 128, 128, 84},
          PowersShape{1, 40'000, 3, 84}, PowersShape{4'000, 2, 4'000, 84}}) {
      const PowersPlan plan = plan_powers(shape, lanes);
      const PowersTile tile = powers_tile(shape, plan, lanes, residue_bytes);
      const std::size_t chunk = (shape.bits + plan.splits - 1) / plan.splits,
                        bases = shape.inner * plan.splits, entries = std::size_t{1} << plan.group;
      REQUIRE(tile.rows * tile.outputs * tile.groups > 0);
      CHECK(tile.rows <= shape.rows);
      CHECK(tile.outputs <= shape.outputs);
      CHECK(tile.groups <= (bases + plan.group - 1) / plan.group);
      // Each buffer is within its bound, or what one row and one block of outputs need.
      const std::size_t budget = powers_buffer_bytes / residue_bytes;
      CHECK(tile.rows * bases <= std::max(budget, bases));
      CHECK(tile.rows * tile.groups * entries <= std::max(budget, tile.rows * entries));
      const std::size_t filled = (tile.rows * tile.outputs + lanes - 1) / lanes * lanes;
      CHECK(filled * chunk <= std::max(budget, lanes * chunk) + lanes * chunk);
      CHECK(tile.residues == tile.rows * bases + tile.rows * tile.groups * entries + filled * chunk);
    }
  for (const PowersShape& nothing : {PowersShape{0, 1, 1, 84}, PowersShape{1, 0, 1, 84},
                                     PowersShape{1, 1, 0, 84}, PowersShape{1, 1, 1, 0}})
    CHECK(powers_tile(nothing, {}, 8, residue_bytes).residues == 0);
}
