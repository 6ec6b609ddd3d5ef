// The usual learning rate.
#include "mlp/program/usual_training.h"

#include <string_view>

namespace smlp {

double usual_rate(const NetworkOptions& network, const ProtocolOptions& protocols, Task task) {
  const std::string_view named = named_output(network.text);
  const std::string_view output = named.empty() ? network.unnamed_output(protocols, task) : named;
  return output == "linear" ? 0.01 : usual_training.learning_rate;
}

}  // namespace smlp
