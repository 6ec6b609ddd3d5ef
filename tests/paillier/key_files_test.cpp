// Key files: round trips, and every way in which a file can be wrong.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "paillier/base64.h"
#include "paillier/error.h"
#include "paillier/files.h"
#include "paillier/keys.h"
#include "tests/paillier/python_vectors.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using smlp::test::mode_of;

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const std::filesystem::path& path) {
  const Bytes bytes = read_file(path, 1 << 20, Readers::anyone);
  return std::string(bytes.begin(), bytes.end());
}

// Plain output: the many files of these tests need no fsync.
void write_text(const std::filesystem::path& path, const std::string& text, mode_t mode = 0600) {
  std::ofstream(path) << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

/// How often a text stands in the memory that this process can write to; `hidden` is the text with every
/// character xor 0x55, so that the question itself is not found.
std::size_t times_in_memory(const std::string& hidden) {
  constexpr std::size_t piece = std::size_t{1} << 20;
  void* const mapped = ::mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(mapped != MAP_FAILED);
  auto* const window = static_cast<char*>(mapped);
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  REQUIRE(memory >= 0);
  std::ifstream maps("/proc/self/maps");
  std::size_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    std::size_t end = 0;
    const std::size_t first = std::stoul(line, &end, 16),
                      last = std::stoul(line.substr(end + 1), nullptr, 16);
    const auto own = reinterpret_cast<std::size_t>(window);
    if (line.find(" rw") == std::string::npos || (first <= own && own < last && last - first == piece))
      continue;
    for (std::size_t at = first; at < last; at += piece - hidden.size()) {
      const std::size_t wanted = std::min(piece, last - at);
      if (at < own + piece && own < at + wanted) continue;  // merged with its neighbours
      if (::pread(memory, window, wanted, static_cast<off_t>(at)) != static_cast<ssize_t>(wanted)) break;
      for (std::size_t i = 0; i + hidden.size() <= wanted; ++i) {
        const void* next = std::memchr(window + i, hidden[0] ^ 0x55, wanted - i);
        if (next == nullptr) break;
        i = static_cast<std::size_t>(static_cast<const char*>(next) - window);
        std::size_t same = 0;
        while (same < hidden.size() && i + same < wanted && (window[i + same] ^ 0x55) == hidden[same]) ++same;
        if (same == hidden.size()) ++found;
      }
    }
  }
  ::close(memory);
  ::explicit_bzero(window, piece);
  ::munmap(mapped, piece);
  return found;
}

