// max(z, 0). Its derivative at 0 is 1, as everywhere in this project.
#include "mlp/layers/layer_kind.h"

namespace smlp {

extern constexpr LayerKind relu_layer{
    .name = "relu",
    .formula = "max(z, 0)",
    .hidden = true,
    .all_hinges = {{{0, 1}}},
    .hinge_count = 1,
};

}  // namespace smlp
