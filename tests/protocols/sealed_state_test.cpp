// Sealed state: opens in its own context alone.
#include "protocols/sealed_state.h"

#include <doctest/doctest.h>

#include <functional>
#include <type_traits>

#include "protocols/comparison/sign_state.h"
#include "protocols/opened_values.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using smlp::testing::error_of;

namespace {

constexpr auto refusal = "a sealed state does not belong to this request";
constexpr auto protocol = "comparison/dgk-veugen";

Header sealing_header() {
  Header header;
  header.protocol = protocol;
  header.stage = 1;
  header.session.fill(5);
  header.key.fill(6);
  header.operation = {9, 2, Direction::activation};
  header.numbers = {20, 10, 40};
  header.max_inner = 8;
  header.slots = 4;
  header.layout = {{3, 2}, {4}};
  return header;
}

const std::array<std::uint8_t, 32> secret{1, 2, 3};
const Bytes state{10, 20, 30, 40, 50};

Bytes sealed_sample(std::uint64_t element = 0) {
  RandomStream salt = RandomSource::from_seed(1).stream({.element = element});
  return seal(state, sealing_header(), sha256(Bytes{7}), secret, salt);
}

// What a state holds is wiped before its memory is released.
static_assert(std::is_same_v<decltype(OpenedState::state), SecretBytes>);
static_assert(std::is_same_v<decltype(opened_state({}, {})), SecretBytes>);
static_assert(std::is_same_v<decltype(SignState{}.encode()), SecretBytes>);

Bytes bytes_of(const OpenedState& opened) {
  return {opened.state.begin(), opened.state.end()};
}

std::string open_error(const Bytes& sealed, const Header& header, const std::string& by = protocol,
                       std::uint8_t at = 1, const std::array<std::uint8_t, 32>& with = secret) {
  return error_of([&] { unseal(sealed, header, by, at, with); });
}

}  // namespace

TEST_CASE("SHA-256: the vectors of FIPS 180-4") {
  const std::string abc = "abc";
  const Digest digest = sha256(Bytes(abc.begin(), abc.end()));
  CHECK(to_hex(digest) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("tag of a frame: GMAC and HKDF of other programs") {
  // By Python's hmac and `openssl mac`: HKDF of the secret (no salt; "smlp-request-hash") keys GMAC (AES-256,
  // nonce of zeros), which is the salt of the tag's own HKDF ("smlp-request").
  std::array<std::uint8_t, 32> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::uint8_t>(i);
  Bytes frame;
  for (std::size_t i = 0; i < 1000; ++i) frame.push_back(static_cast<std::uint8_t>(i % 251));
  const Digest tag = frame_tag(frame, numbers);
  CHECK(to_hex(tag) == "7e2df95e417776d5784a2b642b4073bde6434e9931b8a9fcb4bb749208aa1d55");
  CHECK(frame_tag(frame, secret) != tag);
  CHECK(frame_tag(std::span(frame).first(999), numbers) != tag);
  for (std::size_t i = 0; i < frame.size(); ++i) {
    Bytes other = frame;
    other[i] ^= 1;
    CHECK(frame_tag(other, numbers) != tag);
  }
}

TEST_CASE("sealed state: round trip") {
  const Bytes sealed = sealed_sample();
  CHECK(sealed.size() == state.size() + sealed_overhead);
  const OpenedState opened = unseal(sealed, sealing_header(), protocol, 1, secret);
  CHECK(bytes_of(opened) == state);
  CHECK(opened.origin == sealing_header().operation);
  // A later request of another protocol, direction, stage and other parameters may use it.
  Header later = sealing_header();
  later.protocol = "selection/homomorphic";
  later.stage = 0;
  later.operation.direction = Direction::activation_backward;
  later.parameters = {4, 1};
  CHECK(bytes_of(unseal(sealed, later, protocol, 1, secret)) == state);
  RandomStream salt = RandomSource::from_seed(1).stream({});
  const Bytes empty = seal({}, sealing_header(), sha256({}), secret, salt);
  CHECK(unseal(empty, sealing_header(), protocol, 1, secret).state.empty());
}

TEST_CASE("sealed state: a long one, which goes through the cipher in pieces, is that of one piece") {
  Bytes longer((std::size_t{3} << 20) + 5);
  for (std::size_t i = 0; i < longer.size(); ++i) longer[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
  RandomStream salt = RandomSource::from_seed(1).stream({});
  const Bytes sealed = seal(longer, sealing_header(), sha256(Bytes{7}), secret, salt);
  CHECK(to_hex(sha256(sealed)) == "2a63e99f43fa277c6ac3bfcbc6d1299a3bf67ea91fa061301d1d5e6bb55b9674");
  CHECK(bytes_of(unseal(sealed, sealing_header(), protocol, 1, secret)) == longer);
}

TEST_CASE("sealed state: hides the state, and a new salt gives another ciphertext") {
  const Bytes a = sealed_sample(0);
  const Bytes b = sealed_sample(1);
  CHECK(a != b);
  CHECK(std::search(a.begin(), a.end(), state.begin(), state.end()) == a.end());
  const auto tail = static_cast<std::ptrdiff_t>(state.size() + 16);
  CHECK(!std::equal(a.end() - tail, a.end(), b.end() - tail));
}

TEST_CASE("sealed state: any change of what it is bound to is refused by one sentence") {
  const Bytes sealed = sealed_sample();
  const std::vector<std::pair<const char*, std::function<void(Header&)>>> changes = {
      {"session", [](Header& h) { h.session[15] ^= 1; }},
      {"key", [](Header& h) { h.key[31] ^= 1; }},
      {"step", [](Header& h) { ++h.operation.step; }},
      {"layer", [](Header& h) { ++h.operation.layer; }},
      {"tile", [](Header& h) { ++h.operation.tile; }},
      {"value bits", [](Header& h) { ++h.numbers.value_bits; }},
      {"fraction bits", [](Header& h) { ++h.numbers.fraction_bits; }},
      {"sigma", [](Header& h) { ++h.numbers.sigma; }},
      {"inner dimension", [](Header& h) { ++h.max_inner; }},
      {"slots", [](Header& h) { --h.slots; }},
      {"row groups",
       [](Header& h) {
         h.layout.row_groups = {2, 3};
       }},
      {"column groups",
       [](Header& h) {
         h.layout.col_groups = {2, 2};
       }},
      {"transposition", [](Header& h) { h.layout = h.layout.transposed(); }},
  };
  for (const auto& change : changes) {
    Header other = sealing_header();
    change.second(other);
    INFO(change.first);
    CHECK(open_error(sealed, other) == refusal);
  }
  CHECK(open_error(sealed, sealing_header(), "comparison/affine") == refusal);
  CHECK(open_error(sealed, sealing_header(), protocol, 0) == refusal);
  std::array<std::uint8_t, 32> other_secret = secret;
  other_secret[31] ^= 1;
  CHECK(open_error(sealed, sealing_header(), protocol, 1, other_secret) == refusal);
}

TEST_CASE("sealed state: every flipped bit and every other length is refused by the same sentence") {
  const Bytes sealed = sealed_sample();
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1U << bit % 8);
    CAPTURE(bit);
    CHECK(open_error(changed, sealing_header()) == refusal);
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    CHECK(open_error(Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size)),
                     sealing_header()) == refusal);
  Bytes longer = sealed;
  longer.push_back(0);
  CHECK(open_error(longer, sealing_header()) == refusal);
}
