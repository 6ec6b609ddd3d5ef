// The learning rate where none is given.
#include "mlp/program/usual_training.h"

#include <doctest/doctest.h>

using namespace smlp;

TEST_CASE("the usual rate is that of the outputs, however they are named") {
  const auto rate = [](const char* network, std::optional<std::string> output, const char* preset,
                       Task task = Task::classification) {
    ProtocolOptions protocols;
    protocols.preset = preset;
    return usual_rate({.text = network, .output = std::move(output)}, protocols, task);
  };
  const double bounded = usual_training.learning_rate;
  CHECK(rate("N-16-C", {}, "homomorphic") == bounded);
  CHECK(rate("N-16-C", {}, "paper") == 0.01);
  CHECK(rate("N-16-C", "linear", "homomorphic") == 0.01);
  CHECK(rate("N-16-C", "hard-sigmoid", "paper") == bounded);
  CHECK(rate("N-16-C:linear", {}, "homomorphic") == 0.01);
  CHECK(rate("N-16-C:hard-sigmoid", {}, "paper") == bounded);  // its name has a '-' of its own
  CHECK(rate("N-16:hard-tanh-C", {}, "paper") == 0.01);
  CHECK(rate("N-16-1", {}, "homomorphic", Task::regression) == 0.01);
}
