// The key holder's memory of a comparison.
#include "protocols/comparison/sign_state.h"

#include "paillier/error.h"
#include "protocols/masked_values.h"
#include "protocols/registry.h"

namespace smlp {

std::size_t SignState::encoded_size(std::size_t cells, bool has_opened, const BitBudget& budget) {
  return cells * (1 + (has_opened ? masked_value_bytes(budget.guarded_mask_bits()) : 0));
}

Bytes SignState::encode(const BitBudget& budget) const {
  Bytes bytes(bits.cells().begin(), bits.cells().end());
  if (opened) append_masked(*opened, budget.guarded_mask_bits(), bytes);
  return bytes;
}

SignState SignState::decode(std::span<const std::uint8_t> bytes, std::size_t rows, std::size_t cols,
                            bool has_opened, const BitBudget& budget) {
  if (bytes.size() != encoded_size(rows * cols, has_opened, budget))
    throw Error("the sealed shares of a comparison have " + std::to_string(bytes.size()) +
                " bytes, expected are " + std::to_string(encoded_size(rows * cols, has_opened, budget)));
  SignState state{Matrix<std::uint8_t>(rows, cols), std::nullopt};
  std::copy_n(bytes.begin(), rows * cols, state.bits.cells().begin());
  if (has_opened)
    state.opened = read_masked(bytes.subspan(rows * cols), rows * cols, budget.guarded_mask_bits());
  return state;
}

std::int64_t comparison_word(std::string_view wire_name) {
  const Digest digest = sha256({reinterpret_cast<const std::uint8_t*>(wire_name.data()), wire_name.size()});
  return static_cast<std::int64_t>(ByteReader(digest).number(8, "a digest"));
}

const Descriptor& comparison_by_word(std::int64_t word) {
  for (const Descriptor& descriptor : registry())
    if (descriptor.family == Family::comparison && comparison_word(descriptor.wire_name()) == word)
      return descriptor;
  throw Error("the comparison of a request is none that this key holder has");
}

}  // namespace smlp
