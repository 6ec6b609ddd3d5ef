// What ranks tell each other of a command.
#include "mlp/program/launched.h"

#include <doctest/doctest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "paillier/error.h"
#include "tests/support/thread_ranks.h"
#include "tests/support/toy_keys.h"

using namespace smlp;

TEST_CASE("ranks share their seeds, have randomness of their own and take the word of the first") {
  std::mutex mutex;
  std::set<std::uint64_t> shared, own;
  testing::on_threads(3, [&](Ranks& ranks) {
    const Seeds seeds = shared_seeds(std::nullopt, &ranks);
    const std::uint64_t common = seeds.training().stream({}).word();
    const std::uint64_t mine = of_rank(seeds, seeds.training(), &ranks).stream({}).word();
    const std::string word = from_first(ranks, "rank " + std::to_string(ranks.rank()));
    const RankTotals totals = rank_totals(ranks, {10 + ranks.rank(), 20, 3});
    const std::lock_guard lock(mutex);
    shared.insert(common);
    own.insert(mine);
    CHECK(word == "rank 0");
    REQUIRE(totals.ranks.size() == 3);
    for (std::size_t rank = 0; rank < 3; ++rank)
      CHECK(totals.ranks[rank].key_holder == Traffic{10 + rank, 20, 3});
    CHECK((totals - totals).ranks[1].key_holder == Traffic{});
  });
  CHECK(shared.size() == 1);
  testing::on_threads(2, [&](Ranks& ranks) {  // what is drawn of a seed is the rank's, and again the same
    const Seeds seeds = shared_seeds(5, &ranks);
    CHECK(of_rank(seeds, seeds.training(), &ranks).stream({}).word() ==
          of_rank(seeds, seeds.training(), &ranks).stream({}).word());
  });
  CHECK(own.size() == 3);
  CHECK(Seeds(5).training().stream({}).word() == shared_seeds(5, nullptr).training().stream({}).word());
}

TEST_CASE("of one seed a rank draws otherwise in every grid: there it masks other rows and columns") {
  std::mutex mutex;
  std::set<std::uint64_t> drawn;
  for (const std::size_t size : {8U, 9U})
    testing::on_threads(size, [&](Ranks& ranks) {
      const Seeds seeds = shared_seeds(5, &ranks);
      for (const std::size_t columns : {1U, 2U, 4U}) {
        const RandomSource mine = of_rank(seeds, seeds.training(), &ranks, columns);
        const std::lock_guard lock(mutex);
        drawn.insert(mine.stream({}).word());
      }
    });
  // 4 x 2 of 8 ranks and of 9 among them, which share gradients otherwise.
  CHECK(drawn.size() == 3 * (8 + 9));
}

TEST_CASE("ranks that have not read the same are told which") {
  const auto said = [](std::size_t other) {
    std::string sentence;
    try {
      testing::on_threads(3, [&](Ranks& ranks) {
        require_same(ranks, Seeds(ranks.rank() == other - 10 ? 6 : 5),
                     {{"table", ranks.rank() == other ? "another" : "one"}}, {},
                     toy_keys().public_keys().paillier());
      });
    } catch (const Error& error) {
      sentence = error.what();
    }
    return sentence;
  };
  CHECK(said(3) == "");
  CHECK(said(2).starts_with("rank 2 has not read what rank 0 has"));
  CHECK(said(11).starts_with("rank 1 has not read what rank 0 has"));  // another seed
}

TEST_CASE("an error of a rank names it") {
  std::string said;
  testing::on_threads(1, [&](Ranks& ranks) {
    try {
      on_rank(&ranks, [] { throw Error("no such file"); });
    } catch (const Error& error) {
      said = error.what();
    }
  });
  CHECK(said == "rank 0 of 1: no such file");
  CHECK_THROWS_WITH_AS(on_rank(nullptr, [] { throw Error("no such file"); }), "no such file", Error);
}
