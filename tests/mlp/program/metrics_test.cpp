// Laps of work and the file of metrics.
#include "mlp/program/metrics.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "paillier/error.h"
#include "tests/mlp/files/files_support.h"

using namespace smlp;

namespace {

Measured example(double seconds, std::uint64_t rounds) {
  Measured out;
  out.seconds = seconds;
  out.traffic = {100 * rounds, 10 * rounds, rounds};
  out.by_kind = {{"gradient", seconds / 2}};
  out.by_protocol = {{"matmul/packed", {100 * rounds, 10 * rounds, rounds}}, {"conversion/unpack", {}}};
  out.key_holder = {{"matmul/packed", seconds / 4}};
  return out;
}

}  // namespace

TEST_CASE("measures add up and subtract") {
  Measured sum = example(4, 3);
  sum += example(2, 1);
  CHECK(sum.seconds == 6);
  CHECK(sum.traffic == Traffic{400, 40, 4});
  CHECK(sum.by_kind.at("gradient") == 3);
  CHECK(sum.waiting_seconds() == 1.5);
  CHECK(sum.by_protocol.at("matmul/packed").rounds == 4);
  const Measured rest = sum - example(2, 1);
  CHECK(rest.seconds == 4);
  CHECK(rest.traffic == Traffic{300, 30, 3});
  CHECK(rest.by_kind.at("gradient") == 2);
  CHECK(rest.by_protocol.at("matmul/packed") == Traffic{300, 30, 3});
  CHECK(rest.split_text() == "gradient 2.0 s, waiting for the key holder 1.0 s of it");
}

TEST_CASE("one line a step and an epoch") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "m.jsonl";
  {
    MetricsFile file(path, 0);
    file.step(1, 1, example(4, 3), {{"loss", 0.25}});
    file.epoch(1, example(4, 3), {{"loss", 0.5}});
  }
  std::istringstream lines(test::read_text(path));
  std::vector<Json> all;
  for (std::string line; std::getline(lines, line);) all.push_back(Json::parse(line));
  REQUIRE(all.size() == 2);
  CHECK(all[0]["epoch"] == 1);
  CHECK(all[0]["step"] == 1);
  CHECK(all[0]["loss"] == 0.25);
  CHECK(all[0]["seconds"] == 4.0);
  CHECK(all[0]["bytes"]["to_key_holder"] == 300);
  CHECK(all[0]["bytes"]["to_evaluator"] == 30);
  CHECK(all[0]["rounds"] == 3);
  CHECK(all[0]["seconds_by_kind"]["gradient"] == 2.0);
  CHECK(all[0]["operations"]["matmul/packed"]["rounds"] == 3);
  CHECK(!all[0]["operations"].contains("conversion/unpack"));
  CHECK(all[1]["loss"] == 0.5);
  CHECK(!all[1].contains("step"));
  { MetricsFile(path, 0).step(1, 1, example(1, 1), Json::object()); }
  CHECK(std::ranges::count(test::read_text(path), '\n') == 1);
}

TEST_CASE("a continued file of metrics has each step once") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "m.jsonl";
  std::string first_epochs;
  {
    MetricsFile file(path, 2);  // a training that is resumed with its first file of metrics
    for (std::size_t epoch = 1; epoch <= 2; ++epoch) {
      file.step(epoch, epoch, example(4, 3), Json::object());
      file.epoch(epoch, example(4, 3), Json::object());
    }
    first_epochs = test::read_text(path);
    file.step(3, 3, example(4, 3), Json::object());
  }
  // Killed in the third epoch, once between lines and once within one.
  for (const std::string& rest : {std::string(), std::string(R"({"epoch":3,"st)")}) {
    test::write_text(path, test::read_text(path) + rest);
    { MetricsFile(path, 2).step(3, 3, example(1, 1), Json::object()); }
    const std::string continued = test::read_text(path);
    REQUIRE(continued.starts_with(first_epochs));
    CHECK(std::ranges::count(continued, '\n') == 5);
    CHECK(Json::parse(continued.substr(first_epochs.size()))["rounds"] == 1);
  }
  test::write_text(path, first_epochs + R"({"epoch":2)");
  { MetricsFile(path, 2); }
  CHECK(test::read_text(path) == first_epochs);
  // A file of something else is left alone.
  for (const std::string line :
       {"my notes\n", "my notes", "[1]\n", R"({"step":1})", "{\"epoch\":\"one\"}\n", "{\"step\":1}\n"}) {
    test::write_text(path, first_epochs + line);
    CHECK(test::contains(test::message_of([&] { MetricsFile(path, 2); }), "line 5 is none of metrics"));
    CHECK(test::read_text(path) == first_epochs + line);
  }
}

TEST_CASE("what the lines come from stands before them, and again where a training was resumed") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "m.jsonl";
  const Json origin{{"command", "train"}, {"seed", nullptr}};
  const auto start = [&](std::size_t epochs_done) {
    MetricsFile file(path, epochs_done);
    file.head(origin);
    file.step(epochs_done + 1, 1, example(1, 1), Json::object());
    if (epochs_done == 0) file.epoch(1, example(1, 1), Json::object());
  };
  start(0);
  for (int interrupted = 0; interrupted < 2; ++interrupted) start(1);
  std::istringstream lines(test::read_text(path));
  std::string kinds;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line);
    kinds += json.contains("command") ? 'h' : json.contains("step") ? 's' : 'e';
    if (json.contains("command")) CHECK(json == origin);
  }
  CHECK(kinds == "hsehs");
  test::write_text(path, test::read_text(path).substr(0, 10));  // killed within the first line
  start(1);
  CHECK(test::read_text(path).starts_with(R"({"command":"train","seed":null})"));
}

TEST_CASE("no path, no file; a path that cannot be") {
  MetricsFile none("", 0);
  none.step(1, 1, example(1, 1), Json::object());
  none.epoch(1, example(1, 1), Json::object());
  const test::TemporaryDirectory directory;
  CHECK(test::contains(test::message_of([&] { MetricsFile(directory / "no" / "m.jsonl", 0); }), "--metrics"));
  CHECK(test::contains(test::message_of([&] { MetricsFile(directory.path(), 0); }), "--metrics"));
}