std::string error_of(const Json& json) {
  try {
    public_keys_from_json(json.dump(), "the text");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

bool same(const SecretKeys& a, const SecretKeys& b) {
  return a.public_keys().fingerprint() == b.public_keys().fingerprint() &&
         a.sealing_secret() == b.sealing_secret() && a.paillier().p().value() == b.paillier().p().value() &&
         a.paillier().alpha_p().value() == b.paillier().alpha_p().value() &&
         a.paillier().alpha_q().value() == b.paillier().alpha_q().value() &&
         a.dgk().p().value() == b.dgk().p().value() && a.dgk().v_p().value() == b.dgk().v_p().value() &&
         a.dgk().v_q().value() == b.dgk().v_q().value();
}

}  // namespace

TEST_CASE("keys of every variant survive their files") {
  const test::TemporaryDirectory directory;
  for (const Variant variant : {Variant::standard, Variant::subgroup}) {
    const SecretKeys& keys = toy_keys(variant);
    save(keys.public_keys(), directory / "public.json");
    save(keys, directory / "secret.json");
    CHECK(mode_of(directory / "secret.json") == 0600);
    CHECK(mode_of(directory / "public.json") == 0644);
    const PublicKeys pub = load_public_keys(directory / "public.json");
    CHECK(pub.fingerprint() == keys.public_keys().fingerprint());
    CHECK(pub.paillier() == keys.public_keys().paillier());
    CHECK(pub.dgk() == keys.public_keys().dgk());
    CHECK(same(load_secret_keys(directory / "secret.json"), keys));
    CHECK(to_json(keys.public_keys()) == text_of(directory / "public.json"));
    CHECK(public_keys_from_json(to_json(pub), "text").fingerprint() == pub.fingerprint());
  }
}

TEST_CASE("the public file holds the documented fields and nothing secret") {
  const SecretKeys& keys = toy_keys();
  const Json json = Json::parse(to_json(keys.public_keys()));
  CHECK(json.size() == 5);
  CHECK(json["format"] == "smlp-public-key");
  CHECK(json["version"] == 1);
  CHECK(json["kid"] == to_hex(keys.public_keys().fingerprint()));
  CHECK(json["paillier"].size() == 5);
  CHECK(json["paillier"]["variant"] == "subgroup");
  CHECK(json["paillier"]["bits"] == 512);
  CHECK(json["paillier"]["t"] == 64);
  CHECK(integer_from_base64url(json["paillier"]["n"].get<std::string>()) ==
        keys.public_keys().paillier().n());
  CHECK(json["dgk"].size() == 5);
  CHECK(json["dgk"]["u"] == 197);
}

TEST_CASE("public keys that are refused, by field") {
  const PublicKeys& keys = toy_keys().public_keys();
  const Json good = Json::parse(to_json(keys));
  CHECK(error_of(good) == "accepted");
  const std::string begin = "the text is refused: ";
  Json bad = good;
  const auto refused = [&](const std::string& rule) {
    CHECK(error_of(bad) == begin + rule);
    bad = good;
  };
  bad["format"] = "smlp-secret-key";
  refused("field 'format' is not 'smlp-public-key'");
  bad["version"] = 2;
  refused("field 'version' is not 1, the one that is understood");
  bad["version"] = "1";
  refused("field 'version' is not an integer from 0 to 4294967295");
  bad["version"] = -1;
  refused("field 'version' is not an integer from 0 to 4294967295");
  bad.erase("kid");
  refused("field 'kid' is missing");
  bad["kid"] = std::string(64, '0');
  refused("field 'kid' is not the fingerprint of the keys in the file");
  bad["extra"] = 1;
  refused("an unknown field stands in it");
  bad["dgk"]["extra"] = 1;
  refused("an unknown field stands in dgk.");
  bad["paillier"] = 5;
  refused("field 'paillier' is not a JSON object");
  bad["paillier"].erase("hs");
  refused("field 'paillier.hs' is missing");
  bad["paillier"]["n"] = 5;
  refused("field 'paillier.n' is not a string");
  bad["paillier"]["n"] = "a+b";
  refused("field 'paillier.n' is bad base64url: a character outside the base64url alphabet");
  bad["paillier"]["n"] = integer_to_base64url(power_of_two(510) + 1);
  refused("field 'paillier.n' has 511 bits, outside 512 to 8192");
  bad["dgk"]["n"] = integer_to_base64url(power_of_two(8192) + 1);
  refused("field 'dgk.n' has 8193 bits, outside 512 to 8192");
  bad["paillier"]["variant"] = "best";
  refused("the Paillier variant 'best' is unknown; it is one of standard, subgroup");
  bad["paillier"]["bits"] = 2048;
  refused("field 'paillier.bits' is not the length of n");
  bad["paillier"]["t"] = 65;
  refused("field 'kid' is not the fingerprint of the keys in the file");
  bad["paillier"]["t"] = 3;
  refused("the Paillier subgroup bits t = 3 are outside 16 to bits / 2 - 16 for n of 512 bits");
  bad["paillier"]["variant"] = "djn";
  refused(
      "the Paillier variant 'djn' (Damgard, Jurik and Nielsen 2010) is refused: its key holder could read "
      "low "
      "bits of the data; make new keys with smlp keygen and encrypt anew");
  bad["paillier"]["variant"] = "standard";
  refused("field 'paillier.t' is not 0, as this variant needs");
  bad["paillier"]["variant"] = "standard";
  bad["paillier"]["t"] = 0;
  refused("field 'paillier.hs' is not 0, as this variant needs");
  bad["dgk"]["u"] = 65536;
  refused("field 'dgk.u' is not an integer from 0 to 65535");
  bad["dgk"]["u"] = 197.5;
  refused("field 'dgk.u' is not an integer from 0 to 65535");
  bad["dgk"]["g"] = "AQ";
  refused("the DGK generator g is not a unit between 1 and n");
  bad["dgk"]["h"] = bad["dgk"]["g"];
  refused("the DGK generators do not satisfy g^u = h");
  bad = Json::array();
  refused("field '' is not a JSON object");
  CHECK_THROWS_WITH_AS(public_keys_from_json("{\"format\":", "the text"),
                       "the text is refused: it is not JSON", Error);
  CHECK_THROWS_AS(public_keys_from_json("", "the text"), Error);
  CHECK_THROWS_AS(public_keys_from_json(std::string(100000, '['), "the text"), Error);
}

TEST_CASE("secret files that are refused") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "secret.json";
  const SecretKeys& keys = toy_keys();
  save(keys, path);
  const std::string good = text_of(path);
  const std::string begin = "the key file " + path.string() + " is refused: ";
  const auto refused = [&](const std::string& text, const std::string& message) {
    write_text(path, text);
    CHECK_THROWS_WITH_AS(load_secret_keys(path), message.c_str(), Error);
  };
  Json bad = Json::parse(good);
  bad["paillier"]["p"] = bad["paillier"]["q"];
  refused(bad.dump(), begin + "field 'checksum' does not match the secrets in the file");
  bad = Json::parse(good);
  bad["sealing_secret"] = to_base64url(Bytes(32, 1));
  refused(bad.dump(), begin + "field 'checksum' does not match the secrets in the file");
  bad = Json::parse(good);
  bad["public"]["paillier"]["t"] = 60;
  refused(bad.dump(), begin + "field 'public.kid' is not the fingerprint of the keys in the file");
  bad = Json::parse(good);
  bad["public"] = Json::parse(to_json(toy_keys(Variant::standard).public_keys()));
  refused(bad.dump(), begin + "field 'kid' is not '" +
                          to_hex(toy_keys(Variant::standard).public_keys().fingerprint()) + "'");
  bad = Json::parse(good);
  bad.erase("sealing_secret");
  refused(bad.dump(), begin + "field 'sealing_secret' is missing");
  bad = Json::parse(good);
  bad["version"] = 3;
  refused(bad.dump(), begin + "field 'version' is not 1, the one that is understood");
  refused(to_json(keys.public_keys()), begin + "field 'public' is missing");
  refused("", begin + "it is not JSON");
  refused(std::string(2 << 20, ' '),
          "the file " + path.string() + " is longer than the allowed 1048576 bytes");

  write_text(path, good, 0644);
  CHECK_THROWS_WITH_AS(
      load_secret_keys(path),
      ("the file " + path.string() + " holds a secret but is open to group or others; run chmod 600 on it")
          .c_str(),
      Error);
  CHECK_THROWS_AS(load_secret_keys(directory / "missing.json"), Error);
  CHECK_THROWS_AS(save(keys, directory / "missing/secret.json"), Error);
  save(keys.public_keys(), directory / "public.json");
  write_text(path, good);
  CHECK(same(load_secret_keys(path), keys));
  CHECK_THROWS_WITH_AS(load_public_keys(path), (begin + "an unknown field stands in it").c_str(), Error);
}

