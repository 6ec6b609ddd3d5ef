// Widths and slots.
#include "protocols/bit_budget.h"

#include <doctest/doctest.h>

#include <numeric>

#include "paillier/random.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using smlp::testing::error_of;

TEST_CASE("bit budget: widths follow the specification") {
  // l = 20, sigma = 40, k = 8: S = 2l + 2 sigma + 3 + 6.
  const BitBudget toy({20, 10, 40}, 8, 512);
  CHECK(toy.slot_bits() == 129);
  CHECK(toy.slots() == 3);
  CHECK(toy.value_mask_bits() == 60);
  CHECK(toy.product_bits() == 43);
  CHECK(toy.product_mask_bits() == 83);
  CHECK(toy.cross_term_mask_bits() == 125);
  CHECK(toy.guarded_bits() == 24);
  CHECK(toy.guarded_mask_bits() == 64);
  CHECK(toy.pair_shift() == 63);
  // The default numbers at 2048 bits and an inner dimension of 1,024: S = 168, 12 slots; 15 at sigma = 40.
  const BitBudget real({}, 1024, 2048);
  CHECK(real.numbers() == Numbers{20, 10, 56});
  CHECK(real.slot_bits() == 168);
  CHECK(real.slots() == 12);
  CHECK(BitBudget({20, 10, 40}, 1024, 2048).slots() == 15);
  // Not a power of two: rounded up. One: no bit at all.
  CHECK(BitBudget({20, 10, 40}, 9, 512).slot_bits() == 130);
  CHECK(BitBudget({20, 10, 40}, 1, 512).slot_bits() == 126);
  CHECK(BitBudget({20, 10, 40}, 8, 512, 1).slots() == 1);
  CHECK(BitBudget({20, 10, 40}, 8, 512, 3).slots() == 3);
}

TEST_CASE("bit budget: every range holds at the ends of values and masks") {
  for (const std::size_t value_bits : {8u, 20u, 60u})
    for (const std::size_t sigma : {40u, 41u, 128u})
      for (const std::size_t inner : {1u, 2u, 3u, 784u, 1024u}) {
        const BitBudget budget({value_bits, 4, sigma}, inner, 4096);
        const std::size_t slot_bits = budget.slot_bits();
        const auto largest = [](std::size_t bits) { return Integer(3 * (power_of_two(bits) - 1)); };  // mask
        const Integer value = power_of_two(value_bits - 1), k = inner;
        const Integer r = largest(budget.value_mask_bits()), top = r + value - 1, bottom = -value;
        const Integer cross = largest(budget.cross_term_mask_bits()),
                      rho = largest(budget.product_mask_bits());
        const std::size_t widest = budget.cross_term_mask_bits() + mask_sum_bits;
        const auto below = [](const Integer& x, std::size_t bits) { return bit_length(x) <= bits; };
        // What the key holder admits is what there can be, and a slot has head-room above it.
        CHECK(widest == slot_bits - 2);
        for (const Integer& end : {top, bottom}) CHECK(below(end, budget.value_mask_bits() + mask_sum_bits));
        CHECK(below(k * value * r + cross, widest));  // T' = A R_B + R_T
        CHECK(below(-k * value * r, widest));
        CHECK(below(k * r * top, widest));  // U' = R_A B' - R_T - rho
        CHECK(below(k * r * bottom - cross - rho, widest));
        CHECK(below(k * value * value + rho, budget.product_mask_bits() + mask_sum_bits));  // M
        CHECK(budget.product_mask_bits() + mask_sum_bits <= slot_bits - 2);
        // The masks have sigma bits more than what they hide.
        CHECK(bit_length(k * value * r) + 1 + sigma <= budget.cross_term_mask_bits());
        // The widest addend, and the sum of both.
        const std::size_t addend = slot_bits - sigma - mask_sum_bits - 2;
        budget.check_addend("x", addend);
        const Integer c = power_of_two(addend) - 1 + largest(addend + sigma);
        CHECK(below(k * value * value + rho + c, slot_bits - 1));
        // A pair of operands, read again.
        const std::size_t shift = budget.pair_shift();
        for (const Integer& low : {top, bottom})
          for (const Integer& high : {top, bottom}) {
            const Integer pair = low + (high << shift);
            CHECK(below(pair, slot_bits - 1));
            CHECK(floor_shift(pair + power_of_two(shift - 1), shift) == high);
          }
        // A selection: exponents o -+ r of one length, and d - o.
        const std::size_t b = budget.guarded_mask_bits();
        const Integer o = 12 * power_of_two(b), guarded = power_of_two(budget.guarded_bits());
        for (const Integer& exponent : {Integer(o + largest(b)), Integer(o - largest(b)), o})
          CHECK(bit_length(exponent) == b + 4);
        CHECK(below(-guarded - o, b + 4));
        CHECK(b + 4 < slot_bits - 1);
        // The paper's comparison, whose content is a multiple by at most 2^sigma.
        const std::size_t affine = budget.guarded_bits() + sigma + 1;
        CHECK(below(power_of_two(affine - 2) + largest(affine + sigma), slot_bits - 1));
      }
}

