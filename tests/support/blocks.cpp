// Blocks, AES and the tweaked hash by OpenSSL alone.
#include "tests/support/blocks.h"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

#include "paillier/random.h"

namespace smlp::testing {

std::vector<Block> random_blocks(std::size_t count, std::uint64_t seed) {
  RandomStream random = RandomSource::from_seed(seed).stream({});
  std::vector<Block> blocks(count);
  for (Block& block : blocks) block = {random.word(), random.word()};
  return blocks;
}

Block independent_aes(const Block& key, const Block& plain) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  Block out;
  int written = 0;
  if (EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr,
                         reinterpret_cast<const unsigned char*>(&key), nullptr) != 1 ||
      EVP_EncryptUpdate(context.get(), reinterpret_cast<unsigned char*>(&out), &written,
                        reinterpret_cast<const unsigned char*>(&plain), 16) != 1)
    throw std::runtime_error("OpenSSL failed");
  return out;
}

Block independent_hash(const Block& key, const Block& x, const Block& tweak) {
  const Block once = independent_aes(key, x);
  return independent_aes(key, once ^ tweak) ^ once;
}

}  // namespace smlp::testing
