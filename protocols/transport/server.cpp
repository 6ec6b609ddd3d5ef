// The gRPC server: each call is a small state machine (receive, compute, send) that holds no thread while it
// waits.
#include "protocols/transport/server.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <set>
#include <thread>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/registry.h"
#include "protocols/transport/grpc_support.h"
#include "protocols/transport/smlp.grpc.pb.h"
#include "protocols/version.h"

namespace smlp {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A fixed number of threads that compute, so that each keeps its OpenMP team, of as many threads as the
/// maker's.
class WorkQueue {
 public:
  explicit WorkQueue(std::size_t workers) {
    for (std::size_t i = 0; i < workers; ++i)
      threads_.emplace_back([this, threads = thread_count()](std::stop_token stop) {
        set_thread_count(threads);
        work(stop);
      });
  }
  void submit(std::function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    ready_.notify_one();
  }

 private:
  void work(const std::stop_token& stop) {
    for (;;) {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, stop, [this] { return !jobs_.empty(); });
      if (jobs_.empty()) return;
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::jthread> threads_;
};

grpc::Status status_of(const Error& error) {
  const bool busy = dynamic_cast<const Busy*>(&error) != nullptr;
  return {busy ? grpc::StatusCode::RESOURCE_EXHAUSTED : grpc::StatusCode::FAILED_PRECONDITION, error.what()};
}

std::int64_t unix_milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

class KeyHolderServer::Service final : public v1::KeyHolder::CallbackService {
 public:
  Service(std::shared_ptr<const KeyHolder> key_holder, ServerOptions options)
      : key_holder_(std::move(key_holder)),
        options_(std::move(options)),
        admission_(options_.limits),
        queue_(options_.limits.workers),
        janitor_([this](std::stop_token stop) { end_slow_transfers(stop); }) {}

  grpc::ServerUnaryReactor* Hello(grpc::CallbackServerContext* context, const v1::HelloRequest*,
                                  v1::HelloReply* reply) override;
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const v1::EchoMessage* request,
                                 v1::EchoMessage* reply) override;
  grpc::ServerBidiReactor<v1::Chunk, v1::Chunk>* Answer(grpc::CallbackServerContext* context) override;

  std::size_t memory_held() const { return admission_.memory_held(); }
  void wait_until_idle() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return calls_.empty(); });
  }

 private:
  class Call;

  /// The name of the caller's certificate that is a peer's. OK, or why the caller is nobody.
  grpc::Status identify(const grpc::CallbackServerContext& context, std::string& peer) const;
  template <typename Reply>
  grpc::ServerUnaryReactor* unary(grpc::CallbackServerContext* context, Reply&& fill) const;
  void end_slow_transfers(const std::stop_token& stop);

  const std::shared_ptr<const KeyHolder> key_holder_;
  const ServerOptions options_;
  Admission admission_;
  std::mutex mutex_;
  std::condition_variable_any idle_;
  std::set<Call*> calls_;
  WorkQueue queue_;
  std::jthread janitor_;
};

/// One request: receives its frame, has it computed, sends the answer. Deletes itself.
class KeyHolderServer::Service::Call final : public grpc::ServerBidiReactor<v1::Chunk, v1::Chunk> {
 public:
  Call(Service& service, grpc::CallbackServerContext* context) : service_(service), context_(context) {
    {
      const std::lock_guard lock(service_.mutex_);
      service_.calls_.insert(this);
    }
    begin_transfer();
    if (const grpc::Status status = admit(); status.ok())
      StartRead(&chunk_);
    else
      Finish(status);
  }

  /// Called by the janitor, under the service's lock.
  void cancel_if_slow(Clock::time_point now) {
    if (now.time_since_epoch().count() > transfer_ends_.load()) context_->TryCancel();
  }

  void OnReadDone(bool ok) override {
    if (!ok)
      return refuse_chunks("a request ended after " + std::to_string(frame_.size()) + " of " +
                           std::to_string(expected_) + " bytes");
    const std::string& part = chunk_.part();
    if (expected_ == 0) {
      expected_ = chunk_.frame_bytes();
      if (expected_ == 0) return refuse_chunks("a request announces no bytes");
      try {
        ticket_.hold(expected_);
      } catch (const Error& error) {
        return Finish(status_of(error));
      }
      frame_.reserve(expected_);
    }
    if (part.empty() || part.size() > largest_part || part.size() > expected_ - frame_.size())
      return refuse_chunks("a request has a part of " + std::to_string(part.size()) + " bytes after " +
                           std::to_string(frame_.size()) + " of " + std::to_string(expected_));
    frame_.insert(frame_.end(), part.begin(), part.end());
    if (frame_.size() < expected_) return StartRead(&chunk_);
    end_transfer();
    service_.queue_.submit([this] { compute(); });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish({grpc::StatusCode::CANCELLED, "the answer could not be sent"});
    send_next();
  }

