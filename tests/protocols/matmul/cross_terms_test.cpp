// Cross terms against integers, and the closed forms of tiles against counting.
#include "protocols/matmul/cross_terms.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "tests/support/blocks.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/replicas.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

/// Of the party that chooses, with trees of this depth.
struct Base {
  std::size_t depth = key_holder_depth;
  Block offset = random_blocks(1, 1).front();
  std::vector<Block> leaves = random_blocks(leaf_count(depth), 2);
  SecretBlocks known;
  explicit Base(std::size_t of_depth = key_holder_depth) : depth(of_depth) {
    offset.low |= 1;
    known = known_leaves(offset, leaves, depth);
  }
  TransferChooser chooser(const Label& label) const { return {leaves, depth, label}; }
  OffsetHolder holder(const Label& label) const { return {offset, known, depth, label}; }
};

IntegerMatrix of_bits(std::size_t rows, std::size_t cols, std::size_t bits, RandomStream& random) {
  IntegerMatrix m(rows, cols);
  for (Integer& cell : m.cells()) cell = random.bits(bits);
  return m;
}

Mask mask(std::size_t rows, std::size_t cols, std::size_t bits) {
  return Mask::drawn(Draws(RandomSource::from_seed(81), {}), rows, cols, bits);
}

struct Sent {
  std::vector<Bytes> messages;
  IntegerMatrix result;
};

/// Both halves over all tiles.
Sent run(const CrossTerms& terms, const IntegerMatrix& a, const IntegerMatrix& b, const IntegerMatrix& e_a,
         const IntegerMatrix& e_b, const Mask& rho) {
  const Base base, of_evaluator(evaluator_depth);
  const FixedIntegers elements = elements_of(terms, a, b);
  CrossTermSender sender(terms, key_holder_depth, e_a, e_b, sum(naive_product(e_a, e_b), rho.values()));
  FixedIntegers sums = ring_numbers(terms, naive_product(a, b));
  Sent out;
  if (terms.both_choose()) {
    const FixedIntegers own = elements_of(terms, e_a, e_b);
    const Label label = tile_label(sha256(Bytes{1}), 0);
    const auto chooser = [&] { return of_evaluator.chooser(label); };
    CrossTermSender key_holder(terms, evaluator_depth, a, b, naive_product(a, b));
    out.messages.push_back(key_holder.send(
        of_evaluator.offset, [&] { return of_evaluator.holder(label); },
        choose_elements(terms, chooser(), own, terms.tile(0)), random_blocks(1, 2).front()));
    receive_cross_terms(terms, 0, chooser, own, out.messages.back(), sender.sums());
    sums = std::move(key_holder.sums());
  }
  for (std::size_t tile = 0; tile < terms.tiles(); ++tile) {
    const Label label = tile_label({}, tile);
    const auto chooser = [&] { return base.chooser(label); };
    const Bytes corrections = choose_elements(terms, chooser(), elements, terms.tile(tile));
    const Bytes messages = sender.send(
        base.offset, [&] { return base.holder(label); }, corrections, random_blocks(1, 3 + tile).front());
    FixedIntegers part(terms.tile(tile).count, terms.choice_limbs());
    for (std::size_t i = 0; i < part.size(); ++i)
      std::ranges::copy(elements[terms.tile(tile).first + i], part[i].begin());
    receive_cross_terms(terms, tile, chooser, part, messages, sums);
    out.messages.push_back(messages);
  }
  Bytes v;
  append_numbers(sender.sums(), {0, terms.cells()}, terms.ring_bytes(), v);
  add_cross_sum(terms, v, sums);
  out.result = ring_integers(terms, sums);
  return out;
}

/// The size of tiles, and who chooses.
using Tiling = std::pair<std::size_t, ChosenBy>;
const std::vector<Tiling> all_tilings{{std::size_t{1} << 25, ChosenBy::both_operands},
                                      {std::size_t{1} << 16, ChosenBy::both_operands},
                                      {1, ChosenBy::both_operands},
                                      {std::size_t{1} << 25, ChosenBy::left},
                                      {std::size_t{1} << 25, ChosenBy::right}};

