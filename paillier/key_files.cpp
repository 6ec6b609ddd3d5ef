// Key files: JSON with base64url integers, in the style of python-paillier's.
#include <openssl/evp.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "paillier/base64.h"
#include "paillier/error.h"
#include "paillier/files.h"
#include "paillier/keys.h"
#include "paillier/secret_text.h"

namespace smlp {
namespace {

// Ordered, so that a file reads in the order in which it was written down here. What it holds is wiped.
using Json = nlohmann::basic_json<nlohmann::ordered_map, std::vector, SecretText, bool, std::int64_t,
                                  std::uint64_t, double, WipingAllocator>;

constexpr unsigned file_version = 1;
constexpr std::size_t largest_file = std::size_t{1} << 20;
constexpr std::size_t fewest_bits = 512, most_bits = 8192;
constexpr const char* public_format = "smlp-public-key";
constexpr const char* secret_format = "smlp-secret-key";
constexpr const char* sealed_format = "smlp-sealed-secret-key";

Json public_json(const PublicKeys& keys) {
  const PaillierPublicKey& paillier = keys.paillier();
  const DgkPublicKey& dgk = keys.dgk();
  Json json;
  json["format"] = public_format;
  json["version"] = file_version;
  json["kid"] = to_hex(keys.fingerprint());
  json["paillier"]["variant"] = name(paillier.variant());
  json["paillier"]["bits"] = paillier.bits();
  json["paillier"]["n"] = integer_to_base64url(paillier.n());
  json["paillier"]["hs"] = integer_to_base64url(paillier.hs());
  json["paillier"]["t"] = paillier.subgroup_bits();
  json["dgk"]["n"] = integer_to_base64url(dgk.n());
  json["dgk"]["g"] = integer_to_base64url(dgk.g());
  json["dgk"]["h"] = integer_to_base64url(dgk.h());
  json["dgk"]["u"] = dgk.u();
  json["dgk"]["t"] = dgk.subgroup_bits();
  return json;
}

// SHA-256 over a text and these fields: bytes that no relation of a key would show to be damaged.
std::string checksum(const Json& json, std::string_view begin, std::initializer_list<const char*> fields) {
  SecretText text(begin);
  for (const char* field : fields) text += json.at(field).dump();
  Fingerprint digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw Error("OpenSSL failed to compute SHA-256");
  return to_hex(digest);
}

std::string secret_checksum(const Json& json) {
  return checksum(json, "smlp-secret-key checksum 1", {"kid", "paillier", "dgk", "sealing_secret"});
}

std::string sealed_checksum(const Json& json) {
  return checksum(json, "smlp-sealed-secret-key checksum 1", {"kid", "scrypt", "nonce", "sealed"});
}

Json secret_json(const SecretKeys& keys) {
  const PaillierSecretKey& paillier = keys.paillier();
  const DgkSecretKey& dgk = keys.dgk();
  Json json;
  json["format"] = secret_format;
  json["version"] = file_version;
  json["kid"] = to_hex(keys.public_keys().fingerprint());
  json["public"] = public_json(keys.public_keys());
  json["paillier"]["p"] = integer_to_base64url(paillier.p().value());
  json["paillier"]["q"] = integer_to_base64url(paillier.q().value());
  json["paillier"]["alpha_p"] = integer_to_base64url(paillier.alpha_p().value());
  json["paillier"]["alpha_q"] = integer_to_base64url(paillier.alpha_q().value());
  json["dgk"]["p"] = integer_to_base64url(dgk.p().value());
  json["dgk"]["q"] = integer_to_base64url(dgk.q().value());
  json["dgk"]["v_p"] = integer_to_base64url(dgk.v_p().value());
  json["dgk"]["v_q"] = integer_to_base64url(dgk.v_q().value());
  json["sealing_secret"] = to_base64url(keys.sealing_secret());
  json["checksum"] = secret_checksum(json);
  return json;
}

// What the sealed text is bound to.
std::string sealed_context(std::string_view kid) {
  return std::string(sealed_format) + " 1 " + std::string(kid);
}

Json sealed_json(const SecretKeys& keys, std::string_view pass_phrase, ScryptCost cost) {
  const std::string kid = to_hex(keys.public_keys().fingerprint());
  const SealedText text = seal_text(secret_json(keys).dump(), pass_phrase, sealed_context(kid), cost);
  Json json;
  json["format"] = sealed_format;
  json["version"] = file_version;
  json["kid"] = kid;
  json["public"] = public_json(keys.public_keys());
  json["scrypt"]["n"] = cost.n;
  json["scrypt"]["r"] = ScryptCost::r;
  json["scrypt"]["p"] = ScryptCost::p;
  json["scrypt"]["salt"] = to_base64url(text.salt);
  json["nonce"] = to_base64url(text.nonce);
  json["sealed"] = to_base64url(text.sealed);
  json["checksum"] = sealed_checksum(json);
  return json;
}

// Text of a key file, wiped however its scope is left.
struct WipedBytes {
  Bytes bytes;
  explicit WipedBytes(Bytes content) : bytes(std::move(content)) {}
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;
  ~WipedBytes() { wipe_memory(bytes.data(), bytes.size()); }
};

void write_text(std::string_view text, const std::filesystem::path& path, mode_t mode) {
  write_file_atomically(path, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, mode);
}

// One object of a key file; every access names the field in its error.
class Fields {
 public:
  Fields(const Json& json, std::string prefix, std::initializer_list<std::string_view> names)
      : json_(json), prefix_(std::move(prefix)) {
    if (!json.is_object()) throw Error("field '" + prefix_ + "' is not a JSON object");
    if (!prefix_.empty()) prefix_ += ".";
    for (const auto& [key, value] : json.items())
      if (std::find(names.begin(), names.end(), key) == names.end())
        throw Error("an unknown field stands in " + (prefix_.empty() ? std::string("it") : prefix_));
    for (const std::string_view name : names)
      if (!json.contains(name)) throw Error("field '" + prefix_ + std::string(name) + "' is missing");
  }

