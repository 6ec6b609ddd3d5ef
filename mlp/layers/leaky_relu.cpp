// z where z >= 0, else z / 8. With u = z / 8 it is u + 7 max(u, 0): exact, and without a rounding beside the
// product's. Its price: positive values have three bits fewer behind the point, and a compared u shows a z
// out of range three bits later.
#include "mlp/layers/layer_kind.h"

namespace smlp {

extern constexpr LayerKind leaky_relu_layer{
    .name = "leaky-relu",
    .formula = "z where z >= 0, else z / 8",
    .hidden = true,
    .halvings = 3,
    .slope = 1,
    .all_hinges = {{{0, 7}}},
    .hinge_count = 1,
};

}  // namespace smlp
