// A trained model in the clear.
#include "mlp/program/exported_model.h"

#include <nlohmann/json.hpp>

namespace smlp {

Json exported_model(const Network& network, Task task, const Numbers& numbers,
                    const std::vector<IntegerMatrix>& weights) {
  Json layers = Json::array();
  for (const IntegerMatrix& integers : weights) {
    const Matrix<double> values = decode(integers, numbers);
    std::vector<std::vector<double>> rows;
    for (std::size_t i = 0; i < values.rows(); ++i) {
      const auto row = values.cells().begin() + static_cast<std::ptrdiff_t>(i * values.cols());
      rows.emplace_back(row, row + static_cast<std::ptrdiff_t>(values.cols()));
    }
    std::vector<double> biases = std::move(rows.back());
    rows.pop_back();
    const LayerKind& kind = network.kind(layers.size());
    layers.push_back(
        {{"weights", rows}, {"biases", biases}, {"kind", kind.name}, {"function", kind.formula}});
  }
  return {{"format", "smlp-model"},
          {"version", 3},
          {"task", name(task)},
          {"network", network.sizes},
          {"fraction_bits", numbers.fraction_bits},
          {"layers", std::move(layers)}};
}

}  // namespace smlp
