// The vector kernels on random and adversarial digits against GMP, for every size and instruction set there
// is.
#include "paillier/digit_kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <new>
#include <vector>

#include "paillier/random.h"

using namespace smlp;

namespace {

struct AlignedWords {
  explicit AlignedWords(std::size_t count)
      : data(new(std::align_val_t{64}) Word[count],
             [](Word* p) { ::operator delete[](p, std::align_val_t{64}); }) {}
  std::unique_ptr<Word[], void (*)(Word*)> data;
};

// Digits of a number into lane `lane`, balanced ones of either sign; the last takes what is left.
void write(const DigitKernel& kernel, std::size_t digits, Word* out, std::size_t lane, Integer x) {
  const bool whole = kernel.form == DigitForm::whole;
  const unsigned bits = whole ? 52 : 49;
  for (std::size_t i = 0; i < digits; ++i) {
    Integer digit;
    mpz_fdiv_r_2exp(digit.get_mpz_t(), x.get_mpz_t(), bits);
    if (!whole && digit >= power_of_two(bits - 1)) digit -= power_of_two(bits);
    if (i + 1 == digits) digit = x;
    out[i * kernel.lanes + lane] = whole ? digit.get_ui() : std::bit_cast<Word>(digit.get_d());
    x = (x - digit) >> bits;
  }
}

Integer read(const DigitKernel& kernel, const Word* in, std::size_t lane) {
  Integer x = 0;
  for (std::size_t i = kernel.digits; i-- > 0;) {
    const Word word = in[i * kernel.lanes + lane];
    const bool whole = kernel.form == DigitForm::whole;
    x = (x << (whole ? 52 : 49)) + (whole ? Integer(word) : Integer(std::bit_cast<double>(word)));
  }
  return x;
}

// sum of `digit` 2^(bits i) over the lower digits, cut to less than |m| by leaving the highest ones out.
Integer repeated(const Integer& digit, const Integer& m, unsigned bits) {
  Integer x = 0;
  for (std::size_t i = 0; (i + 1) * bits < bit_length(m); ++i) x += digit << (bits * i);
  return x;
}

// The modulus, as a kernel takes it.
AlignedWords kernel_modulus(const DigitKernel& kernel, const Integer& m) {
  AlignedWords out((kernel.digits + kernel.block) * kernel.lanes);
  const Integer block = power_of_two(digit_bits(kernel.form) * kernel.block);
  Integer inverse;
  mpz_invert(inverse.get_mpz_t(), m.get_mpz_t(), block.get_mpz_t());
  inverse = kernel.form == DigitForm::balanced && inverse <= block / 2 ? Integer(-inverse)
                                                                       : Integer(block - inverse);
  for (std::size_t lane = 0; lane < kernel.lanes; ++lane) {
    write(kernel, kernel.digits, out.data.get(), lane, m);
    write(kernel, kernel.block, out.data.get() + kernel.digits * kernel.lanes, lane, inverse);
  }
  return out;
}

// All products and squares of the operands, and products of products.
void check(const DigitKernel& kernel, const Integer& m, const std::vector<Integer>& operands) {
  const std::size_t lanes = kernel.lanes, words = kernel.digits * lanes;
  const AlignedWords modulus = kernel_modulus(kernel, m);
  const Integer r = power_of_two(digit_bits(kernel.form) * kernel.digits), r_inverse = inverse(r % m, m);
  const bool whole = kernel.form == DigitForm::whole;
  const int least = whole ? 0 : -54, most = whole ? 104 : 54;  // hundredths of m
  const auto correct = [&](const Word* out, std::size_t lane, const Integer& a, const Integer& b) {
    const Integer x = read(kernel, out, lane);
    return (x - a * b * r_inverse) % m == 0 && least * m <= 100 * x && 100 * x <= most * m;
  };
  AlignedWords a(words), b(words), c(words);
  std::size_t wrong = 0;
  for (std::size_t first = 0; first < operands.size() * operands.size(); first += lanes) {
    std::vector<std::pair<Integer, Integer>> pairs;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::size_t pair = std::min(first + lane, operands.size() * operands.size() - 1);
      pairs.emplace_back(operands[pair / operands.size()], operands[pair % operands.size()]);
      write(kernel, kernel.digits, a.data.get(), lane, pairs.back().first);
      write(kernel, kernel.digits, b.data.get(), lane, pairs.back().second);
    }
    kernel.multiply(c.data.get(), a.data.get(), b.data.get(), modulus.data.get());
    std::vector<Integer> products;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      wrong += !correct(c.data.get(), lane, pairs[lane].first, pairs[lane].second);
      products.push_back(read(kernel, c.data.get(), lane));
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
    const bool whole = kernel->form == DigitForm::whole;
    const unsigned digit = digit_bits(kernel->form);
    CHECK(kernel->digits * digit >= bits + 5);
    CHECK((kernel->digits - (whole ? 3 : 1)) * digit < bits + 5);  // few to spare for the sizes of keys
    const Integer most = power_of_two(whole ? 52 : 48) - 1, least = whole ? Integer(0) : -most - 1;
    Integer alternating = 0;  // extreme digits in turn
    for (std::size_t i = 0; (i + 1) * digit < bits; ++i) alternating += (i % 2 ? least : most) << (digit * i);
    const Integer top = power_of_two(bits - 1);
    std::vector<Integer> moduli = {Integer(random.bits(bits - 2) * 2 + top + 1),
                                   Integer(2 * top - 1),  // all ones
                                   Integer(top + 1),      // -1/m is all ones
                                   Integer(top + repeated(most, top, digit)),
                                   Integer(top + top / 2 + alternating)};
    if (!whole) moduli.push_back(Integer(2 * top + repeated(least, top / 2, digit) + 1));
    for (const Integer& m : moduli) {
      REQUIRE(mpz_odd_p(m.get_mpz_t()));
      REQUIRE(bit_length(m) == bits);
      const Integer positive = repeated(most, m, digit);
      // Adding 1 at the lowest digit carries through all of them.
      std::vector<Integer> operands = {0,        1,           Integer(m - 1),        Integer(m / 2),
                                       positive, alternating, Integer(positive + 1), random.below(m)};
      for (const Integer& other :
           whole ? std::vector<Integer>{Integer(alternating >> digit), Integer(104 * m / 100)}
                 : std::vector<Integer>{-1, Integer(1 - m), Integer(-m / 2), repeated(least, m, digit),
                                        Integer(-alternating), Integer(-random.below(m))})
        operands.push_back(other);
      check(*kernel, m, operands);
    }
  }
  CHECK(kernel_for(8316) == nullptr);
}

}  // namespace

TEST_CASE("products on AVX2 with extreme digits, of every size") {
  check_all_sizes(avx2_kernel);
}

TEST_CASE("products on AVX-512 with extreme digits, of every size") {
  check_all_sizes(avx512_kernel);
}

TEST_CASE("products on AVX-512 IFMA with extreme digits, of every size") {
  check_all_sizes(avx512_ifma_kernel);
}
