// scrypt and AES-256-GCM by OpenSSL.
#include "paillier/sealed_text.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <string>

#include "paillier/error.h"
#include "paillier/random.h"

namespace smlp {

namespace {

constexpr int tag_bytes = 16;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

/// Wiped.
struct DerivedKey {
  std::array<std::uint8_t, 32> bytes{};
  ~DerivedKey() { wipe_memory(bytes.data(), bytes.size()); }
};

void check(int ok, const std::string& what) {
  if (ok != 1) throw Error("OpenSSL failed to " + what);
}

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

void derive(const SealedText& sealed, std::string_view pass_phrase, DerivedKey& key) {
  sealed.cost.check();
  const std::uint64_t memory = 128 * sealed.cost.n * ScryptCost::r;
  check(EVP_PBE_scrypt(pass_phrase.data(), pass_phrase.size(), sealed.salt.data(), sealed.salt.size(),
                       sealed.cost.n, ScryptCost::r, ScryptCost::p, memory + (memory >> 1), key.bytes.data(),
                       key.bytes.size()),
        "derive a key by scrypt, which takes " + std::to_string(memory >> 20) + " MiB of memory");
}

CipherContext new_context() {
  CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  if (!context) throw Error("OpenSSL failed to start AES-GCM");
  return context;
}

}  // namespace

void ScryptCost::check() const {
  if (!std::has_single_bit(n) || n < least || n > most)
    throw Error("scrypt's n is " + std::to_string(n) + ", allowed are powers of two from " +
                std::to_string(least) + " to " + std::to_string(most));
}

void check_pass_phrase(std::string_view pass_phrase, const std::string& what) {
  if (pass_phrase.empty()) throw Error(what + " is empty");
  if (pass_phrase.size() > longest_pass_phrase)
    throw Error(what + " has more than the allowed " + std::to_string(longest_pass_phrase) + " bytes");
  // A line may end in a carriage return too, which is none of the pass phrase.
  if (pass_phrase.find_first_of(std::string_view("\n\0", 2)) != std::string_view::npos ||
      pass_phrase.ends_with('\r'))
    throw Error(what + " is more than one line of text");
}

SealedText seal_text(std::string_view text, std::string_view pass_phrase, std::string_view context,
                     ScryptCost cost) {
  SealedText out{cost, {}, {}, Bytes(text.size() + tag_bytes)};
  RandomStream random = RandomSource::from_system().stream({});
  random.fill(out.salt);
  random.fill(out.nonce);
  DerivedKey key;
  derive(out, pass_phrase, key);
  const CipherContext cipher = new_context();
  int written = 0;
  check(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), out.nonce.data()),
        "start AES-GCM");
  check(
      EVP_EncryptUpdate(cipher.get(), nullptr, &written, bytes_of(context), static_cast<int>(context.size())),
      "bind a context");
  check(EVP_EncryptUpdate(cipher.get(), out.sealed.data(), &written, bytes_of(text),
                          static_cast<int>(text.size())),
        "seal a text");
  std::uint8_t* const tag = out.sealed.data() + text.size();
  check(EVP_EncryptFinal_ex(cipher.get(), tag, &written), "seal a text");
  check(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, tag), "make a tag");
  return out;
}

SecretText open_text(const SealedText& sealed, std::string_view pass_phrase, std::string_view context) {
  const Error refusal("the pass phrase does not open it");
  if (sealed.sealed.size() < static_cast<std::size_t>(tag_bytes)) throw refusal;
  DerivedKey key;
  derive(sealed, pass_phrase, key);
  SecretText text(sealed.sealed.size() - tag_bytes, '\0');
  std::array<std::uint8_t, tag_bytes> tag{};
  std::copy_n(sealed.sealed.end() - tag_bytes, tag_bytes, tag.begin());
  const CipherContext cipher = new_context();
  int written = 0;
  check(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), sealed.nonce.data()),
        "start AES-GCM");
  check(
      EVP_DecryptUpdate(cipher.get(), nullptr, &written, bytes_of(context), static_cast<int>(context.size())),
      "bind a context");
  check(EVP_DecryptUpdate(cipher.get(), reinterpret_cast<std::uint8_t*>(text.data()), &written,
                          sealed.sealed.data(), static_cast<int>(text.size())),
        "open a text");
  check(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()), "set a tag");
  if (EVP_DecryptFinal_ex(cipher.get(), reinterpret_cast<std::uint8_t*>(text.data()) + text.size(),
                          &written) != 1)
    throw refusal;
  return text;
}

}  // namespace smlp
