// z itself, an output alone: with half the squared error its residual is output - target. The paper's outputs
// (Bellafqira et al. 2018, section 4.2).
#include "mlp/layers/layer_kind.h"

namespace smlp {

extern constexpr LayerKind linear_layer{
    .name = "linear",
    .formula = "z",
    .output = true,
    .slope = 1,
};

}  // namespace smlp