  void OnDone() override {
    {
      const std::lock_guard lock(service_.mutex_);
      service_.calls_.erase(this);
      if (service_.calls_.empty()) service_.idle_.notify_all();
    }
    delete this;
  }

 private:
  grpc::Status admit() {
    grpc::Status status = service_.identify(*context_, record_.peer);
    if (!status.ok()) return status;
    try {
      ticket_ = service_.admission_.admit(record_.peer);
    } catch (const Error& error) {
      status = status_of(error);
    }
    return status;
  }
  void begin_transfer() {
    transfer_ends_ =
        (Clock::now() + std::chrono::duration_cast<Clock::duration>(service_.options_.limits.transfer))
            .time_since_epoch()
            .count();
  }
  void end_transfer() { transfer_ends_ = std::numeric_limits<Clock::rep>::max(); }

  void refuse_chunks(const std::string& sentence) { Finish({grpc::StatusCode::INVALID_ARGUMENT, sentence}); }

  void compute() {
    if (context_->IsCancelled()) return Finish(grpc::Status::CANCELLED);
    const Clock::time_point start = Clock::now();
    record_.request_bytes = frame_.size();
    try {
      record_.header = read_request_header(frame_);
      ticket_.hold(std::max(expected_, service_.key_holder_->memory_needed(record_.header, frame_.size())));
    } catch (const Busy& busy) {
      return Finish(status_of(busy));
    } catch (const Error& error) {
      answer_ = encode_refusal(error.what());
    }
    if (answer_.empty()) answer_ = service_.key_holder_->answer(frame_);
    Bytes().swap(frame_);
    record_.answer_bytes = answer_.size();
    record_.seconds = seconds_since(start);
    record_.refusal = refusal_in(answer_);
    if (service_.options_.log) service_.options_.log(record_);
    begin_transfer();
    chunk_.set_frame_bytes(answer_.size());
    send_next();
  }

  void send_next() {
    if (sent_ == answer_.size()) return Finish(grpc::Status::OK);
    const std::size_t size = std::min(largest_part, answer_.size() - sent_);
    if (sent_ > 0) chunk_.clear_frame_bytes();
    chunk_.set_part(answer_.data() + sent_, size);
    sent_ += size;
    StartWrite(&chunk_);
  }

  Service& service_;
  grpc::CallbackServerContext* context_;
  Admission::Ticket ticket_;
  CallRecord record_;
  v1::Chunk chunk_;
  std::size_t expected_ = 0;
  Bytes frame_;
  Bytes answer_;
  std::size_t sent_ = 0;
  std::atomic<Clock::rep> transfer_ends_{0};
};

grpc::Status KeyHolderServer::Service::identify(const grpc::CallbackServerContext& context,
                                                std::string& peer) const {
  if (!options_.listening || !options_.listening->party) {
    peer = "local";
    return grpc::Status::OK;
  }
  const auto authentication = context.auth_context();
  const std::vector<std::string>& peers = options_.listening->party->peers;
  std::string names;
  if (authentication->IsPeerAuthenticated())
    for (const grpc::string_ref& name : authentication->FindPropertyValues("peer_dns")) {
      peer.assign(name.data(), name.size());
      if (std::ranges::find(peers, peer) != peers.end()) return grpc::Status::OK;
      names += (names.empty() ? "" : ", ") + peer;
    }
  return {grpc::StatusCode::PERMISSION_DENIED, "the caller's certificate names " +
                                                   (names.empty() ? "nobody" : names) +
                                                   ", whom this key holder does not serve"};
}

template <typename Reply>
grpc::ServerUnaryReactor* KeyHolderServer::Service::unary(grpc::CallbackServerContext* context,
                                                          Reply&& fill) const {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  std::string peer;
  grpc::Status status = identify(*context, peer);
  if (status.ok()) status = fill();
  reactor->Finish(status);
  return reactor;
}

