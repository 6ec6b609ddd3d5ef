// Both ends of a connection: the same frames as without one, bounds, failures.
#include "protocols/transport/server.h"

#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include "protocols/transport/hosted.h"
#include "tests/protocols/transport/transport_support.h"
#include "tests/support/temporary_directory.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

/// Whether the calls come to hold this much.
bool comes_to_hold(const KeyHolderServer& server, std::size_t bytes) {
  const auto end = std::chrono::steady_clock::now() + soon;
  while (server.memory_held() != bytes && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return server.memory_held() == bytes;
}

/// Whether every call gives back what it held: its last moments come after its client's.
bool becomes_idle(const KeyHolderServer& server) {
  return comes_to_hold(server, 0);
}

/// The evaluator of `parties` on another channel, in this session.
Evaluator on_channel(const TwoParties& parties, Channel& channel, const SessionId& session) {
  return {parties.evaluator().keys, parties.budget(), channel, parties.evaluator_random(), session};
}

void truncate(const Evaluator& evaluator, const EncryptedMatrix& x) {
  make_protocols(preset("homomorphic"), evaluator.budget)
      .truncation->rescale(evaluator, {1, 1, Direction::forward}, x, 20, {1, 4}, std::nullopt);
}

}  // namespace

TEST_CASE(
    "transport: every request of every protocol gets the same answer over TLS as without a connection") {
  TwoParties parties;
  run_every_protocol(parties);
  KeyHolderServer server(toy_key_holder(), listening(party(key_holder_name, {evaluator_name})));
  RemoteKeyHolder remote(links(link_to(server, party(evaluator_name, {key_holder_name}))), impatient);
  remote.check(toy_keys().public_keys().fingerprint(), harmless_protocols());
  const auto direct = toy_key_holder();
  for (const Bytes& request : parties.channel().requests())
    REQUIRE(remote.exchange(request) == direct->answer(request));
  CHECK(remote.retries() == 0);
  CHECK(becomes_idle(server));
}

TEST_CASE("transport: the same inside the process, and declared bytes are payloads alone") {
  TwoParties parties;
  const EncryptedMatrix x = parties.encrypt(matrix_of(3, 2, {5, -7, 100}));
  const auto key_holder = toy_key_holder();
  RecordingChannel direct(*key_holder);
  const auto hosted = host_key_holder(key_holder);
  hosted->keep_transcript();
  for (Channel* channel : {static_cast<Channel*>(&direct), hosted.get()})
    truncate(on_channel(parties, *channel, parties.evaluator().session), x);
  CHECK(hosted->transcript() == direct.transcript());
  CHECK(hosted->traffic() == direct.traffic());
  CHECK(hosted->traffic().to_key_holder == decode_request(direct.requests().front()).body.size());
  CHECK(hosted->traffic().to_evaluator == decode_answer(direct.answers().front()).size());
}

namespace {

/// A comparison's second request and the selection that reads its answer, which is one sealed state. The
/// second has a gap in its place.
std::vector<ChainedRequest> comparison_and_selection(TwoParties& parties) {
  compare_and_check(parties.evaluator(), parties.next_operation(), parties.encrypt(matrix_of(3, 2, {5, -7})));
  const std::vector<Bytes>& requests = parties.channel().requests();
  const Bytes state = decode_answer(parties.channel().answers().at(1));
  ChainedRequest selection{requests.at(2), {}};
  const auto found = std::ranges::search(selection.frame, state);
  REQUIRE(!found.empty());
  std::ranges::fill(found, std::uint8_t{0});
  selection.gaps.push_back(
      {0, 0, static_cast<std::size_t>(found.begin() - selection.frame.begin()), state.size()});
  return {{requests.at(1), {}}, selection};
}

}  // namespace