  const Json& at(const char* name) const { return json_.at(name); }

  std::string_view text(const char* name) const {
    if (!at(name).is_string()) fail(name, "is not a string");
    return at(name).get_ref<const SecretText&>();
  }

  void require_text(const char* name, const std::string& wanted) const {
    if (text(name) != wanted) fail(name, "is not '" + wanted + "'");
  }

  unsigned number(const char* name, unsigned most) const {
    const Json& value = at(name);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most)
      fail(name, "is not an integer from 0 to " + std::to_string(most));
    return static_cast<unsigned>(value.get<std::uint64_t>());
  }

  // What `decode` makes of a base64url text.
  template <typename Decode>
  auto decoded(const char* name, Decode&& decode) const {
    const std::string_view encoded = text(name);
    try {
      return decode(encoded);
    } catch (const Error& error) {
      fail(name, std::string("is bad base64url: ") + error.what());
    }
  }

  Bytes bytes(const char* name) const { return decoded(name, from_base64url); }

  template <std::size_t Size>
  void fill(const char* name, std::array<std::uint8_t, Size>& out) const {
    const WipedBytes content(bytes(name));
    if (content.bytes.size() != Size) fail(name, "does not hold " + std::to_string(Size) + " bytes");
    std::copy(content.bytes.begin(), content.bytes.end(), out.begin());
  }

  Integer integer(const char* name) const { return decoded(name, integer_from_base64url); }

  Integer modulus(const char* name) const {
    Integer n = integer(name);
    if (bit_length(n) < fewest_bits || bit_length(n) > most_bits)
      fail(name, "has " + std::to_string(bit_length(n)) + " bits, outside " + std::to_string(fewest_bits) +
                     " to " + std::to_string(most_bits));
    return n;
  }

  [[noreturn]] void fail(const char* name, const std::string& rule) const {
    throw Error("field '" + prefix_ + name + "' " + rule);
  }

