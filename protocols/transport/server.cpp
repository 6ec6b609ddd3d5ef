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
#include <limits>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "paillier/error.h"
#include "paillier/large_buffers.h"
#include "protocols/registry.h"
#include "protocols/transport/gate.h"
#include "protocols/transport/grpc_support.h"
#include "protocols/transport/server_credentials.h"
#include "protocols/transport/smlp.grpc.pb.h"
#include "protocols/transport/work_queue.h"
#include "protocols/version.h"

namespace smlp {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::int64_t unix_milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

class KeyHolderServer::Service final : public v1::KeyHolder::CallbackService {
 public:
  Service(std::shared_ptr<const KeyHolder> key_holder, const ServerOptions& options)
      : limits_(options.limits),
        gate_(options),
        key_holder_(std::move(key_holder)),
        queue_(limits_.workers),
        janitor_([this](std::stop_token stop) { end_slow_transfers(stop); }) {}

  grpc::ServerUnaryReactor* Hello(grpc::CallbackServerContext* context, const v1::HelloRequest*,
                                  v1::HelloReply* reply) override;
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const v1::EchoMessage* request,
                                 v1::EchoMessage* reply) override;
  grpc::ServerBidiReactor<v1::Chunk, v1::Chunk>* Answer(grpc::CallbackServerContext* context) override;

  void reload(std::shared_ptr<const KeyHolder> key_holder, const std::optional<Party>& party) {
    if (party) gate_.reload(*party);
    const std::lock_guard lock(mutex_);
    key_holder_ = std::move(key_holder);
  }
  std::size_t memory_held() const { return gate_.admission().memory_held(); }
  void wait_until_idle() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return calls_.empty() && short_calls_ == 0; });
  }
  void record_left_out() { gate_.record_left_out(); }

 private:
  class Call;
  class ShortCall;

  std::shared_ptr<const KeyHolder> key_holder() const {
    const std::lock_guard lock(mutex_);
    return key_holder_;
  }
  /// A call of one message that is answered at once.
  template <typename Fill>
  grpc::ServerUnaryReactor* answer_at_once(grpc::CallbackServerContext* context, CallRecord record,
                                           Fill&& fill);
  void end_slow_transfers(const std::stop_token& stop);

  const Limits limits_;
  Gate gate_;
  mutable std::mutex mutex_;
  std::shared_ptr<const KeyHolder> key_holder_;
  std::condition_variable_any idle_;
  std::set<Call*> calls_;
  std::size_t short_calls_ = 0;
  WorkQueue queue_;
  std::jthread janitor_;
};

/// One request, or a chain: receives its frame, has it computed, sends the answer. Deletes itself.
class KeyHolderServer::Service::Call final : public grpc::ServerBidiReactor<v1::Chunk, v1::Chunk> {
 public:
  Call(Service& service, grpc::CallbackServerContext* context) : service_(service), context_(context) {
    begin_transfer();  // before the janitor can see it
    {
      const std::lock_guard lock(service_.mutex_);
      service_.calls_.insert(this);
    }
    if (const grpc::Status status = service_.gate_.admit(*context_, record_, ticket_); status.ok())
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
      return Finish(unfinished(
          {grpc::StatusCode::INVALID_ARGUMENT, "a request ended after " + std::to_string(frame_.size()) +
                                                   " of " + std::to_string(expected_) + " bytes"}));
    const std::string& part = chunk_.part();
    if (expected_ == 0) {
      expected_ = chunk_.frame_bytes();
      if (expected_ == 0) return refuse_chunks("a request announces no bytes");
      try {
        ticket_.hold(expected_);
      } catch (const Error& error) {
        return Finish(service_.gate_.refuse(record_, error));
      }
      reserve_to_fill(frame_, expected_);
    }
    if (part.empty() || part.size() > largest_part || part.size() > expected_ - frame_.size())
      return refuse_chunks("a request has a part of " + std::to_string(part.size()) + " bytes after " +
                           std::to_string(frame_.size()) + " of " + std::to_string(expected_));
    append_bytes(part, frame_);
    if (frame_.size() < expected_) return StartRead(&chunk_);
    end_transfer();
    service_.queue_.submit([this] { compute(); });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(unfinished({grpc::StatusCode::CANCELLED, "the answer could not be sent"}));
    send_next();
  }

  void OnDone() override {
    ticket_ = {};  // before others learn that the service is idle, and end it
    {
      const std::lock_guard lock(service_.mutex_);
      service_.calls_.erase(this);
      if (service_.calls_.empty()) service_.idle_.notify_all();
    }
    delete this;
  }

 private:
  void begin_transfer() {
    transfer_ends_ = (Clock::now() + std::chrono::duration_cast<Clock::duration>(service_.limits_.transfer))
                         .time_since_epoch()
                         .count();
  }
  void end_transfer() { transfer_ends_ = std::numeric_limits<Clock::rep>::max(); }

