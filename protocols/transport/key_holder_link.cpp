// The calls of one connection, over gRPC.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>

#include "paillier/error.h"
#include "paillier/large_buffers.h"
#include "protocols/transport/grpc_support.h"
#include "protocols/transport/remote_key_holder.h"
#include "protocols/transport/server.h"
#include "protocols/transport/smlp.grpc.pb.h"
#include "protocols/version.h"

namespace smlp {

namespace {

using Outcome = KeyHolderLink::Outcome;

/// Statuses that are no verdict on the request: the connection's, and a busy key holder's.
bool is_temporary(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
      return true;
    default:
      return false;
  }
}

Outcome outcome_of(const grpc::Status& status) {
  const bool late = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  std::string message = late ? "no answer in time" : status.error_message();
  message.resize(std::min<std::size_t>(message.size(), 1024));
  for (char& c : message)
    if (static_cast<unsigned char>(c) < 32) c = ' ';
  return {status.ok(), is_temporary(status.error_code()), late, message};
}

void set_deadline(grpc::ClientContext& context, std::chrono::milliseconds timeout) {
  if (timeout.count() > 0) context.set_deadline(std::chrono::system_clock::now() + timeout);
}

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const Endpoint& endpoint,
                                                         const std::optional<Party>& party) {
  if (!party) {
    if (!endpoint.is_loopback())
      throw Error("without TLS a key holder is called on a loopback address alone, not on " +
                  endpoint.text());
    return grpc::InsecureChannelCredentials();
  }
  if (party->peers.size() != 1)
    throw Error("an evaluator's peers are one name, the key holder's, not " +
                std::to_string(party->peers.size()));
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = party->authority;
  options.pem_private_key.assign(party->private_key);  // a copy of gRPC's, which it does not wipe
  options.pem_cert_chain = party->certificate;
  return grpc::SslCredentials(options);
}

std::shared_ptr<grpc::Channel> connect(const Endpoint& endpoint, const std::optional<Party>& party) {
  prepare_grpc();
  const auto credentials = credentials_of(endpoint, party);
  grpc::ChannelArguments arguments;
  // The certificate must carry the configured name, whatever address it is found at.
  if (party) arguments.SetSslTargetNameOverride(party->peers.front());
  arguments.SetMaxReceiveMessageSize(largest_message);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, window_bytes);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // ours are bounded and go to other processes
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);  // the time that a connection has to be made
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, keep_alive_seconds * 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keep_alive_timeout_seconds * 1000);
  // Each link has a connection of its own, also to the same address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("dns:///" + endpoint.address_text(), credentials, arguments);
}

Fingerprint fingerprint_of(const std::string& text, const std::string& name) {
  Fingerprint fingerprint;
  if (text.size() != fingerprint.size())
    throw Error("the key holder at " + name + " sent a fingerprint of " + std::to_string(text.size()) +
                " bytes, not 32");
  std::copy(text.begin(), text.end(), fingerprint.begin());
  return fingerprint;
}

}  // namespace

struct KeyHolderLink::State {
  State(std::shared_ptr<grpc::Channel> channel, std::string name, std::optional<Endpoint> endpoint)
      : stub(v1::KeyHolder::NewStub(channel)), name(std::move(name)), endpoint(std::move(endpoint)) {}
  std::unique_ptr<v1::KeyHolder::Stub> stub;
  std::string name;
  std::optional<Endpoint> endpoint;  ///< none inside this process
};

KeyHolderLink::KeyHolderLink(const Endpoint& endpoint, const std::optional<Party>& party)
    : state_(std::make_unique<State>(connect(endpoint, party), endpoint.text(), endpoint)) {}

KeyHolderLink::KeyHolderLink(const KeyHolderServer& server)
    : state_(std::make_unique<State>(server.connect_inside(), "this process", std::nullopt)) {}

KeyHolderLink::~KeyHolderLink() = default;
KeyHolderLink::KeyHolderLink(KeyHolderLink&&) noexcept = default;

