// ReLU and its derivative by a comparison and a selection. The default.
//
// Forward: beta = [z >= 0] as shares, then [beta z] on the z that the comparison opened, or got opened.
// Backward: [beta delta] with the same shares. Flow, ranges and views are those of the parts.
#include "paillier/error.h"
#include "protocols/protocol.h"

namespace smlp {

namespace {

struct Shares : ActivationState {
  explicit Shares(SignShares value) : bits(std::move(value)) {}
  SignShares bits;
};

class CompareSelect : public Activation {
 public:
  explicit CompareSelect(const ProtocolSet& parts)
      : comparison_(parts.comparison), selection_(parts.selection) {}

  Activated forward(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& z,
                    Packings packings) const override {
    auto shares = std::make_shared<Shares>(comparison_->sign(evaluator, operation, z));
    EncryptedMatrix values = selection_->select_compared(evaluator, operation, z, shares->bits, packings);
    return {std::move(values), std::move(shares)};
  }

  EncryptedMatrix backward(const Evaluator& evaluator, const OperationId& operation,
                           const EncryptedMatrix& delta, const ActivationState& state,
                           Packings packings) const override {
    const auto* shares = dynamic_cast<const Shares*>(&state);
    if (shares == nullptr) throw Error("the state of another activation was given to compare-select");
    return selection_->select(evaluator, operation, delta, shares->bits, packings);
  }

 private:
  std::shared_ptr<const Comparison> comparison_;
  std::shared_ptr<const Selection> selection_;
};

}  // namespace

extern constexpr Descriptor compare_select_descriptor{
    .family = Family::activation,
    .name = "compare-select",
    .paper = "this project: the chosen comparison, then the chosen selection",
    .flow = "forward: comparison of z, selection of z;  backward: selection of delta by the same shares",
    .make = made<CompareSelect>,
};

}  // namespace smlp
