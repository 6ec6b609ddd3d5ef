// Links in words.
#include "protocols/transport/link_speed.h"

#include <doctest/doctest.h>

#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

TEST_CASE("link speed: words to seconds and back") {
  const LinkSpeed link = LinkSpeed::parse("1Gbit/5ms");
  CHECK(link.up == doctest::Approx(125e6));
  CHECK(link.down == link.up);
  CHECK(link.round_trip == doctest::Approx(0.005));
  CHECK(link.text() == "1 Gbit/s, 5 ms");
  CHECK(LinkSpeed::parse("100Mbit/40ms").text() == "100 Mbit/s, 40 ms");
  CHECK(LinkSpeed::parse("64kbit/1.5s").text() == "64 kbit/s, 1.5 s");
  CHECK(LinkSpeed::parse("10Gbit/80us").text() == "10 Gbit/s, 80 us");
  CHECK(LinkSpeed::parse("999.9Mbit/5ms").text() == "999.9 Mbit/s, 5 ms");
  CHECK(LinkSpeed::parse("2000Gbit/5ms").text() == "2000 Gbit/s, 5 ms");
  CHECK(LinkSpeed::parse("1Gbit/0ms").round_trip == 0);
  CHECK(LinkSpeed{0.04, 1e6, 2e6}.text() == "8 Mbit/s there, 16 Mbit/s back, 40 ms");
  const Traffic traffic{.to_key_holder = 250'000'000, .to_evaluator = 125'000'000, .rounds = 10};
  CHECK(link.seconds(traffic) == doctest::Approx(3.05));
  CHECK(LinkSpeed::parse("loopback").seconds(traffic) < 1);
}

TEST_CASE("link speed: anything else is refused with an example") {
  for (const char* text :
       {"", "fast", "1Gbit", "1Gbit/", "/5ms", "1Gbit/5", "0Mbit/5ms", "-1Gbit/5ms", "1Gbit/-5ms",
        "nanGbit/5ms", "1e-300kbit/1ms", "1Gbit/100000s", "1GB/5ms", "1 Gbit/5ms", "1Gbit/5ms/2"}) {
    CAPTURE(text);
    CHECK(error_of([&] { LinkSpeed::parse(text); }) ==
          "a link is '" + std::string(text) +
              "', allowed are loopback and BANDWIDTH/RTT, as in 1Gbit/5ms (kbit, Mbit, Gbit; us, ms, s)");
  }
}