grpc::ServerUnaryReactor* KeyHolderServer::Service::Hello(grpc::CallbackServerContext* context,
                                                          const v1::HelloRequest*, v1::HelloReply* reply) {
  return unary(context, [&] {
    const auto as_text = [](const Fingerprint& fingerprint) {
      return std::string(fingerprint.begin(), fingerprint.end());
    };
    reply->set_wire_version(wire_version);
    reply->set_program_version(version);
    reply->set_key(as_text(key_holder_->public_keys().fingerprint()));
    for (const std::string& name : key_holder_->policy().protocols) reply->add_protocols(name);
    for (const Fingerprint& key : options_.user_keys) reply->add_user_keys(as_text(key));
    reply->set_unix_milliseconds(unix_milliseconds());
    reply->set_largest_request(options_.limits.memory);
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* KeyHolderServer::Service::Echo(grpc::CallbackServerContext* context,
                                                         const v1::EchoMessage* request,
                                                         v1::EchoMessage* reply) {
  return unary(context, [&] {
    if (request->payload().size() > largest_part || request->answer_bytes() > request->payload().size())
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                          "an echo is of at most 1 MiB and not longer back");
    reply->set_payload(request->payload().substr(0, request->answer_bytes()));
    return grpc::Status::OK;
  });
}

grpc::ServerBidiReactor<v1::Chunk, v1::Chunk>* KeyHolderServer::Service::Answer(
    grpc::CallbackServerContext* context) {
  return new Call(*this, context);
}

void KeyHolderServer::Service::end_slow_transfers(const std::stop_token& stop) {
  const auto interval = std::clamp<std::chrono::milliseconds>(
      options_.limits.transfer / 4, std::chrono::milliseconds(10), std::chrono::milliseconds(1000));
  std::unique_lock lock(mutex_);
  std::condition_variable_any never;
  while (!never.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); }))
    for (Call* call : calls_) call->cancel_if_slow(Clock::now());
}

struct KeyHolderServer::Running {
  std::unique_ptr<Service> service;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

namespace {

std::shared_ptr<grpc::ServerCredentials> credentials_of(const Listening& listening) {
  if (!listening.party) {
    if (!listening.endpoint.is_loopback())
      throw Error("without TLS a key holder listens on a loopback address alone, not on " +
                  listening.endpoint.text());
    return grpc::InsecureServerCredentials();
  }
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = listening.party->authority;
  options.pem_key_cert_pairs.push_back({listening.party->private_key, listening.party->certificate});
  return grpc::SslServerCredentials(options);
}

}  // namespace

KeyHolderServer::KeyHolderServer(std::shared_ptr<const KeyHolder> key_holder, ServerOptions options)
    : running_(std::make_unique<Running>()) {
  prepare_grpc();
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(largest_message);
  if (options.listening) {
    // HTTP/2 buffers of all connections together.
    builder.SetResourceQuota(grpc::ResourceQuota("key holder").Resize(std::size_t{256} << 20));
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, window_bytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 64);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, keep_alive_seconds * 1000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keep_alive_timeout_seconds * 1000);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               keep_alive_seconds * 1000 / 2);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
    builder.AddListeningPort(options.listening->endpoint.text(), credentials_of(*options.listening),
                             &running_->port);
  }
  const std::optional<Listening> listening = options.listening;
  running_->service = std::make_unique<Service>(std::move(key_holder), std::move(options));
  builder.RegisterService(running_->service.get());
  running_->server = builder.BuildAndStart();
  if (!running_->server || (listening && running_->port == 0))
    throw Error("cannot listen on " + (listening ? listening->endpoint.text() : std::string("anything")) +
                ": the address is taken or not this machine's, or the certificate and its key do not fit");
}

KeyHolderServer::~KeyHolderServer() {
  shut_down(std::chrono::milliseconds(0));
}

void KeyHolderServer::shut_down(std::chrono::milliseconds grace) {
  if (!running_->server) return;
  if (auto* health = running_->server->GetHealthCheckService()) health->Shutdown();
  running_->server->Shutdown(std::chrono::system_clock::now() + grace);
  running_->service->wait_until_idle();
  running_->server.reset();
}

int KeyHolderServer::port() const {
  return running_->port;
}

std::shared_ptr<grpc::Channel> KeyHolderServer::connect_inside() const {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(largest_message);
  return running_->server->InProcessChannel(arguments);
}

std::size_t KeyHolderServer::memory_held() const {
  return running_->service->memory_held();
}

}  // namespace smlp
