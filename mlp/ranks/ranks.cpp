// What ranks share of a piece of work, and what a launcher says.
#include "mlp/ranks/ranks.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "paillier/error.h"

namespace smlp {

Share share_of(std::size_t pieces, std::size_t rank, std::size_t ranks) {
  const auto begin = [&](std::size_t of) { return pieces / ranks * of + pieces % ranks * of / ranks; };
  return {begin(rank), begin(rank + 1) - begin(rank)};
}

Share RankOf::rows(std::size_t groups) const {
  return row_part() < row_parts() ? share_of(groups, row_part(), row_parts()) : Share{groups, 0};
}

std::vector<Bytes> Ranks::gather(const Bytes& mine) {
  std::vector<Bytes> all = gather_all(mine);
  sent_ += mine.size();
  for (std::size_t from = 0; from < size_; ++from)
    if (from != rank_) received_ += all[from].size();
  return all;
}

namespace {

/// A number from the environment; 0 where it is none.
std::size_t number_in(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return 0;
  const std::string_view text = value;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

std::size_t launched_ranks() {
  // Open MPI's mpirun, PMI of other launchers, and Slurm's srun.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"})
    if (const std::size_t ranks = number_in(name); ranks > 0) return ranks;
  return 1;
}

}  // namespace smlp
