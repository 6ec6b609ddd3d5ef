// The key holder's memory of a comparison.
#include "protocols/comparison/sign_state.h"

#include <algorithm>

#include "paillier/error.h"
#include "protocols/registry.h"

namespace smlp {

SignState SignState::decode(std::span<const std::uint8_t> bytes, std::size_t rows, std::size_t cols) {
  if (bytes.size() != encoded_size(rows * cols))
    throw Error("the sealed shares of a comparison have " + std::to_string(bytes.size()) +
                " bytes, expected are " + std::to_string(encoded_size(rows * cols)));
  SignState state{Matrix<std::uint8_t>(rows, cols)};
  std::ranges::copy(bytes, state.bits.cells().begin());
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
