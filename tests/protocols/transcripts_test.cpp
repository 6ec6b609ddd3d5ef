// The wire, frozen: the digest of each protocol's seeded transcript is in transcripts.txt, so that a change
// of it is seen in review.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "paillier/parallel.h"
#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

std::string digest_of(const Descriptor& descriptor) {
  TwoParties parties({.slots = descriptor.single_value ? one_slot : many_slots, .seed = 50});
  run_protocol(parties, descriptor, compositions(descriptor).front());
  return to_hex(parties.channel().transcript());
}

std::map<std::string, std::string> baseline() {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "transcripts.txt";
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, "the tests run in the repository root; there is no ", path.string());
  std::map<std::string, std::string> out;
  std::string name, digest;
  while (file >> name >> digest) out[name] = digest;
  return out;
}

}  // namespace

TEST_CASE("transcripts: as frozen, for every protocol") {
  std::map<std::string, std::string> frozen = baseline();
  std::ostringstream lines;
  bool same = true;
  for (const Descriptor& descriptor : registry()) {
    const std::string digest = digest_of(descriptor);
    lines << descriptor.wire_name() << ' ' << digest << '\n';
    same &= frozen[descriptor.wire_name()] == digest;
  }
  same &= frozen.size() == registry().size();
  CHECK_MESSAGE(same, "the wire has changed; if that is meant, transcripts.txt becomes\n", lines.str());
}

TEST_CASE("transcripts: the same for one thread and for two [parallel]") {
  const int threads = thread_count();
  for (const Descriptor& descriptor : registry()) {
    set_thread_count(1);
    const std::string one = digest_of(descriptor);
    set_thread_count(2);
    const std::string two = digest_of(descriptor);
    INFO(descriptor.wire_name());
    CHECK(one == two);
  }
  set_thread_count(threads);
}

TEST_CASE("transcripts: another seed gives another one") {
  const auto digest = [](std::uint64_t seed) {
    TwoParties parties({.seed = seed});
    run_every_protocol(parties);
    return parties.channel().transcript();
  };
  CHECK(digest(51) == digest(51));
  CHECK(digest(51) != digest(52));
}

TEST_CASE("randomness: no address is used twice in a run of all protocols, by any party") {
  const auto log = std::make_shared<AddressLog>();
  TwoParties many({.seed = 53, .log = log});
  run_every_protocol(many);
  TwoParties single({.slots = one_slot, .seed = 54, .log = log});
  run_every_protocol(single);
  CHECK(log->size() > 2000);
  CHECK(log->repeated() == 0);
  // A protocol twice at one place is refused; had it drawn, the log would tell.
  const ProtocolSet set = make_protocols(preset("homomorphic"), many.budget());
  const EncryptedMatrix z = many.encrypt(matrix_of(1, 1, {1}));
  const OperationId operation = many.next_operation();
  set.comparison->sign(many.evaluator(), operation, z);
  CHECK(log->repeated() == 0);
  CHECK(error_of([&] { set.comparison->sign(many.evaluator(), operation, z); }).find("is used already") !=
        std::string::npos);
  many.evaluator_random().stream(operation.address(RandomnessKind::mask_comparison));
  CHECK(log->repeated() == 1);
}
