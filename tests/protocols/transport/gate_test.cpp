// Records of those who are turned away.
#include "protocols/transport/gate.h"

#include <doctest/doctest.h>

#include <vector>

using namespace smlp;

TEST_CASE("gate: handshakes that fail hide no caller, and what was only counted is told at the end") {
  std::vector<CallRecord> records;
  ServerOptions options;
  options.log = [&](const CallRecord& call) { records.push_back(call); };
  Gate gate(options);
  for (int i = 0; i < 1000; ++i)
    gate.turn_away({.what = "handshake", .peer = "", .refusal = "no certificate"});
  gate.turn_away({.what = "hello", .peer = "a.example", .refusal = "locked out"});
  REQUIRE(records.back().peer == "a.example");
  CHECK(records.back().left_out == 0);
  gate.record_left_out();
  const std::size_t count = records.size();
  gate.record_left_out();
  CHECK(records.size() == count);
  std::size_t handshakes = 0;
  for (const CallRecord& call : records) {
    CHECK(call.turned_away);
    if (call.what == "handshake") handshakes += 1 + call.left_out;
  }
  CHECK(handshakes == 1000);
  CHECK(count < 1000);
}
