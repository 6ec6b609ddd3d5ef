// How ranks share pieces, and what a launcher says.
#include "mlp/ranks/ranks.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/support/thread_ranks.h"

using namespace smlp;

TEST_CASE("ranks share whole pieces in order, as evenly as they go") {
  for (std::size_t ranks = 1; ranks <= 7; ++ranks)
    for (std::size_t pieces = 0; pieces <= 30; ++pieces) {
      CAPTURE(ranks);
      CAPTURE(pieces);
      std::size_t next = 0;
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        const Share share = share_of(pieces, rank, ranks);
        CHECK(share.first == next);
        CHECK(share.count >= pieces / ranks);
        CHECK(share.count <= (pieces + ranks - 1) / ranks);
        next += share.count;
      }
      CHECK(next == pieces);
    }
}

TEST_CASE("ranks share rows and columns: each piece of both once, of what there are ranks for") {
  for (std::size_t ranks = 1; ranks <= 9; ++ranks)
    for (std::size_t columns = 1; columns <= ranks; ++columns) {
      CAPTURE(ranks);
      CAPTURE(columns);
      constexpr std::size_t row_groups = 4, col_groups = 3;
      std::vector<std::size_t> times(row_groups * col_groups);
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        const RankOf of{rank, ranks, columns};
        const Share rows = of.rows(row_groups), cols = of.cols(col_groups);
        for (std::size_t i = rows.first; i < rows.first + rows.count; ++i)
          for (std::size_t j = cols.first; j < cols.first + cols.count; ++j) ++times[i * col_groups + j];
        CHECK(rows.first + rows.count <= row_groups);
        if (of.last_column()) CHECK(cols.count > 0);
      }
      CHECK(times == std::vector<std::size_t>(row_groups * col_groups, 1));
    }
}

TEST_CASE("ranks gather what each brings, and count it [parallel]") {
  testing::on_threads(3, [](Ranks& ranks) {
    for (std::size_t round = 0; round < 20; ++round) {
      const Bytes mine(ranks.rank() * round, static_cast<std::uint8_t>(ranks.rank() + round));
      const std::vector<Bytes> all = ranks.gather(mine);
      REQUIRE(all.size() == 3);
      for (std::size_t rank = 0; rank < 3; ++rank)
        CHECK(all[rank] == Bytes(rank * round, static_cast<std::uint8_t>(rank + round)));
    }
    CHECK(ranks.sent() == ranks.rank() * 190);
    CHECK(ranks.received() == (3 - ranks.rank()) * 190);
  });
}

TEST_CASE("a launcher tells how many ranks it has started") {
  const auto said = [](const char* name, const char* value) {
    ::setenv(name, value, 1);
    const std::size_t ranks = launched_ranks();
    ::unsetenv(name);
    return ranks;
  };
  CHECK(launched_ranks() == 1);
  CHECK(said("OMPI_COMM_WORLD_SIZE", "3") == 3);
  CHECK(said("PMI_SIZE", "2") == 2);
  CHECK(said("OMPI_COMM_WORLD_SIZE", "many") == 1);
  CHECK(said("SLURM_STEP_NUM_TASKS", "4") == 4);
}
