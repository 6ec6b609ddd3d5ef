// Toy parties for the fuzzers of frames: every run has the same keys.
#pragma once

#include "protocols/key_holder.h"
#include "protocols/registry.h"
#include "tests/support/toy_keys.h"

namespace smlp::fuzz {

/// Answers every protocol, leaking ones too.
inline KeyHolder key_holder() {
  KeyHolderPolicy policy;
  for (const Descriptor& descriptor : registry()) policy.protocols.insert(descriptor.wire_name());
  policy.user_keys.push_back(toy_keys(Variant::standard).public_keys().paillier());
  return {toy_keys(), policy, AnswerRandomness::from_source(RandomSource::from_seed(3))};
}

inline Header sealing_header() {
  return {"comparison/dgk-veugen", 0, {}, toy_keys().public_keys().fingerprint(), {}, {}, 8, 4,
          {{2}, {1, 1}},           {}};
}

inline Bytes plain_state() {
  return {1, 0, 1, 1};
}

inline Bytes sealed_state() {
  RandomStream salt = RandomSource::from_seed(4).stream({});
  return seal(plain_state(), sealing_header(), Digest{}, toy_keys().sealing_secret(), salt);
}

}  // namespace smlp::fuzz
