// Sealed state of the stateless key holder.
#include "protocols/sealed_state.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>

#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::size_t salt_bytes = 32;
constexpr std::size_t tag_bytes = 16;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
using KdfContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

/// A derived key that is wiped.
struct DerivedKey {
  std::array<std::uint8_t, 32> bytes{};
  ~DerivedKey() { wipe_memory(bytes.data(), bytes.size()); }
};

void check(int ok, const char* what) {
  if (ok != 1) throw Error(std::string("OpenSSL failed to ") + what);
}

DerivedKey derive_key(const std::array<std::uint8_t, 32>& secret, std::string_view purpose,
                      std::span<const std::uint8_t> salt, std::span<const std::uint8_t> session = {}) {
  Bytes info(purpose.begin(), purpose.end());
  info.insert(info.end(), session.begin(), session.end());
  const KdfContext context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), &EVP_PKEY_CTX_free);
  if (!context) throw Error("OpenSSL failed to start HKDF");
  DerivedKey key;
  std::size_t length = key.bytes.size();
  check(EVP_PKEY_derive_init(context.get()), "start HKDF");
  check(EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()), "choose SHA-256");
  check(EVP_PKEY_CTX_set1_hkdf_salt(context.get(), salt.data(), static_cast<int>(salt.size())),
        "set the salt");
  check(EVP_PKEY_CTX_set1_hkdf_key(context.get(), secret.data(), static_cast<int>(secret.size())),
        "set the secret");
  check(EVP_PKEY_CTX_add1_hkdf_info(context.get(), info.data(), static_cast<int>(info.size())),
        "set the purpose of a key");
  check(EVP_PKEY_derive(context.get(), key.bytes.data(), &length), "derive a key");
  return key;
}

/// Everything the state is bound to, in one canonical string.
Bytes associated_data(const Header& header, const OperationId& origin, const Digest& request) {
  Header bound = header;
  bound.operation = origin;
  bound.parameters.clear();
  Bytes data{wire_version};
  bound.append(data);
  data.insert(data.end(), request.begin(), request.end());
  return data;
}

/// OpenSSL counts bytes in an int, so a longer text goes in pieces. `out` null: bytes that are bound alone.
void update(int (*step)(EVP_CIPHER_CTX*, unsigned char*, int*, const unsigned char*, int),
            EVP_CIPHER_CTX* context, std::uint8_t* out, std::span<const std::uint8_t> in, const char* what) {
  constexpr std::size_t piece = std::size_t{1} << 20;
  for (std::size_t done = 0; done < in.size(); done += piece) {
    const auto part = in.subspan(done, std::min(piece, in.size() - done));
    int written = 0;
    check(step(context, out == nullptr ? nullptr : out + done, &written, part.data(),
               static_cast<int>(part.size())),
          what);
  }
}

/// Every key is used once (fresh salt), so the nonce may be constant.
constexpr std::array<std::uint8_t, 12> nonce{};

}  // namespace

Digest sha256(std::span<const std::uint8_t> bytes) {
  // Fetched once: for a short text that takes longer than to hash it.
  static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm(
      EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free);
  Digest digest;
  if (!algorithm ||
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, algorithm.get(), nullptr) != 1)
    throw Error("OpenSSL failed to compute SHA-256");
  return digest;
}