TEST_CASE("transport: a chain of requests gets the answers that they get one by one, over TLS") {
  TwoParties parties;
  std::vector<ChainedRequest> chain = comparison_and_selection(parties);
  std::mutex mutex;
  std::vector<std::string> calls;
  ServerOptions options = listening(party(key_holder_name, {evaluator_name}));
  options.log = [&](const CallRecord& call) {
    const std::lock_guard lock(mutex);
    calls.push_back(call.header.protocol + call.refusal);
  };
  KeyHolderServer server(toy_key_holder(), options);
  RemoteKeyHolder remote(links(link_to(server, party(evaluator_name, {key_holder_name}))), impatient);
  const std::vector<Bytes> answers = remote.exchange_chain(chain);
  REQUIRE(answers.size() == 2);
  CHECK(calls ==
        std::vector<std::string>{"comparison/dgk-veugen", "selection/homomorphic"});  // each has its line
  const auto direct = toy_key_holder();
  CHECK(answers[0] == direct->answer(chain[0].frame));
  CHECK(refusal_in(direct->answer(chain[1].frame)) == "a sealed state does not belong to this request");
  fill_gaps(chain[1], answers);
  CHECK(answers[1] == direct->answer(chain[1].frame));
  CHECK(becomes_idle(server));
}

TEST_CASE("transport: a chain ends with a refusal, and a bad one is refused in one sentence") {
  TwoParties parties;
  std::vector<ChainedRequest> chain = comparison_and_selection(parties);
  KeyHolderPolicy policy = permissive_policy();
  policy.protocols.erase("comparison/dgk-veugen");
  KeyHolderServer refusing(toy_key_holder(policy), listening()), server(toy_key_holder(), listening());
  const std::vector<Bytes> refused =
      RemoteKeyHolder(links(link_to(refusing)), impatient).exchange_chain(chain);
  REQUIRE(refused.size() == 1);
  CHECK(refusal_in(refused.front()).starts_with("the protocol comparison/dgk-veugen is not allowed"));

  RemoteKeyHolder remote(links(link_to(server)), impatient);
  chain[1].gaps.front().size = chain[1].frame.size() + 1;
  const std::vector<Bytes> bad = remote.exchange_chain(chain);
  REQUIRE(bad.size() == 1);
  CHECK(refusal_in(bad.front()).starts_with("a gap of "));
  CHECK(refusal_in(remote.exchange(Bytes{wire_version, 0, 1})) ==
        "a chain has 1 requests, allowed are 2 to 192");
  CHECK(becomes_idle(server));
}

TEST_CASE("transport: each request of a chain counts where they come too fast") {
  TwoParties parties;
  const std::vector<ChainedRequest> chain = comparison_and_selection(parties);
  Limits limits;
  limits.requests_at_once = 1;
  limits.requests_per_second = 0;
  KeyHolderServer server(toy_key_holder(), listening(std::nullopt, limits));
  RemoteKeyHolder remote(links(link_to(server)), impatient);
  std::vector<ChainedRequest> sent = chain;
  CHECK(error_of([&] { remote.exchange_chain(sent); }).ends_with("requests come too fast"));
}

TEST_CASE(
    "transport: a chain takes memory for all of it, and is refused or told to wait before any is answered") {
  TwoParties parties;
  std::vector<ChainedRequest> chain = comparison_and_selection(parties);
  Limits limits;
  limits.memory = std::size_t{1} << 15;  // too little for either
  std::vector<std::string> calls;
  ServerOptions options = listening(std::nullopt, limits);
  options.log = [&](const CallRecord& call) { calls.push_back(call.refusal); };
  KeyHolderServer server(toy_key_holder(), options);
  const std::vector<Bytes> answers = RemoteKeyHolder(links(link_to(server)), impatient).exchange_chain(chain);
  REQUIRE(answers.size() == 1);
  CHECK(refusal_in(answers.front()).starts_with("a request would take "));
  CHECK(calls.size() == 1);
  CHECK(becomes_idle(server));
}

