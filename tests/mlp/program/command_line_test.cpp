// Options of a subcommand: kinds, defaults, config files, wrong usage.
#include "mlp/program/command_line.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "paillier/error.h"
#include "tests/mlp/files/files_support.h"

using namespace smlp;

namespace {

/// A command line with an option of each kind.
struct Example {
  std::string data, mode = "slow", file;
  std::optional<std::string> label;
  std::size_t epochs = 5;
  std::optional<std::uint64_t> seed;
  double rate = 0.1;
  bool quiet = false;
  CommandLine line{"try", "Tries things."};

  Example() {
    line.required("data", data, "what to read");
    line.text("label", label, "a column");
    line.number("epochs", epochs, "how often");
    line.number("seed", seed, "a seed");
    line.real("rate", rate, "how fast");
    line.flag("quiet", quiet, "no words");
    line.choice("mode", mode, "slow or fast", [this](const std::string& value) {
      if (value != "slow" && value != "fast") throw Error("there is no mode " + value);
      mode = value;
    });
  }
};

std::string usage_error(const Words& words) {
  Example example;
  try {
    example.line.parse(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("options fill their variables, others keep their defaults") {
  Example example;
  CHECK(
      !example.line.parse({"--data", "t.csv", "--epochs=7", "--rate", "-0.5", "--quiet", "--mode", "fast"}));
  CHECK(example.data == "t.csv");
  CHECK(example.epochs == 7);
  CHECK(example.rate == -0.5);
  CHECK(example.quiet);
  CHECK(example.mode == "fast");
  CHECK(!example.label);
  CHECK(!example.seed);
  CHECK(example.line.given("epochs"));
  CHECK(!example.line.given("seed"));
}

TEST_CASE("every option is told with its value, given or not") {
  Example example;
  CHECK(!example.line.parse({"--data", "t.csv", "--mode", "fast", "--rate", "0.1"}));
  CHECK(example.line.values() == nlohmann::ordered_json{{"data", "t.csv"},
                                                        {"label", nullptr},
                                                        {"epochs", 5},
                                                        {"seed", nullptr},
                                                        {"rate", 0.1},
                                                        {"quiet", false},
                                                        {"mode", "fast"}});
  CHECK(example.line.name() == "try");
}

TEST_CASE("numbers cover their whole range") {
  Example example;
  CHECK(!example.line.parse({"--data", "t", "--seed", "18446744073709551615", "--rate", "1e-3"}));
  CHECK(example.seed == 18446744073709551615ULL);
  CHECK(example.rate == 1e-3);
}

TEST_CASE("help names every option and its default, and asks for nothing") {
  Example example;
  const auto help = example.line.parse({"--help"});
  REQUIRE(help);
  for (const char* part : {"usage: smlp try --data VALUE", "Tries things.", "--label", "--epochs VALUE (5)",
                           "--rate VALUE (0.1)", "--mode VALUE (slow)", "--quiet", "--config", "how often"})
    CHECK_MESSAGE(help->find(part) != std::string::npos, part);
  CHECK(Example().line.parse({"-h"}));
}

TEST_CASE("wrong usage is told in one line") {
  CHECK(usage_error({}) == "smlp try needs --data");
  CHECK(usage_error({"--data", "t", "--velocity", "3"}) ==
        "smlp try has no option '--velocity'; smlp try --help lists them");
  CHECK(usage_error({"--data", "t", "--ephocs=3"}) ==
        "smlp try has no option '--ephocs'; did you mean '--epochs'? smlp try --help lists them");
  CHECK(test::contains(usage_error({"--data", "t", "--epo", "3"}), "no option '--epo'"));  // no abbreviations
  CHECK(usage_error({"--data", "t", "--epochs", "-3"}) ==
        "--epochs is '-3', a whole number from 0 is needed");
  CHECK(usage_error({"--data", "t", "--epochs", "3x"}) ==
        "--epochs is '3x', a whole number from 0 is needed");
  CHECK(usage_error({"--data", "t", "--rate", "fast"}) == "--rate is 'fast', a number is needed");
  CHECK(usage_error({"--data", "t", "--data", "u"}) == "--data is given twice");
  CHECK(usage_error({"--data", "t", "--mode", "odd"}) == "there is no mode odd");
  CHECK(usage_error({"--data", "t", "more"}) == "smlp try does not take 'more'");
  CHECK(test::contains(usage_error({"--data"}), "--data"));
  CHECK(test::contains(usage_error({"--data", "t", "--quiet=1"}), "--quiet"));
}

TEST_CASE("a word that is no option") {
  CommandLine line("look", "Looks.");
  std::string file;
  line.word("FILE", file);
  CHECK(!line.parse({"some.h5"}));
  CHECK(file == "some.h5");
  CommandLine none("look", "Looks.");
  none.word("FILE", file);
  CHECK_THROWS_WITH_AS(none.parse({}), "smlp look needs FILE", UsageError);
}

TEST_CASE("a config file gives options; the command line wins; other sections are for others") {
  const test::TemporaryDirectory directory;
  const std::string path =
      test::write_text(directory / "c.ini",
                       "# a comment\nepochs = 9\nlabel = c\nquiet = true\n[try]\nrate = 0.25\n"
                       "[other]\nepochs = 1\nunknown = 2\n");
  Example example;
  CHECK(!example.line.parse({"--config", path, "--data", "t", "--label", "mine"}));
  CHECK(example.epochs == 9);
  CHECK(example.label == "mine");
  CHECK(example.rate == 0.25);
  CHECK(example.quiet);
}

TEST_CASE("a wrong config file") {
  const test::TemporaryDirectory directory;
  const auto error = [&](const std::string& content) {
    return usage_error({"--data", "t", "--config", test::write_text(directory / "c.ini", content)});
  };
  CHECK(test::contains(error("speed = 1\n"),
                       "c.ini has the option 'speed', which smlp try does not know; did you mean 'seed'?"));
  CHECK(
      test::contains(error("epoch = 1\n"), "which smlp try does not know; did you mean 'epochs'? smlp try"));
  CHECK(test::contains(error("[try]\nspeed = 1\n"), "'speed'"));
  CHECK(test::contains(error("epochs = few\n"), "--epochs is 'few'"));
  CHECK(test::contains(error("quiet = perhaps\n"), "true or false is needed"));
  CHECK(test::contains(error("config = other.ini\n"), "'config'"));
  CHECK(error("epochs 3\n") != "");
  CHECK(error("epochs = 3\nepochs = 4\n") != "");
  CHECK(error("quiet = false\n") == "");
  CHECK(usage_error({"--data", "t", "--config", "/no/such.ini"}) ==
        "cannot read the config file /no/such.ini");
}
