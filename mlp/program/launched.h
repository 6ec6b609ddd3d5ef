// A command whose work ranks share: what they share beside it, and what they tell each other of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mlp/program/seeds.h"
#include "mlp/program/session.h"
#include "mlp/ranks/ranks.h"
#include "mlp/training/shared_arithmetic.h"
#include "mlp/training/trainer.h"

namespace smlp {

/// Whether this process speaks and writes for all.
inline bool is_first(const Ranks* ranks) {
  return ranks == nullptr || ranks->rank() == 0;
}

/// Seeds of one key for all ranks: of the seed, else what the first one draws. Null: one process.
Seeds shared_seeds(const std::optional<std::uint64_t>& seed, Ranks* ranks);

/// `random`, one of the seeds, for this rank alone: of the system where no seed was given, so that what ranks
/// tell each other opens no mask of theirs; of a seed, for this rank in this grid, `columns` parts of the
/// columns wide, alone: in another one it masks other values at the same addresses. Of one process as it is.
RandomSource of_rank(const Seeds& seeds, const RandomSource& random, const Ranks* ranks,
                     std::size_t columns = 1);

/// The text of the first rank, for all.
std::string from_first(Ranks& ranks, const std::string& mine);

/// Throws Error naming the first rank that has not the same as the first one: seeds, what `options` says, and
/// weights.
void require_same(Ranks& ranks, const Seeds& seeds, const Json& options,
                  const std::vector<EncryptedMatrix>& weights, const PaillierPublicKey& key);

/// What each rank has sent and received, in the order of ranks.
struct RankTotals {
  struct One {
    Traffic key_holder;                    ///< of its session
    std::uint64_t sent = 0, received = 0;  ///< to and from other ranks
  };
  std::vector<One> ranks;
  RankTotals operator-(const RankTotals& earlier) const;
  Json to_json() const;
};
RankTotals rank_totals(Ranks& ranks, const Traffic& key_holder);

/// Runs `work`; an Error of it names the rank. Of an error that all ranks have, the first speaks: the others
/// wait a moment for the launcher to end them.
void on_rank(const Ranks* ranks, const std::function<void()>& work);

/// Matrices that every rank has, and the inverse.
Weights<SharedMatrix> on_every_rank(Weights<EncryptedMatrix> weights);
Weights<EncryptedMatrix> on_every_rank(Weights<SharedMatrix> weights);

}  // namespace smlp
