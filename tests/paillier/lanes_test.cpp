// Blocks of residues on every instruction set against plain GMP: the same residues from all of them.
#include "paillier/lanes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cfenv>
#include <thread>

#include "paillier/error.h"
#include "paillier/random.h"

using namespace smlp;

namespace {

constexpr Instructions all_instructions[] = {Instructions::scalar, Instructions::avx2, Instructions::avx512,
                                             Instructions::avx512_ifma};

std::vector<Integer> stored(const Lanes& lanes, const WordBuffer& block) {
  std::vector<Integer> out(lanes.lanes());
  lanes.store(out, block.data());
  return out;
}

}  // namespace

TEST_CASE("lanes: conversions, products and moves give the same residues on all instructions") {
  RandomStream random = RandomSource::from_seed(1).stream({});
  for (const std::size_t bits :
       std::initializer_list<std::size_t>{2, 64, 65, 383, 384, 512, 1000, 1023, 1024, 2048, 2053, 2054, 3072,
                                          4096, 6144, 8192, 8200, 8300}) {
    const Integer m =
        bits == 2 ? Integer(3) : Integer(2 * random.bits(bits - 2) + 1 + power_of_two(bits - 1));
    for (const Instructions instructions : all_instructions) {
      const Lanes lanes(m, instructions);
      CAPTURE(bits);
      CAPTURE(name(instructions));
      CHECK(lanes.modulus() == m);
      CHECK(lanes.blocks(3 * lanes.lanes() + 1) == 4);
      std::vector<Integer> x(lanes.lanes()), y(lanes.lanes()), products, squares;
      const Integer edges[] = {0, 1, Integer(m - 1), Integer(m / 2)};
      for (std::size_t k = 0; k < x.size(); ++k) {
        x[k] = k < 4 && bits % 2 == 0 ? edges[k] : random.below(m);
        y[k] = random.below(m);
        products.push_back(x[k] * y[k] % m);
        squares.push_back(x[k] * x[k] % m);
      }
      WordBuffer a(lanes.block_words()), b(lanes.block_words()), c(lanes.block_words());
      lanes.load(a.data(), x);
      CHECK(stored(lanes, a) == x);
      lanes.enter(b.data(), y);
      lanes.multiply(c.data(), a.data(), b.data());  // plain times form
      CHECK(stored(lanes, c) == products);
      lanes.enter(a.data(), x);
      lanes.square(c.data(), a.data());
      std::vector<Integer> out(lanes.lanes());
      lanes.leave(out, c.data());
      CHECK(out == squares);
      lanes.multiply(a.data(), a.data(), b.data());
      lanes.leave(out, a.data());
      CHECK(out == products);

      // Through residues: lane 0 of b everywhere, then b turned round, the missing lane 1.
      WordBuffer residues(lanes.lanes() * lanes.words());
      std::vector<Word*> to;
      std::vector<const Word*> from;
      for (std::size_t k = 0; k < lanes.lanes(); ++k) {
        to.push_back(residues.data() + k * lanes.words());
        from.insert(from.begin(), to.back());
      }
      lanes.scatter(to, b.data());
      for (std::size_t k = 0; k < lanes.lanes(); ++k)
        for (std::size_t i = 0; i < lanes.words(); ++i) CHECK(to[k][i] == b.data()[i * lanes.lanes() + k]);
      for (std::size_t count = 1; count <= lanes.lanes(); ++count) {  // nothing else is written
        WordBuffer in_a_row(residues.size());
        Word *begin = in_a_row.data(), *end = begin + in_a_row.size(),
             *middle = begin + count * lanes.words();
        std::fill(begin, end, 1);
        lanes.scatter(begin, count, b.data());
        CHECK(std::equal(begin, middle, residues.data()));
        CHECK(std::all_of(middle, end, [](Word w) { return w == 1; }));
      }
      // One of three blocks by masks.
      WordBuffer table(3 * lanes.block_words());
      for (std::size_t e = 0; e < 3; ++e)
        lanes.broadcast(table.data() + e * lanes.block_words(), to[e % lanes.lanes()]);
      for (std::size_t e = 0; e < 3; ++e) {
        lanes.select(a.data(), table.data(), 3, e);
        CHECK(std::equal(a.data(), a.data() + a.size(), table.data() + e * lanes.block_words()));
      }
      lanes.broadcast(a.data(), to[0]);
      lanes.leave(out, a.data());
      CHECK(out == std::vector<Integer>(lanes.lanes(), y[0]));
      from.pop_back();
      lanes.gather(a.data(), from);
      lanes.leave(out, a.data());
      std::vector<Integer> turned(y.rbegin(), y.rend() - 1);
      turned.push_back(1 % m);
      CHECK(out == turned);
    }
  }
}

