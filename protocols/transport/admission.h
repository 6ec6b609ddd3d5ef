// What a key holder lets in: calls at once, requests a second, bytes of memory, and nobody who is locked out.
// Every call holds a ticket.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "paillier/error.h"
#include "protocols/transport/lockout.h"

namespace smlp {

struct Limits {
  std::size_t memory = std::size_t{1} << 30;  ///< bytes that all requests in progress may take together
  std::size_t calls = 256;                    ///< open at once
  std::size_t calls_of_a_peer = 64;           ///< of those, under one name; a run has up to 8
  double requests_at_once = 10'000;           ///< of one name, and after those
  double requests_per_second = 1000;
  std::chrono::milliseconds transfer{60'000};  ///< longest time to receive a request or to send an answer
  std::size_t workers = 2;                     ///< requests computed at once, each on all threads

  /// For a key holder in the same process.
  static Limits none();
};

/// Try again later.
class Busy : public Error {
 public:
  using Error::Error;
};

/// Never.
class TooLarge : public Error {
 public:
  using Error::Error;
};

/// So many at once, and so many a second after that.
class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;
  TokenBucket(double most, double per_second, Clock::time_point now)
      : most_(most), per_second_(per_second), allowance_(most), last_(now) {}
  /// Whether there is one more.
  bool take(Clock::time_point now);

 private:
  double most_, per_second_, allowance_;
  Clock::time_point last_;
};

class Admission {
 public:
  using Clock = TokenBucket::Clock;

  /// `lockout`: none, and nobody is locked out.
  explicit Admission(const Limits& limits, std::shared_ptr<Lockout> lockout = nullptr)
      : limits_(limits), lockout_(std::move(lockout)) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// The right of one call to be in progress, and the memory that it was granted.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept { *this = std::move(other); }
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { release(); }
    /// Asks for `bytes` in all. Throws TooLarge when they are more than there will ever be, Busy when others
    /// have them.
    void hold(std::size_t bytes);
    /// The same, where it holds less.
    void hold_at_least(std::size_t bytes) {
      if (bytes > bytes_) hold(bytes);
    }

   private:
    friend class Admission;
    Ticket(Admission& from, std::string peer) : from_(&from), peer_(std::move(peer)) {}
    void release() noexcept;
    Admission* from_ = nullptr;
    std::string peer_;
    std::size_t bytes_ = 0;
  };

  /// Throws Busy when this peer or all together have too many calls open, or this peer asks too often;
  /// LockedOut when it is.
  Ticket admit(const std::string& peer, Clock::time_point now = Clock::now());
  /// Throws LockedOut when this peer is: once more right before its request is computed.
  void check(const std::string& peer);
  /// Throws Busy when this peer asks too often: for each request of a chain but the first, which was
  /// admitted.
  void admit_another(const std::string& peer, Clock::time_point now = Clock::now());
  /// Whether a request of this peer ended this session, in this process or another one.
  bool has_ended(const std::string& peer, const SessionId& session);
  /// A request of this peer ended its session. Throws Error where that cannot be written down.
  void record_ended(const std::string& peer, const SessionId& session);
  /// Bytes granted at this moment.
  std::size_t memory_held() const;

 private:
  struct Peer {
    TokenBucket requests;
    std::size_t calls = 0;
  };
  const Limits limits_;
  const std::shared_ptr<Lockout> lockout_;
  mutable std::mutex mutex_;
  std::map<std::string, Peer> peers_;  ///< by certificate name: as many as the key holder's list of peers
  std::size_t calls_ = 0;
  std::size_t memory_ = 0;
};

}  // namespace smlp