TEST_CASE("bit budget: refusals name the option") {
  CHECK(error_of([] { BitBudget({7, 3, 40}, 8, 512); }) == "--value-bits is 7, allowed are 8 to 60");
  CHECK(error_of([] { BitBudget({61, 3, 40}, 8, 512); }) == "--value-bits is 61, allowed are 8 to 60");
  CHECK(error_of([] { BitBudget({20, 0, 40}, 8, 512); }) == "--fraction-bits is 0, allowed are 1 to 18");
  CHECK(error_of([] { BitBudget({20, 19, 40}, 8, 512); }) == "--fraction-bits is 19, allowed are 1 to 18");
  CHECK(error_of([] { BitBudget({20, 10, 39}, 8, 512); }) == "--sigma is 39, allowed are 40 to 128");
  CHECK(error_of([] { BitBudget({20, 10, 129}, 8, 512); }) == "--sigma is 129, allowed are 40 to 128");
  CHECK(error_of([] { BitBudget({20, 10, 40}, 0, 512); }) == "--inner is 0, allowed are 1 to 16777216");
  CHECK(error_of([] {
          BitBudget({20, 10, 40}, 8, 128);
        }) == "the key's size in bits is 128, allowed are 256 to 8192");
  CHECK(error_of([] {
          BitBudget({20, 10, 40}, 8, 512, 5);
        }) ==
        "the bit budget does not fit: 5 slots of 129 bits in a plaintext of 510 bits; lower --value-bits, "
        "--sigma or "
        "--inner, or take a longer key");
  CHECK(error_of([] {
          BitBudget({60, 10, 128}, 1024, 256);
        }) ==
        "the bit budget does not fit: 1 slots of 392 bits in a plaintext of 254 bits; lower --value-bits, "
        "--sigma or "
        "--inner, or take a longer key");
}

TEST_CASE("bit budget: a product must fit") {
  const BitBudget budget({20, 10, 40}, 8, 512);
  budget.check_product("layer 1", 8, {1, 0});
  budget.check_product("layer 1", 1, {-1024, 10});
  budget.check_product("layer 1", 1, {0, 43});
  CHECK(error_of([&] {
          budget.check_product("layer 1", 9, {1, 0});
        }) ==
        "the bit budget does not fit: layer 1 sums 9 products, the table was laid out for at most 8; where "
        "it is encrypted, --inner 9 or more is needed");
  CHECK(error_of([&] {
          budget.check_product("layer 1", 8, {1, 44});
        }) == "the bit budget does not fit: layer 1 shifts by 44 bits, its product has 43");
  for (const std::int64_t scale : {1025, -1025})
    CHECK(error_of([&] {
            budget.check_product("layer 1", 8, {scale, 10});
          }) == "the bit budget does not fit: layer 1 multiplies by " + std::to_string(scale) +
                    " / 2^10, allowed is at most 1; lower --learning-rate");
  budget.check_addend("layer 1", 85);  // 85 + 40 + 2 + 2 = 129
  CHECK(error_of([&] { budget.check_addend("layer 1", 86); }) ==
        "the bit budget does not fit: layer 1 adds a value of 86 bits under a mask of 126 bits in slots of "
        "129; lower --momentum or --weight-decay");
}

