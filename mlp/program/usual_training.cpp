// The usual learning rate.
#include "mlp/program/usual_training.h"

#include <string_view>

namespace smlp {

double usual_rate(const NetworkOptions& network, const ProtocolOptions& protocols) {
  constexpr std::string_view linear = ":linear";
  const bool named = network.text.find(':', network.text.rfind('-') + 1) != std::string::npos;
  const std::string output = network.output.value_or(protocols.preset == "paper" ? "linear" : "");
  return network.text.ends_with(linear) || (!named && output == "linear") ? 0.01
                                                                          : usual_training.learning_rate;
}

}  // namespace smlp
