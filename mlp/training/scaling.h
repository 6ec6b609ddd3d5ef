// What a training costs that ranks share (mlp/training/shared_arithmetic.h), and what limits it.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "mlp/training/cost.h"
#include "mlp/training/machine_speed.h"
#include "protocols/transport/link_speed.h"

namespace smlp {

/// An epoch, in seconds. A rank and its key holder work in turn, each on all its threads; ranks work side by
/// side.
struct SharedEpoch {
  std::size_t ranks = 1;
  std::size_t columns = 1;  ///< in how many parts they share columns
  double evaluators = 0;    ///< of the rank that has most to do
  double key_holders = 0;   ///< of that rank's requests, or, where key holders are short, of all that one has
  double link = 0;          ///< between a rank and its key holder
  double exchange = 0;      ///< between ranks
  std::uint64_t exchanged = 0;  ///< bytes that a rank brings to each other, of the one that brings most
  std::uint64_t memory = 0;     ///< bytes of a rank's process with its key holder in it, about; 0: not known

  double seconds() const { return evaluators + key_holders + link + exchange; }
  /// What takes most of it: "evaluators", "key holders" or "the link".
  std::string_view limit() const;
};

/// In how many parts ranks share the columns of a batch (mlp/training/shared_arithmetic.h): where that leaves
/// the busiest rank a twentieth less to do, counted in operations as this processor has them. 1 where every
/// cell has a ciphertext of its own. `protocols` are named as `shared`.
std::size_t column_parts(const Network& network, const ProtocolNames& protocols,
                         const TrainingOptions& options, const TableGroups& groups, const Sizes& sizes,
                         bool range_checks, std::size_t ranks);

struct Cluster {
  std::size_t ranks = 1, key_holders = 1;
  int threads = 1;  ///< of each
  LinkSpeed link;   ///< of each rank, to its key holder and to other ranks
  std::uint64_t process =
      0;  ///< bytes of the program with the tables of both roles, before it trains; 0: not known
  std::size_t columns = 0;  ///< parts in which ranks share columns; 0: column_parts()
};

/// `protocols` are named as `shared`; `first`: of a session.
SharedEpoch shared_epoch(const Network& network, const ProtocolNames& protocols,
                         const TrainingOptions& options, const TableGroups& groups, const Sizes& sizes,
                         bool first, bool range_checks, const MachineSpeed& speed, const Cluster& cluster);

}  // namespace smlp
