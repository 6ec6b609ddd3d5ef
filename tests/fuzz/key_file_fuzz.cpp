// Key files: what is accepted reads back the same.
#include "paillier/keys.h"
#include "tests/fuzz/fuzz.h"

using namespace smlp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of({data, size});
  fuzz::may_refuse([&] {
    const PublicKeys keys = public_keys_from_json(text, "the input");
    fuzz::expect(public_keys_from_json(to_json(keys), "the output").fingerprint() == keys.fingerprint(),
                 "a public key comes back");
  });
  fuzz::may_refuse([&] { load_secret_keys(fuzz::file_of(text), [] { return SecretText("x"); }); });
  fuzz::may_refuse([&] { load_sealed_public_keys(fuzz::file_of(text)); });
  return 0;
}
