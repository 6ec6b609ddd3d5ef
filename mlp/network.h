// The shape of a network: N-..-M.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace smlp {

/// Layer sizes: inputs, hidden layers with ReLU, linear outputs.
struct Network {
  std::vector<std::size_t> sizes;

  std::size_t inputs() const { return sizes.front(); }
  std::size_t outputs() const { return sizes.back(); }
  std::size_t layers() const { return sizes.size() - 1; }  ///< dense layers
  std::string text() const;                                ///< "30-16-2"
  bool operator==(const Network&) const = default;
};

/// "30-16-2"; "N" stands for the features and "C" or "M" for the classes of the table. Throws Error: not of
/// this form, fewer than two sizes or more than 64, a size outside 1 .. 65,536, or one that does not fit the
/// table (0: not known).
Network parse_network(std::string_view text, std::size_t features, std::size_t classes);

}  // namespace smlp
