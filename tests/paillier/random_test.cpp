// The addressable generator: published AES vectors, addresses, uniformity, the log.
#include "paillier/random.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "paillier/error.h"
#include "paillier/parallel.h"

using namespace smlp;

namespace {

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text.push_back("0123456789abcdef"[byte >> 4]);
    text.push_back("0123456789abcdef"[byte & 15]);
  }
  return text;
}

std::string take(RandomStream stream, std::size_t count) {
  Bytes bytes(count);
  stream.fill(bytes);
  return hex(bytes);
}

}  // namespace

TEST_CASE("AES-256 in counter mode: blocks of the zero key and counters 0, 1, 2") {
  // McGrew and Viega, The Galois/Counter Mode of Operation, test cases 13 and 14: the hash key, the tag of
  // the empty message and the encryption of a zero block are these keystream blocks.
  CHECK(take(RandomStream({}, {}), 48) ==
        "dc95c078a2408989ad48a21492842087"
        "530f8afbc74536b9a963b4f1c4cb738b"
        "cea7403d4d606b6e074ec5d3baf39d18");
}

TEST_CASE("the step stands first in the counter block") {
  // NIST AES known-answer test ECBVarTxt256, count 0: plaintext 80 00 .. 00.
  CHECK(take(RandomStream({}, {.step = 0x80000000}), 16) == "ddc6bf790c15760d8d9aeb6f9a75fd4e");
}

TEST_CASE("the upper half of a tile's number stands behind the element, against the openssl program") {
  const Address address{
      .step = 0x01020304, .layer = 5, .direction = 6, .kind = 7, .tile = 0xef08, .element = 0x090a0b0c};
  CHECK(take(RandomStream({}, address), 16) == "e22f081cc440d3badad93556b96f29b1");
}

TEST_CASE("seed, derivation and address against Python's hashlib, hmac and the openssl program") {
  const RandomSource source = RandomSource::from_seed(2018);
  CHECK(take(source.stream({}), 32) == "19bd867c2eddbc566100d7dfc6b12382c8e703215b3d15a8a899aa6ce9d6f4c4");
  const Address address{
      .step = 0x01020304, .layer = 5, .direction = 6, .kind = 7, .tile = 8, .element = 0x090a0b0c};
  const std::string kilobyte = take(source.derive("twin").stream(address), 1024);
  CHECK(kilobyte.substr(0, 64) == "a31dfd562e1973d42ccb9eb5e09517bb2b850fa8e9951aefb09334128fa5840d");
  CHECK(kilobyte.substr(2 * 120, 32) == "fba95ccc73b7ffd2c0ffc34035024eac");  // across the end of a buffer
  CHECK(kilobyte.substr(2 * 632, 32) == "c6fc034a44cfb9584326503cd981e95f");  // of the next
  CHECK(kilobyte.substr(2048 - 32) == "89af78a5fba5f44d97d78a31a61ba958");
  CHECK(take(source.derive("").stream({}), 16) == "423c90dfbc7c22c8dc96bbe7056afb25");
  const Bytes label = {'t', 'w', 'i', 'n'};
  CHECK(take(source.derive(label).stream(address), 1024) == kilobyte);
}

TEST_CASE("pieces of a stream are the stream") {
  const RandomSource source = RandomSource::from_seed(3);
  RandomStream whole = source.stream({.step = 1}), pieces = source.stream({.step = 1});
  Bytes a(3000), b(3000);
  whole.fill(a);
  std::size_t at = 0;
  for (std::size_t size = 0; at < b.size(); ++size) {
    const std::size_t count = std::min(size, b.size() - at);
    pieces.fill(std::span(b).subspan(at, count));
    at += count;
  }
  CHECK(a == b);
  RandomStream moved(std::move(whole));
  CHECK(moved.word() == pieces.word());
}

