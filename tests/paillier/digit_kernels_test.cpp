// The vector kernels on random and adversarial digits against GMP, for every size and instruction set there
// is.
#include "paillier/digit_kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <new>
#include <vector>

#include "paillier/random.h"

using namespace smlp;

namespace {

constexpr std::size_t digit_bits = 49;

struct AlignedDoubles {
  explicit AlignedDoubles(std::size_t count)
      : data(new(std::align_val_t{64}) double[count],
             [](double* p) { ::operator delete[](p, std::align_val_t{64}); }) {}
  std::unique_ptr<double[], void (*)(double*)> data;
};

// Balanced digits of a number of either sign into lane `lane`; the last takes what is left.
void write(double* out, std::size_t digits, std::size_t lanes, std::size_t lane, Integer x) {
  for (std::size_t i = 0; i < digits; ++i) {
    Integer digit;
    mpz_fdiv_r_2exp(digit.get_mpz_t(), x.get_mpz_t(), digit_bits);
    if (digit >= power_of_two(digit_bits - 1)) digit -= power_of_two(digit_bits);
    if (i + 1 == digits) digit = x;
    out[i * lanes + lane] = digit.get_d();
    x = (x - digit) >> digit_bits;
  }
}

Integer read(const double* in, std::size_t digits, std::size_t lanes, std::size_t lane) {
  Integer x = 0;
  for (std::size_t i = digits; i-- > 0;) x = (x << digit_bits) + Integer(in[i * lanes + lane]);
  return x;
}

// sum of `digit` 2^(49 i) over the lower digits, cut to less than |m| by leaving the highest ones out.
Integer repeated(const Integer& digit, const Integer& m) {
  Integer x = 0;
  for (std::size_t i = 0; (i + 1) * digit_bits < bit_length(m); ++i) x += digit << (digit_bits * i);
  return x;
}

// The modulus, as a kernel takes it.
AlignedDoubles kernel_modulus(const DigitKernel& kernel, const Integer& m) {
  AlignedDoubles out((kernel.digits + kernel.block) * kernel.lanes);
  const Integer block = power_of_two(digit_bits * kernel.block);
  Integer inverse;
  mpz_invert(inverse.get_mpz_t(), m.get_mpz_t(), block.get_mpz_t());
  inverse = inverse > block / 2 ? Integer(block - inverse) : Integer(-inverse);
  for (std::size_t lane = 0; lane < kernel.lanes; ++lane) {
    write(out.data.get(), kernel.digits, kernel.lanes, lane, m);
    write(out.data.get() + kernel.digits * kernel.lanes, kernel.block, kernel.lanes, lane, inverse);
  }
  return out;
}

// All products and squares of the operands, and products of products.
void check(const DigitKernel& kernel, const Integer& m, const std::vector<Integer>& operands) {
  const std::size_t lanes = kernel.lanes, words = kernel.digits * lanes;
  const AlignedDoubles modulus = kernel_modulus(kernel, m);
  const Integer r = power_of_two(digit_bits * kernel.digits), r_inverse = inverse(r % m, m);
  const auto correct = [&](const double* out, std::size_t lane, const Integer& a, const Integer& b) {
    const Integer x = read(out, kernel.digits, lanes, lane);
    return (x - a * b * r_inverse) % m == 0 && 100 * abs(x) <= 54 * m;
  };
  AlignedDoubles a(words), b(words), c(words);
  std::size_t wrong = 0;
  for (std::size_t first = 0; first < operands.size() * operands.size(); first += lanes) {
    std::vector<std::pair<Integer, Integer>> pairs;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::size_t pair = std::min(first + lane, operands.size() * operands.size() - 1);
      pairs.emplace_back(operands[pair / operands.size()], operands[pair % operands.size()]);
      write(a.data.get(), kernel.digits, lanes, lane, pairs.back().first);
      write(b.data.get(), kernel.digits, lanes, lane, pairs.back().second);
    }
    kernel.multiply(c.data.get(), a.data.get(), b.data.get(), modulus.data.get());
    std::vector<Integer> products;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      wrong += !correct(c.data.get(), lane, pairs[lane].first, pairs[lane].second);
      products.push_back(read(c.data.get(), kernel.digits, lanes, lane));
    }
    kernel.square(a.data.get(), a.data.get(), modulus.data.get());
    for (std::size_t lane = 0; lane < lanes; ++lane)
      wrong += !correct(a.data.get(), lane, pairs[lane].first, pairs[lane].first);
    kernel.multiply(c.data.get(), c.data.get(), b.data.get(), modulus.data.get());  // in place, signed
    for (std::size_t lane = 0; lane < lanes; ++lane)
      wrong += !correct(c.data.get(), lane, products[lane], pairs[lane].second);
  }
  CHECK(wrong == 0);
}

void check_all_sizes(const DigitKernel* (*kernel_for)(std::size_t)) {
  RandomStream random = RandomSource::from_seed(49).stream({});
  for (const std::size_t bits :
       std::initializer_list<std::size_t>{1024, 1536, 2048, 3072, 4096, 6144, 8192}) {
    const DigitKernel* kernel = kernel_for(bits);
    if (!kernel) {
      MESSAGE("this processor has not these instructions");
      return;
    }
    CHECK(kernel->digits * digit_bits >= bits + 5);
    CHECK((kernel->digits - 1) * digit_bits < bits + 5);  // none to spare for the sizes that keys have
    const Integer top = power_of_two(bits - 1);
    const std::vector<Integer> moduli = {Integer(random.bits(bits - 2) * 2 + top + 1),
                                         Integer(2 * top - 1),  // all ones
                                         Integer(top + 1),
                                         // digits of 2^48 - 1, and of -2^48 but for the first
                                         Integer(top + repeated(power_of_two(48) - 1, top)),
                                         Integer(2 * top + repeated(-power_of_two(48), top / 2) + 1)};
    for (const Integer& m : moduli) {
      REQUIRE(mpz_odd_p(m.get_mpz_t()));
      const Integer positive = repeated(power_of_two(48) - 1, m), negative = repeated(-power_of_two(48), m);
      Integer alternating = 0;  // digits of both signs in turn
      for (std::size_t i = 0; (i + 1) * digit_bits < bits; ++i)
        alternating += (i % 2 ? -power_of_two(48) : Integer(power_of_two(48) - 1)) << (digit_bits * i);
      // Adding 1 at the lowest digit carries through all of them.
      const Integer carries = repeated(power_of_two(48) - 1, m) + 1;
      check(*kernel, m,
            {0, 1, -1, Integer(m - 1), Integer(1 - m), Integer(m / 2), Integer(-m / 2), positive, negative,
             alternating, Integer(-alternating), carries, random.below(m), Integer(-random.below(m))});
    }
  }
  CHECK(kernel_for(8228) == nullptr);
}

}  // namespace

TEST_CASE("products on AVX2 with extreme digits, of every size") {
  check_all_sizes(avx2_kernel);
}

TEST_CASE("products on AVX-512 with extreme digits, of every size") {
  check_all_sizes(avx512_kernel);
}
