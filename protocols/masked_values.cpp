// Masked values as bytes.
#include "protocols/masked_values.h"

#include <string>

#include "paillier/error.h"

namespace smlp {

namespace {

/// Signed values are written with this offset.
Integer offset(std::size_t mask_bits) {
  return power_of_two(mask_bits + 1);
}

}  // namespace

std::size_t masked_value_bytes(std::size_t mask_bits) {
  return (mask_bits + 2 + 7) / 8;
}

void append_masked(const IntegerMatrix& m, std::size_t mask_bits, std::vector<std::uint8_t>& out) {
  const Integer above = offset(mask_bits);
  for (const Integer& value : m.cells())
    append_little_endian(value + above, masked_value_bytes(mask_bits), out);
}

IntegerMatrix read_masked(std::span<const std::uint8_t> bytes, std::size_t rows, std::size_t cols,
                          std::size_t mask_bits) {
  const std::size_t width = masked_value_bytes(mask_bits);
  if (bytes.size() != rows * cols * width)
    throw Error("a state of " + std::to_string(bytes.size()) + " bytes does not hold " +
                std::to_string(rows) + " x " + std::to_string(cols) + " masked values of " +
                std::to_string(width) + " bytes");
  const Integer above = offset(mask_bits);
  IntegerMatrix out(rows, cols);
  for (std::size_t cell = 0; cell < out.size(); ++cell)
    out.cells()[cell] = from_little_endian(bytes.subspan(cell * width, width)) - above;
  return out;
}

}  // namespace smlp
