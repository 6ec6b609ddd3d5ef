// Which groups make up the mini-batches of an epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mlp/training/encrypted_table.h"
#include "paillier/random.h"

namespace smlp {

/// The batches of an epoch, each a list of groups. Rows that share a ciphertext stay together; groups of the
/// same position and width change places between batches, and the batches come in a random order. Every group
/// appears exactly once.
std::vector<std::vector<std::size_t>> epoch_batches(const TableGroups& groups, std::uint32_t epoch,
                                                    const RandomSource& random);

/// Rows of each group of a batch, and of all.
std::vector<std::size_t> group_widths(const TableGroups& groups, const std::vector<std::size_t>& batch);
std::size_t batch_rows(const TableGroups& groups, const std::vector<std::size_t>& batch);

}  // namespace smlp