/// On one thread and on three, for widths of choices and ring and a shape rows, inner, cols.
void check_product(const std::array<std::size_t, 2>& widths, const std::array<std::size_t, 3>& shape,
                   const std::vector<Tiling>& tilings) {
  RandomStream random = RandomSource::from_seed(80).stream({});
  const auto [choice_bits, ring_bits] = widths;
  const auto [rows, inner, cols] = shape;
  for (const auto& [tile_bytes, by] : tilings) {
    const CrossTerms terms{rows, inner, cols, choice_bits, ring_bits, tile_bytes, by};
    const IntegerMatrix a = of_bits(rows, inner, choice_bits, random),
                        b = of_bits(inner, cols, choice_bits, random),
                        e_a = of_bits(rows, inner, choice_bits, random),
                        e_b = of_bits(inner, cols, choice_bits, random);
    const Mask rho = mask(rows, cols, ring_bits);
    IntegerMatrix x = a, y = b;
    for (std::size_t i = 0; i < x.size(); ++i) x.cells()[i] -= e_a.cells()[i];
    for (std::size_t i = 0; i < y.size(); ++i) y.cells()[i] -= e_b.cells()[i];
    IntegerMatrix want = naive_product(x, y);
    const Integer half = power_of_two(ring_bits - 1);
    for (std::size_t i = 0; i < want.size(); ++i) {
      Integer& cell = want.cells()[i];
      cell += rho.values().cells()[i] + half;
      mpz_fdiv_r_2exp(cell.get_mpz_t(), cell.get_mpz_t(), ring_bits);
      cell -= half;
    }
    const int threads = thread_count();
    set_thread_count(1);
    const Sent one = run(terms, a, b, e_a, e_b, rho);
    set_thread_count(3);
    const Sent three = run(terms, a, b, e_a, e_b, rho);
    set_thread_count(threads);
    CAPTURE(terms.ring_bits);
    CAPTURE(terms.tiles());
    CHECK(one.result == want);
    CHECK(three.result == want);
    CHECK(one.messages == three.messages);
  }
}

}  // namespace

TEST_CASE("cross terms: the key holder gets the product of what is hidden, and rho [parallel]") {
  for (const auto& widths : {std::array<std::size_t, 2>{62, 93}, {64, 129}}) {
    check_product(widths, {1, 1, 1}, all_tilings);
    check_product(widths, {3, 7, 2}, all_tilings);
    check_product(widths, {1, 150, 1}, {all_tilings[1], all_tilings[3]});  // several pieces
  }
  check_product({130, 275}, {3, 7, 2}, {all_tilings[0]});
}

TEST_CASE("cross terms: the key holder gets the product, in every width and shape [slow]") {
  for (const auto& widths : {std::array<std::size_t, 2>{62, 93}, {62, 128}, {64, 129}, {130, 275}, {5, 59}})
    for (const auto& shape : {std::array<std::size_t, 3>{1, 1, 1}, {3, 7, 2}, {20, 5, 31}, {1, 150, 1}})
      check_product(widths, shape, all_tilings);
}

