// Masked values as bytes.
#include "protocols/masked_values.h"

#include <algorithm>
#include <string>

#include "paillier/error.h"
#include "protocols/bit_budget.h"

namespace smlp {

std::size_t masked_value_bytes(std::size_t mask_bits) {
  return (mask_bits + mask_sum_bits + 1 + 7) / 8;
}

std::size_t masked_difference_bytes(std::size_t mask_bits) {
  return masked_value_bytes(mask_bits) + 5;
}

std::size_t masked_value_limbs(std::size_t mask_bits) {
  return limbs_for(mask_bits + 8);
}

// Signed values are written with the offset 2^(mask_bits + mask_sum_bits).
void append_masked(const FixedIntegers& values, std::size_t mask_bits, SecretBytes& out) {
  const std::size_t width = masked_value_bytes(mask_bits);
  const Limb one = 1;
  FixedIntegers shifted(1, values.limbs());
  Limb outside = 0;
  out.reserve(out.size() + values.size() * width);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::ranges::copy(values[i], shifted[0].begin());
    add_shifted(shifted[0], {&one, 1}, mask_bits + mask_sum_bits, mask_of(1));
    for (std::size_t byte = 0; byte < width; ++byte)
      out.push_back(static_cast<std::uint8_t>(word_at(shifted[0], 8 * byte)));
    outside |= word_at(shifted[0], mask_bits + mask_sum_bits + 1);
  }
  refuse_where(outside, [mask_bits] {
    throw Error("a masked value has more than " + std::to_string(mask_bits + mask_sum_bits) + " bits");
  });
}

FixedIntegers read_masked(std::span<const std::uint8_t> bytes, std::size_t count, std::size_t mask_bits) {
  const std::size_t width = masked_value_bytes(mask_bits);
  if (bytes.size() != count * width)
    throw Error("a state of " + std::to_string(bytes.size()) + " bytes does not hold " +
                std::to_string(count) + " masked values of " + std::to_string(width) + " bytes");
  const Limb minus_one = mask_of(1);
  FixedIntegers out(count, masked_value_limbs(mask_bits));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t byte = 0; byte < width; ++byte)
      out[i][byte / sizeof(Limb)] |= Limb{bytes[i * width + byte]} << 8 * (byte % sizeof(Limb));
    add_shifted(out[i], {&minus_one, 1}, mask_bits + mask_sum_bits, mask_of(1));
  }
  return out;
}

IntegerMatrix integer_matrix(const FixedIntegers& cells, std::size_t rows, std::size_t cols) {
  IntegerMatrix out(rows, cols);
  for (std::size_t cell = 0; cell < out.size(); ++cell) out.cells()[cell] = cells.integer(cell);
  return out;
}

}  // namespace smlp
