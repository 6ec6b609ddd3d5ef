// base64url: the vectors of RFC 4648, and only canonical texts.
#include "paillier/base64.h"

#include <doctest/doctest.h>

#include "paillier/error.h"

using namespace smlp;

namespace {

Bytes bytes_of(std::string_view text) {
  return Bytes(text.begin(), text.end());
}

}  // namespace

TEST_CASE("vectors of RFC 4648, section 10, without padding") {
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    CHECK(to_base64url(bytes_of(plain)) == text);
    CHECK(from_base64url(text) == bytes_of(plain));
  }
  CHECK(to_base64url(Bytes{0xfb, 0xff, 0xfe}) == "-__-");
}

TEST_CASE("texts that are refused") {
  for (const char* text : {"Zg==", "Zh", "Zm9", "Z", "Zm9vY", "Zm 9v", "+/+/", "Zm9v\n", "\xc3\xa9=="})
    CHECK_THROWS_AS(from_base64url(text), Error);
}

TEST_CASE("integers") {
  CHECK(integer_to_base64url(0) == "AA");
  CHECK(integer_to_base64url(65537) == "AQAB");  // the exponent of every JSON Web Key
  CHECK(integer_from_base64url("AQAB") == 65537);
  CHECK(integer_from_base64url("AA") == 0);
  const Integer large = power_of_two(2047) + 12345;
  CHECK(integer_from_base64url(integer_to_base64url(large)) == large);
  CHECK_THROWS_AS(integer_from_base64url(""), Error);
  CHECK_THROWS_AS(integer_from_base64url("AAEAAQ"), Error);  // a leading zero octet
  CHECK_THROWS_AS(integer_to_base64url(-1), Error);
}
