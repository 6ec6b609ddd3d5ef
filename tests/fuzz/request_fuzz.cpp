// The key holder meets any frame: it answers or refuses, and never throws.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/parties.h"

using namespace smlp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const KeyHolder key_holder = fuzz::key_holder();
  const fuzz::Input frame(data, size);
  fuzz::may_refuse([&] {
    const Request request = decode_request(frame);
    const Bytes again = encode_request(request.header, request.body);
    fuzz::expect(again == Bytes(frame.begin(), frame.end()), "a request has one form");
  });
  fuzz::may_refuse([&] {
    std::vector<ChainedRequest> chain = decode_chain(frame);
    fuzz::expect(encode_chain(chain) == Bytes(frame.begin(), frame.end()), "a chain has one form");
    std::vector<Bytes> answers;
    for (ChainedRequest& request : chain) {
      fill_gaps(request, answers);
      answers.push_back(key_holder.answer(request.frame));
    }
    decode_chain_answer(encode_chain_answer(answers), chain.size());
  });
  const Bytes answer = key_holder.answer(frame);
  fuzz::may_refuse([&] { decode_answer(answer); });
  return 0;
}
