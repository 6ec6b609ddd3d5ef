// The processes of an evaluator that compute one training together. Each is a rank, with its own connection
// to a key holder; what they exchange stays with the evaluator.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "paillier/integer.h"

namespace smlp {

/// Whole pieces in order, of which a rank has these.
struct Share {
  std::size_t first = 0, count = 0;
  bool operator==(const Share&) const = default;
};

/// Of `pieces` dealt to `ranks` ranks as evenly as whole pieces allow; none where there are fewer pieces.
Share share_of(std::size_t pieces, std::size_t rank, std::size_t ranks);

/// These pieces.
template <typename Piece>
std::vector<Piece> part(const std::vector<Piece>& pieces, const Share& share) {
  const auto first = pieces.begin() + static_cast<std::ptrdiff_t>(share.first);
  return {first, first + static_cast<std::ptrdiff_t>(share.count)};
}

/// One of the ranks that share a training. Of a batch they have parts of its rows and, of what is computed of
/// them, parts of its columns: the `columns` ranks from p * columns on have part p of the rows. Where that
/// leaves ranks over, the last have none.
struct RankOf {
  std::size_t rank = 0, ranks = 1;
  std::size_t columns = 1;  ///< parts of the columns

  std::size_t row_parts() const { return ranks / columns; }
  std::size_t row_part() const { return rank / columns; }  ///< row_parts() where it has none
  /// The last of those that have these rows.
  bool last_column() const { return rank % columns == columns - 1; }
  /// Of row groups of a batch, and of column groups of what has its rows.
  Share rows(std::size_t groups) const;
  Share cols(std::size_t groups) const { return share_of(groups, rank % columns, columns); }
  /// Of pieces that all ranks share.
  Share of_all(std::size_t pieces) const { return share_of(pieces, rank, ranks); }
};

class Ranks {
 public:
  virtual ~Ranks() = default;
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return size_; }
  /// What each rank brings, in the order of ranks. Every rank calls it as often and in the same order, with
  /// bytes of any length. Throws Error naming a rank that shows no life, and from then on each time.
  std::vector<Bytes> gather(const Bytes& mine);
  /// What this rank has brought, and what it was brought by the others.
  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }

 protected:
  Ranks(std::size_t rank, std::size_t size) : rank_(rank), size_(size) {}
  virtual std::vector<Bytes> gather_all(const Bytes& mine) = 0;

 private:
  std::size_t rank_, size_;
  std::uint64_t sent_ = 0, received_ = 0;
};

/// How many ranks the launcher of this process (mpirun, srun) has started; 1 without one.
std::size_t launched_ranks();

/// The ranks of this process, by MPI; null where it is alone. Each waits for another as long as that one
/// shows that it lives, at least once in `patience` (mlp/ranks/liveness.h). Throws Error where there are
/// several and the program is built without MPI.
std::unique_ptr<Ranks> join_ranks(std::chrono::seconds patience);

}  // namespace smlp
