// The registry of layer kinds.
#include "mlp/layers/layer_kind.h"

#include <algorithm>

#include "paillier/error.h"

namespace smlp {

#define SMLP_LAYER(layer) extern const LayerKind layer##_layer;
#include "mlp/layers/registry.def"
#undef SMLP_LAYER

double LayerKind::of_scaled(double u) const {
  double sum = constant + static_cast<double>(slope) * u;
  for (const Hinge& hinge : *this) sum += static_cast<double>(hinge.slope) * std::max(u - hinge.at, 0.0);
  return sum;
}

LayerKind clip_kind(double bound) {
  return {.name = "clip",
          .formula = "clip(u, -bound, bound)",
          .all_hinges = {{{-bound, 1}, {bound, -1}}},
          .hinge_count = 2,
          .constant = -bound};
}

const std::vector<const LayerKind*>& layer_kinds() {
  static const std::vector<const LayerKind*> all = {
#define SMLP_LAYER(layer) &layer##_layer,
#include "mlp/layers/registry.def"
#undef SMLP_LAYER
  };
  return all;
}

namespace {

std::string names(bool LayerKind::*use) {
  std::string out;
  for (const LayerKind* kind : layer_kinds())
    if (kind->*use) out += (out.empty() ? "" : ", ") + std::string(kind->name);
  return out;
}

const LayerKind& find(std::string_view wanted, bool LayerKind::*use, const char* what) {
  for (const LayerKind* kind : layer_kinds())
    if (kind->*use && kind->name == wanted) return *kind;
  throw Error(std::string("there is no ") + what + " '" + std::string(wanted.substr(0, 40)) + "'; there is " +
              names(use));
}

}  // namespace

const LayerKind& hidden_kind(std::string_view name) {
  return find(name, &LayerKind::hidden, "hidden layer");
}
const LayerKind& output_kind(std::string_view name) {
  return find(name, &LayerKind::output, "output");
}
std::string hidden_kind_names() {
  return names(&LayerKind::hidden);
}
std::string output_kind_names() {
  return names(&LayerKind::output);
}

}  // namespace smlp
