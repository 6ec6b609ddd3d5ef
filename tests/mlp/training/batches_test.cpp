// The batches of an epoch.
#include "mlp/training/batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace smlp;

namespace {

std::vector<std::size_t> widths_of(const TableGroups& groups, const std::vector<std::size_t>& batch) {
  std::vector<std::size_t> widths;
  for (const std::size_t group : batch) widths.push_back(groups.widths[group]);
  return widths;
}

}  // namespace

TEST_CASE("every epoch uses every group once, in batches of the same shape") {
  const RandomSource random = RandomSource::from_seed(3);
  for (const std::size_t rows : std::vector<std::size_t>{1, 31, 32, 33, 64, 455}) {
    const TableGroups groups = table_groups(rows, 32, 15);
    const auto first = epoch_batches(groups, 0, random);
    std::set<std::size_t> seen;
    std::multiset<std::size_t> sizes, expected;
    for (const auto& batch : first) {
      for (const std::size_t group : batch) CHECK(seen.insert(group).second);
      sizes.insert(batch_rows(groups, batch));
    }
    for (const auto& batch : groups.batches) expected.insert(batch_rows(groups, batch));
    CHECK(seen.size() == groups.widths.size());
    CHECK(sizes == expected);
    std::set<std::vector<std::size_t>> shapes, allowed;
    for (const auto& batch : first) shapes.insert(widths_of(groups, batch));
    for (const auto& batch : groups.batches) allowed.insert(widths_of(groups, batch));
    CHECK(shapes == allowed);
    CHECK(epoch_batches(groups, 0, random) == first);
    if (rows == 455) CHECK(epoch_batches(groups, 1, random) != first);
  }
}

TEST_CASE("groups change partners between epochs") {
  const TableGroups groups = table_groups(320, 32, 15);
  const RandomSource random = RandomSource::from_seed(4);
  std::set<std::set<std::size_t>> together;
  for (std::uint32_t epoch = 0; epoch < 5; ++epoch)
    for (const auto& batch : epoch_batches(groups, epoch, random))
      together.insert({batch.begin(), batch.end()});
  CHECK(together.size() > groups.batches.size());
}