 private:
  const Json& json_;
  std::string prefix_;
};

PublicKeys public_keys_from(const Json& json, const std::string& prefix) {
  const Fields top(json, prefix, {"format", "version", "kid", "paillier", "dgk"});
  top.require_text("format", public_format);
  if (top.number("version", ~0u) != file_version) top.fail("version", "is not 1, the one that is understood");
  const std::string inner = prefix.empty() ? "" : prefix + ".";
  const Fields p(top.at("paillier"), inner + "paillier", {"variant", "bits", "n", "hs", "t"});
  const Fields d(top.at("dgk"), inner + "dgk", {"n", "g", "h", "u", "t"});
  PaillierPublicKey paillier(variant_from_name(p.text("variant")), p.modulus("n"), p.integer("hs"),
                             p.number("t", most_bits));
  if (p.number("bits", most_bits) != paillier.bits()) p.fail("bits", "is not the length of n");
  if (p.number("t", most_bits) != paillier.subgroup_bits()) p.fail("t", "is not 0, as this variant needs");
  if (p.integer("hs") != paillier.hs()) p.fail("hs", "is not 0, as this variant needs");
  DgkPublicKey dgk(d.modulus("n"), d.integer("g"), d.integer("h"), d.number("u", 65535),
                   d.number("t", most_bits));
  PublicKeys keys(std::move(paillier), std::move(dgk));
  if (top.text("kid") != to_hex(keys.fingerprint()))
    top.fail("kid", "is not the fingerprint of the keys in the file");
  return keys;
}

SecretKeys secret_keys_from(const Json& json) {
  const Fields top(json, "",
                   {"format", "version", "kid", "public", "paillier", "dgk", "sealing_secret", "checksum"});
  top.require_text("format", secret_format);
  if (top.number("version", ~0u) != file_version) top.fail("version", "is not 1, the one that is understood");
  if (top.text("checksum") != secret_checksum(json))
    top.fail("checksum", "does not match the secrets in the file");
  const PublicKeys keys = public_keys_from(top.at("public"), "public");
  top.require_text("kid", to_hex(keys.fingerprint()));
  const Fields p(top.at("paillier"), "paillier", {"p", "q", "alpha_p", "alpha_q"});
  const Fields d(top.at("dgk"), "dgk", {"p", "q", "v_p", "v_q"});
  const auto secret = [](const Fields& fields, const char* name) {
    return SecretInteger(fields.integer(name));
  };
  PaillierSecretKey paillier(keys.paillier(), secret(p, "p"), secret(p, "q"), secret(p, "alpha_p"),
                             secret(p, "alpha_q"));
  DgkSecretKey dgk(keys.dgk(), secret(d, "p"), secret(d, "q"), secret(d, "v_p"), secret(d, "v_q"));
  std::array<std::uint8_t, 32> sealing_secret{};
  top.fill("sealing_secret", sealing_secret);
  SecretKeys secret_keys(std::move(paillier), std::move(dgk), sealing_secret);
  wipe_memory(sealing_secret.data(), sealing_secret.size());
  return secret_keys;
}

bool is_sealed(const Json& json) {
  const auto format = json.is_object() ? json.find("format") : json.end();
  return format != json.end() && *format == sealed_format;
}

// Its text, still sealed, and the public keys that stand beside it.
struct SealedFile {
  PublicKeys keys;
  SealedText text;
};

SealedFile sealed_file_from(const Json& json) {
  const Fields top(json, "", {"format", "version", "kid", "public", "scrypt", "nonce", "sealed", "checksum"});
  top.require_text("format", sealed_format);
  if (top.number("version", ~0u) != file_version) top.fail("version", "is not 1, the one that is understood");
  // Of this form before they are summed up: what is nested deeply would be written recursively.
  static_cast<void>(Fields(top.at("scrypt"), "scrypt", {"n", "r", "p", "salt"}));
  static_cast<void>(top.text("nonce"));
  static_cast<void>(top.text("sealed"));
  if (top.text("checksum") != sealed_checksum(json)) top.fail("checksum", "does not match what is sealed");
  SealedFile file{public_keys_from(top.at("public"), "public"), {}};
  top.require_text("kid", to_hex(file.keys.fingerprint()));
  const Fields scrypt(top.at("scrypt"), "scrypt", {"n", "r", "p", "salt"});
  file.text.cost.n = scrypt.number("n", ~0u);
  file.text.cost.check();
  if (scrypt.number("r", ~0u) != ScryptCost::r) scrypt.fail("r", "is not 8, the one that is understood");
  if (scrypt.number("p", ~0u) != ScryptCost::p) scrypt.fail("p", "is not 1, the one that is understood");
  scrypt.fill("salt", file.text.salt);
  top.fill("nonce", file.text.nonce);
  file.text.sealed = top.bytes("sealed");
  return file;
}

SecretKeys opened_keys_from(const Json& json, const PassPhrase& pass_phrase) {
  const SealedFile file = sealed_file_from(json);
  if (!pass_phrase) throw Error("it is sealed by a pass phrase, and none is given");
  const SecretText text =
      open_text(file.text, pass_phrase(), sealed_context(to_hex(file.keys.fingerprint())));
  SecretKeys keys = secret_keys_from(Json::parse(text));
  if (keys.public_keys().fingerprint() != file.keys.fingerprint())
    throw Error("the key that is sealed is not the one that it names");
  return keys;
}

// Parses and hands the JSON to `make`; every error then begins with `what`.
template <typename Text, typename Make>
auto parse(const Text& text, const std::string& what, Make&& make) {
  try {
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) throw Error("it is not JSON");
    return make(json);
  } catch (const Error& error) {
    throw Error(what + " is refused: " + error.what());
  } catch (const nlohmann::json::exception&) {
    throw Error(what + " is refused: it does not have the form of a key file");
  }
}

