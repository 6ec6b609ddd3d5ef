// The log of a key holder, with what hostile callers write.
#include "mlp/program/serve_log.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "mlp/program/console.h"

using namespace smlp;

TEST_CASE("log as JSON: names that are no text of one line are objects of one line in ASCII") {
  const std::string hostile[] = {
      "a\"}\n{\"event\":\"error\"", "back\\slash\\", "\x1b[2J\r\n\t", std::string("nul\0byte", 8),
      "\xff\xfe\xc0\xaf",           "\xe2\x82",      "\xed\xa0\x80",  "Zo\xc3\xab \xf0\x9f\x94\x91"};
  for (const std::string& name : hostile) {
    std::ostringstream out, err;
    Console console(out, err, false);
    ServeLog log(console, LogFormat::json);
    CallRecord answered{.what = "request", .peer = name};
    answered.header.protocol = name;
    log.call(answered);
    CallRecord away{.what = "hello", .peer = name, .refusal = name, .reason = Refusal::not_served};
    away.turned_away = true;
    log.call(away);
    log.warn(name);
    log.say("reloaded", name, {{"peers", {name}}});
    log.say_sums();
    CHECK(out.str().empty());
    std::istringstream lines(err.str());
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      CHECK(std::ranges::all_of(line, [](char c) { return c >= ' ' && c < 0x7f; }));
      const auto object = nlohmann::json::parse(line, nullptr, false);
      REQUIRE(object.is_object());
      CHECK(object.contains("event"));
      if (object.contains("name") && name == hostile[0]) CHECK(object["name"] == name);
    }
    CHECK(count == 6);  // a sum of the name, and one of who was turned away
  }
}

TEST_CASE("log: what may come again, or did not come whole, is counted by the metrics alone") {
  std::ostringstream out, err;
  Console console(out, err, false);
  ServeLog log(console, LogFormat::text);
  for (const Refusal reason : {Refusal::busy, Refusal::unfinished})
    log.call({.what = "request", .peer = "a", .refusal = "why", .reason = reason});
  log.say_sums();
  CHECK(out.str().empty());
  CHECK(err.str().empty());
}
