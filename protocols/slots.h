// Which cells share a ciphertext, and the key holder's way from opened plaintexts to cells: rows of limbs, in
// the same steps whatever they hold.
#pragma once

#include <cstddef>
#include <vector>

#include "paillier/fixed_width.h"
#include "protocols/encrypted_matrix.h"

namespace smlp {

/// One ciphertext of a packing: the cells in its slots, first slot first; cells count row by row.
using SlotCells = std::vector<std::size_t>;

/// The cells of every ciphertext of a packing, in the order of EncryptedMatrix.
std::vector<SlotCells> column_packed_cells(const Layout& layout);
std::vector<SlotCells> row_packed_cells(const Layout& layout);

/// The cells of packed plaintexts, row by row, in rows of `limbs` limbs, which hold bits + 2 bits. `outside`
/// stays 0 where |cell| < 2^bits for each of them and nothing stands beyond the last slot of a plaintext;
/// otherwise the cells are of no use. A slot has slot_bits bits and a value less than half of that in size.
FixedIntegers unpacked(const FixedIntegers& packed, const std::vector<SlotCells>& cells,
                       std::size_t slot_bits, std::size_t bits, std::size_t limbs, Limb& outside);

/// The inverse: plaintexts of `limbs` limbs from cells of which each is less than half a slot in size.
FixedIntegers packed(const FixedIntegers& values, const std::vector<SlotCells>& cells, std::size_t slot_bits,
                     std::size_t limbs);

}  // namespace smlp
