// Networks and their text.
#include "mlp/training/network.h"

#include "mlp/text.h"
#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::size_t max_size = 65536;
constexpr std::size_t max_layers = 64;

std::size_t parse_size(std::string_view token, std::string_view text, std::size_t features,
                       std::size_t classes) {
  if (token == "N" && features != 0) return features;
  if ((token == "C" || token == "M") && classes != 0) return classes;
  const auto size = number_from<std::size_t>(token);
  if (!size || *size == 0 || *size > max_size)
    throw Error("--network '" + std::string(text.substr(0, 80)) + "' has the layer size '" +
                std::string(token.substr(0, 20)) + "', allowed are 1 to " + std::to_string(max_size) +
                ", and N and C for the table's features and classes");
  return *size;
}

/// The text cut at '-', but for those within the name of a kind: what follows ':' up to a size.
std::vector<std::string_view> layers_of(std::string_view text) {
  const auto begins_size = [](std::string_view rest) {
    return rest.empty() || rest.front() == '-' || rest.front() < 'a' || rest.front() > 'z';
  };
  std::vector<std::string_view> out;
  std::size_t start = 0, colon = text.npos;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == ':') colon = i;
    if (i < text.size() && (text[i] != '-' || (colon != text.npos && !begins_size(text.substr(i + 1)))))
      continue;
    out.push_back(text.substr(start, i - start));
    start = i + 1;
    colon = text.npos;
  }
  return out;
}

}  // namespace

Network::Network(std::vector<std::size_t> layer_sizes, std::vector<const LayerKind*> layer_kinds)
    : sizes(std::move(layer_sizes)), kinds(std::move(layer_kinds)) {
  if (kinds.empty() && sizes.size() > 1) {
    kinds.assign(sizes.size() - 1, &hidden_kind("relu"));
    kinds.back() = &output_kind("linear");
  }
  if (kinds.size() + 1 != sizes.size() && !(kinds.empty() && sizes.empty()))
    throw Error("a network of " + std::to_string(sizes.size()) +
                " sizes has as many kinds of layers less one, not " + std::to_string(kinds.size()));
}

std::string Network::shape() const {
  std::string out;
  for (const std::size_t size : sizes) out += (out.empty() ? "" : "-") + std::to_string(size);
  return out;
}

std::string Network::text() const {
  std::string out = std::to_string(inputs());
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    out += "-" + std::to_string(sizes[layer + 1]);
    if (kind(layer).name != (layer + 1 < layers() ? default_hidden : default_output))
      out += ":" + std::string(kind(layer).name);
  }
  return out;
}

std::vector<std::string> Network::kind_names() const {
  std::vector<std::string> out;
  for (const LayerKind* kind : kinds) out.emplace_back(kind->name);
  return out;
}

std::string_view named_output(std::string_view text) {
  const std::string_view last = layers_of(text).back();
  const std::size_t colon = last.find(':');
  return colon == last.npos ? std::string_view() : last.substr(colon + 1);
}

Network parse_network(std::string_view text, std::size_t features, std::size_t classes,
                      std::string_view output) {
  std::vector<std::size_t> sizes;
  std::vector<std::string> names;  // behind each size; empty: none is given
  for (const std::string_view part : layers_of(text)) {
    const std::size_t colon = std::min(part.find(':'), part.size());
    sizes.push_back(parse_size(part.substr(0, colon), text, features, classes));
    names.emplace_back(part.substr(std::min(colon + 1, part.size())));
    if (colon != part.size() && (names.back().empty() || sizes.size() == 1))
      throw Error("--network '" + std::string(text.substr(0, 80)) + "' has ':' " +
                  (sizes.size() == 1 ? "behind its inputs, which nothing is done to"
                                     : "without a kind of layer behind it"));
  }
  if (sizes.size() < 2 || sizes.size() > max_layers)
    throw Error("--network '" + std::string(text.substr(0, 80)) + "' has " + std::to_string(sizes.size()) +
                " sizes, allowed are 2 to " + std::to_string(max_layers));
  std::vector<const LayerKind*> kinds;
  for (std::size_t i = 1; i < names.size(); ++i) {
    const bool last = i + 1 == names.size();
    if (last)
      kinds.push_back(&output_kind(names[i].empty() ? output : names[i]));
    else
      kinds.push_back(&hidden_kind(names[i].empty() ? default_hidden : names[i]));
  }
  Network network(std::move(sizes), std::move(kinds));
  if (features != 0 && network.inputs() != features)
    throw Error("--network " + network.shape() + " has " + std::to_string(network.inputs()) +
                " inputs, the table has " + std::to_string(features) + " features");
  if (classes != 0 && network.outputs() != classes)
    throw Error("--network " + network.shape() + " has " + std::to_string(network.outputs()) +
                " outputs, the table has " + std::to_string(classes) + " classes");
  return network;
}

}  // namespace smlp
