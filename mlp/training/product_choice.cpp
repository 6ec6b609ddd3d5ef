// Layer by layer.
#include "mlp/training/product_choice.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "paillier/error.h"
#include "paillier/parallel.h"

namespace smlp {

namespace {

ProtocolNames with_products(ProtocolNames names, const std::vector<std::string_view>& products) {
  const bool alike =
      std::ranges::all_of(products, [&](std::string_view each) { return each == products[0]; });
  names.matmul = products[0];
  for (std::size_t layer = 1; !alike && layer < products.size(); ++layer)
    names.matmul += "," + std::string(products[layer]);
  return names;
}

}  // namespace

ProtocolNames with_cheapest_products(const ProtocolNames& names, std::size_t layers, const CostOf& cost,
                                     const MachineSpeed& machine, const LinkSpeed& link) {
  if (!names.chooses_products()) return names;
  const auto seconds = [&](const std::vector<std::string_view>& products) {
    try {
      const Cost of_run = cost(with_products(names, products));
      return machine.seconds(of_run, thread_count()) + link.seconds(of_run.traffic);
    } catch (const Error&) {  // a product that cannot serve a layer of this size
      return std::numeric_limits<double>::infinity();
    }
  };
  // One for all layers to begin with.
  std::vector<std::string_view> chosen(layers, names.product(0).name);
  double least = seconds(chosen);
  for (const Descriptor* each : names.products()) {
    if (each->name == names.product(0).name) continue;
    const std::vector<std::string_view> alike(layers, each->name);
    if (const double other = seconds(alike); other < least) {
      least = other;
      chosen = alike;
    }
  }
  for (std::string_view& of_layer : chosen)
    for (const Descriptor* each : names.products()) {
      if (each->name == of_layer) continue;
      const std::string_view before = std::exchange(of_layer, each->name);
      if (const double other = seconds(chosen); other < least)
        least = other;
      else
        of_layer = before;
    }
  return with_products(names, chosen);
}

}  // namespace smlp
