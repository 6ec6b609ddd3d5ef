// How a request names a comparison.
#include "protocols/comparison/sign_state.h"

#include <doctest/doctest.h>

#include <set>

#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using smlp::testing::error_of;

TEST_CASE("sign state: a comparison is named by a digest of its wire name") {
  // printf %s comparison/dgk-veugen | sha256sum: bb395388c6f585d3.., comparison/affine: f9a922f5d7531597..
  CHECK(comparison_word("comparison/dgk-veugen") == static_cast<std::int64_t>(0xd385f5c6885339bb));
  CHECK(comparison_word("comparison/affine") == static_cast<std::int64_t>(0x971553d7f522a9f9));
  std::set<std::int64_t> words;
  for (const Descriptor& d : registry()) {
    if (d.family != Family::comparison) continue;
    CHECK(words.insert(comparison_word(d.wire_name())).second);
    CHECK(&comparison_by_word(comparison_word(d.wire_name())) == &d);
  }
  CHECK(error_of([] { comparison_by_word(4); }) ==
        "the comparison of a request is none that this key holder has");
  CHECK(error_of([] { comparison_by_word(comparison_word("selection/homomorphic")); }) != "");
}