TEST_CASE("a sealed key file opens by its pass phrase alone, and shows its public keys without") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "secret.json";
  const SecretKeys& keys = toy_keys();
  constexpr ScryptCost cheap{ScryptCost::least};
  std::size_t asked = 0;
  const auto gives = [&asked](const char* pass_phrase) {
    return [&asked, pass_phrase] {
      ++asked;
      return SecretText(pass_phrase);
    };
  };
  save(keys, path, "correct horse", cheap);
  CHECK(mode_of(path) == 0600);
  CHECK(same(load_secret_keys(path, gives("correct horse")), keys));
  CHECK(asked == 1);
  CHECK(load_sealed_public_keys(path).fingerprint() == keys.public_keys().fingerprint());
  const std::string good = text_of(path);
  for (const SecretInteger& secret : {keys.paillier().p(), keys.dgk().p()})
    CHECK(good.find(integer_to_base64url(secret.value())) == std::string::npos);
  const std::string begin = "the key file " + path.string() + " is refused: ";
  CHECK_THROWS_WITH_AS(load_secret_keys(path, gives("correct")),
                       (begin + "the pass phrase does not open it").c_str(), Error);
  CHECK_THROWS_WITH_AS(load_secret_keys(path),
                       (begin + "it is sealed by a pass phrase, and none is given").c_str(), Error);

  // What is wrong with the file is said before anybody is asked.
  asked = 0;
  const auto refused = [&](const std::string& text, const std::string& rule) {
    write_text(path, text);
    CHECK_THROWS_WITH_AS(load_secret_keys(path, gives("correct horse")), (begin + rule).c_str(), Error);
    CHECK_THROWS_WITH_AS(load_sealed_public_keys(path), (begin + rule).c_str(), Error);
  };
  const auto refused_without = [&](const auto& change, const std::string& rule) {
    Json bad = Json::parse(good);
    change(bad);
    refused(bad.dump(), rule);
  };
  const std::string damaged = "field 'checksum' does not match what is sealed";
  refused(good.substr(0, good.size() / 2), "it is not JSON");
  refused_without([](Json& bad) { bad["sealed"] = "AAAA"; }, damaged);
  refused_without([](Json& bad) { bad["nonce"] = "AAAA"; }, damaged);
  refused_without([](Json& bad) { bad["scrypt"]["n"] = 1ull << 40; }, damaged);
  refused_without([](Json& bad) { bad.erase("sealed"); }, "field 'sealed' is missing");
  refused_without([](Json& bad) { bad["extra"] = 1; }, "an unknown field stands in it");
  refused_without([](Json& bad) { bad["version"] = 2; },
                  "field 'version' is not 1, the one that is understood");
  refused_without([](Json& bad) { bad["public"]["paillier"]["t"] = 60; },
                  "field 'public.kid' is not the fingerprint of the keys in the file");
  // With a checksum that fits, as somebody would make it who wants memory or another key.
  const auto with_checksum = [&](const auto& change) {
    Json bad = Json::parse(good);
    change(bad);
    std::string text = "smlp-sealed-secret-key checksum 1";
    for (const char* field : {"kid", "scrypt", "nonce", "sealed"}) text += bad[field].dump();
    Fingerprint digest{};
    REQUIRE(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
    bad["checksum"] = to_hex(digest);
    return bad.dump();
  };
  const auto refused_with = [&](const auto& change, const std::string& rule) {
    refused(with_checksum(change), rule);
  };
  refused_with([](Json& bad) { bad["scrypt"]["n"] = 1 << 30; },
               "scrypt's n is 1073741824, allowed are powers of two from 16384 to 262144");
  refused_with([](Json& bad) { bad["scrypt"]["r"] = 1 << 20; },
               "field 'scrypt.r' is not 8, the one that is understood");
  refused_with([](Json& bad) { bad["scrypt"]["p"] = 2; },
               "field 'scrypt.p' is not 1, the one that is understood");
  refused_with([](Json& bad) { bad["scrypt"]["salt"] = "AAAA"; },
               "field 'scrypt.salt' does not hold 32 bytes");
  refused_with([](Json& bad) { bad["nonce"] = "AAAA"; }, "field 'nonce' does not hold 12 bytes");
  const Json other = Json::parse(to_json(toy_keys(Variant::standard).public_keys()));
  refused_with([&](Json& bad) { bad["public"] = other; },
               "field 'kid' is not '" + other["kid"].get<std::string>() + "'");
  CHECK(asked == 0);
  write_text(path, with_checksum([&](Json& bad) {
               bad["public"] = other;
               bad["kid"] = other["kid"];
             }));
  CHECK_THROWS_WITH_AS(load_secret_keys(path, gives("correct horse")),
                       (begin + "the pass phrase does not open it").c_str(), Error);
}

