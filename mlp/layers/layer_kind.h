// What stands behind a product of a layer: a piecewise linear function, exact on fixed-point numbers. Each
// kind is one file and one line in registry.def.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace smlp {

/// slope * max(u - at, 0). `at` is a fixed-point number (a multiple of 1/2 in the kinds of the registry).
struct Hinge {
  double at = 0;
  std::int64_t slope = 0;
};

/// f(z) = constant + slope u + sum of hinges, u = z / 2^halvings. The division is part of the rescaling of
/// the product that gives z, forward and backward, so it costs nothing and rounds no second time; slopes are
/// integers, so the rest is exact. All hinges of a layer are compared in one batch.
struct LayerKind {
  static constexpr std::size_t most_hinges = 2;

  std::string_view name;
  std::string_view formula;  ///< in z, for people
  bool hidden = false;       ///< may stand behind a hidden layer
  bool output = false;       ///< may stand behind the last layer
  std::size_t halvings = 0;
  std::int64_t slope = 0;
  std::array<Hinge, most_hinges> all_hinges{};
  std::size_t hinge_count = 0;
  double constant = 0;

  auto begin() const { return all_hinges.begin(); }
  auto end() const { return all_hinges.begin() + hinge_count; }
  bool compares() const { return hinge_count != 0; }
  /// Whether relu alone reads u, and its derivative alone what goes back.
  bool only_hinges() const { return compares() && slope == 0; }
  /// Whether what relu gives of u is f(z), and not a term of it.
  bool is_relu() const {
    return only_hinges() && hinge_count == 1 && all_hinges[0].slope == 1 && constant == 0;
  }
  /// f(z) of u in doubles.
  double of_scaled(double u) const;
};

/// clip(u, -bound, bound) = max(u + bound, 0) - max(u - bound, 0) - bound; `bound` > 0 is a fixed-point
/// number.
LayerKind clip_kind(double bound);

const std::vector<const LayerKind*>& layer_kinds();
/// Throws Error with the list of those for hidden layers, or for outputs.
const LayerKind& hidden_kind(std::string_view name);
const LayerKind& output_kind(std::string_view name);
/// "relu, leaky-relu, ..".
std::string hidden_kind_names();
std::string output_kind_names();

}  // namespace smlp
