// Both ends of a connection: the same frames as without one, bounds, certificates, failures.
#include "protocols/transport/server.h"

#include <grpcpp/generic/generic_stub.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <atomic>
#include <thread>

#include "protocols/transport/hosted.h"
#include "tests/protocols/transport/transport_support.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

std::string failure_of(KeyHolderLink link) {
  KeyHolderInfo info;
  const auto outcome = link.hello(info, soon);
  return outcome.ok ? "" : outcome.message;
}

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
  const Bytes request = truncation_request(parties);
  const Request decoded = decode_request(request);
  const auto hosted = host_key_holder(toy_key_holder());
  const Bytes answer = hosted->call(decoded.header, decoded.body);
  CHECK(answer == decode_answer(toy_key_holder()->answer(request)));
  CHECK(hosted->traffic() == Traffic{decoded.body.size(), answer.size(), 1});
}

TEST_CASE("transport: frames of several chunks") {
  TwoParties parties;
  const Bytes request = truncation_request(parties, 60'000);
  REQUIRE(request.size() > 3 * (std::size_t{1} << 20));
  KeyHolderServer server(toy_key_holder(), listening());
  RemoteKeyHolder remote(links(link_to(server)), impatient);
  CHECK(remote.exchange(request) == toy_key_holder()->answer(request));
}

TEST_CASE("transport: what a key holder says of itself") {
  ServerOptions options = listening();
  options.user_keys = {toy_keys(Variant::djn).public_keys().fingerprint()};
  KeyHolderPolicy policy;
  policy.protocols = {"truncation/packed"};
  const KeyHolderServer server(toy_key_holder(policy), std::move(options));
  KeyHolderInfo info;
  const auto before = std::chrono::system_clock::now();
  REQUIRE(link_to(server).hello(info, soon).ok);
  CHECK(info.key == toy_keys().public_keys().fingerprint());
  CHECK(info.protocols == std::set<std::string>{"truncation/packed"});
  CHECK(info.user_keys == std::vector{toy_keys(Variant::djn).public_keys().fingerprint()});
  CHECK(info.largest_request == Limits{}.memory);
  const std::chrono::system_clock::time_point told{std::chrono::milliseconds(info.unix_milliseconds)};
  CHECK(told - before > std::chrono::seconds(-1));
  CHECK(told - before < std::chrono::minutes(1));

  RemoteKeyHolder remote(links(link_to(server)), impatient);
  CHECK(error_of([&] {
          remote.check(toy_keys(Variant::djn).public_keys().fingerprint(), {});
        }).find("the table is under") != std::string::npos);
  CHECK(error_of([&] {
          remote.check(info.key, {"matmul/packed"});
        }).find("does not answer the protocol matmul/packed") != std::string::npos);
  CHECK(link_to(server).echo(100'000, 70'000, soon).ok);
  CHECK(!link_to(server).echo((std::size_t{1} << 20) + 1, 0, soon).ok);
}

TEST_CASE("transport: nobody without the right certificate is served, and no other key holder is believed") {
  const CertificateAuthority stranger(valid_now());
  const auto expired = valid_for(std::chrono::hours(-48), std::chrono::hours(-24));
  const auto not_yet = valid_for(std::chrono::hours(24), std::chrono::hours(48));
  const Party right = party(evaluator_name, {key_holder_name});
  KeyHolderServer server(toy_key_holder(), listening(party(key_holder_name, {evaluator_name})));
  const auto failure = [&](const Party& who) { return failure_of(link_to(server, who)); };
  CHECK(failure(right).empty());
  CHECK(failure(party("other.example", {key_holder_name})) ==
        "the caller's certificate names other.example, whom this key holder does not serve");
  CHECK(!failure(party(evaluator_name, {key_holder_name}, authority(), expired)).empty());
  CHECK(!failure(party(evaluator_name, {key_holder_name}, authority(), not_yet)).empty());
  CHECK(!failure(party(evaluator_name, {key_holder_name}, stranger)).empty());
  Party bare = right;
  bare.certificate.clear();
  bare.private_key.clear();
  CHECK(!failure(bare).empty());
  CHECK(!failure_of(link_to(server)).empty());  // no TLS at all
  // The evaluator's side of it.
  CHECK(!failure(party(evaluator_name, {"impostor.example"})).empty());
  const auto refused_server = [&](const Party& who) {
    const KeyHolderServer other(toy_key_holder(), listening(who));
    return failure_of(link_to(other, right));
  };
  CHECK(!refused_server(party(key_holder_name, {evaluator_name}, authority(), expired)).empty());
  CHECK(!refused_server(party(key_holder_name, {evaluator_name}, stranger)).empty());
  CHECK(!refused_server(party("other.example", {evaluator_name})).empty());
  CHECK(failure(right).empty());
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

TEST_CASE("transport: an address that is taken is an error") {
  const KeyHolderServer first(toy_key_holder(), listening());
  ServerOptions options;
  options.listening = on_loopback(std::nullopt, std::to_string(first.port()));
  CHECK(error_of([&] {
          KeyHolderServer(toy_key_holder(), options);
        }).starts_with("cannot listen on 127.0.0.1:"));
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
  KeyHolderServer server(toy_key_holder(), listening(std::nullopt, limits));
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
  CHECK(outcome({{0, 10}}) == "3 a request announces no bytes");
  CHECK(outcome({{10, 0}}) == "3 a request has a part of 0 bytes after 0 of 10");
  CHECK(outcome({{10, 11}}) == "3 a request has a part of 11 bytes after 0 of 10");
  CHECK(outcome({{10, 9}}) == "3 a request ended after 9 of 10 bytes");
  CHECK(outcome({{10, 6}, {0, 5}}) == "3 a request has a part of 5 bytes after 6 of 10");
  const std::size_t too_much = limits.memory + 1;
  CHECK(outcome({{too_much, 10}}) ==
        "9 a request would take 9 MiB of memory, this key holder has 8 MiB for requests");
  CHECK(outcome({{~std::uint64_t{0}, 10}}).starts_with("9 a request would take 17592186044416 MiB"));
  CHECK(outcome({{std::size_t{2} << 20, std::size_t{2} << 20}}).starts_with("8 "));  // gRPC's own bound
  CHECK(outcome({{10, 10}}) == "a frame has version 120, this program speaks 1");
  CHECK(becomes_idle(server));
}

TEST_CASE("transport: calls that never come to an end are ended, and others are served meanwhile") {
  TwoParties parties;
  const Bytes request = truncation_request(parties);
  Limits limits;
  limits.transfer = std::chrono::seconds(2);
  limits.calls_of_a_peer = 8;
  KeyHolderServer server(toy_key_holder(), listening(std::nullopt, limits));
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
      [&](const Header&, std::string_view, const std::vector<Integer>&) { computing = true; });
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

namespace {

/// The version of TLS that a client with versions from `least` to `most` gets; "" for none.
std::string negotiated(const KeyHolderServer& server, const Party& who, int least, int most) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  SSL_CTX_clear_options(context.get(), SSL_OP_NO_SSL_MASK);  // of this process's own setting
  SSL_CTX_set_min_proto_version(context.get(), least);
  SSL_CTX_set_max_proto_version(context.get(), most);
  const auto bio = [](const std::string& text) {
    return std::unique_ptr<BIO, decltype(&BIO_free)>(
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  };
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bio(who.certificate).get(), nullptr, nullptr, nullptr), &X509_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio(who.private_key).get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  SSL_CTX_use_certificate(context.get(), certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> connection(BIO_new_ssl_connect(context.get()),
                                                                 &BIO_free_all);
  BIO_set_conn_hostname(connection.get(), endpoint_of(server).text().c_str());
  SSL* ssl = nullptr;
  BIO_get_ssl(connection.get(), &ssl);
  constexpr unsigned char http2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl, http2, sizeof http2);
  return BIO_do_handshake(connection.get()) == 1 ? SSL_get_version(ssl) : "";
}

}  // namespace

TEST_CASE("transport: TLS 1.3 and nothing older") {
  const KeyHolderServer server(toy_key_holder(), listening(party(key_holder_name, {evaluator_name})));
  const Party who = party(evaluator_name, {key_holder_name});
  CHECK(negotiated(server, who, TLS1_VERSION, TLS1_3_VERSION) == "TLSv1.3");
  CHECK(negotiated(server, who, TLS1_VERSION, TLS1_2_VERSION).empty());
}
