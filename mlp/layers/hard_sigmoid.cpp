// clip(z / 4 + 1/2, 0, 1) = max(u + 1/2, 0) - max(u - 1/2, 0) with u = z / 4: the tangent of the sigmoid at
// 0, up to where it meets 0 and 1 (Courbariaux, Bengio, David 2015, BinaryConnect, with another slope).
//
// As an output its residual is output - target, which is the update of cross entropy with a sigmoid: the
// derivative of the output's own function is left out (Mohassel, Zhang 2017, SecureML, section 3.3). It is
// bounded by 1, so training cannot run away.
#include "mlp/layers/layer_kind.h"

namespace smlp {

extern constexpr LayerKind hard_sigmoid_layer{
    .name = "hard-sigmoid",
    .formula = "clip(z / 4 + 1/2, 0, 1)",
    .hidden = true,
    .output = true,
    .halvings = 2,
    .all_hinges = {{{-0.5, 1}, {0.5, -1}}},
    .hinge_count = 2,
};

}  // namespace smlp
