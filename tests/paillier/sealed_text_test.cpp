// Texts under a pass phrase: what Python's hashlib.scrypt and AESGCM of its package cryptography make of the
// same input, and everything that must not open.
#include <doctest/doctest.h>

#include <numeric>
#include <string>

#include "paillier/error.h"
#include "paillier/sealed_text.h"

using namespace smlp;

namespace {

constexpr ScryptCost cheap{ScryptCost::least};

Bytes from_hex(const std::string& text) {
  Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  return out;
}

void check_refused(const SealedText& sealed, std::string_view pass_phrase, std::string_view context) {
  CHECK_THROWS_WITH_AS(open_text(sealed, pass_phrase, context), "the pass phrase does not open it", Error);
}

}  // namespace

TEST_CASE("a text that Python sealed is opened") {
  SealedText sealed{cheap, {}, {}, from_hex("1010e276256694fab9c2f9b76fd8c6d3d163cb329015e33c44457172e9")};
  std::iota(sealed.salt.begin(), sealed.salt.end(), std::uint8_t{0});
  std::iota(sealed.nonce.begin(), sealed.nonce.end(), std::uint8_t{100});
  CHECK(open_text(sealed, "correct horse", "a context") == "a secret text");
}

TEST_CASE("a sealed text opens by its pass phrase and context alone") {
  const SealedText sealed = seal_text("a secret text", "correct horse", "a context", cheap);
  CHECK(sealed.sealed.size() == 13 + 16);
  CHECK(open_text(sealed, "correct horse", "a context") == "a secret text");
  check_refused(sealed, "correct horse ", "a context");
  check_refused(sealed, "", "a context");
  check_refused(sealed, "correct horse", "another context");
  SealedText bad = sealed;
  bad.cost.n *= 2;
  check_refused(bad, "correct horse", "a context");
  bad = sealed;
  bad.salt[31] ^= 1;
  check_refused(bad, "correct horse", "a context");
  bad = sealed;
  bad.nonce[0] ^= 1;
  check_refused(bad, "correct horse", "a context");
  for (const std::size_t byte : {0u, 12u, 13u, 28u}) {
    bad = sealed;
    bad.sealed[byte] ^= 0x80;
    check_refused(bad, "correct horse", "a context");
  }
  for (const std::size_t size : {0u, 15u, 16u, 28u}) {
    bad = sealed;
    bad.sealed.resize(size);
    check_refused(bad, "correct horse", "a context");
  }
  CHECK(open_text(seal_text("", "x", "", cheap), "x", "").empty());
}

TEST_CASE("no two sealed texts share salt, nonce or bytes") {
  const SealedText a = seal_text("a secret text", "x", "", cheap),
                   b = seal_text("a secret text", "x", "", cheap);
  CHECK(a.salt != b.salt);
  CHECK(a.nonce != b.nonce);
  CHECK(a.sealed != b.sealed);
}

TEST_CASE("what scrypt may cost is bounded before memory is taken") {
  for (const std::uint64_t n : {0ull, 1ull, 8192ull, 16385ull, 1ull << 19, 1ull << 40, ~0ull}) {
    CHECK_THROWS_WITH_AS(
        ScryptCost{n}.check(),
        ("scrypt's n is " + std::to_string(n) + ", allowed are powers of two from 16384 to 262144").c_str(),
        Error);
    CHECK_THROWS_AS(open_text({{n}, {}, {}, Bytes(40)}, "x", ""), Error);
    CHECK_THROWS_AS(seal_text("x", "x", "", {n}), Error);
  }
  ScryptCost{}.check();
}
