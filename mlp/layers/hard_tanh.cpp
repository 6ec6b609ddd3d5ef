// clip(z, -1, 1) = max(z + 1, 0) - max(z - 1, 0) - 1.
#include "mlp/layers/layer_kind.h"

namespace smlp {

extern constexpr LayerKind hard_tanh_layer{
    .name = "hard-tanh",
    .formula = "clip(z, -1, 1)",
    .hidden = true,
    .all_hinges = {{{-1, 1}, {1, -1}}},
    .hinge_count = 2,
    .constant = -1,
};

}  // namespace smlp
