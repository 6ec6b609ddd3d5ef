// The shape of a network.
#include "mlp/network.h"

#include <charconv>

#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::size_t max_size = 65536;
constexpr std::size_t max_layers = 64;

std::size_t parse_size(std::string_view token, std::string_view text, std::size_t features,
                       std::size_t classes) {
  if (token == "N" && features != 0) return features;
  if ((token == "C" || token == "M") && classes != 0) return classes;
  std::size_t size = 0;
  const auto [end, status] = std::from_chars(token.data(), token.data() + token.size(), size);
  if (status != std::errc() || end != token.data() + token.size() || size == 0 || size > max_size)
    throw Error("--network '" + std::string(text.substr(0, 80)) + "' has the layer size '" +
                std::string(token.substr(0, 20)) + "', allowed are 1 to " + std::to_string(max_size) +
                ", and N and C for the table's features and classes");
  return size;
}

}  // namespace

std::string Network::text() const {
  std::string out;
  for (const std::size_t size : sizes) out += (out.empty() ? "" : "-") + std::to_string(size);
  return out;
}

Network parse_network(std::string_view text, std::size_t features, std::size_t classes) {
  Network network;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find('-', start), text.size());
    network.sizes.push_back(parse_size(text.substr(start, end - start), text, features, classes));
    start = end + 1;
  }
  if (network.sizes.size() < 2 || network.sizes.size() > max_layers)
    throw Error("--network '" + std::string(text.substr(0, 80)) + "' has " +
                std::to_string(network.sizes.size()) + " sizes, allowed are 2 to " +
                std::to_string(max_layers));
  if (features != 0 && network.inputs() != features)
    throw Error("--network " + network.text() + " has " + std::to_string(network.inputs()) +
                " inputs, the table has " + std::to_string(features) + " features");
  if (classes != 0 && network.outputs() != classes)
    throw Error("--network " + network.text() + " has " + std::to_string(network.outputs()) +
                " outputs, the table has " + std::to_string(classes) + " classes");
  return network;
}

}  // namespace smlp
