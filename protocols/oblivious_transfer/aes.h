// AES-128 on many blocks, and what oblivious transfers and garbled circuits make of it: streams from seeds
// and a tweaked hash from a fixed key (Guo, Katz, Wang, Yu 2020).
#pragma once

#include <memory>
#include <string_view>

#include "protocols/oblivious_transfer/block_kernels.h"
#include "protocols/sealed_state.h"

namespace smlp {

enum class AesUnit { openssl, aes_ni, vaes256, vaes512 };
std::string_view name(AesUnit unit);
/// Whether this processor has it.
bool is_available(AesUnit unit);
/// The fastest that this processor has.
AesUnit best_aes_unit();

/// AES-128 under one key, which is wiped. Not shared between threads. The steps do not depend on key or
/// blocks.
class Aes128 {
 public:
  /// Throws Error where the processor does not have the unit.
  explicit Aes128(const Block& key, AesUnit unit = best_aes_unit());
  ~Aes128();
  Aes128(Aes128&&) noexcept;
  Aes128& operator=(Aes128&&) = delete;

  /// In place.
  void encrypt(std::span<Block> blocks) const;
  /// out[i] = AES(first + i), a number of 128 bits, its lowest byte first.
  void counter(std::uint64_t first, std::span<Block> out) const;
  /// x = pi(pi(x) ^ tweak) ^ pi(x), TMMO of Guo, Katz, Wang, Yu 2020 (section 7.4), in place: circular
  /// correlation robust for tweaks of one's choice, pi an ideal permutation. As many tweaks as blocks.
  void hash(std::span<Block> x, std::span<const Block> tweaks) const;
  /// out[b] = pi(b ^ input) ^ mask.
  void pad(const Block& input, const Block& mask, std::span<Block> out) const;

 private:
  struct OpenSsl;
  const BlockKernels* kernels_;
  SecretBlocks round_keys_;
  std::unique_ptr<OpenSsl> openssl_;
};

/// Rows of 128 bits from 128 columns: bit i of rows[j] is bit j of column i. Column i is the blocks
/// columns[i * squares], .., and rows are 128 * squares. Throws Error where the sizes do not fit.
void transpose(std::span<const Block> columns, std::span<Block> rows, AesUnit unit = best_aes_unit());

/// What the streams of seeds are for; a digest of the purpose and of what the request is.
using Label = Digest;
/// SHA-256 of the purpose and this program's version, each with its length, and the digest: two versions that
/// read a request differently share no label.
Label transfer_label(std::string_view purpose, const Digest& digest);

/// A public key of the tweaked hash: the first half of SHA-256 of the purpose and the bytes.
Block hash_key(std::string_view purpose, std::span<const std::uint8_t> bytes);

/// The stream of a seed for a label: AES-128 in counter mode under the first half of SHA-256(seed, label).
class SeedStream {
 public:
  SeedStream(const Block& seed, const Label& label, AesUnit unit = best_aes_unit());
  /// Blocks first, first + 1, ..
  void fill(std::uint64_t first, std::span<Block> out) const { aes_.counter(first, out); }

 private:
  Aes128 aes_;
};

}  // namespace smlp
