// Toy keys for unit tests: 512 bits, from public seeds. They protect nothing.
#pragma once

#include "paillier/keys.h"

namespace smlp {

/// The toy key pair of a variant: n of 512 bits, t = 64, u = 197; the same in every run. Made at the first
/// call.
inline const SecretKeys& toy_keys(Variant variant) {
  const auto make = [](Variant v, std::uint64_t seed) {
    return SecretKeys::generate(v, 512, 64, RandomSource::from_seed(seed));
  };
  static const SecretKeys standard = make(Variant::standard, 512);
  static const SecretKeys subgroup = make(Variant::subgroup, 514);
  return variant == Variant::standard ? standard : subgroup;
}

/// The toy key pair of the default variant.
inline const SecretKeys& toy_keys() {
  return toy_keys(Variant::subgroup);
}

}  // namespace smlp
