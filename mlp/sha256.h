// SHA-256, for what names content.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "paillier/keys.h"

namespace smlp {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(std::span<const std::uint8_t> bytes);
  void add(std::string_view text);
  /// 8 bytes, little-endian.
  void add(std::uint64_t number);
  /// 8 bytes each, as IEEE 754 has them, little-endian.
  void add(const std::vector<double>& numbers);
  /// Length, then bytes: no two lists of texts are the same bytes.
  void add_counted(std::string_view text);
  /// Ends it.
  Fingerprint value();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Two digits a byte.
std::string hex(std::span<const std::uint8_t> bytes);

}  // namespace smlp