// parse() of a file.
template <typename Make>
auto load(const std::filesystem::path& path, Readers readers, Make&& make) {
  const WipedBytes file(read_file(path, largest_file, readers));
  return parse(file.bytes, "the key file " + path.string(), make);
}

PublicKeys public_keys_at_top(const Json& json) {
  return public_keys_from(json, "");
}

}  // namespace

std::string to_json(const PublicKeys& keys) {
  return std::string(std::string_view(public_json(keys).dump(2))) + "\n";
}

void save(const PublicKeys& keys, const std::filesystem::path& path) {
  write_text(to_json(keys), path, 0644);
}

void save(const SecretKeys& keys, const std::filesystem::path& path) {
  write_text(secret_json(keys).dump(2) + "\n", path, 0600);
}

void save(const SecretKeys& keys, const std::filesystem::path& path, std::string_view pass_phrase,
          ScryptCost cost) {
  check_pass_phrase(pass_phrase, "the pass phrase");
  write_text(sealed_json(keys, pass_phrase, cost).dump(2) + "\n", path, 0600);
}

void save_again(const SecretKeys& keys, const std::filesystem::path& path,
                std::optional<std::string_view> pass_phrase, ScryptCost cost) {
  if (pass_phrase) check_pass_phrase(*pass_phrase, "the pass phrase");
  const auto text = (pass_phrase ? sealed_json(keys, *pass_phrase, cost) : secret_json(keys)).dump(2) + "\n";
  rewrite_file_atomically(path, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

PublicKeys public_keys_from_json(std::string_view text, std::string_view what) {
  return parse(text, std::string(what), public_keys_at_top);
}

PublicKeys load_public_keys(const std::filesystem::path& path) {
  return load(path, Readers::anyone, public_keys_at_top);
}

SecretKeys load_secret_keys(const std::filesystem::path& path, const PassPhrase& pass_phrase) {
  return load(path, Readers::owner_only, [&](const Json& json) {
    return is_sealed(json) ? opened_keys_from(json, pass_phrase) : secret_keys_from(json);
  });
}

PublicKeys load_sealed_public_keys(const std::filesystem::path& path) {
  return load(path, Readers::owner_only, [](const Json& json) { return sealed_file_from(json).keys; });
}

}  // namespace smlp