TEST_CASE("transport: frames of several chunks") {
  TwoParties parties;
  const Bytes request = truncation_request(parties, 25'000);
  REQUIRE(request.size() > (std::size_t{1} << 20));
  KeyHolderServer server(toy_key_holder(), listening());
  RemoteKeyHolder remote(links(link_to(server)), impatient);
  CHECK(remote.exchange(request) == toy_key_holder()->answer(request));
}

TEST_CASE("transport: what a key holder says of itself") {
  const PublicKeys& answers_alone = toy_keys(Variant::standard).public_keys();
  const Fingerprint for_both{7};
  KeyHolderPolicy policy;
  policy.protocols = {"truncation/packed"};
  policy.user_keys.push_back(
      {answers_alone.paillier(), {.answers = true, .model = false}, answers_alone.fingerprint()});
  policy.user_keys.push_back({answers_alone.paillier(), {}, for_both});
  std::mutex mutex;
  std::vector<std::string> calls;
  ServerOptions options = listening();
  options.log = [&](const CallRecord& call) {
    const std::lock_guard lock(mutex);
    calls.push_back(call.peer + " " + call.what);
  };
  const KeyHolderServer server(toy_key_holder(policy), options);
  KeyHolderInfo info;
  const auto before = std::chrono::system_clock::now();
  REQUIRE(link_to(server).hello(info, soon).ok);
  CHECK(info.key == toy_keys().public_keys().fingerprint());
  CHECK(info.protocols == std::set<std::string>{"truncation/packed"});
  CHECK(info.user_keys == std::map<Fingerprint, Purposes>{{answers_alone.fingerprint(), {true, false}},
                                                          {for_both, {true, true}}});
  CHECK(info.largest_request == Limits{}.memory);
  const std::chrono::system_clock::time_point told{std::chrono::milliseconds(info.unix_milliseconds)};
  CHECK(told - before > std::chrono::seconds(-1));
  CHECK(told - before < std::chrono::minutes(1));

  RemoteKeyHolder remote(links(link_to(server)), impatient);
  CHECK(error_of([&] {
          remote.check(toy_keys(Variant::standard).public_keys().fingerprint(), {});
        }).find("the table is under") != std::string::npos);
  CHECK(error_of([&] {
          remote.check(info.key, {"matmul/packed"});
        }).find("does not answer the protocol matmul/packed") != std::string::npos);
  CHECK(link_to(server).echo(100'000, 70'000, soon).ok);
  CHECK(!link_to(server).echo((std::size_t{1} << 20) + 1, 0, soon).ok);

  // An evaluator learns at the start to whom nothing is handed over.
  const auto refused = [&](const PublicKeys& user, Purpose purpose) {
    const std::string error = error_of([&] { remote.check(info.key, {}, Recipient{user, purpose}); });
    return error.substr(std::min(error.size(), error.find(": it ") + 2));
  };
  CHECK(refused(answers_alone, Purpose::answers).empty());
  CHECK(
      refused(answers_alone, Purpose::model).ends_with(", only answers (smlp serve --user-key FILE:model)"));
  CHECK(refused(toy_keys().public_keys(), Purpose::answers).starts_with("it hands nothing over to the key "));
  // All of these calls are in the log.
  const std::lock_guard lock(mutex);
  CHECK(calls.front() == "local hello");
  CHECK(std::ranges::count(calls, "local echo") == 2);  // one of them refused
}

TEST_CASE("transport: greetings and echoes are admitted like requests") {
  Limits limits;
  limits.requests_at_once = 2;
  limits.requests_per_second = 0;
  ServerOptions options = listening(std::nullopt, limits);
  std::atomic<int> busy{0};
  options.log = [&](const CallRecord& call) { busy += call.reason == Refusal::busy ? 1 : 0; };
  const KeyHolderServer server(toy_key_holder(), options);
  KeyHolderLink link = link_to(server);
  KeyHolderInfo info;
  CHECK(link.hello(info, soon).ok);
  CHECK(link.echo(1000, 10, soon).ok);
  CHECK(link.hello(info, soon).message == "the key holder is busy: requests come too fast");
  CHECK(link.echo(1000, 10, soon).message == "the key holder is busy: requests come too fast");
  CHECK(busy == 2);
  limits = {};
  limits.memory = 1000;
  const KeyHolderServer small(toy_key_holder(), listening(std::nullopt, limits));
  CHECK(link_to(small).echo(400, 10, soon).ok);
  CHECK(link_to(small).echo(600, 10, soon).message.find("would take 1 MiB of memory") != std::string::npos);
}

TEST_CASE("transport: an evaluator that probes for values out of range is locked out after three sessions") {
  const test::TemporaryDirectory directory;
  const auto journal = directory / "secret.json.lockout";
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  RandomStream random = RandomSource::from_seed(9).stream({});
  const Party who = party(evaluator_name, {key_holder_name});
  std::atomic<int> out_of_range{0}, locked_out{0};
  const auto start = [&] {
    ServerOptions options = listening(party(key_holder_name, {evaluator_name, "second.example"}));
    options.log = [&](const CallRecord& call) {
      out_of_range += call.reason == Refusal::out_of_range ? 1 : 0;
      locked_out += call.reason == Refusal::locked_out ? 1 : 0;
    };
    options.lockout = std::make_shared<Lockout>(journal);
    return std::make_unique<KeyHolderServer>(toy_key_holder(), options);
  };
  auto server = start();
  const long secret = -123456;
  const Ciphertext sent = key.encrypt(secret, random).local();
  /// A request about one value, in a session of the evaluator's own choice.
  const auto about = [&](const Ciphertext& value) {
    Header header;
    header.protocol = "truncation/packed";
    random.fill(header.session);
    header.key = toy_keys().public_keys().fingerprint();
    header.numbers = {20, 10, 40};
    header.max_inner = 8;
    header.slots = 1;
    header.layout = {{1}, {1}};
    header.parameters = {20, 1, 0, 0, 0};
    std::vector<FreshCiphertext> one;
    one.push_back(key.rerandomise(value, random));
    Bytes body;
    key.encode(one, body);
    return encode_request(header, body);
  };
  std::size_t edge = 50;  // 2^edge is the first power out of range
  while (refusal_in(toy_key_holder()->answer(about(key.encrypt(power_of_two(edge), random).local()))).empty())
    ++edge;
  /// Whether secret >= threshold, told by whether what the key holder opens is out of range.
  const auto oracle = [&](KeyHolderServer& at, long threshold) {
    const Ciphertext difference = key.add_plain(sent, Integer(-threshold));
    const Ciphertext probe =
        key.add_plain(key.scale(difference, power_of_two(edge - 21)), power_of_two(edge));
    RemoteKeyHolder remote(links(link_to(at, who)), impatient);
    const std::string refusal = refusal_in(remote.exchange(about(probe)));
    if (!refusal.empty()) CHECK(refusal == "a masked value is out of range; the session ends");
    return !refusal.empty();
  };
  long low = -(1 << 19), high = 1 << 19;
  int refused = 0;
  std::string last;
  while (high - low > 1 && last.empty()) {
    const long threshold = low + (high - low) / 2;
    last = error_of([&] {
      const bool out = oracle(*server, threshold);
      refused += out;
      (out ? low : high) = threshold;
    });
  }
  CHECK(refused == 3);
  CHECK(out_of_range == 3);
  CHECK(locked_out == 1);
  CHECK(high - low > 1000);  // the secret stays one
  CHECK(
      last.ends_with("evaluator.example is locked out: 3 of its sessions ended by a masked value out of "
                     "range; the key holder's operator can let it in again (smlp serve --forgive "
                     "evaluator.example)"));
  // Whatever it asks, wherever the journal is read, after a restart too; others are served.
  KeyHolderInfo info;
  CHECK(!link_to(*server, who).hello(info, soon).ok);
  const auto replica = start();
  CHECK(!link_to(*replica, who).hello(info, soon).ok);
  CHECK(link_to(*server, party("second.example", {key_holder_name})).hello(info, soon).ok);
  server.reset();
  server = start();
  CHECK(!link_to(*server, who).hello(info, soon).ok);
  // Forgiven in one process, forgiven in all.
  CHECK(Lockout(journal).forgive(evaluator_name) == 3);
  CHECK(link_to(*server, who).hello(info, soon).ok);
  CHECK(link_to(*replica, who).hello(info, soon).ok);
}

TEST_CASE("transport: where nobody can tell who is locked out, the caller is told no more, the log why") {
  const test::TemporaryDirectory directory;
  const auto journal = directory / "secret.json.lockout";
  std::mutex mutex;
  std::vector<std::string> turned_away;
  ServerOptions options = listening();
  options.lockout = std::make_shared<Lockout>(journal);
  options.log = [&](const CallRecord& call) {
    const std::lock_guard lock(mutex);
    if (call.turned_away) turned_away.push_back(call.refusal);
    CHECK(call.reason == (call.turned_away ? Refusal::locked_out : Refusal::none));
  };
  const KeyHolderServer server(toy_key_holder(), options);
  KeyHolderInfo info;
  CHECK(link_to(server).hello(info, soon).ok);
  std::ofstream(journal) << "nonsense\n";
  const auto outcome = link_to(server).hello(info, soon);
  CHECK(!outcome.ok);
  CHECK(outcome.message.find(
            "the key holder cannot tell who is locked out and serves nobody; its log says why") !=
        std::string::npos);
  CHECK(outcome.message.find(directory.path().string()) == std::string::npos);
  std::filesystem::remove(journal);
  CHECK(link_to(server).hello(info, soon).ok);
  const std::lock_guard lock(mutex);
  REQUIRE(turned_away.size() == 1);
  CHECK(turned_away[0] ==
        journal.string() + " has a line that does not say who is locked out: 'nonsense'; take it out");
}

TEST_CASE("transport: in one process nobody is locked out") {
  TwoParties parties;
  const auto hosted = host_key_holder(toy_key_holder());
  // More than any mask of this layout.
  RandomStream random = RandomSource::from_seed(10).stream({});
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  const Ciphertext wide = key.encrypt(power_of_two(key.bits() - 3), random).local();
  const EncryptedMatrix x({{1}, {1}}, {wide}, {});
  for (std::uint8_t i = 1; i <= 5; ++i) {
    const Evaluator evaluator = on_channel(parties, *hosted, {i});
    CHECK(error_of([&] {
            truncate(evaluator, x);
          }).starts_with("the key holder refused: a masked value is out of range"));
  }
}

TEST_CASE("transport: without TLS on loopback alone") {
  CHECK(error_of([] {
          KeyHolderLink({"192.0.2.1", "1"}, std::nullopt);
        }).starts_with("without TLS a key holder is called on a loopback address alone"));
  ServerOptions options;
  options.listening = Listening{{"0.0.0.0", "0"}, std::nullopt};
  CHECK(error_of([&] {
          KeyHolderServer(toy_key_holder(), options);
        }).starts_with("without TLS a key holder listens on a loopback address alone"));
}

TEST_CASE("transport: an address that cannot be had is an error that tells why") {
  const KeyHolderServer first(toy_key_holder(), listening());
  ServerOptions options;
  options.listening = on_loopback(std::nullopt, std::to_string(first.port()));
  CHECK(
      error_of([&] { KeyHolderServer(toy_key_holder(), options); })
          .ends_with(
              ": the port is in use, by another key holder perhaps: end that process or take another port"));
  options.listening = Listening{{"192.0.2.1", "0"}, std::nullopt};
  options.listening->party = party(key_holder_name, {evaluator_name});
  CHECK(error_of([&] { KeyHolderServer(toy_key_holder(), options); }) ==
        "cannot listen on 192.0.2.1:0: 192.0.2.1 is no address of this machine: take one of its own, or "
        "0.0.0.0 for all");
  options.listening->endpoint.host = "nosuch.invalid";
  CHECK(error_of([&] {
          KeyHolderServer(toy_key_holder(), options);
        }).starts_with("cannot listen on nosuch.invalid:0: unknown host nosuch.invalid ("));
}

TEST_CASE("transport: refusals are not tried again, failures of the connection are, on the next process") {
  TwoParties parties;
  const Bytes request = truncation_request(parties);
  std::atomic<int> asked{0};
  ServerOptions options = listening();
  options.log = [&](const CallRecord& call) {
    ++asked;
    CHECK(call.peer == "local");
  };
  KeyHolderServer one(toy_key_holder(), options);
  auto two = std::make_unique<KeyHolderServer>(toy_key_holder(), options);
  std::vector<KeyHolderLink> both = links(link_to(one));
  both.push_back(link_to(*two));
  RemoteKeyHolder remote(std::move(both), impatient);

  Request foreign = decode_request(request);
  foreign.header.key[0] ^= 1;
  CHECK(error_of([&] {
          decode_answer(remote.exchange(encode_request(foreign.header, foreign.body)));
        }).starts_with("the key holder refused: a request is for the key"));
  CHECK(asked == 1);
  CHECK(remote.retries() == 0);

  for (int i = 0; i < 4; ++i) remote.exchange(request);
  CHECK(asked == 5);
  const Bytes answer = remote.exchange(request);
  two.reset();
  for (int i = 0; i < 4; ++i) CHECK(remote.exchange(request) == answer);
  CHECK(remote.retries() >= 1);
  one.shut_down(std::chrono::milliseconds(0));
  CHECK(error_of([&] { remote.exchange(request); })
            .starts_with(
                "no key holder answered a request that was sent again and again; last of all 127.0.0.1:"));
}

TEST_CASE("transport: chunks that are no frame, announced sizes that lie") {
  Limits limits;
  limits.memory = std::size_t{8} << 20;
  ServerOptions options = listening(std::nullopt, limits);
  std::atomic<Refusal> reason{Refusal::none};
  options.log = [&](const CallRecord& call) { reason = call.reason; };
  KeyHolderServer server(toy_key_holder(), options);
  const auto stub = raw_stub(server);
  const auto outcome = [&](const std::vector<std::pair<std::uint64_t, std::size_t>>& chunks) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + soon);
    const auto stream = stub->Answer(&context);
    for (const auto& [announced, size] : chunks) {
      v1::Chunk chunk;
      chunk.set_frame_bytes(announced);
      chunk.set_part(std::string(size, 'x'));
      if (!stream->Write(chunk)) break;
    }
    stream->WritesDone();
    v1::Chunk answer;
    std::string text;
    while (stream->Read(&answer)) text += answer.part();
    const grpc::Status status = stream->Finish();
    if (!status.ok()) return std::to_string(status.error_code()) + " " + status.error_message();
    return refusal_in({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  CHECK(outcome({}) == "3 a request ended after 0 of 0 bytes");
  CHECK(reason == Refusal::unfinished);
  CHECK(outcome({{0, 10}}) == "3 a request announces no bytes");
  CHECK(reason == Refusal::invalid);
  CHECK(outcome({{10, 0}}) == "3 a request has a part of 0 bytes after 0 of 10");
  CHECK(outcome({{10, 11}}) == "3 a request has a part of 11 bytes after 0 of 10");
  CHECK(outcome({{10, 9}}) == "3 a request ended after 9 of 10 bytes");
  CHECK(outcome({{10, 6}, {0, 5}}) == "3 a request has a part of 5 bytes after 6 of 10");
  const std::size_t too_much = limits.memory + 1;
  CHECK(outcome({{too_much, 10}}) ==
        "9 a request would take 9 MiB of memory, this key holder has 8 MiB for requests");
  CHECK(reason == Refusal::too_large);
  CHECK(outcome({{~std::uint64_t{0}, 10}}).starts_with("9 a request would take 17592186044416 MiB"));
  CHECK(outcome({{std::size_t{2} << 20, std::size_t{2} << 20}}).starts_with("8 "));  // gRPC's own bound
  CHECK(outcome({{10, 10}}) == "a frame has version 120, this program speaks 7");
  CHECK(reason == Refusal::invalid);
  CHECK(becomes_idle(server));
}

TEST_CASE("transport: calls that never come to an end are ended, and others are served meanwhile") {
  TwoParties parties;
  const Bytes request = truncation_request(parties);
  Limits limits;
  limits.transfer = std::chrono::seconds(2);
  limits.calls_of_a_peer = 8;
  std::atomic<std::size_t> unfinished{0};
  ServerOptions options = listening(std::nullopt, limits);
  options.count = [&](const CallRecord& call) { unfinished += call.reason == Refusal::unfinished ? 1 : 0; };
  KeyHolderServer server(toy_key_holder(), options);
  const auto stub = raw_stub(server);
  struct Open {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReaderWriter<v1::Chunk, v1::Chunk>> stream;
  };
  std::vector<Open> slow(8);
  const auto open = [&](Open& call) {
    call.stream = stub->Answer(&call.context);
    v1::Chunk chunk;
    chunk.set_frame_bytes(1000);
    chunk.set_part("x");
    call.stream->Write(chunk);
  };
  for (std::size_t i = 0; i < 7; ++i) open(slow[i]);
  REQUIRE(comes_to_hold(server, 7000));
  CHECK_NOTHROW(RemoteKeyHolder(links(link_to(server)), impatient).exchange(request));
  REQUIRE(comes_to_hold(server, 7000));
  // As many as a peer may have open: busy, until some are ended.
  open(slow[7]);
  REQUIRE(comes_to_hold(server, 8000));
  Patience patient = impatient;
  patient.attempts = 1000;
  RemoteKeyHolder waiting(links(link_to(server)), patient);
  CHECK_NOTHROW(waiting.exchange(request));
  CHECK(waiting.retries() > 0);
  for (Open& call : slow) CHECK(call.stream->Finish().error_code() == grpc::StatusCode::CANCELLED);
  CHECK(becomes_idle(server));
  CHECK(unfinished == slow.size());
}

TEST_CASE(
    "transport: residues that are no ciphertexts, and sealed state of elsewhere, are refused and no more") {
  TwoParties parties;
  KeyHolderServer server(toy_key_holder(), listening(party(key_holder_name, {evaluator_name})));
  RemoteKeyHolder remote(links(link_to(server, party(evaluator_name, {key_holder_name}))), impatient);
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  const Integer& n = key.n();
  const Integer p = toy_keys().paillier().p().value();
  std::uint8_t session = 0;
  const auto outcome = [&](const Integer& residue) {
    Header header = parties.evaluator().header("truncation/packed", 0, parties.next_operation(), {{1}, {1}},
                                               {20, 1, 4, 0, 0});
    header.session = {++session};
    Bytes body;
    append_little_endian(residue, key.ciphertext_bytes(), body);
    return refusal_in(remote.exchange(encode_request(header, body)));
  };
  const std::string out_of_range = "a masked value is out of range; the session ends";
  CHECK(outcome(0) == "x + rho: ciphertext 0 is zero or not below its modulus");
  CHECK(outcome(1).empty());  // an encryption of 0
  for (const Integer& residue : {n, p, Integer(p * 12345), Integer(p * p)})
    CHECK(outcome(residue) == "x + rho: ciphertext 0 shares a factor with the modulus");
  CHECK(outcome(n * n - 1) == out_of_range);
  RandomStream random = RandomSource::from_seed(8).stream({});
  const Integer foreign = toy_user_key().encrypt(5, random).local().residue();
  CHECK(outcome(foreign % key.n_squared()) == out_of_range);

  run_protocol(parties, find_protocol("comparison/dgk-veugen"),
               compositions(find_protocol("comparison/dgk-veugen")).front());
  const Bytes with_state = parties.channel().requests().back();
  CHECK(refusal_in(remote.exchange(with_state)).empty());
  for (const auto& change : std::vector<void (*)(Header&)>{
           [](Header& h) { h.session[0] ^= 1; }, [](Header& h) { ++h.operation.step; },
           [](Header& h) { h.layout.col_groups.push_back(1); }, [](Header& h) { h.key[0] ^= 1; }}) {
    Request changed = decode_request(with_state);
    change(changed.header);
    CHECK(!refusal_in(remote.exchange(encode_request(changed.header, changed.body))).empty());
  }
  CHECK(refusal_in(remote.exchange(with_state)).empty());
  CHECK(remote.retries() == 0);
  CHECK(becomes_idle(server));
}

TEST_CASE("transport: a request whose answer would take too much memory is refused from its header") {
  TwoParties parties;
  Limits limits;
  limits.memory = std::size_t{64} << 20;
  KeyHolderServer server(toy_key_holder(), listening(std::nullopt, limits));
  RemoteKeyHolder remote(links(link_to(server)), impatient);
  const Header header = parties.evaluator().header(
      "comparison/dgk-veugen", 0, {}, {std::vector<std::size_t>(1024, 1), std::vector<std::size_t>(64, 4)});
  CHECK(refusal_in(remote.exchange(encode_request(header, {}))).starts_with("a request would take "));
}

TEST_CASE("transport: 200 connections at once") {
  TwoParties parties;
  const Bytes request = truncation_request(parties);
  KeyHolderServer server(toy_key_holder(), listening(party(key_holder_name, {evaluator_name})));
  const Party who = party(evaluator_name, {key_holder_name});
  std::vector<KeyHolderLink> many;
  for (int i = 0; i < 200; ++i) many.push_back(link_to(server, who));
  for (KeyHolderLink& link : many) {
    KeyHolderInfo info;
    CHECK(link.hello(info, soon).message == "");
  }
  RemoteKeyHolder remote(std::move(many), impatient);
  CHECK(remote.exchange(request) == toy_key_holder()->answer(request));
}

TEST_CASE("transport: the standard health service") {
  KeyHolderServer server(toy_key_holder(), listening());
  grpc::GenericStub stub(grpc::CreateChannel(endpoint_of(server).text(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const grpc::Slice nothing;
  const auto call =
      stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::ByteBuffer(&nothing, 1), &queue);
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->StartCall();
  call->Finish(&answer, &status, &queue);
  void* tag = nullptr;
  bool ok = false;
  REQUIRE(queue.Next(&tag, &ok));
  REQUIRE(status.error_message() == "");
  grpc::Slice slice;
  REQUIRE(answer.DumpToSingleSlice(&slice).ok());
  CHECK(std::string(slice.begin(), slice.end()) == "\x08\x01");  // status: SERVING
}

TEST_CASE("transport: shutting down lets requests in progress end") {
  TwoParties parties;
  const Bytes request = truncation_request(parties, 1000);
  std::atomic<bool> computing{false};
  const auto key_holder = std::make_shared<KeyHolder>(
      toy_keys(), KeyHolderPolicy{}, AnswerRandomness::from_system(),
      [&](const Header&, std::string_view, const FixedIntegers&) { computing = true; });
  KeyHolderServer server(key_holder, listening());
  Bytes answer;
  std::thread client([&] {
    RemoteKeyHolder remote(links(link_to(server)), impatient);
    answer = remote.exchange(request);
  });
  while (!computing) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  server.shut_down(std::chrono::seconds(60));
  client.join();
  CHECK(refusal_in(answer).empty());
}
