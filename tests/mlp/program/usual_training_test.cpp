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
  CHECK(rate("N-16-1", {}, "homomorphic", Task::regression) == 0.02);
}

TEST_CASE("the usual network grows with the classes, and gives way to one that is named") {
  CHECK(usual_network(2, Task::classification) == "N-32-C");
  CHECK(usual_network(16, Task::classification) == "N-32-C");
  CHECK(usual_network(60, Task::classification) == "N-120-C");
  CHECK(usual_network(1024, Task::classification) == "N-128-C");
  CHECK(usual_network(1, Task::regression) == "N-64-C");
  CHECK(network_of({}, 4, 20, {}, Task::classification).text() == "4-40-20");
  CHECK(network_of({}, 4, 1, {}, Task::regression).text() == "4-64-1:linear");
  CHECK(network_of({.text = "N-3-C"}, 4, 20, {}, Task::classification).text() == "4-3-20");
}
