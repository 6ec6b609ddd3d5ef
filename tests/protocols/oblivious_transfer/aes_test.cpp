// AES and what is made of it, on every unit of this processor: published vectors, and an evaluation by
// OpenSSL that shares no code.
#include "protocols/oblivious_transfer/aes.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>

#include "paillier/error.h"
#include "protocols/version.h"
#include "tests/support/blocks.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

std::vector<AesUnit> available() {
  std::vector<AesUnit> units;
  for (const AesUnit unit : {AesUnit::openssl, AesUnit::aes_ni, AesUnit::vaes256, AesUnit::vaes512})
    if (is_available(unit)) units.push_back(unit);
  return units;
}

Block from_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return to_block(bytes);
}

}  // namespace

TEST_CASE("aes: the vectors of FIPS 197, appendices B and C.1, and of SP 800-38A, F.1.1") {
  const std::array<std::array<std::string_view, 3>, 6> vectors{{
      {"2b7e151628aed2a6abf7158809cf4f3c", "3243f6a8885a308d313198a2e0370734",
       "3925841d02dc09fbdc118597196a0b32"},
      {"000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
       "69c4e0d86a7b0430d8cdb78070b4c55a"},
      {"2b7e151628aed2a6abf7158809cf4f3c", "6bc1bee22e409f96e93d7e117393172a",
       "3ad77bb40d7a3660a89ecaf32466ef97"},
      {"2b7e151628aed2a6abf7158809cf4f3c", "ae2d8a571e03ac9c9eb76fac45af8e51",
       "f5d3d58503b9699de785895a96fdbaaf"},
      {"2b7e151628aed2a6abf7158809cf4f3c", "30c81c46a35ce411e5fbc1191a0a52ef",
       "43b1cd7f598ece23881b00e3ed030688"},
      {"2b7e151628aed2a6abf7158809cf4f3c", "f69f2445df4f9b17ad2b417be66c3710",
       "7b0c785e27e8ad3f8223207104725dd4"},
  }};
  for (const AesUnit unit : available())
    for (const auto& [key, plain, cipher] : vectors) {
      const Aes128 aes(from_hex(key), unit);
      for (const std::size_t count : {1U, 2U, 3U, 4U, 7U, 33U, 100U}) {  // every way through the kernels
        std::vector<Block> blocks(count, from_hex(plain));
        aes.encrypt(blocks);
        CHECK_MESSAGE(blocks == std::vector<Block>(count, from_hex(cipher)), name(unit), ", ", count);
      }
    }
}

TEST_CASE("aes: counters, hashes and streams are those of OpenSSL on every unit") {
  const Block key = random_blocks(1, 1).front();
  for (const AesUnit unit : available())
    for (const std::size_t count : {1U, 2U, 3U, 5U, 8U, 31U, 32U, 70U}) {
      const Aes128 aes(key, unit);
      std::vector<Block> numbers(count);
      const std::uint64_t first = ~std::uint64_t{0} - 100;
      aes.counter(first, numbers);
      std::vector<Block> x = random_blocks(count, 2), tweaks = random_blocks(count, 3), hashed = x;
      aes.hash(hashed, tweaks);
      const Label label = transfer_label("test", sha256(Bytes{1}));
      std::vector<Block> stream(count);
      SeedStream(key, label, unit).fill(first, stream);
      Bytes seed_text(reinterpret_cast<const std::uint8_t*>(&key),
                      reinterpret_cast<const std::uint8_t*>(&key) + 16);
      seed_text.insert(seed_text.end(), label.begin(), label.end());
      const Block stream_key = to_block(sha256(seed_text));
      for (std::size_t i = 0; i < count; ++i) {
        CHECK(numbers[i] == independent_aes(key, {first + i, 0}));
        CHECK(hashed[i] == independent_hash(key, x[i], tweaks[i]));
        CHECK(stream[i] == independent_aes(stream_key, {first + i, 0}));
      }
    }
  Bytes text;
  for (const std::string_view part : {std::string_view("digits"), std::string_view(version)}) {
    text.insert(text.end(), part.begin(), part.end());
    text.push_back(static_cast<std::uint8_t>(part.size()));
    text.resize(text.size() + 7);
  }
  const Digest digest = sha256(Bytes{1});
  text.insert(text.end(), digest.begin(), digest.end());
  CHECK(transfer_label("digits", digest) == sha256(text));
  CHECK(transfer_label("digits", sha256(Bytes{1})) != transfer_label("share", sha256(Bytes{1})));
  CHECK(transfer_label("digits", sha256(Bytes{1})) != transfer_label("digits", sha256(Bytes{2})));
}

TEST_CASE("aes: as many tweaks as blocks") {
  const Aes128 aes(Block{});
  std::vector<Block> x(3), tweaks(2);
  CHECK(error_of([&] { aes.hash(x, tweaks); }) == "a hash of 3 blocks got 2 tweaks");
}

TEST_CASE("transpose: bit by bit on every unit") {
  for (const AesUnit unit : available())
    for (const std::size_t squares : {1U, 2U, 3U, 4U, 5U, 8U, 11U}) {
      const std::vector<Block> columns = random_blocks(128 * squares, squares);
      std::vector<Block> rows(columns.size());
      transpose(columns, rows, unit);
      std::size_t wrong = 0;
      for (std::size_t j = 0; j < rows.size(); ++j)
        for (std::size_t i = 0; i < 128; ++i)
          wrong += rows[j].bit(i) != columns[i * squares + j / 128].bit(j % 128);
      CHECK_MESSAGE(wrong == 0, name(unit), ", ", squares);
    }
  std::vector<Block> columns(100), rows(100);
  CHECK(error_of([&] { transpose(columns, rows); }) ==
        "a transpose of 100 blocks to 100 is not of 128 columns");
}
