// Range checks: exact for compared values, whatever the excess, and without a view of anything else.
#include "protocols/conversion/range_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/statistics.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

constexpr auto refused = "the key holder refused: a masked value is out of range; the session ends";
constexpr std::size_t guarded = 24;  // L of the toy numbers

/// What the key holder saw in range checks.
struct Seen {
  std::vector<Integer> values;
  ViewObserver observer() {
    return [this](const Header&, std::string_view what, const FixedIntegers& seen) {
      if (what == "u S + rho") std::ranges::move(seen.integers(), std::back_inserter(values));
    };
  }
};

/// The outcome of a check of these values: "" where all are in range.
std::string outcome(TwoParties& parties, const IntegerMatrix& z) {
  Evaluator evaluator = parties.evaluator();
  const OperationId operation = parties.next_operation();
  evaluator.session.back() = static_cast<std::uint8_t>(operation.step);  // one that was refused has ended
  evaluator.session.front() = static_cast<std::uint8_t>(operation.step >> 8);
  return error_of([&] { compare_and_check(evaluator, operation, parties.encrypt(z)); });
}

}  // namespace

TEST_CASE(
    "range check: every value of the guarded range passes, and the key holder never sees a number twice") {
  for (const std::size_t slots : {one_slot, many_slots}) {
    Seen seen;
    TwoParties parties({.slots = slots, .observer = seen.observer()});
    const long end = 1L << (guarded - 1);
    RandomStream random = RandomSource::from_seed(70).stream({});
    for (int repeat = 0; repeat < 4; ++repeat) {
      CHECK(outcome(parties,
                    matrix_of(3, 3, {0, -1, 1, -end, end - 1, -end + 1, end - 2, end / 2, -end / 2})) == "");
      CHECK(outcome(parties, random_matrix(5, 2, guarded, random)) == "");
    }
    REQUIRE(seen.values.size() == 8);
    CHECK(std::set<Integer>(seen.values.begin(), seen.values.end()).size() == 8);
  }
}

TEST_CASE(
    "range check: one value outside is found for every excess up to sigma bits, from the first integer on") {
  Seen seen;
  TwoParties parties({.observer = seen.observer()});
  const Integer end = power_of_two(guarded - 1);
  RandomStream random = RandomSource::from_seed(71).stream({});
  std::size_t cell = 0;
  const auto found = [&](const Integer& value) {
    IntegerMatrix z = random_matrix(3, 3, guarded, random);
    z.cells()[cell++ % z.size()] = value;
    return outcome(parties, z) == refused;
  };
  CHECK(found(end));
  CHECK(found(-end - 1));
  for (std::size_t excess = 1; excess <= 40; ++excess) {
    CAPTURE(excess);
    // Multiples of 2^L too: what a comparison sees of them is in range.
    CHECK(found(end << excess));
    CHECK(found(-(end << excess)));
    CHECK(found((end << excess) + random.bits(guarded)));
  }
  CHECK(seen.values.size() > 60);  // the key holder refuses some of the largest before
}

TEST_CASE("range check: excesses that cancel are found, in one ciphertext, in two and in two layers") {
  TwoParties parties;
  const long whole = 1L << guarded;
  CHECK(outcome(parties, matrix_of(4, 1, {whole, -whole, 0, 0})) == refused);  // one ciphertext
  CHECK(outcome(parties, matrix_of(1, 4, {whole, -whole, 0, 0})) == refused);  // several
  const Evaluator gathering = gathering_evidence(parties.evaluator());
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  set.activation->forward(gathering, parties.next_operation(), parties.encrypt(matrix_of(1, 1, {whole})));
  set.activation->forward(gathering, parties.next_operation(), parties.encrypt(matrix_of(1, 1, {-whole})));
  CHECK(error_of([&] { check_ranges(gathering, parties.next_operation()); }) == refused);
}