  void refuse_chunks(const std::string& sentence) {
    service_.gate_.refuse(record_, Error(sentence));
    Finish({grpc::StatusCode::INVALID_ARGUMENT, sentence});
  }
  /// Records a call that does not come to its end, and returns its status.
  grpc::Status unfinished(const grpc::Status& status) {
    record_.refusal = status.error_message();
    record_.reason = Refusal::unfinished;
    service_.gate_.log(record_);
    return status;
  }
  grpc::Status cancelled() { return unfinished({grpc::StatusCode::CANCELLED, "the call was cancelled"}); }

  void compute() {
    if (context_->IsCancelled()) return Finish(cancelled());
    const Bytes frame = std::exchange(frame_, {});
    const grpc::Status status =
        is_chain(frame) ? answer_chain(frame) : answer_request(frame, expected_, record_, answer_);
    if (!status.ok()) return Finish(status);
    begin_transfer();
    chunk_.set_frame_bytes(answer_.size());
    send_next();
  }

  /// The answer, or a refusal, to a request of a call that holds so many bytes beside what it takes. Or why
  /// the call ends.
  grpc::Status answer_request(std::span<const std::uint8_t> frame, std::size_t held, CallRecord& record,
                              Bytes& answer) {
    const Clock::time_point start = Clock::now();
    const std::shared_ptr<const KeyHolder> key_holder = service_.key_holder();
    record.request_bytes = frame.size();
    try {
      service_.gate_.admission().check(record.peer);
      record.header = read_request_header(frame);
      if (service_.gate_.admission().has_ended(record.peer, record.header.session)) refuse_out_of_range();
      ticket_.hold_at_least(held - frame.size() + key_holder->memory_needed(record.header, frame.size()));
    } catch (const Busy& busy) {
      return service_.gate_.refuse(record, busy);
    } catch (const LockedOut& locked_out) {
      record.refusal = locked_out.what();
      record.reason = Refusal::locked_out;
      service_.gate_.turn_away(record);
      return status_of(locked_out);
    } catch (const OutOfRange& error) {
      record.reason = Refusal::out_of_range;
      answer = encode_refusal(error.what());
    } catch (const Error& error) {
      record.reason = refusal_of(error);
      answer = encode_refusal(error.what());
    }
    bool ended = false;
    if (answer.empty()) answer = key_holder->answer(frame, ended);
    record.answer_bytes = answer.size();
    record.seconds = seconds_since(start);
    record.refusal = refusal_in(answer);
    if (record.reason == Refusal::none && !record.refusal.empty())
      record.reason = record.refusal == OutOfRange().what() ? Refusal::out_of_range : Refusal::invalid;
    try {
      if (ended) service_.gate_.admission().record_ended(record.peer, record.header.session);
    } catch (const Error& error) {
      record.refusal += std::string("; ") + error.what();
    }
    service_.gate_.log(record);
    return grpc::Status::OK;
  }

  /// The same of requests one after another, up to the first refusal. All are admitted before the first is
  /// answered; each is recorded, and answered as if it had come alone.
  grpc::Status answer_chain(std::span<const std::uint8_t> frame) {
    record_.request_bytes = frame.size();
    std::vector<Bytes> answers;
    try {
      std::size_t held = 2 * expected_;
      ticket_.hold(held);
      std::vector<ChainedRequest> requests = decode_chain(frame);
      for (std::size_t i = 1; i < requests.size(); ++i)
        service_.gate_.admission().admit_another(record_.peer);
      hold_together(requests, held);
      for (ChainedRequest& request : requests) {
        if (context_->IsCancelled()) return cancelled();
        fill_gaps(request, answers);
        CallRecord record = record_;
        const grpc::Status status = answer_request(request.frame, held, record, answers.emplace_back());
        record_.header = record.header;
        if (!status.ok()) return status;
        if (!refusal_in(answers.back()).empty()) break;
        held += 2 * answers.back().size();  // here and in the answer
      }
      answer_ = encode_chain_answer(answers);
    } catch (const Busy& busy) {
      return service_.gate_.refuse(record_, busy);
    } catch (const Error& error) {
      service_.gate_.refuse(record_, error);
      answer_ = encode_refusal(error.what());
    } catch (const std::exception&) {
      answer_ = encode_refusal("the requests could not be answered");
    }
    return grpc::Status::OK;
  }

  /// Holds what all of a chain may take, so that none is answered in vain; where that is more than there will
  /// ever be, each has to ask for its own. What is wrong with one is said when it is answered.
  void hold_together(const std::vector<ChainedRequest>& requests, std::size_t held) {
    try {
      const std::shared_ptr<const KeyHolder> key_holder = service_.key_holder();
      for (const ChainedRequest& request : requests)
        held += key_holder->memory_needed(read_request_header(request.frame), request.frame.size());
      ticket_.hold(held);
    } catch (const Busy&) {
      throw;
    } catch (const Error&) {
    }
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
  CallRecord record_{.what = "request", .peer = ""};
  v1::Chunk chunk_;
  std::size_t expected_ = 0;
  Bytes frame_;
  Bytes answer_;
  std::size_t sent_ = 0;
  std::atomic<Clock::rep> transfer_ends_{std::numeric_limits<Clock::rep>::max()};
};

/// Holds the ticket until the answer is on its way. Deletes itself.
class KeyHolderServer::Service::ShortCall final : public grpc::ServerUnaryReactor {
 public:
  explicit ShortCall(Service& service) : service_(service) {
    const std::lock_guard lock(service_.mutex_);
    ++service_.short_calls_;
  }
  void OnDone() override {
    ticket = {};
    {
      const std::lock_guard lock(service_.mutex_);
      if (--service_.short_calls_ == 0) service_.idle_.notify_all();
    }
    delete this;
  }
  Admission::Ticket ticket;

