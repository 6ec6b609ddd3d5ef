// Key bundles and the fingerprint that names them.
#include "paillier/keys.h"

#include <openssl/evp.h>

#include <optional>
#include <string_view>

#include "paillier/error.h"
#include "paillier/parallel.h"

namespace smlp {
namespace {

// Fields as 8 bytes of length and the content, all little-endian: injective.
void append_field(std::string_view text, Bytes& out) {
  append_little_endian(Integer(static_cast<unsigned long>(text.size())), 8, out);
  out.insert(out.end(), text.begin(), text.end());
}

void append_field(const Integer& value, Bytes& out) {
  const std::size_t width = (bit_length(value) + 7) / 8;
  append_little_endian(Integer(static_cast<unsigned long>(width)), 8, out);
  append_little_endian(value, width, out);
}

Fingerprint fingerprint_of(const PaillierPublicKey& paillier, const DgkPublicKey& dgk) {
  Bytes bytes;
  append_field("smlp-public-key 1", bytes);
  append_field(name(paillier.variant()), bytes);
  append_field(paillier.n(), bytes);
  append_field(paillier.hs(), bytes);
  append_field(Integer(static_cast<unsigned long>(paillier.subgroup_bits())), bytes);
  append_field(dgk.n(), bytes);
  append_field(dgk.g(), bytes);
  append_field(dgk.h(), bytes);
  append_field(Integer(dgk.u()), bytes);
  append_field(Integer(static_cast<unsigned long>(dgk.subgroup_bits())), bytes);
  Fingerprint fingerprint{};
  if (EVP_Digest(bytes.data(), bytes.size(), fingerprint.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw Error("OpenSSL failed to compute SHA-256");
  return fingerprint;
}

}  // namespace

std::string to_hex(const Fingerprint& fingerprint) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : fingerprint) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

PublicKeys::PublicKeys(PaillierPublicKey paillier, DgkPublicKey dgk)
    : paillier_(std::move(paillier)), dgk_(std::move(dgk)), fingerprint_(fingerprint_of(paillier_, dgk_)) {
  if (gcd(paillier_.n(), dgk_.n()) != 1) throw Error("the Paillier and the DGK modulus share a factor");
}

SecretKeys::SecretKeys(PaillierSecretKey paillier, DgkSecretKey dgk,
                       std::array<std::uint8_t, 32> sealing_secret)
    : paillier_(std::move(paillier)),
      dgk_(std::move(dgk)),
      sealing_secret_(sealing_secret),
      public_keys_(paillier_.public_key(), dgk_.public_key()) {
  wipe_memory(sealing_secret.data(), sealing_secret.size());
}

SecretKeys::~SecretKeys() {
  wipe_memory(sealing_secret_.data(), sealing_secret_.size());
}

SecretKeys SecretKeys::generate(Variant variant, std::size_t bits, std::size_t subgroup_bits,
                                const RandomSource& random) {
  std::optional<PaillierSecretKey> paillier;
  std::optional<DgkSecretKey> dgk;
  parallel_for(2, [&](std::size_t which) {
    if (which == 0) {
      RandomStream stream = random.derive("paillier key").stream({});
      paillier = PaillierSecretKey::generate(variant, bits, subgroup_bits, stream);
    } else {
      RandomStream stream = random.derive("dgk key").stream({});
      dgk = DgkSecretKey::generate(bits, subgroup_bits, DgkPublicKey::default_u, stream);
    }
  });
  std::array<std::uint8_t, 32> sealing_secret{};
  random.derive("sealing secret").stream({}).fill(sealing_secret);
  SecretKeys keys(std::move(*paillier), std::move(*dgk), sealing_secret);
  wipe_memory(sealing_secret.data(), sealing_secret.size());
  return keys;
}

}  // namespace smlp
