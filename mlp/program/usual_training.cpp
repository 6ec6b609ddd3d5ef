// The usual learning rate.
#include "mlp/program/usual_training.h"

#include <algorithm>
#include <string_view>

namespace smlp {

std::string usual_network(std::size_t outputs, Task task) {
  const std::size_t hidden = task == Task::regression ? 64 : std::clamp<std::size_t>(2 * outputs, 32, 128);
  return "N-" + std::to_string(hidden) + "-C";
}

Network network_of(const NetworkOptions& network, std::size_t features, std::size_t outputs,
                   const ProtocolOptions& protocols, Task task) {
  NetworkOptions sized = network;
  if (sized.text.empty()) sized.text = usual_network(outputs, task);
  return sized.network(features, outputs, protocols, task);
}

double usual_rate(const NetworkOptions& network, const ProtocolOptions& protocols, Task task) {
  const std::string_view named = named_output(network.text);
  const std::string_view output = named.empty() ? network.unnamed_output(protocols, task) : named;
  if (task == Task::regression) return 0.02;
  return output == "linear" ? 0.01 : usual_training.learning_rate;
}

}  // namespace smlp