 private:
  Service& service_;
};

template <typename Fill>
grpc::ServerUnaryReactor* KeyHolderServer::Service::answer_at_once(grpc::CallbackServerContext* context,
                                                                   CallRecord record, Fill&& fill) {
  const Clock::time_point start = Clock::now();
  auto* call = new ShortCall(*this);
  grpc::Status status = gate_.admit(*context, record, call->ticket);
  if (status.ok()) {
    try {
      call->ticket.hold(2 * record.request_bytes);
      status = fill();
      if (!status.ok()) {
        record.refusal = status.error_message();
        record.reason = Refusal::invalid;
        record.answer_bytes = 0;
      }
      record.seconds = seconds_since(start);
      gate_.log(record);
    } catch (const Error& error) {
      status = gate_.refuse(record, error);
    }
  }
  call->Finish(status);
  return call;
}

grpc::ServerUnaryReactor* KeyHolderServer::Service::Hello(grpc::CallbackServerContext* context,
                                                          const v1::HelloRequest*, v1::HelloReply* reply) {
  return answer_at_once(context, {.what = "hello", .peer = ""}, [&] {
    const auto as_text = [](const Fingerprint& fingerprint) {
      return std::string(fingerprint.begin(), fingerprint.end());
    };
    const std::shared_ptr<const KeyHolder> key_holder = this->key_holder();
    const KeyHolderPolicy& policy = key_holder->policy();
    reply->set_wire_version(wire_version);
    reply->set_program_version(version);
    reply->set_key(as_text(key_holder->public_keys().fingerprint()));
    for (const std::string& name : policy.protocols) reply->add_protocols(name);
    for (const UserKey& user : policy.user_keys) {
      v1::UserKey* told = reply->add_user_keys();
      told->set_key(as_text(user.fingerprint));
      told->set_answers(user.purposes.answers);
      told->set_model(user.purposes.model);
    }
    reply->set_unix_milliseconds(unix_milliseconds());
    reply->set_largest_request(limits_.memory);
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* KeyHolderServer::Service::Echo(grpc::CallbackServerContext* context,
                                                         const v1::EchoMessage* request,
                                                         v1::EchoMessage* reply) {
  CallRecord record{.what = "echo", .peer = ""};
  record.request_bytes = request->payload().size();
  record.answer_bytes = request->answer_bytes();
  return answer_at_once(context, std::move(record), [&] {
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
      limits_.transfer / 4, std::chrono::milliseconds(10), std::chrono::milliseconds(1000));
  std::unique_lock lock(mutex_);
  std::condition_variable_any never;
  while (!never.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); }))
    for (Call* call : calls_) call->cancel_if_slow(Clock::now());
}

struct KeyHolderServer::Running {
  std::unique_ptr<Service> service;
  std::shared_ptr<ReloadableCredentials> credentials;  ///< none without TLS
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

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
    const Endpoint& endpoint = options.listening->endpoint;
    std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
    if (options.listening->party)
      credentials = running_->credentials =
          std::make_shared<ReloadableCredentials>(*options.listening->party);
    else if (!endpoint.is_loopback())
      throw Error("without TLS a key holder listens on a loopback address alone, not on " + endpoint.text());
    builder.AddListeningPort(endpoint.address_text(), credentials, &running_->port);
  }
  running_->service = std::make_unique<Service>(std::move(key_holder), options);
  builder.RegisterService(running_->service.get());
  running_->server = builder.BuildAndStart();
  if (!options.listening && !running_->server) throw Error("gRPC cannot start a server");
  if (options.listening && (!running_->server || running_->port == 0)) {
    const Endpoint& endpoint = options.listening->endpoint;
    const std::string why = why_not_listening(endpoint);
    throw Error("cannot listen on " + endpoint.text() + ": " +
                (why.empty() ? "gRPC cannot listen there" : why));
  }
}

KeyHolderServer::~KeyHolderServer() {
  shut_down(std::chrono::milliseconds(0));
}

void KeyHolderServer::reload(std::shared_ptr<const KeyHolder> key_holder, const std::optional<Party>& party) {
  running_->service->reload(std::move(key_holder), party);
  if (party && running_->credentials) running_->credentials->reload(*party);
}

void KeyHolderServer::shut_down(std::chrono::milliseconds grace) {
  if (!running_->server) return;
  if (auto* health = running_->server->GetHealthCheckService()) health->Shutdown();
  running_->server->Shutdown(std::chrono::system_clock::now() + grace);
  running_->service->wait_until_idle();
  running_->server.reset();
  running_->service->record_left_out();
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