TEST_CASE("bit budget: what a rescaling opens is as wide as the proof says, at the ends of every mask") {
  const BitBudget budget({20, 10, 40}, 8, 2048);
  for (const Rescale& factor : {Rescale{1, 0}, Rescale{1, 10}, Rescale{3, 10}, Rescale{-1024, 10},
                                Rescale{-1, 0}, Rescale{0, 5}, Rescale{1, 43}, Rescale{5, 43}})
    for (const std::size_t mask_bits : {41U, 60U, 83U})
      for (const std::size_t addend_bits : {0U, 45U, 100U}) {
        const std::size_t bits = budget.rescaled_mask_bits(mask_bits, factor, addend_bits);
        CHECK(bits >= 1);
        // x and C at their ends, 2^-sigma of the masks
        const Integer scale = static_cast<long>(factor.scale), x = power_of_two(mask_bits - 40),
                      rho = 3 * (power_of_two(mask_bits) - 1),
                      c = addend_bits == 0 ? Integer(0) : power_of_two(addend_bits - 40),
                      r_c = addend_bits == 0 ? Integer(0) : Integer(3 * (power_of_two(addend_bits) - 1));
        for (const Integer& mask_x : {Integer(0), rho})
          for (const Integer& mask_c : {Integer(0), r_c})
            for (const int sign : {-1, 1}) {
              const Integer e = floor_shift(scale * mask_x + mask_c, factor.shift);
              CHECK(abs(e) <= 3 * power_of_two(bits));
              const Integer sum = scale * (mask_x + sign * x) + mask_c + sign * c;
              const Integer k = floor_shift(sum, factor.shift);
              CHECK(bit_length(k) <= bits + mask_sum_bits);
            }
      }
  budget.check_opened("layer 1", 123);
  CHECK(error_of([&] { budget.check_opened("layer 1", 124); }) ==
        "the bit budget does not fit: layer 1 works on values under masks of 124 bits in slots of 129; lower "
        "--momentum or --weight-decay");
}

TEST_CASE("balanced groups: as few as possible, sizes differ by at most one, larger ones first") {
  for (std::size_t slots = 1; slots <= 9; ++slots)
    for (std::size_t count = 0; count <= 40; ++count) {
      const auto groups = balanced_groups(count, slots);
      CAPTURE(slots);
      CAPTURE(count);
      CHECK(std::accumulate(groups.begin(), groups.end(), std::size_t{0}) == count);
      CHECK(groups.size() == (count + slots - 1) / slots);
      if (groups.empty()) continue;
      CHECK(std::is_sorted(groups.rbegin(), groups.rend()));
      CHECK(groups.front() <= slots);
      CHECK(groups.front() - groups.back() <= 1);
      CHECK(groups.back() >= 1);
    }
  CHECK(balanced_groups(9, 4) == std::vector<std::size_t>{3, 3, 3});
  CHECK(balanced_groups(10, 4) == std::vector<std::size_t>{4, 3, 3});
  CHECK(error_of([] { balanced_groups(3, 0); }) == "a group of 0 slots holds nothing; at least 1 is needed");
}

TEST_CASE("slots: packing is a sum of shifted values and unpacking its inverse") {
  CHECK(pack({Integer(5), Integer(-7), Integer(1)}, 8) == 5 - 7 * 256 + 65536);
  CHECK(pack({}, 8) == 0);
  CHECK(unpack(Integer(5 - 7 * 256 + 65536), 3, 8) == std::vector<Integer>{5, -7, 1});
  const std::size_t bits = 126;
  const Integer top = power_of_two(bits - 1) - 1;
  const Integer bottom = -top;
  // Every combination of extremes in four slots.
  const std::vector<Integer> extremes{top, bottom, 0, 1, -1};
  for (const Integer& a : extremes)
    for (const Integer& b : extremes)
      for (const Integer& c : extremes)
        for (const Integer& d : extremes) {
          const std::vector<Integer> values{a, b, c, d};
          CHECK(unpack(pack(values, bits), 4, bits) == values);
        }
  RandomStream random = RandomSource::from_seed(3).stream({});
  for (std::size_t trial = 0; trial < 200; ++trial) {
    std::vector<Integer> values(1 + trial % 5);
    for (Integer& value : values) value = random.bits(bits) - power_of_two(bits - 1) + 1;
    for (Integer& value : values)
      if (value > top) value = top;
    CHECK(unpack(pack(values, bits), values.size(), bits) == values);
  }
}

TEST_CASE("slots: what does not fit is refused") {
  for (const Integer& value : {power_of_two(7), Integer(-power_of_two(7))})
    CHECK(error_of([&] { pack({0, value}, 8); }) == "a value of 8 bits outgrows its slot of 8 bits");
  CHECK(error_of([] { unpack(Integer(256), 1, 8); }) == "a packed value holds more than its 1 slots");
  CHECK(error_of([] { unpack(Integer(-65536), 2, 8); }) == "a packed value holds more than its 2 slots");
  CHECK(error_of([] { unpack(Integer(128), 1, 8); }) == "a packed value holds more than its 1 slots");
  CHECK(unpack(Integer(-128), 1, 8) == std::vector<Integer>{-128});
  CHECK(unpack(Integer(0), 0, 8).empty());
}
