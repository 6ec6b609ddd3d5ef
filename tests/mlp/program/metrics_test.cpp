// Laps of work and the file of metrics.
#include "mlp/program/metrics.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "paillier/error.h"
#include "tests/mlp/files_support.h"

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
  CHECK(sum.key_holder_seconds() == 1.5);
  CHECK(sum.by_protocol.at("matmul/packed").rounds == 4);
  const Measured rest = sum - example(2, 1);
  CHECK(rest.seconds == 4);
  CHECK(rest.traffic == Traffic{300, 30, 3});
  CHECK(rest.by_kind.at("gradient") == 2);
  CHECK(rest.by_protocol.at("matmul/packed") == Traffic{300, 30, 3});
  CHECK(rest.split_text() == "gradient 2.0 s, key holder 1.0 s of it");
}

TEST_CASE("one line a step and an epoch; a continued file keeps its lines") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "m.jsonl";
  {
    MetricsFile file(path, false);
    file.step(1, 1, example(4, 3));
    file.epoch(1, example(4, 3), {{"loss", 0.5}});
  }
  { MetricsFile(path, true).step(2, 2, example(1, 1)); }
  std::istringstream lines(test::read_text(path));
  std::vector<Json> all;
  for (std::string line; std::getline(lines, line);) all.push_back(Json::parse(line));
  REQUIRE(all.size() == 3);
  CHECK(all[0]["epoch"] == 1);
  CHECK(all[0]["step"] == 1);
  CHECK(all[0]["seconds"] == 4.0);
  CHECK(all[0]["bytes"]["to_key_holder"] == 300);
  CHECK(all[0]["bytes"]["to_evaluator"] == 30);
  CHECK(all[0]["rounds"] == 3);
  CHECK(all[0]["seconds_by_kind"]["gradient"] == 2.0);
  CHECK(all[0]["operations"]["matmul/packed"]["rounds"] == 3);
  CHECK(!all[0]["operations"].contains("conversion/unpack"));
  CHECK(all[1]["loss"] == 0.5);
  CHECK(!all[1].contains("step"));
  CHECK(all[2]["step"] == 2);
  { MetricsFile(path, false).step(1, 1, example(1, 1)); }
  CHECK(std::ranges::count(test::read_text(path), '\n') == 1);
}

TEST_CASE("no path, no file; a path that cannot be") {
  MetricsFile none("", false);
  none.step(1, 1, example(1, 1));
  none.epoch(1, example(1, 1), Json::object());
  const test::TemporaryDirectory directory;
  CHECK(test::contains(test::message_of([&] { MetricsFile(directory / "no" / "m.jsonl", false); }),
                       "--metrics"));
  CHECK(test::contains(test::message_of([&] { MetricsFile(directory.path(), false); }), "is a directory"));
}
