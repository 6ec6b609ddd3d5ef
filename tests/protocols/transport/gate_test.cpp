// Records of those who are turned away.
#include "protocols/transport/gate.h"

#include <doctest/doctest.h>

#include <map>
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

TEST_CASE("gate: who is turned away is counted at once, under the reason of each, whatever is recorded") {
  std::map<Refusal, std::size_t> counted;
  std::size_t recorded = 0;
  ServerOptions options;
  options.log = [&](const CallRecord&) { ++recorded; };
  options.count = [&](const CallRecord& call) {
    ++counted[call.reason];
    CHECK(call.turned_away);
    CHECK(call.left_out == 0);
  };
  Gate gate(options);
  for (int i = 0; i < 100; ++i)
    gate.turn_away({.what = "hello", .peer = "x", .refusal = "no peer", .reason = Refusal::not_served});
  gate.turn_away({.what = "hello", .peer = "a", .refusal = "locked out", .reason = Refusal::locked_out});
  CHECK(counted[Refusal::not_served] == 100);
  CHECK(counted[Refusal::locked_out] == 1);
  CHECK(recorded < 101);
  gate.record_left_out();  // counted they are
  CHECK(counted.size() == 2);
  CHECK(counted[Refusal::not_served] + counted[Refusal::locked_out] == 101);
}
