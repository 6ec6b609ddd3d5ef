// Hosts and ports as text.
#include "protocols/transport/endpoint.h"

#include <doctest/doctest.h>

#include "tests/support/protocol_fixture.h"

using namespace smlp;
using smlp::testing::error_of;

TEST_CASE("endpoints: text in and out") {
  for (const std::string text : {"localhost:0", "127.0.0.1:65535", "[::1]:50051", "keys.example:443"})
    CHECK(parse_endpoint(text).text() == text);
  CHECK(parse_endpoint("[::1]:1").host == "::1");
  for (const std::string text : {"", ":", "host", "host:", ":1", "host:65536", "host:-1", "host:1x", "::1:5",
                                 "[]:1", "a b:1", "http://host:1", "host:1 ", "host:99999999999"})
    CHECK(error_of([&] { parse_endpoint(text); }) == "'" + text + "' is no address, HOST:PORT is needed");
  CHECK(parse_endpoints("a:1,b:2").size() == 2);
  CHECK(error_of([] { parse_endpoints("a:1,"); }) == "'' is no address, HOST:PORT is needed");
  CHECK(error_of([] { parse_endpoints("a:0"); }) == "'a:0' has port 0, which nobody can call");
  std::string many = "a:1";
  for (int i = 0; i < 64; ++i) many += ",a:1";
  CHECK(error_of([&] { parse_endpoints(many); }) == "65 addresses are given, allowed are at most 64");
}

TEST_CASE("endpoints: loopback") {
  for (const std::string host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"})
    CHECK(Endpoint{host, "1"}.is_loopback());
  // Digits and points alone are a name like any other, which a resolver would be asked for.
  for (const std::string host : {"0.0.0.0", "127.0.0.1.example", "example", "10.0.0.1", "::", "1127.0.0.1",
                                 "127.999.1.1", "127.1", "localhost.example"})
    CHECK(!Endpoint{host, "1"}.is_loopback());
  // Nobody is asked what localhost is.
  CHECK(Endpoint{"localhost", "1"}.address_text() == "127.0.0.1:1");
  CHECK(Endpoint{"::1", "1"}.address_text() == "[::1]:1");
}

TEST_CASE("endpoints: a host that the resolver does not know is unknown") {
  CHECK(why_unknown({"localhost", "1"}).empty());
  CHECK(why_unknown({"127.0.0.1", "1"}).empty());
  CHECK(why_unknown({"::1", "1"}).empty());
  CHECK(why_unknown({"nosuch.invalid", "1"}).starts_with("unknown host nosuch.invalid ("));
}