TEST_CASE("range check: the key holder sees a uniform number, whatever is in range or exceeds it [slow]") {
  const Integer& n = toy_keys().public_keys().paillier().n();
  std::vector<std::vector<std::size_t>> low, high;
  for (const long value : {0L, 1L << guarded, -5 * (1L << guarded)}) {
    Seen seen;
    TwoParties parties({.seed = 72, .observer = seen.observer()});
    for (int run = 0; run < 256; ++run) outcome(parties, matrix_of(1, 1, {value}));
    REQUIRE(seen.values.size() == 256);
    low.emplace_back(8);
    high.emplace_back(8);
    for (const Integer& v : seen.values) {
      const Integer residue = v < 0 ? Integer(v + n) : v;
      ++low.back()[mpz_fdiv_ui(residue.get_mpz_t(), 8)];
      ++high.back()[Integer(residue * 8 / n).get_ui()];
    }
  }
  for (std::size_t i = 0; i < low.size(); ++i) {
    CHECK(chi_square_uniform(low[i]) > 1e-6);
    CHECK(chi_square_uniform(high[i]) > 1e-6);
  }
}

TEST_CASE(
    "range check: any sum but 0 is found, a multiple of a prime of n too, and the hash does not betray it") {
  const PaillierSecretKey& secret = toy_keys().paillier();
  const PaillierPublicKey& key = secret.public_key();
  const Integer p(secret.p().value()), half(key.n() / 2);
  for (const Integer& sum : {Integer(1), Integer(-1), p, half}) {
    Integer shown;
    std::vector<Integer> digest;
    TwoParties parties({.observer = [&](const Header&, std::string_view what, const FixedIntegers& seen) {
      if (what == "u S + rho") shown = seen.integer(0);
      if (what == "H(rho)") digest = seen.integers();
    }});
    const Evaluator gathering = gathering_evidence(parties.evaluator());
    gathering.evidence->sums.push_back(key.trivial(sum));
    CHECK(error_of([&] { check_ranges(gathering, parties.next_operation()); }) == refused);
    // Without u the mask would be a guess away.
    REQUIRE(digest.size() == 32);
    for (int guess = 0; guess < 4096; ++guess) {
      const Integer mask = shown - guess * sum;
      const Digest of_guess =
          sum_digest(FixedIntegers({&mask, 1}, key.plaintext_limbs() + 1)[0].first(key.plaintext_limbs()));
      if (std::ranges::equal(of_guess, digest)) FAIL("the mask is the sum ", guess, " times away");
    }
  }
}

TEST_CASE("range check: both parties hash the same limbs of a plaintext, at the ends of Z_n too") {
  const PaillierSecretKey& secret = toy_keys().paillier();
  const PaillierPublicKey& key = secret.public_key();
  const Integer half = (key.n() - 1) / 2;
  for (const Integer& mask : {half, Integer(-half), Integer(0), Integer(-1), Integer(1)}) {
    const std::vector<Ciphertext> c{key.trivial(mask)};
    CHECK(sum_digest(secret.decrypt_fixed(c)[0]) ==
          sum_digest(FixedIntegers({&mask, 1}, key.plaintext_limbs())[0]));
  }
}

TEST_CASE("range check: nothing is asked without evidence, and evidence is used once") {
  TwoParties parties;
  check_ranges(parties.evaluator(), parties.next_operation());  // none is gathered
  const Evaluator gathering = gathering_evidence(parties.evaluator());
  check_ranges(gathering, parties.next_operation());
  CHECK(parties.channel().traffic().rounds == 0);
  ProtocolNames names = preset("homomorphic");
  CHECK(names.checks_ranges());
  names.comparison = "affine";  // it opens a multiple of z, and seals no z + r
  CHECK(!names.checks_ranges());
  CHECK(!preset("paper").checks_ranges());
  make_protocols(names, parties.budget())
      .activation->forward(gathering, parties.next_operation(), parties.encrypt(matrix_of(2, 2, {1})));
  CHECK(gathering.evidence->sums.empty());
  make_protocols(preset("homomorphic"), parties.budget())
      .activation->forward(gathering, parties.next_operation(), parties.encrypt(matrix_of(2, 2, {1})));
  CHECK(gathering.evidence->sums.size() == 1);
  check_ranges(gathering, parties.next_operation());
  CHECK(gathering.evidence->sums.empty());
}
