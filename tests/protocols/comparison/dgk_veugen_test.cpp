// The default comparison: every value of a small range, and what the blinded digits show to the key holder.
#include <doctest/doctest.h>

#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/statistics.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

constexpr Numbers small_numbers{8, 4, 40};  // L = 12: comparisons of 11 bits, 7 terms each
constexpr std::size_t small_terms = 7;

/// A matrix of consecutive integers.
IntegerMatrix consecutive(long first, std::size_t rows, std::size_t cols) {
  IntegerMatrix m(rows, cols);
  for (std::size_t i = 0; i < m.size(); ++i) m.cells()[i] = first + static_cast<long>(i);
  return m;
}

/// For each comparison of the last request the position of its zero, or -1 where there is none.
std::vector<int> zero_positions(TwoParties& parties, std::size_t cells, std::size_t per_comparison) {
  const Request request = decode_request(parties.channel().requests().back());
  REQUIRE(request.header.protocol == "comparison/dgk-veugen");
  REQUIRE(request.header.stage == 1);
  const DgkSecretKey& key = toy_keys().dgk();
  const std::size_t count = cells * per_comparison;
  const auto bits =
      key.public_key().decode(std::span(request.body).first(count * key.public_key().ciphertext_bytes()),
                              count, "the blinded digits");
  std::vector<int> positions(cells, -1);
  for (std::size_t i = 0; i < count; ++i) {
    if (!key.is_zero(bits[i])) continue;
    CHECK(positions[i / per_comparison] == -1);  // never two
    positions[i / per_comparison] = static_cast<int>(i % per_comparison);
  }
  return positions;
}

}  // namespace

TEST_CASE("dgk-veugen: all values of the guarded range of 8-bit and 9-bit numbers [slow]") {
  // An odd and an even number of compared bits: the highest digit has one bit or two.
  for (const Numbers& numbers : {small_numbers, Numbers{9, 4, 40}}) {
    std::vector<Integer> shares;
    TwoParties parties({.observer =
                            [&](const Header& header, std::string_view what, const FixedIntegers& values) {
                              if (header.protocol == "comparison/dgk-veugen" && what == "t")
                                shares = values.integers();
                            },
                        .numbers = numbers});
    REQUIRE(parties.budget().guarded_bits() == numbers.value_bits + 4);
    const long end = 1L << (numbers.value_bits + 3);
    const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
    for (long first = -end; first < end; first += 256) {
      const IntegerMatrix z = consecutive(first, 16, 16);
      const SignShares bits =
          set.comparison->sign(parties.evaluator(), parties.next_operation(), parties.encrypt(z));
      parties.evaluator().calls->send();
      REQUIRE(shares.size() == z.size());
      bool right = true;
      for (std::size_t i = 0; i < z.size(); ++i)
        right &= (bits.evaluator.cells()[i] ^ static_cast<unsigned>(shares[i].get_ui())) ==
                 (z.cells()[i] >= 0 ? 1U : 0U);
      CAPTURE(first);
      CHECK(right);
    }
  }
}

TEST_CASE("dgk-veugen: ReLU and its derivative of all 8-bit values") {
  TwoParties parties({.numbers = small_numbers});
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  const IntegerMatrix z = consecutive(-128, 16, 16);
  OperationId operation = parties.next_operation();
  const Activated out = set.activation->forward(parties.evaluator(), operation, parties.encrypt(z));
  operation.direction = Direction::activation_backward;
  const IntegerMatrix delta(16, 16, -77);
  const EncryptedMatrix derived =
      set.activation->backward(parties.evaluator(), operation, parties.encrypt(delta), *out.state);
  IntegerMatrix want = z, want_derived = delta;
  for (std::size_t i = 0; i < 128; ++i) want.cells()[i] = want_derived.cells()[i] = 0;
  CHECK(parties.decrypt(out.values) == want);
  CHECK(parties.decrypt(derived) == want_derived);
}

TEST_CASE(
    "dgk-veugen: among the blinded digits a zero is a fair coin at a uniform place, whatever the input "
    "[slow]") {
  constexpr double total_error = 1e-6;
  const std::vector<long> inputs{-2048, -1, 0, 1, 2047};
  constexpr int tests_per_input = 3;
  const double least = total_error / static_cast<double>(tests_per_input * inputs.size());
  for (const long input : inputs) {
    CAPTURE(input);
    std::vector<std::size_t> coin(2), operation(small_terms), share(2);
    TwoParties parties({.seed = 40,
                        .observer =
                            [&](const Header&, std::string_view what, const FixedIntegers& values) {
                              if (what == "t")
                                for (const Integer& t : values.integers()) ++share[t.get_ui()];
                            },
                        .numbers = small_numbers});
    const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
    for (int run = 0; run < 3; ++run) {
      set.comparison->sign(parties.evaluator(), parties.next_operation(),
                           parties.encrypt(matrix_of(16, 16, {input})));
      for (const int position : zero_positions(parties, 256, small_terms)) {
        ++coin[position >= 0 ? 1 : 0];
        if (position >= 0) ++operation[static_cast<std::size_t>(position)];
      }
    }
    CHECK(coin[0] + coin[1] == 768);
    CHECK(chi_square_uniform(coin) > least);
    CHECK(chi_square_uniform(operation) > least);
    CHECK(chi_square_uniform(share) > least);
  }
}

TEST_CASE("dgk-veugen: the other blinded digits are uniform units of Z_u") {
  TwoParties parties({.seed = 41, .numbers = small_numbers});
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  std::vector<std::size_t> counts(7);  // 196 units in seven classes of 28
  set.comparison->sign(parties.evaluator(), parties.next_operation(), parties.encrypt(matrix_of(8, 8, {5})));
  const Request request = decode_request(parties.channel().requests().back());
  const DgkSecretKey& key = toy_keys().dgk();
  const std::size_t count = 64 * small_terms;
  for (const DgkCiphertext& c :
       key.public_key().decode(std::span(request.body).first(count * key.public_key().ciphertext_bytes()),
                               count, "the blinded digits")) {
    const unsigned m = key.decrypt(c);
    if (m != 0) ++counts[(m - 1) % 7];
  }
  CHECK(chi_square_uniform(counts) > 1e-6);
}