TEST_CASE("cross terms: tiles are consecutive, hold every element once, and their closed forms count right") {
  for (const auto& [rows, inner, cols] :
       {std::array<std::size_t, 3>{1, 1, 1}, {3, 7, 2}, {40, 9, 31}, {1, 900, 3}, {64, 3, 1}})
    for (const auto& [tile_bytes, by] :
         std::vector<std::pair<std::size_t, ChosenBy>>{{1, ChosenBy::both_operands},
                                                       {4096, ChosenBy::both_operands},
                                                       {100'000, ChosenBy::both_operands},
                                                       {1 << 25, ChosenBy::both_operands},
                                                       {4096, ChosenBy::left},
                                                       {4096, ChosenBy::right},
                                                       {1 << 25, ChosenBy::left},
                                                       {1 << 25, ChosenBy::right}}) {
      const CrossTerms terms{rows, inner, cols, 62, 93, tile_bytes, by};
      std::size_t next = 0, corrections = 0, bytes = 0;
      for (std::size_t tile = 0; tile < terms.tiles(); ++tile) {
        const Elements range = terms.tile(tile);
        CHECK(range.first == next);
        CHECK(range.count > 0);
        next += range.count;
        corrections += key_holder_corrections(range.count * 62);
        CHECK(key_holder_corrections(range.count * 62) <= terms.most_corrections());
        bytes += terms.message_bytes(range);
      }
      CHECK(next == terms.elements());
      CHECK(corrections == key_holder_corrections(terms.transfers()));
      CHECK(bytes == terms.message_bytes({0, terms.elements()}));
      std::size_t counted = 0, blocks = 0;
      for (std::size_t element = 0; element < terms.elements(); ++element)
        for (std::size_t bit = 0; bit < 62; ++bit) {
          const bool left = by != ChosenBy::right && element < rows * inner;
          const std::size_t message = (left ? cols : rows) * ((93 - bit + 7) / 8);
          counted += message;
          blocks += (message + 15) / 16;
        }
      CHECK(bytes == counted);
      CHECK(terms.pad_blocks() == blocks);
    }
}

TEST_CASE("cross terms: the tiles of a product have no stream in common, whatever their bits") {
  const CrossTerms terms{4, 3, 5, 62, 93, 1024};
  REQUIRE(terms.tiles() > 2);
  const Base base;
  RandomStream random = RandomSource::from_seed(82).stream({});
  const auto corrections = [&](const Label& label) {
    const FixedIntegers elements = elements_of(terms, of_bits(4, 3, 62, random), of_bits(3, 5, 62, random));
    return choose_elements(terms, base.chooser(label), elements, terms.tile(0));
  };
  const Digest request = sha256(Bytes{1}), another = sha256(Bytes{2});
  // One label for two contents is seen; those of two tiles, or of one tile of two requests, are two.
  CHECK(same_columns(corrections(tile_label(request, 0)), corrections(tile_label(request, 0)),
                     key_holder_depth));
  std::vector<Bytes> of_labels;
  for (const Digest& each : {request, another})
    for (std::size_t tile = 0; tile < terms.tiles(); ++tile)
      of_labels.push_back(corrections(tile_label(each, tile)));
  for (std::size_t i = 0; i < of_labels.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(!same_columns(of_labels[i], of_labels[j], key_holder_depth));
}

TEST_CASE("cross terms: messages are under pads of their transfers' numbers, through all tiles") {
  constexpr std::size_t inner = 6, bits = 5;
  const CrossTerms terms{1, inner, 1, bits, 59, 128};
  REQUIRE(terms.tiles() > 1);
  const Base base;
  RandomStream random = RandomSource::from_seed(83).stream({});
  const FixedIntegers elements =
      elements_of(terms, of_bits(1, inner, bits, random), of_bits(inner, 1, bits, random));
  const IntegerMatrix e_a = of_bits(1, inner, bits, random), e_b = of_bits(inner, 1, bits, random);
  CrossTermSender sender(terms, key_holder_depth, e_a, e_b, IntegerMatrix(1, 1));
  const Block key = random_blocks(1, 4).front();
  std::size_t wrong = 0, transfers = 0;
  for (std::size_t tile = 0; tile < terms.tiles(); ++tile) {
    const Elements range = terms.tile(tile);
    const auto holder = [&] { return base.holder(tile_label({}, tile)); };
    const Bytes corrections = choose_elements(terms, base.chooser(tile_label({}, tile)), elements, range);
    const Bytes messages = sender.send(base.offset, holder, corrections, key);
    SecretBlocks zeros(range.count * bits);
    holder().extend(corrections, zeros);
    std::size_t at = sizeof key;
    for (std::size_t i = 0; i < zeros.size(); ++i, ++transfers) {
      const std::size_t element = range.first + i / bits, width = terms.message_bytes(bits - 1 - i % bits);
      const Integer& v = element < inner ? e_b(element, 0) : e_a(0, element - inner);
      const auto pad = [&](const Block& label) {
        return independent_hash(key, label, {0, element * bits + i % bits}).low;
      };
      const std::uint64_t want = pad(zeros[i]) - pad(zeros[i] ^ base.offset) + v.get_ui();
      wrong += std::memcmp(&want, messages.data() + at, width) != 0 ? 1 : 0;
      at += width;
    }
    CHECK(at == messages.size());
  }
  CHECK(wrong == 0);
  CHECK(transfers == 2 * inner * bits);
}

TEST_CASE("cross terms: widths of a budget, and products that are too large") {
  const BitBudget budget({20, 10, 40}, 1024, 2048);
  const CrossTerms terms = cross_terms(budget, 128, 785, 128);
  CHECK(terms.choice_bits == 62);  // l + sigma + 2
  CHECK(terms.ring_bits == 93);    // 2l + log k + sigma + 3
  CHECK(terms.tiles() > 300);
  for (std::size_t tile = 0; tile < terms.tiles(); ++tile)
    CHECK(cross_term_bytes(terms, tile) < 2 * terms.tile_bytes);
  CHECK(terms.by == ChosenBy::both_operands);
  // Both choose with the smaller operand, where that is one tile.
  const CrossTerms wide = cross_terms(budget, 3, 40, 10), tall = cross_terms(budget, 40, 3, 10),
                   long_one = cross_terms(budget, 785, 128, 128);
  CHECK(wide.by == ChosenBy::left);
  CHECK(wide.elements() == 3 * 40);
  CHECK(tall.by == ChosenBy::right);
  CHECK(tall.elements() == 3 * 10);
  CHECK(long_one.by == ChosenBy::both_operands);
  CHECK(cross_terms(budget, 32, 31, 32).by == ChosenBy::both_operands);
  for (const auto& size : {std::array<std::size_t, 2>{50'000, 1}, {1, 50'000}, {2000, 2000}})
    CHECK(error_of([&] { cross_terms(budget, size[0], 3, size[1]); }) ==
          "a product of " + std::to_string(size[0]) + " x 3 and 3 x " + std::to_string(size[1]) +
              " matrices is too large for oblivious transfers; take --matmul packed");
  const BitBudget any({20, 10, 40}, std::size_t{1} << 24, 2048);
  CHECK_THROWS_AS(cross_terms(any, 1000, std::size_t{1} << 24, 1000), Error);
}

TEST_CASE("cross terms: elements at both ends of their range, and beyond") {
  const BitBudget budget({20, 10, 40}, 8, 512);
  const CrossTerms terms = cross_terms(budget, 1, 1, 1);
  // The least is -2^(l-1) under a mask of 0, the largest 2^(l-1) - 1 under 3 (2^(l + sigma) - 1).
  const auto offset = [&](const Integer& value) {
    IntegerMatrix m(1, 1, value);
    return offset_operand(budget, m);
  };
  const Integer least = -power_of_two(19), most = 3 * (power_of_two(60) - 1) + power_of_two(19) - 1;
  for (const Integer& value : {least, most, Integer(power_of_two(62) - power_of_two(19) - 1)})
    CHECK_NOTHROW(elements_of(terms, offset(value), offset(0)));
  for (const Integer& value : {Integer(least - 1), Integer(power_of_two(62) - power_of_two(19))}) {
    CHECK_THROWS_AS(elements_of(terms, offset(value), offset(0)), OutOfRange);
    CHECK_THROWS_AS(elements_of(terms, offset(0), offset(value)), OutOfRange);
  }
}

TEST_CASE("cross terms: messages, corrections and numbers of another length are refused") {
  const CrossTerms terms{2, 2, 2, 62, 93};
  const Base base;
  CrossTermSender sender(terms, key_holder_depth, IntegerMatrix(2, 2), IntegerMatrix(2, 2),
                         mask(2, 2, 93).values());
  const auto holder = [&] { return base.holder({}); };
  CHECK(error_of([&] { sender.send(base.offset, holder, Bytes(17), {}); }) ==
        "the corrections of 496 transfers have 17 bytes, expected are 3968");
  FixedIntegers sums(4, 2), elements(8, 1);
  const std::size_t bytes = cross_term_bytes(terms, 0);
  CHECK(error_of([&] {
          receive_cross_terms(
              terms, 0, [&] { return base.chooser({}); }, elements, Bytes(bytes - 1), sums);
        }) == "the messages of 496 transfers have " + std::to_string(bytes - 1) + " bytes, expected are " +
                  std::to_string(bytes));
  CHECK(error_of([] { read_numbers(Bytes(9), 2, 5, 1); }) == "9 bytes do not hold 2 numbers of 5 bytes");
}