const std::string& KeyHolderLink::name() const {
  return state_->name;
}

Outcome KeyHolderLink::hello(KeyHolderInfo& info, std::chrono::milliseconds timeout) {
  grpc::ClientContext context;
  set_deadline(context, timeout);
  v1::HelloRequest request;
  request.set_wire_version(wire_version);
  request.set_program_version(version);
  v1::HelloReply reply;
  const grpc::Status status = state_->stub->Hello(&context, request, &reply);
  if (!status.ok()) {
    Outcome outcome = outcome_of(status);
    if (outcome.temporary && state_->endpoint)
      if (const std::string unknown = why_unknown(*state_->endpoint); !unknown.empty())
        outcome.message = unknown;
    return outcome;
  }
  if (reply.wire_version() != wire_version)
    throw Error("the key holder at " + state_->name + " (smlp " + reply.program_version() +
                ") speaks version " + std::to_string(reply.wire_version()) +
                " of the wire, this program (smlp " + version + ") version " + std::to_string(wire_version));
  info = {reply.program_version(),
          fingerprint_of(reply.key(), state_->name),
          {reply.protocols().begin(), reply.protocols().end()},
          {},
          reply.unix_milliseconds(),
          reply.largest_request()};
  for (const v1::UserKey& user : reply.user_keys())
    info.user_keys[fingerprint_of(user.key(), state_->name)] = {user.answers(), user.model()};
  return outcome_of(status);
}

Outcome KeyHolderLink::echo(std::size_t bytes, std::size_t answer_bytes, std::chrono::milliseconds timeout) {
  grpc::ClientContext context;
  set_deadline(context, timeout);
  v1::EchoMessage request, reply;
  request.set_payload(std::string(bytes, '\x5a'));
  request.set_answer_bytes(static_cast<std::uint32_t>(answer_bytes));
  const grpc::Status status = state_->stub->Echo(&context, request, &reply);
  if (status.ok() && reply.payload().size() != answer_bytes)
    throw Error("the key holder at " + state_->name + " echoed " + std::to_string(reply.payload().size()) +
                " bytes of " + std::to_string(answer_bytes));
  return outcome_of(status);
}

Outcome KeyHolderLink::answer(std::span<const std::uint8_t> frame, std::size_t largest_answer,
                              std::chrono::milliseconds timeout, Bytes& answer) {
  grpc::ClientContext context;
  set_deadline(context, timeout);
  const auto stream = state_->stub->Answer(&context);
  v1::Chunk chunk;
  chunk.set_frame_bytes(frame.size());
  for (std::size_t sent = 0; sent < frame.size();) {
    const auto part = frame.subspan(sent, std::min(largest_part, frame.size() - sent));
    chunk.set_part(part.data(), part.size());
    if (!stream->Write(chunk)) return outcome_of(stream->Finish());
    chunk.clear_frame_bytes();
    sent += part.size();
  }
  stream->WritesDone();

  answer.clear();
  std::uint64_t expected = 0;
  const auto nonsense = [&](const std::string& what) {
    context.TryCancel();
    stream->Finish();
    throw Error("the key holder at " + state_->name + " sent " + what);
  };
  while (stream->Read(&chunk)) {
    if (expected == 0) {
      expected = chunk.frame_bytes();
      if (expected == 0 || expected > largest_answer)
        nonsense("an answer of " + std::to_string(expected) + " bytes, allowed are 1 to " +
                 std::to_string(largest_answer));
      reserve_to_fill(answer, expected);
    }
    const std::string& part = chunk.part();
    if (part.empty() || part.size() > expected - answer.size())
      nonsense("an answer whose parts are not the " + std::to_string(expected) + " bytes that it announced");
    append_bytes(part, answer);
  }
  const grpc::Status status = stream->Finish();
  if (status.ok() && (expected == 0 || answer.size() < expected))
    return {false, true, false,
            "the answer ended after " + std::to_string(answer.size()) + " of " + std::to_string(expected) +
                " bytes"};
  return outcome_of(status);
}

}  // namespace smlp
