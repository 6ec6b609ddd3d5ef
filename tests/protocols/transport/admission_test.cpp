// Counting calls, requests and bytes.
#include "protocols/transport/admission.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/protocol_fixture.h"

using namespace smlp;
using smlp::testing::error_of;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

}  // namespace

TEST_CASE("admission: calls of one peer and of all are bounded, and given back") {
  Limits limits;
  limits.calls = 3;
  limits.calls_of_a_peer = 2;
  Admission admission(limits);
  auto first = admission.admit("a");
  {
    const auto second = admission.admit("a");
    CHECK(error_of([&] { admission.admit("a"); }) == "the key holder is busy: too many calls are open");
    const auto third = admission.admit("b");
    CHECK_THROWS_AS(admission.admit("c"), Busy);
  }
  CHECK_NOTHROW(admission.admit("a"));
  Admission::Ticket moved = std::move(first);
  first = Admission::Ticket();
  const auto again = admission.admit("a");
  CHECK_THROWS_AS(admission.admit("a"), Busy);
}

TEST_CASE("admission: memory is granted as long as there is some, and given back") {
  Limits limits;
  limits.memory = 10 * mebibyte;
  Admission admission(limits);
  auto first = admission.admit("a");
  auto second = admission.admit("b");
  first.hold(6 * mebibyte);
  CHECK_THROWS_AS(second.hold(5 * mebibyte), Busy);
  CHECK(error_of([&] { second.hold(10 * mebibyte + 1); }) ==
        "a request would take 11 MiB of memory, this key holder has 10 MiB for requests");
  second.hold(4 * mebibyte);
  CHECK(admission.memory_held() == 10 * mebibyte);
  CHECK_THROWS_AS(first.hold(6 * mebibyte + 1), Busy);
  first.hold(mebibyte);
  second.hold(9 * mebibyte);
  { const Admission::Ticket gone = std::move(second); }
  CHECK(admission.memory_held() == mebibyte);
}

TEST_CASE("admission: a peer that asks too often is told so, and may ask again later") {
  Limits limits;
  limits.requests_at_once = 20;
  limits.requests_per_second = 2;
  Admission admission(limits);
  const auto start = Admission::Clock::now();
  const auto at = [&](int milliseconds) { return start + std::chrono::milliseconds(milliseconds); };
  for (int i = 0; i < 20; ++i) CHECK_NOTHROW(admission.admit("a", at(0)));
  CHECK(error_of([&] { admission.admit("a", at(0)); }) == "the key holder is busy: requests come too fast");
  CHECK_NOTHROW(admission.admit("b", at(0)));
  CHECK_THROWS_AS(admission.admit("a", at(400)), Busy);
  CHECK_NOTHROW(admission.admit("a", at(501)));
  CHECK_THROWS_AS(admission.admit("a", at(502)), Busy);
  // An hour of silence is worth as many as may come at once.
  for (int i = 0; i < 20; ++i) CHECK_NOTHROW(admission.admit("a", at(3'600'000)));
  CHECK_THROWS_AS(admission.admit("a", at(3'600'000)), Busy);
}

TEST_CASE("admission: without limits") {
  Admission admission(Limits::none());
  std::vector<Admission::Ticket> tickets;
  for (int i = 0; i < 1000; ++i) {
    tickets.push_back(admission.admit("a"));
    tickets.back().hold(std::size_t{1} << 40);
  }
  CHECK(admission.memory_held() == std::size_t{1000} << 40);
}
