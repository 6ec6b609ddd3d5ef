// A network: the sizes of its layers, and what stands behind each.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mlp/layers/layer_kind.h"

namespace smlp {

inline constexpr std::string_view default_hidden = "relu", default_output = "hard-sigmoid";

/// Layer sizes, inputs first, and a kind for each layer behind them.
struct Network {
  Network() = default;
  /// Without kinds: ReLU behind hidden layers, linear outputs, which is the paper's network. Throws Error
  /// where there are kinds, but not one a layer.
  Network(std::vector<std::size_t> sizes, std::vector<const LayerKind*> kinds = {});

  std::vector<std::size_t> sizes;
  std::vector<const LayerKind*> kinds;

  /// Of layer 0, ..
  const LayerKind& kind(std::size_t layer) const { return *kinds[layer]; }
  const LayerKind& output() const { return *kinds.back(); }
  std::size_t inputs() const { return sizes.front(); }
  std::size_t outputs() const { return sizes.back(); }
  std::size_t layers() const { return sizes.size() - 1; }  ///< dense layers
  std::string text() const;   ///< "30-16-2", "30-16:hard-tanh-2:linear": as --network takes it
  std::string shape() const;  ///< "30-16-2"
  std::vector<std::string> kind_names() const;
  bool operator==(const Network&) const = default;
};

/// The kind that a --network names for its outputs; empty where it names none.
std::string_view named_output(std::string_view text);

/// "30-16-2", or "30-16:leaky-relu-2:linear" with kinds where they are not ReLU and `output`; "N" stands for
/// the features and "C" or "M" for the classes of the table. Throws Error: not of this form, fewer than two
/// sizes or more than 64, a size outside 1 .. 65,536, a kind that does not exist there, or a size that does
/// not fit the table (0: not known).
Network parse_network(std::string_view text, std::size_t features, std::size_t classes,
                      std::string_view output = default_output);

}  // namespace smlp
