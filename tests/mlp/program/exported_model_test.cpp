// Weights in the clear.
#include "mlp/program/exported_model.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace smlp;

TEST_CASE("an exported model has weights by inputs, and biases from the last row") {
  const Numbers numbers{.value_bits = 20, .fraction_bits = 2};
  IntegerMatrix weights(3, 1);
  weights(0, 0) = 4;
  weights(1, 0) = -3;
  weights(2, 0) = 1;
  const Json model = exported_model(Network({2, 1}), Task::regression, numbers, {weights});
  CHECK(model["format"] == "smlp-model");
  CHECK(model["task"] == "regression");
  CHECK(model["network"] == Json({2, 1}));
  CHECK(model["fraction_bits"] == 2);
  CHECK(model["layers"].size() == 1);
  CHECK(model["layers"][0]["weights"] == Json::parse("[[1.0], [-0.75]]"));
  CHECK(model["layers"][0]["biases"] == Json::parse("[0.25]"));
  CHECK(model["layers"][0]["kind"] == "linear");
}