TEST_CASE("no truncation and no flipped bit of a secret file loads as another key [slow]") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "secret.json";
  save(toy_keys(), path);
  const std::string good = text_of(path);
  for (std::size_t size = 0; size + 2 < good.size();
       size += 37) {  // the last two are the closing brace and the newline
    write_text(path, good.substr(0, size));
    CHECK_THROWS_AS(load_secret_keys(path), Error);
  }
  std::size_t refused = 0, tried = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); bit += 37, ++tried) {
    std::string text = good;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
    write_text(path, text);
    bool unchanged = false;
    try {
      unchanged = same(load_secret_keys(path), toy_keys());  // a blank may turn into another blank
    } catch (const Error&) {
      ++refused;
      continue;
    }
    CHECK(unchanged);
  }
  CHECK(refused >= tried - tried / 100);
}

TEST_CASE("a key that was saved, loaded and released leaves no text of its secrets in memory [slow]") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "secret.json";
  std::vector<std::string> hidden;
  const auto hide = [&hidden](std::string_view text) {
    std::string& out = hidden.emplace_back();
    for (const char character : text.substr(0, 24)) out.push_back(static_cast<char>(character ^ 0x55));
  };
  const std::string marker = "a text that stands in memory once, to be found";
  hide(marker);
  {
    const SecretKeys keys = SecretKeys::generate(Variant::subgroup, 1024, 224, RandomSource::from_system());
    const PaillierSecretKey& paillier = keys.paillier();
    const DgkSecretKey& dgk = keys.dgk();
    for (const SecretInteger& secret : {paillier.p(), paillier.q(), dgk.p(), dgk.q(), dgk.v_p(), dgk.v_q()})
      hide(integer_to_base64url(secret.value()));
    hide(to_base64url(keys.sealing_secret()));
    save(keys, path);
    CHECK(same(load_secret_keys(path), keys));
    save(keys, path, "x", {ScryptCost::least});
    CHECK(same(load_secret_keys(path, [] { return SecretText("x"); }), keys));
  }
  CHECK(times_in_memory(hidden.front()) >= 1);
  for (std::size_t i = 1; i < hidden.size(); ++i) {
    CAPTURE(i);
    CHECK(times_in_memory(hidden[i]) == 0);
  }
}