TEST_CASE("addresses that differ in one field give different streams") {
  const RandomSource source = RandomSource::from_seed(4);
  const std::vector<Address> addresses = {
      {},          {.step = 1},    {.step = 256}, {.layer = 1},  {.direction = 1},
      {.kind = 1}, {.element = 1}, {.tile = 1},   {.tile = 256}, {.element = std::uint64_t{1} << 31}};
  std::vector<std::string> outputs;
  for (const Address& address : addresses) outputs.push_back(take(source.stream(address), 16));
  for (std::size_t i = 0; i < outputs.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(outputs[i] != outputs[j]);
}

TEST_CASE("an element of 2^32 is refused: it would be one of the next tile") {
  const RandomSource source = RandomSource::from_seed(5);
  CHECK_NOTHROW(source.stream({.element = (std::uint64_t{1} << 32) - 1}));
  CHECK_THROWS_WITH_AS(source.stream({.element = std::uint64_t{1} << 32}),
                       "the random address element 4294967296 is not below 2^32", Error);
  const Draws draws(source, {.tile = 1, .element = 5});
  CHECK_NOTHROW(draws.stream((std::uint64_t{1} << 32) - 6));
  for (const std::uint64_t beyond :
       {(std::uint64_t{1} << 32) - 5, std::uint64_t{1} << 32, ~std::uint64_t{0}, ~std::uint64_t{0} - 4})
    CHECK_THROWS_AS(draws.stream(beyond), Error);
}

TEST_CASE("sources from the system differ") {
  CHECK(take(RandomSource::from_system().stream({}), 32) != take(RandomSource::from_system().stream({}), 32));
}

TEST_CASE("bits and bounds") {
  RandomStream stream = RandomSource::from_seed(6).stream({});
  CHECK(stream.bits(0) == 0);
  CHECK(stream.below(Integer(1)) == 0);
  CHECK(stream.below(std::uint64_t{1}) == 0);
  Integer seen = 0;
  for (int i = 0; i < 200; ++i) {
    const Integer value = stream.bits(67);
    CHECK(bit_length(value) <= 67);
    seen |= value;
  }
  CHECK(seen == power_of_two(67) - 1);
  const Integer bound = power_of_two(64) + 1;
  for (int i = 0; i < 200; ++i) CHECK(stream.below(bound) < bound);
  RandomStream bounded = RandomSource::from_seed(9).stream({}), plain = RandomSource::from_seed(9).stream({});
  for (const std::size_t bits : {1u, 63u, 64u, 65u, 2000u})  // nothing is drawn in vain
    CHECK(bounded.below(power_of_two(bits)) == plain.bits(bits));
  CHECK(stream.below(std::uint64_t{1} << 63) < std::uint64_t{1} << 63);
  CHECK_THROWS_AS(stream.below(Integer(0)), Error);
  CHECK_THROWS_AS(stream.below(Integer(-5)), Error);
  CHECK_THROWS_AS(stream.below(std::uint64_t{0}), Error);
}

TEST_CASE("numbers below a bound are uniform") {
  // Chi-square with 10 degrees of freedom over a fixed seed: 29.6 is the 99.9 % point.
  RandomStream stream = RandomSource::from_seed(7).stream({});
  const int draws = 22000;
  std::vector<int> words(11), integers(11);
  for (int i = 0; i < draws; ++i) {
    ++words[stream.below(std::uint64_t{11})];
    ++integers[stream.below(Integer(11)).get_ui()];
  }
  for (const auto& counts : {words, integers}) {
    double statistic = 0;
    for (const int count : counts)
      statistic += (count - draws / 11.0) * (count - draws / 11.0) / (draws / 11.0);
    CHECK(statistic < 29.6);
  }
}

TEST_CASE("the log catches an address that is opened twice, through every derived source") {
  const auto log = std::make_shared<AddressLog>();
  const RandomSource source = RandomSource::from_seed(8).recording(log);
  const RandomSource derived = source.derive("a");
  source.stream({.step = 1});
  source.stream({.step = 2});
  derived.stream({.step = 1});
  source.derive("b").stream({.step = 1});
  CHECK(log->size() == 4);
  CHECK(log->repeated() == 0);
  source.derive("a").stream({.step = 1});  // the same generator by another way
  CHECK(log->size() == 4);
  CHECK(log->repeated() == 1);
  RandomSource::from_seed(8).stream({.step = 2});  // not recorded
  CHECK(log->repeated() == 1);
}

TEST_CASE("batch element i draws from the base address plus i, whatever the threads") {
  const RandomSource source = RandomSource::from_seed(9);
  const Draws draws(source, {.step = 3, .element = 100});
  std::vector<std::uint64_t> words(64);
  parallel_for(words.size(), [&](std::size_t i) { words[i] = draws.stream(i).word(); });
  for (std::size_t i = 0; i < words.size(); ++i)
    CHECK(words[i] == source.stream({.step = 3, .element = 100 + i}).word());
}

TEST_CASE("heads are the first bytes of the streams of consecutive elements, and recorded like them") {
  const auto log = std::make_shared<AddressLog>();
  const RandomSource source = RandomSource::from_seed(10);
  const Draws draws(source.recording(log), {.step = 3, .tile = 2, .element = 250});
  for (const std::size_t size : {1u, 16u, 17u, 63u, 512u}) {
    constexpr std::size_t count = 300;
    Bytes heads(count * size), streams(count * size);
    draws.fill_heads(7, size, heads);
    for (std::size_t i = 0; i < count; ++i)
      source.stream({.step = 3, .tile = 2, .element = 257 + i})
          .fill(std::span(streams).subspan(i * size, size));
    CHECK(heads == streams);
  }
  CHECK(log->size() == 300);
  CHECK(log->repeated() == 300);
  CHECK_NOTHROW(draws.fill_heads(0, 4, {}));
}

TEST_CASE("heads of other sizes and elements of 2^32 are refused") {
  const RandomSource source = RandomSource::from_seed(11);
  Bytes out(1024);
  CHECK_THROWS_WITH_AS(source.fill_heads({}, 0, out),
                       "a head of 0 random bytes was asked for, allowed are 1 to 512", Error);
  CHECK_THROWS_AS(source.fill_heads({}, 513, out), Error);
  CHECK_NOTHROW(source.fill_heads({.element = (std::uint64_t{1} << 32) - 2}, 512, out));
  CHECK_THROWS_AS(source.fill_heads({.element = (std::uint64_t{1} << 32) - 1}, 512, out), Error);
  CHECK_THROWS_AS(Draws(source, {.element = 5}).fill_heads(~std::uint64_t{0} - 4, 512, out), Error);
}
