// Cells of packed plaintexts in rows of limbs, against sums of powers of two.
#include "protocols/slots.h"

#include <doctest/doctest.h>

#include "paillier/random.h"

using namespace smlp;

namespace {

constexpr std::size_t plaintext_limbs = 8;

struct Unpacked {
  std::vector<Integer> cells;
  bool outside;
};

/// One ciphertext of `count` slots.
Unpacked unpacked_one(const Integer& packed, std::size_t count, std::size_t slot_bits, std::size_t bits) {
  SlotCells cells(count);
  for (std::size_t i = 0; i < count; ++i) cells[i] = count - 1 - i;  // in any order
  Limb outside = 0;
  const FixedIntegers out =
      unpacked(FixedIntegers({&packed, 1}, plaintext_limbs), {cells}, slot_bits, bits, 3, outside);
  std::vector<Integer> in_order(out.size());
  for (std::size_t i = 0; i < count; ++i) in_order[i] = out.integer(count - 1 - i);
  return {in_order, outside != 0};
}

}  // namespace

TEST_CASE("slots: signed values come back from their slots, at every width") {
  RandomStream random = RandomSource::from_seed(1).stream({});
  for (const std::size_t slot_bits : {63U, 64U, 65U, 127U, 128U, 160U})
    for (const std::size_t bits : {8U, 40U, 61U}) {
      const Integer end = power_of_two(bits);
      const std::vector<Integer> values{Integer(end - 1), Integer(1 - end), -1, 0,
                                        random.bits(bits) - end / 2};
      for (std::size_t count = 1; count <= std::min<std::size_t>(values.size(), 500 / slot_bits); ++count) {
        Integer packed = 0;
        for (std::size_t i = 0; i < count; ++i) packed += values[i] * power_of_two(i * slot_bits);
        const Unpacked got = unpacked_one(packed, count, slot_bits, bits);
        CHECK_FALSE(got.outside);
        CHECK(got.cells == std::vector<Integer>(values.begin(), values.begin() + static_cast<long>(count)));
      }
    }
}

TEST_CASE("slots: a value or a rest that is too large is seen, the first one already") {
  const std::size_t slot_bits = 100, bits = 40;
  const Integer end = power_of_two(bits);
  for (const int slot : {0, 1, 2})
    for (const Integer& value : {end, Integer(-end), Integer(end + 1), power_of_two(slot_bits - 1),
                                 Integer(-power_of_two(slot_bits - 1)), Integer(-end - 1)}) {
      const std::size_t shift = slot_bits * static_cast<std::size_t>(slot);
      const Integer packed = value * power_of_two(shift) - power_of_two(slot == 1 ? 0 : slot_bits);
      CHECK(unpacked_one(packed, 3, slot_bits, bits).outside);
    }
  for (const Integer& rest : {Integer(1), Integer(-1), power_of_two(100)})
    CHECK(unpacked_one(7 + rest * power_of_two(2 * slot_bits), 2, slot_bits, bits).outside);
  CHECK_FALSE(unpacked_one(7, 2, slot_bits, bits).outside);
}

TEST_CASE("slots: the cells of both packings") {
  const Layout layout{{2, 1}, {1, 2}};
  CHECK(column_packed_cells(layout) == std::vector<SlotCells>{{0, 3}, {1, 4}, {2, 5}, {6}, {7}, {8}});
  CHECK(row_packed_cells(layout) == std::vector<SlotCells>{{0}, {1, 2}, {3}, {4, 5}, {6}, {7, 8}});
}
