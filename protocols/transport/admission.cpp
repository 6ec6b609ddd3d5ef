// Counting calls, requests and bytes.
#include "protocols/transport/admission.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace smlp {

namespace {

constexpr double burst_seconds = 10;

std::string mebibytes(std::size_t bytes) {
  return std::to_string((bytes >> 20) + (bytes % (std::size_t{1} << 20) != 0 ? 1 : 0)) + " MiB";
}

}  // namespace

Limits Limits::none() {
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  return {any, any, any, std::numeric_limits<double>::infinity(), std::chrono::hours(24 * 365), 1};
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
    throw Error("a request would take " + mebibytes(bytes) + " of memory, this key holder has " +
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

Admission::Ticket Admission::admit(const std::string& peer, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const double most = burst_seconds * limits_.requests_per_second;
  const auto [found, is_new] = peers_.try_emplace(peer, Peer{0, most, now});
  Peer& state = found->second;
  const double passed = std::chrono::duration<double>(now - state.last).count();
  state.last = now;
  state.allowance = std::min(most, state.allowance + passed * limits_.requests_per_second);
  if (calls_ >= limits_.calls || state.calls >= limits_.calls_of_a_peer)
    throw Busy("the key holder is busy: too many calls are open");
  if (state.allowance < 1) throw Busy("the key holder is busy: requests come too fast");
  if (state.allowance < std::numeric_limits<double>::infinity()) state.allowance -= 1;
  ++calls_;
  ++state.calls;
  return Ticket(*this, peer);
}

std::size_t Admission::memory_held() const {
  const std::lock_guard lock(mutex_);
  return memory_;
}

}  // namespace smlp
