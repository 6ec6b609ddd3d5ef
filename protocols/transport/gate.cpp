// Names of certificates, tickets, records.
#include "protocols/transport/gate.h"

#include <algorithm>
#include <utility>

#include "paillier/error.h"

namespace smlp {

namespace {

/// Of handshakes that fail, and of callers that are turned away: as many records at once, and as many a
/// second.
TokenBucket allowed_records() {
  return {20, 1, TokenBucket::Clock::now()};
}

}  // namespace

grpc::Status status_of(const Error& error) {
  grpc::StatusCode code = grpc::StatusCode::FAILED_PRECONDITION;
  if (dynamic_cast<const Busy*>(&error) != nullptr) code = grpc::StatusCode::RESOURCE_EXHAUSTED;
  if (dynamic_cast<const JournalError*>(&error) != nullptr)  // its own sentence names files of this machine
    return {grpc::StatusCode::PERMISSION_DENIED,
            "the key holder cannot tell who is locked out and serves nobody; its log says why"};
  if (dynamic_cast<const LockedOut*>(&error) != nullptr) code = grpc::StatusCode::PERMISSION_DENIED;
  return {code, error.what()};
}

Refusal refusal_of(const Error& error) {
  if (dynamic_cast<const Busy*>(&error) != nullptr) return Refusal::busy;
  if (dynamic_cast<const TooLarge*>(&error) != nullptr) return Refusal::too_large;
  if (dynamic_cast<const LockedOut*>(&error) != nullptr) return Refusal::locked_out;
  return Refusal::invalid;
}

std::string_view name(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return "";
    case Refusal::busy:
      return "busy";
    case Refusal::handshake:
      return "handshake";
    case Refusal::invalid:
      return "invalid";
    case Refusal::locked_out:
      return "locked_out";
    case Refusal::not_served:
      return "not_served";
    case Refusal::out_of_range:
      return "out_of_range";
    case Refusal::too_large:
      return "too_large";
    case Refusal::unfinished:
      return "unfinished";
  }
  return "";
}

Gate::Gate(const ServerOptions& options)
    : log_(options.log),
      count_(options.count),
      admission_(options.limits, options.lockout),
      of_handshakes_{allowed_records()},
      of_callers_{allowed_records()} {
  if (!options.listening || !options.listening->party) return;
  peers_ = options.listening->party->peers;
  handshakes_.emplace([this](const std::string& cause) {
    turn_away({.what = "handshake", .peer = "", .refusal = cause, .reason = Refusal::handshake});
  });
}

void Gate::reload(const Party& party) {
  const std::lock_guard lock(mutex_);
  if (peers_) peers_ = party.peers;
}

grpc::Status Gate::identify(const grpc::CallbackServerContext& context, std::string& peer) const {
  const std::lock_guard lock(mutex_);
  if (!peers_) {
    peer = "local";
    return grpc::Status::OK;
  }
  const auto authentication = context.auth_context();
  std::string names;
  if (authentication->IsPeerAuthenticated())
    for (const grpc::string_ref& text : authentication->FindPropertyValues("peer_dns")) {
      const std::string name(text.data(), text.size());
      if (std::ranges::find(*peers_, name) != peers_->end()) {
        peer = name;
        return grpc::Status::OK;
      }
      names += (names.empty() ? "" : ", ") + name;
    }
  peer = context.peer();
  return {grpc::StatusCode::PERMISSION_DENIED, "the caller's certificate names " +
                                                   (names.empty() ? "nobody" : names) +
                                                   ", whom this key holder does not serve"};
}

grpc::Status Gate::admit(const grpc::CallbackServerContext& context, CallRecord& record,
                         Admission::Ticket& ticket) {
  if (const grpc::Status status = identify(context, record.peer); !status.ok()) {
    record.refusal = status.error_message();
    record.reason = Refusal::not_served;
    turn_away(record);
    return status;
  }
  try {
    ticket = admission_.admit(record.peer);
  } catch (const LockedOut& locked_out) {
    record.refusal = locked_out.what();
    record.reason = Refusal::locked_out;
    turn_away(record);
    return status_of(locked_out);
  } catch (const Error& error) {
    return refuse(record, error);
  }
  return grpc::Status::OK;
}

grpc::Status Gate::refuse(CallRecord& record, const Error& error) const {
  record.refusal = error.what();
  record.reason = refusal_of(error);
  log(record);
  return status_of(error);
}

void Gate::log(const CallRecord& record) const {
  if (count_) count_(record);
  if (log_) log_(record);
}

void Gate::turn_away(CallRecord record) {
  record.turned_away = true;
  if (count_) count_(record);
  {
    const std::lock_guard lock(mutex_);
    Records& records = record.what == "handshake" ? of_handshakes_ : of_callers_;
    if (!records.allowed.take(TokenBucket::Clock::now())) {
      ++records.left_out;
      records.last = std::move(record);
      return;
    }
    record.left_out = std::exchange(records.left_out, 0);
  }
  if (log_) log_(record);
}

void Gate::record_left_out() {
  for (Records* records : {&of_handshakes_, &of_callers_}) {
    CallRecord record;
    {
      const std::lock_guard lock(mutex_);
      if (records->left_out == 0) continue;
      record = std::move(records->last);
      record.left_out = std::exchange(records->left_out, 0) - 1;
    }
    if (log_) log_(record);
  }
}

}  // namespace smlp
