// Mini-batches of an epoch.
#include "mlp/training/batches.h"

#include "mlp/tables/split.h"
#include "protocols/operation_id.h"

namespace smlp {

std::vector<std::vector<std::size_t>> epoch_batches(const TableGroups& groups, std::uint32_t epoch,
                                                    const RandomSource& random) {
  const OperationId operation{epoch, 0, Direction::input};
  std::vector<std::vector<std::size_t>> batches = groups.batches;
  // Only the last batch can be smaller, and then it keeps its groups.
  std::size_t full = batches.size();
  if (full > 1 && group_widths(groups, batches.back()) != group_widths(groups, batches.front())) --full;
  for (std::size_t position = 0; position < batches.front().size(); ++position) {
    RandomStream stream = Draws(random, operation.address(RandomnessKind::group_order)).stream(position);
    const std::vector<std::size_t> order = shuffled(full, stream);
    for (std::size_t b = 0; b < full; ++b) batches[b][position] = groups.batches[order[b]][position];
  }
  RandomStream stream = random.stream(operation.address(RandomnessKind::batch_order));
  std::vector<std::vector<std::size_t>> out;
  out.reserve(batches.size());
  for (const std::size_t b : shuffled(batches.size(), stream)) out.push_back(std::move(batches[b]));
  return out;
}

std::vector<std::size_t> group_widths(const TableGroups& groups, const std::vector<std::size_t>& batch) {
  std::vector<std::size_t> out;
  for (const std::size_t group : batch) out.push_back(groups.widths[group]);
  return out;
}

std::size_t batch_rows(const TableGroups& groups, const std::vector<std::size_t>& batch) {
  std::size_t rows = 0;
  for (const std::size_t group : batch) rows += groups.widths[group];
  return rows;
}

}  // namespace smlp