Digest frame_tag(std::span<const std::uint8_t> frame, const std::array<std::uint8_t, 32>& secret) {
  constexpr std::array<std::uint8_t, 32> no_salt{};
  const DerivedKey key = derive_key(secret, "smlp-request-hash", no_salt);
  static const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> gmac(  // fetched once, as SHA-256 is
      EVP_MAC_fetch(nullptr, "GMAC", nullptr), &EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(
      gmac ? EVP_MAC_CTX_new(gmac.get()) : nullptr, &EVP_MAC_CTX_free);
  if (!context) throw Error("OpenSSL failed to start GMAC");
  std::string cipher = "AES-256-GCM";
  std::array<std::uint8_t, 12> constant = nonce;  // nobody sees the hash itself
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, constant.data(), constant.size()),
      OSSL_PARAM_construct_end()};
  std::array<std::uint8_t, tag_bytes> hash;
  std::size_t length = 0;
  check(EVP_MAC_init(context.get(), key.bytes.data(), key.bytes.size(), parameters.data()), "start GMAC");
  check(EVP_MAC_update(context.get(), frame.data(), frame.size()), "hash a frame");
  check(EVP_MAC_final(context.get(), hash.data(), &length, hash.size()), "hash a frame");
  const Digest tag = derive_key(secret, "smlp-request", hash).bytes;
  wipe_memory(hash.data(), hash.size());
  return tag;
}

Bytes seal(std::span<const std::uint8_t> state, const Header& header, const Digest& request,
           const std::array<std::uint8_t, 32>& sealing_secret, RandomStream& random) {
  std::array<std::uint8_t, salt_bytes> salt;
  random.fill(salt);
  const DerivedKey key = derive_key(sealing_secret, "smlp-seal", salt, header.session);
  const Bytes bound = associated_data(header, header.operation, request);

  Bytes sealed{wire_version};
  append_operation(header.operation, sealed);
  sealed.insert(sealed.end(), salt.begin(), salt.end());
  sealed.insert(sealed.end(), request.begin(), request.end());
  const std::size_t start = sealed.size();
  sealed.resize(start + state.size() + tag_bytes);

  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  if (!context) throw Error("OpenSSL failed to start AES-GCM");
  int written = 0;
  check(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), nonce.data()),
        "start AES-GCM");
  update(EVP_EncryptUpdate, context.get(), nullptr, bound, "bind a header");
  update(EVP_EncryptUpdate, context.get(), sealed.data() + start, state, "seal a state");
  check(EVP_EncryptFinal_ex(context.get(), sealed.data() + start + state.size(), &written), "seal a state");
  check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_bytes),
                            sealed.data() + start + state.size()),
        "make a tag");
  return sealed;
}

OpenedState unseal(std::span<const std::uint8_t> sealed, const Header& header, const std::string& sealed_by,
                   std::uint8_t sealed_at, const std::array<std::uint8_t, 32>& sealing_secret) {
  const Error refusal("a sealed state does not belong to this request");
  if (sealed.size() < sealed_overhead || sealed[0] != wire_version) throw refusal;
  ByteReader reader(sealed.subspan(1));
  OpenedState opened;
  opened.origin = read_operation(reader);
  OperationId same = opened.origin;
  same.direction = header.operation.direction;
  if (same != header.operation) throw refusal;
  const auto salt = reader.take(salt_bytes, "the salt");
  Digest request;
  const auto tagged = reader.take(request.size(), "the tag of a request");
  std::copy(tagged.begin(), tagged.end(), request.begin());
  const auto ciphertext = reader.take(reader.remaining() - tag_bytes, "the state");
  const auto tag = reader.take(tag_bytes, "the tag");

  const DerivedKey key = derive_key(sealing_secret, "smlp-seal", salt, header.session);
  Header bound = header;
  bound.protocol = sealed_by;
  bound.stage = sealed_at;
  const Bytes data = associated_data(bound, opened.origin, request);
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  if (!context) throw Error("OpenSSL failed to start AES-GCM");
  opened.state.resize(ciphertext.size());
  Bytes expected_tag(tag.begin(), tag.end());
  int written = 0;
  check(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), nonce.data()),
        "start AES-GCM");
  update(EVP_DecryptUpdate, context.get(), nullptr, data, "bind a header");
  update(EVP_DecryptUpdate, context.get(), opened.state.data(), ciphertext, "open a state");
  check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_bytes),
                            expected_tag.data()),
        "set a tag");
  if (EVP_DecryptFinal_ex(context.get(), opened.state.data() + opened.state.size(), &written) != 1)
    throw refusal;
  return opened;
}

}  // namespace smlp
