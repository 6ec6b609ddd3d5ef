// The key holder opens what it sealed itself and nothing else.
#include <algorithm>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/parties.h"

using namespace smlp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Bytes own = fuzz::sealed_state();
  const Bytes sealed(data, data + size);
  fuzz::may_refuse([&] {
    const Header header = fuzz::sealing_header();
    const OpenedState opened =
        unseal(sealed, header, header.protocol, header.stage, toy_keys().sealing_secret());
    fuzz::expect(sealed == own && std::ranges::equal(opened.state, fuzz::plain_state()),
                 "a forged state is refused");
  });
  return 0;
}
