// Parsing of network shapes.
#include "mlp/training/network.h"

#include <doctest/doctest.h>

#include "paillier/error.h"

using namespace smlp;

TEST_CASE("a network is read from sizes and from the table's placeholders") {
  CHECK(parse_network("30-16-2", 30, 2).sizes == std::vector<std::size_t>{30, 16, 2});
  CHECK(parse_network("N-16-C", 4, 3).sizes == std::vector<std::size_t>{4, 16, 3});
  CHECK(parse_network("N-8-4-M", 4, 3).text() == "4-8-4-3");
  CHECK(parse_network("2-2", 0, 0).layers() == 1);
}

TEST_CASE("a network that does not fit is refused by name") {
  CHECK_THROWS_WITH_AS(parse_network("5-16-3", 4, 3),
                       "--network 5-16-3 has 5 inputs, the table has 4 features", Error);
  CHECK_THROWS_WITH_AS(parse_network("4-16-2", 4, 3),
                       "--network 4-16-2 has 2 outputs, the table has 3 classes", Error);
  CHECK_THROWS_WITH_AS(parse_network("4", 4, 3), "--network '4' has 1 sizes, allowed are 2 to 64", Error);
  for (const char* text :
       {"", "-", "4-", "-3", "4--3", "4-x-3", "4-0-3", "4-65537-3", "4-1e3-3", "4 -3", "n-16-c"})
    CHECK_THROWS_AS(parse_network(text, 4, 3), Error);
  CHECK_THROWS_AS(parse_network("N-16-C", 0, 0), Error);
}

TEST_CASE("the outputs that a network names") {
  CHECK(named_output("N-16-C:linear") == "linear");
  CHECK(named_output("N-16:leaky-relu-C:hard-sigmoid") == "hard-sigmoid");
  for (const char* text : {"N-16-C", "N-16:hard-tanh-C", "", "4-", "4-2:"}) CHECK(named_output(text).empty());
}

TEST_CASE("a network names kinds of layers where they are not the usual ones") {
  const auto kinds = [](const char* text, std::string_view output = default_output) {
    return parse_network(text, 4, 3, output).kind_names();
  };
  using Names = std::vector<std::string>;
  CHECK(kinds("N-16-C") == Names{"relu", "hard-sigmoid"});
  CHECK(kinds("N-16-C", "linear") == Names{"relu", "linear"});
  CHECK(kinds("N-32:leaky-relu-16-C:linear") == Names{"leaky-relu", "relu", "linear"});
  CHECK(kinds("N-8:hard-tanh-4:hard-sigmoid-C") == Names{"hard-tanh", "hard-sigmoid", "hard-sigmoid"});
  CHECK(parse_network("N-32:leaky-relu-16:relu-C:linear", 4, 3).text() == "4-32:leaky-relu-16-3:linear");
  CHECK(parse_network("4-32:leaky-relu-16-3:linear", 4, 3).shape() == "4-32-16-3");
  CHECK(Network({4, 2}).text() == "4-2:linear");
  CHECK_THROWS_WITH_AS(
      parse_network("N-8:softmax-C", 4, 3),
      "there is no hidden layer 'softmax'; there is relu, leaky-relu, hard-tanh, hard-sigmoid", Error);
  CHECK_THROWS_WITH_AS(parse_network("N-8-C:relu", 4, 3),
                       "there is no output 'relu'; there is hard-sigmoid, linear", Error);
  for (const char* text :
       {"N:relu-C", "N-8:-C", "N-8-C:", "N-8:relu-", "N-:relu-C", "N-8:relu:relu-C", "N-8:relu-x-C"})
    CHECK_THROWS_AS(parse_network(text, 4, 3), Error);
  CHECK_THROWS_AS(Network({4, 5, 2}, {&hidden_kind("relu")}), Error);
}
