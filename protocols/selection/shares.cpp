// Packings of results and shares of bits.
#include "protocols/selection/shares.h"

#include "paillier/error.h"

namespace smlp {

Packings checked_packings(std::int64_t number, Packings last) {
  const auto most = static_cast<std::int64_t>(last);
  if (number < 0 || number > most)
    throw Error("a selection asks for the packings " + std::to_string(number) + ", there are 0 to " +
                std::to_string(most));
  return static_cast<Packings>(number);
}

void check_compared_packings(Packings packings) {
  if (packings == Packings::row_packed)
    throw Error("a selection of what was compared was asked for `across` alone; ask for both packings");
}

void check_shares(const Layout& layout, const SignShares& bits) {
  if (layout.rows() != bits.evaluator.rows() || layout.cols() != bits.evaluator.cols())
    throw Error("a selection of " + std::to_string(layout.rows()) + " x " + std::to_string(layout.cols()) +
                " cells got shares of " + std::to_string(bits.evaluator.rows()) + " x " +
                std::to_string(bits.evaluator.cols()) + " bits");
}

SignState open_shares(Responder& responder, std::int64_t word) {
  const Layout& layout = responder.header().layout;
  const Descriptor& comparison = comparison_by_word(word);
  // A comparison seals its shares in its last answer.
  const auto stage = static_cast<std::uint8_t>(comparison.stages() - 1);
  const OpenedState opened = responder.open_sealed(SignState::encoded_size(layout.rows() * layout.cols()),
                                                   comparison.wire_name(), stage);
  return SignState::decode(opened.state, layout.rows(), layout.cols());
}

}  // namespace smlp
