// A small encrypted table under toy keys, for the tests of encrypted files.
#pragma once

#include "mlp/training/encrypted_table.h"
#include "tests/mlp/files/files_support.h"

namespace smlp::test {

inline const Numbers& toy_numbers() {
  static const Numbers numbers{.value_bits = 12, .fraction_bits = 4, .sigma = 40};
  return numbers;
}

/// 4 slots in a 512-bit key.
inline BitBudget toy_budget(std::size_t slots = 0) {
  return {toy_numbers(), 16, 512, slots};
}

/// 7 rows x 5 features: cell (i, j) is i - j / 4.
inline Matrix<double> toy_features() {
  Matrix<double> values(7, 5);
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t j = 0; j < 5; ++j) values(i, j) = static_cast<double>(i) - static_cast<double>(j) / 4;
  return values;
}

inline const std::vector<std::size_t>& toy_classes() {
  static const std::vector<std::size_t> classes{0, 1, 2, 1, 0, 2, 1};
  return classes;
}

inline const std::vector<std::size_t>& toy_order() {
  static const std::vector<std::size_t> order{3, 0, 6, 1, 5, 2, 4};
  return order;
}

inline MemoryTable toy_table(bool with_labels = true, std::size_t batch = 5, std::size_t slots = 0) {
  return encrypt_table(toy_keys().public_keys(), toy_budget(slots), batch, toy_features(),
                       with_labels ? class_targets(toy_classes(), 3) : Targets{}, toy_order(),
                       RandomSource::from_seed(7));
}

/// Sizes, name and every ciphertext.
inline bool same_table(const EncryptedTable& a, const EncryptedTable& b) {
  if (!(a.info() == b.info())) return false;
  for (std::size_t group = 0; group < a.groups().widths.size(); ++group) {
    if (!(a.features(group) == b.features(group)) || a.order(group) != b.order(group)) return false;
    if (a.has_labels() && !(a.labels(group) == b.labels(group))) return false;
  }
  return true;
}

}  // namespace smlp::test
