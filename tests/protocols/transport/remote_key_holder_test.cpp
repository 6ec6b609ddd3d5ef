// The evaluator's end before key holders that fail, speak another version, or say nonsense.
#include "protocols/transport/remote_key_holder.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>

#include "protocols/transport/grpc_support.h"
#include "tests/protocols/transport/transport_support.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

/// Says what a test wants.
class Impostor final : public v1::KeyHolder::Service {
 public:
  Impostor() {
    prepare_grpc();
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~Impostor() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::Status Hello(grpc::ServerContext*, const v1::HelloRequest*, v1::HelloReply* reply) override {
    *reply = hello;
    return grpc::Status::OK;
  }
  grpc::Status Answer(grpc::ServerContext*, grpc::ServerReaderWriter<v1::Chunk, v1::Chunk>* stream) override {
    ++asked;
    v1::Chunk request;
    stream->Read(&request);
    for (const auto& [announced, size] : chunks) {
      v1::Chunk chunk;
      chunk.set_frame_bytes(announced);
      chunk.set_part(std::string(size, 'x'));
      stream->Write(chunk);
    }
    return status;
  }
  RemoteKeyHolder connect() const {
    return RemoteKeyHolder(links(KeyHolderLink({"127.0.0.1", std::to_string(port_)}, std::nullopt)),
                           impatient);
  }

  v1::HelloReply hello;
  std::vector<std::pair<std::uint64_t, std::size_t>> chunks;
  grpc::Status status;
  std::atomic<int> asked{0};

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

TEST_CASE("remote key holder: another version of the wire is an error that names both") {
  Impostor impostor;
  impostor.hello.set_program_version("9.9.9");
  for (const auto& [version, said] :
       {std::pair(wire_version - 1U, "version 6"), std::pair(wire_version + 1U, "version 8")}) {
    impostor.hello.set_wire_version(version);
    const std::string error = error_of([&] { impostor.connect().check({}, {}); });
    CHECK(error.find("(smlp 9.9.9) speaks " + std::string(said) + " of the wire, this program (smlp ") !=
          std::string::npos);
    CHECK(error.ends_with(") version 7"));
  }
}

TEST_CASE("remote key holder: nonsense is an error, not tried again; what breaks off is") {
  Impostor impostor;
  impostor.hello.set_wire_version(wire_version);
  impostor.hello.set_key("short");
  CHECK(
      error_of([&] { impostor.connect().check({}, {}); }).ends_with("sent a fingerprint of 5 bytes, not 32"));

  const Bytes frame{1, 2, 3};
  const auto outcome = [&](const std::vector<std::pair<std::uint64_t, std::size_t>>& chunks,
                           const grpc::Status& status = grpc::Status::OK) {
    impostor.chunks = chunks;
    impostor.status = status;
    impostor.asked = 0;
    RemoteKeyHolder remote = impostor.connect();
    const std::string error = error_of([&] { remote.exchange(frame); });
    const std::string said = error.substr(std::min(error.size(), error.find(" sent ") + 1));
    return std::to_string(impostor.asked) + " " +
           (error.starts_with("the key holder at ") && said.starts_with("sent ") ? said : error);
  };
  CHECK(outcome({{10, 10}}) == "1 ");
  CHECK(outcome({{10, 4}, {0, 6}}) == "1 ");
  CHECK(outcome({{0, 4}}).starts_with("1 sent an answer of 0 bytes, allowed are 1 to "));
  CHECK(outcome({{~std::uint64_t{0}, 4}}).starts_with("1 sent an answer of 18446744073709551615 bytes"));
  CHECK(outcome({{10, 11}}) == "1 sent an answer whose parts are not the 10 bytes that it announced");
  CHECK(outcome({{10, 0}}) == "1 sent an answer whose parts are not the 10 bytes that it announced");
  CHECK(outcome({}).find("the answer ended after 0 of 0 bytes") != std::string::npos);
  CHECK(outcome({{10, 9}}).starts_with("3 no key holder answered"));
  CHECK(outcome({}, {grpc::StatusCode::UNAVAILABLE, "gone"}).starts_with("3 no key holder answered"));
  CHECK(outcome({}, {grpc::StatusCode::RESOURCE_EXHAUSTED, "busy"}).starts_with("3 no key holder answered"));
  CHECK(outcome({}, {grpc::StatusCode::FAILED_PRECONDITION, "too large"}).ends_with(": too large"));
  CHECK(impostor.asked == 1);
  CHECK(outcome({}, {grpc::StatusCode::PERMISSION_DENIED, "who\nare you"}).ends_with(": who are you"));
  CHECK(impostor.asked == 1);
}
