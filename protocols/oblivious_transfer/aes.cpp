// AES-128 on many blocks: the choice of kernels, and OpenSSL where there are none.
#include "protocols/oblivious_transfer/aes.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "paillier/error.h"
#include "protocols/oblivious_transfer/block_kernels_template.h"
#include "protocols/version.h"

namespace smlp {

namespace {

/// One block a vector in plain integers: for the transpose without vector instructions.
struct Portable {
  using Blocks = Block;
  static constexpr std::size_t width = 1;

  static Blocks load(const Block* from, std::size_t) { return *from; }
  static void store(Block* to, Blocks x, std::size_t) { *to = x; }
  static Blocks broadcast(std::uint64_t x) { return {x, x}; }
  static Blocks exclusive(Blocks a, Blocks b) { return a ^ b; }
  static Blocks both(Blocks a, Blocks b) { return a & b; }
  static Blocks shift_right(Blocks a, int s) { return {a.low >> s, a.high >> s}; }
  static Blocks shift_left(Blocks a, int s) { return {a.low << s, a.high << s}; }
  static Blocks low_halves(Blocks a, Blocks b) { return {a.low, b.low}; }
  static Blocks high_halves(Blocks a, Blocks b) { return {a.high, b.high}; }
};

const BlockKernels* kernels(AesUnit unit) {
  // Asked once: under a hypervisor it takes 10 us to ask a processor what it has.
  static const std::array<const BlockKernels*, 4> all{nullptr, aes_ni_kernels(), vaes256_kernels(),
                                                      vaes512_kernels()};
  return all[static_cast<std::size_t>(unit)];
}

const BlockKernels* require_kernels(AesUnit unit) {
  if (!is_available(unit)) throw Error("this processor has no " + std::string(name(unit)));
  return kernels(unit);
}

}  // namespace

std::string_view name(AesUnit unit) {
  constexpr std::string_view names[] = {"OpenSSL's AES", "AES-NI", "VAES of 256 bits", "VAES of 512 bits"};
  return names[static_cast<std::size_t>(unit)];
}

bool is_available(AesUnit unit) {
  return unit == AesUnit::openssl || kernels(unit) != nullptr;
}

AesUnit best_aes_unit() {
  static const AesUnit best = [] {
    for (const AesUnit unit : {AesUnit::vaes512, AesUnit::vaes256, AesUnit::aes_ni})
      if (is_available(unit)) return unit;
    return AesUnit::openssl;
  }();
  return best;
}

struct Aes128::OpenSsl {
  explicit OpenSsl(const Block& key) : context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free) {
    if (!context ||
        EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr,
                           reinterpret_cast<const unsigned char*>(&key), nullptr) != 1 ||
        EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1)
      throw Error("OpenSSL failed to start AES-128");
  }
  void encrypt(std::span<Block> blocks) const {
    constexpr std::size_t most = 4096;  // OpenSSL counts bytes in an int
    for (std::size_t done = 0; done < blocks.size(); done += most) {
      const std::size_t count = std::min(most, blocks.size() - done);
      auto* const bytes = reinterpret_cast<unsigned char*>(blocks.data() + done);
      int written = 0;
      if (EVP_EncryptUpdate(context.get(), bytes, &written, bytes, static_cast<int>(count * sizeof(Block))) !=
          1)
        throw Error("OpenSSL failed to encrypt with AES-128");
    }
  }
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context;
};

Aes128::Aes128(const Block& key, AesUnit unit) : kernels_(require_kernels(unit)) {
  if (kernels_ == nullptr) {
    openssl_ = std::make_unique<OpenSsl>(key);
    return;
  }
  round_keys_.resize(aes_round_keys);
  kernels_->expand(key, round_keys_.data());
}
Aes128::~Aes128() = default;
Aes128::Aes128(Aes128&&) noexcept = default;

void Aes128::encrypt(std::span<Block> blocks) const {
  if (kernels_ != nullptr)
    kernels_->encrypt(round_keys_.data(), blocks.data(), blocks.size());
  else
    openssl_->encrypt(blocks);
}

void Aes128::counter(std::uint64_t first, std::span<Block> out) const {
  if (kernels_ != nullptr) return kernels_->counter(round_keys_.data(), first, out.data(), out.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = {first + i, 0};
  openssl_->encrypt(out);
}

void Aes128::hash(std::span<Block> x, std::span<const Block> tweaks) const {
  if (x.size() != tweaks.size())
    throw Error("a hash of " + std::to_string(x.size()) + " blocks got " + std::to_string(tweaks.size()) +
                " tweaks");
  if (kernels_ != nullptr) return kernels_->hash(round_keys_.data(), x.data(), tweaks.data(), x.size());
  openssl_->encrypt(x);
  SecretBlocks inner(x.begin(), x.end());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] ^= tweaks[i];
  openssl_->encrypt(x);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] ^= inner[i];
}

void Aes128::pad(const Block& input, const Block& mask, std::span<Block> out) const {
  if (kernels_ != nullptr) return kernels_->pad(round_keys_.data(), input, mask, out.data(), out.size());
  for (std::size_t b = 0; b < out.size(); ++b) out[b] = Block{b, 0} ^ input;
  openssl_->encrypt(out);
  for (Block& block : out) block ^= mask;
}

void transpose(std::span<const Block> columns, std::span<Block> rows, AesUnit unit) {
  const std::size_t squares = columns.size() / 128;
  if (columns.size() != 128 * squares || rows.size() != columns.size())
    throw Error("a transpose of " + std::to_string(columns.size()) + " blocks to " +
                std::to_string(rows.size()) + " is not of 128 columns");
  const BlockKernels* const chosen = require_kernels(unit);
  (chosen == nullptr ? transpose_columns<Portable> : chosen->transpose)(columns.data(), squares, squares,
                                                                        rows.data());
}

Label transfer_label(std::string_view purpose, const Digest& digest) {
  Bytes text;
  for (const std::string_view part : {purpose, std::string_view(version)}) {
    text.insert(text.end(), part.begin(), part.end());
    append_number(part.size(), 8, text);
  }
  text.insert(text.end(), digest.begin(), digest.end());
  return sha256(text);
}

Block hash_key(std::string_view purpose, std::span<const std::uint8_t> bytes) {
  Bytes text(purpose.begin(), purpose.end());
  text.insert(text.end(), bytes.begin(), bytes.end());
  return to_block(sha256(text));
}

namespace {

Block stream_key(const Block& seed, const Label& label) {
  std::array<std::uint8_t, sizeof(Block) + sizeof(Label)> text;
  std::memcpy(text.data(), &seed, sizeof seed);
  std::ranges::copy(label, text.begin() + sizeof seed);
  Digest digest = sha256(text);
  const Block key = to_block(digest);
  wipe_memory(text.data(), text.size());
  wipe_memory(digest.data(), digest.size());
  return key;
}

}  // namespace

SeedStream::SeedStream(const Block& seed, const Label& label, AesUnit unit)
    : aes_(stream_key(seed, label), unit) {}

}  // namespace smlp
