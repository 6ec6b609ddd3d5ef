// Counting calls, requests and bytes.
#include "protocols/transport/admission.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace smlp {

namespace {

std::string mebibytes(std::size_t bytes) {
  return std::to_string((bytes >> 20) + (bytes % (std::size_t{1} << 20) != 0 ? 1 : 0)) + " MiB";
}

}  // namespace

Limits Limits::none() {
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  constexpr double at_once = std::numeric_limits<double>::infinity();
  return {any, any, any, at_once, 0, std::chrono::hours(24 * 365), 1};
}

bool TokenBucket::take(Clock::time_point now) {
  const double passed = std::chrono::duration<double>(now - last_).count();
  last_ = now;
  allowance_ = std::min(most_, allowance_ + passed * per_second_);
  if (allowance_ < 1) return false;
  if (allowance_ < std::numeric_limits<double>::infinity()) allowance_ -= 1;
  return true;
}

Admission::Ticket& Admission::Ticket::operator=(Ticket&& other) noexcept {
  if (this != &other) {
    release();
    from_ = std::exchange(other.from_, nullptr);
    peer_ = std::move(other.peer_);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Admission::Ticket::hold(std::size_t bytes) {
  const std::lock_guard lock(from_->mutex_);
  const std::size_t most = from_->limits_.memory;
  if (bytes > most)
    throw TooLarge("a request would take " + mebibytes(bytes) + " of memory, this key holder has " +
                   mebibytes(most) + " for requests");
  if (bytes > bytes_ && bytes - bytes_ > most - from_->memory_)
    throw Busy("the key holder is busy: its memory is taken by other requests");
  from_->memory_ = from_->memory_ - bytes_ + bytes;
  bytes_ = bytes;
}

void Admission::Ticket::release() noexcept {
  if (from_ == nullptr) return;
  const std::lock_guard lock(from_->mutex_);
  from_->memory_ -= bytes_;
  --from_->calls_;
  --from_->peers_.find(peer_)->second.calls;
  from_ = nullptr;
}

void Admission::check(const std::string& peer) {
  if (lockout_) lockout_->check(peer);
}

bool Admission::has_ended(const std::string& peer, const SessionId& session) {
  return lockout_ && lockout_->has_ended(peer, session);
}

void Admission::record_ended(const std::string& peer, const SessionId& session) {
  if (lockout_) lockout_->record(peer, session);
}

Admission::Ticket Admission::admit(const std::string& peer, Clock::time_point now) {
  check(peer);
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = peers_.try_emplace(
      peer, Peer{TokenBucket(limits_.requests_at_once, limits_.requests_per_second, now), 0});
  Peer& state = found->second;
  if (calls_ >= limits_.calls || state.calls >= limits_.calls_of_a_peer)
    throw Busy("the key holder is busy: too many calls are open");
  if (!state.requests.take(now)) throw Busy("the key holder is busy: requests come too fast");
  ++calls_;
  ++state.calls;
  return Ticket(*this, peer);
}

void Admission::admit_another(const std::string& peer, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (!peers_.at(peer).requests.take(now)) throw Busy("the key holder is busy: requests come too fast");
}

std::size_t Admission::memory_held() const {
  const std::lock_guard lock(mutex_);
  return memory_;
}

}  // namespace smlp
