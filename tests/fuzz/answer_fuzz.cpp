// The evaluator meets any answer: a frame, and the ciphertexts of both cryptosystems in its body.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/parties.h"

using namespace smlp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const PublicKeys& keys = toy_keys().public_keys();
  Bytes body(data, data + size);
  fuzz::may_refuse([&] { body = decode_answer({data, size}); });
  const auto decode = [&](const auto& key) {
    const std::size_t count = body.size() / key.ciphertext_bytes();
    const std::span<const std::uint8_t> whole(body.data(), count * key.ciphertext_bytes());
    return key.decode(whole, count, "an answer");
  };
  fuzz::may_refuse([&] {
    const auto ciphertexts = decode(keys.paillier());
    Bytes again;
    keys.paillier().encode_at_rest(ciphertexts, again);
    fuzz::expect(std::equal(again.begin(), again.end(), body.begin()), "a ciphertext has one form");
  });
  fuzz::may_refuse([&] { decode(keys.dgk()); });
  return 0;
}