TEST_CASE("lanes: a modulus whose negative inverse rounds up to 2^342") {
  const Integer m = power_of_two(1023) + power_of_two(342) + 1;
  for (const Instructions instructions : all_instructions) {
    const Lanes lanes(m, instructions);
    WordBuffer a(lanes.block_words());
    std::vector<Integer> x(lanes.lanes(), m - 2), out(lanes.lanes());
    lanes.enter(a.data(), x);
    lanes.square(a.data(), a.data());
    lanes.leave(out, a.data());
    CHECK(out == std::vector<Integer>(lanes.lanes(), 4));
  }
}

TEST_CASE("buffers: zero and aligned, of any size, also those that a thread had before or another one made") {
  const auto is_fresh = [](const WordBuffer& buffer) {
    return reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0 &&
           std::all_of(buffer.data(), buffer.data() + buffer.size(), [](Word word) { return word == 0; });
  };
  std::vector<WordBuffer> of_another;
  std::thread([&] {
    for (std::size_t i = 0; i < 40; ++i) of_another.emplace_back(320);
  }).join();
  bool fresh = true;
  for (std::size_t words = 1; words < 5000; words += 37) {
    std::vector<WordBuffer> buffers;
    for (std::size_t i = 0; i < 20; ++i) {
      WordBuffer& buffer = buffers.emplace_back(words);
      fresh &= is_fresh(buffer);
      std::fill_n(buffer.data(), words, ~Word{0});
    }
    if (!of_another.empty()) of_another.pop_back();
  }
  CHECK(fresh);
}

TEST_CASE("lanes: fewer residues than lanes, counted") {
  const Integer m = power_of_two(1023) + 9;
  for (const Instructions instructions : all_instructions) {
    const Lanes lanes(m, instructions);
    const OperationCount before = lanes.count();
    WordBuffer a(lanes.block_words());
    const std::vector<Integer> one_residue = {5};
    lanes.enter(a.data(), one_residue);
    lanes.square(a.data(), a.data());
    std::vector<Integer> out(1);
    lanes.leave(out, a.data());
    CHECK(out[0] == 25);
    const OperationCount after = lanes.count();
    CHECK(after.products - before.products == 2 * lanes.lanes());
    CHECK(after.squares - before.squares == lanes.lanes());
    CHECK(after.conversions - before.conversions == 2);
    std::vector<Integer> many(lanes.lanes() + 1, 1);
    CHECK_THROWS_AS(lanes.load(a.data(), many), Error);
    CHECK_THROWS_WITH_AS(
        lanes.load(a.data(), {}),
        ("0 residues reached arithmetic on " + std::to_string(lanes.lanes()) + " lanes").c_str(), Error);
    CHECK_THROWS_AS(lanes.load(a.data(), std::vector<Integer>{m}), Error);
    CHECK_THROWS_AS(lanes.load(a.data(), std::vector<Integer>{-1}), Error);
  }
}

TEST_CASE("lanes: another rounding mode is refused") {
  REQUIRE(std::fesetround(FE_UPWARD) == 0);
  std::string sentence;
  try {
    const Lanes lanes(power_of_two(1023) + 9);
  } catch (const Error& error) {
    sentence = error.what();
  }
  std::fesetround(FE_TONEAREST);
  CHECK(sentence == "the processor does not round to nearest, which exact arithmetic on doubles needs");
}

TEST_CASE("lanes: integers are taken where they pay, and never what the processor has not") {
  const KernelTimes other{100, 80};
  CHECK(faster_avx512({85, 60}, other) == Instructions::avx512_ifma);
  CHECK(faster_avx512({86, 60}, other) == Instructions::avx512);
  CHECK(faster_avx512({85, 61}, other) == Instructions::avx512);
  for (const std::size_t bits : {2u, 500u, 1024u, 1537u, 2048u, 4096u, 6145u, 8192u, 20000u}) {
    const Instructions best = best_instructions(bits);
    CHECK(lane_count(best) == lane_count(best_instructions()));
    CHECK(best <= best_instructions());
    CHECK(best == best_instructions(bits));  // timed once
  }
}

TEST_CASE("lanes: the best instructions are among those the processor has") {
  CHECK(lane_count(best_instructions()) >= 1);
  CHECK(name(Instructions::avx512) == "AVX-512");
  CHECK(name(Instructions::avx512_ifma) == "AVX-512 IFMA");
  const Lanes lanes(power_of_two(1023) + 9);
  CHECK(lanes.lanes() == lane_count(best_instructions()));
}
