// Cells of packed plaintexts.
#include "protocols/slots.h"

#include <algorithm>

namespace smlp {

std::vector<SlotCells> column_packed_cells(const Layout& layout) {
  const std::size_t cols = layout.cols();
  std::vector<SlotCells> out;
  std::size_t first = 0;
  for (const std::size_t width : layout.row_groups) {
    for (std::size_t j = 0; j < cols; ++j) {
      SlotCells cells(width);
      for (std::size_t i = 0; i < width; ++i) cells[i] = (first + i) * cols + j;
      out.push_back(std::move(cells));
    }
    first += width;
  }
  return out;
}

std::vector<SlotCells> row_packed_cells(const Layout& layout) {
  const std::size_t cols = layout.cols();
  std::vector<SlotCells> out;
  for (std::size_t i = 0; i < layout.rows(); ++i) {
    std::size_t first = i * cols;
    for (const std::size_t width : layout.col_groups) {
      SlotCells cells(width);
      for (std::size_t j = 0; j < width; ++j) cells[j] = first + j;
      out.push_back(std::move(cells));
      first += width;
    }
  }
  return out;
}

FixedIntegers unpacked(const FixedIntegers& packed, const std::vector<SlotCells>& cells,
                       std::size_t slot_bits, std::size_t bits, std::size_t limbs, Limb& outside) {
  std::size_t count = 0;
  for (const SlotCells& slots : cells) count += slots.size();
  const Limb one = 1, minus_one = mask_of(1), all = mask_of(1);
  const std::size_t within = std::min(bits, slot_bits - 1), slot_limbs = limbs_for(slot_bits);
  FixedIntegers out(count, limbs), plaintext(1, packed.limbs() + 1), halves(1, packed.limbs() + 1);
  // A slot holds x + 2^(slot_bits - 1); plus this it is x + 2^within, which is to be 1 .. 2^(within + 1) - 1.
  FixedIntegers recentre(1, slot_limbs), cell(1, slot_limbs);
  add_shifted(recentre[0], {&one, 1}, within, all);
  add_shifted(recentre[0], {&minus_one, 1}, slot_bits - 1, all);
  std::size_t width = 0;  // of the ciphertext before: `halves` are its
  for (std::size_t c = 0; c < cells.size(); ++c) {
    if (cells[c].size() != width) {
      width = cells[c].size();
      std::ranges::fill(halves[0], 0);
      for (std::size_t slot = 0; slot < width; ++slot)
        add_shifted(halves[0], {&one, 1}, slot * slot_bits + slot_bits - 1, all);
    }
    std::ranges::fill(plaintext[0], 0);
    add_shifted(plaintext[0], packed[c], 0, all);
    add_shifted(plaintext[0], halves[0], 0, all);
    for (std::size_t slot = 0; slot < width; ++slot) {
      Limb any = 0;
      for (std::size_t k = 0; k < slot_limbs; ++k)
        cell[0][k] = word_at(plaintext[0], slot * slot_bits + k * limb_bits);
      if (slot_bits % limb_bits != 0) cell[0].back() &= (Limb{1} << slot_bits % limb_bits) - 1;
      add_shifted(cell[0], recentre[0], 0, all);
      for (const Limb limb : cell[0]) any |= limb;
      outside |= ((any | (0 - any)) >> (limb_bits - 1)) ^ 1;
      for (std::size_t lowest = within + 1; lowest < slot_limbs * limb_bits; lowest += limb_bits)
        outside |= word_at(cell[0], lowest);
      const std::span<Limb> to = out[cells[c][slot]];
      std::copy_n(cell[0].begin(), std::min(limbs, slot_limbs), to.begin());
      add_shifted(to, {&minus_one, 1}, within, all);
    }
    for (std::size_t lowest = width * slot_bits; lowest < plaintext.limbs() * limb_bits; lowest += limb_bits)
      outside |= word_at(plaintext[0], lowest);
  }
  return out;
}

FixedIntegers packed(const FixedIntegers& values, const std::vector<SlotCells>& cells, std::size_t slot_bits,
                     std::size_t limbs) {
  FixedIntegers out(cells.size(), limbs);
  for (std::size_t c = 0; c < cells.size(); ++c)
    for (std::size_t slot = 0; slot < cells[c].size(); ++slot)
      add_shifted(out[c], values[cells[c][slot]], slot * slot_bits, mask_of(1));
  return out;
}

}  // namespace smlp
