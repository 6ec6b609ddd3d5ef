// Evaluators that are served no more, until an operator lets them in again.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "paillier/error.h"
#include "protocols/wire.h"

namespace smlp {

/// The caller is not served, whatever it asks.
class LockedOut : public Error {
 public:
  using Error::Error;
};

/// Counts the sessions of each evaluator that ended by a masked value out of range. Whether a value is out of
/// range is a bit that a deviating evaluator may choose, so it gets few of them: across its sessions, and
/// with a journal across restarts and the processes of a machine. A line of the journal is "TIME NAME
/// out-of-range SESSION" or "TIME NAME forgiven". Thread-safe.
class Lockout {
 public:
  /// Sessions after which an evaluator is locked out.
  static constexpr std::size_t most_sessions = 3;

  /// In memory alone: a restart forgets.
  Lockout() = default;
  /// Goes on from what the journal holds. Throws Error: it cannot be read, is longer than 1 MiB, or a line of
  /// it is none.
  explicit Lockout(const std::filesystem::path& journal);
  Lockout(const Lockout&) = delete;
  Lockout& operator=(const Lockout&) = delete;
  ~Lockout();

  /// Why the journal cannot be written, so that a restart forgets; "" where it can.
  const std::string& unwritable() const { return unwritable_; }
  /// One more session that ended. Throws Error, after it was counted, where the journal cannot be written.
  void record(const std::string& name, const SessionId& session);
  /// Forgets all sessions of this evaluator, and returns how many there were. Throws Error where the journal
  /// cannot be written.
  std::size_t forgive(const std::string& name);
  /// Throws LockedOut where the evaluator has too many.
  void check(const std::string& name);

 private:
  void open_journal(int flags);
  void read_on();
  void apply(const std::string& line);
  void append(const std::string& name, const std::string& what);

  std::mutex mutex_;
  std::map<std::string, std::size_t> sessions_;
  std::filesystem::path journal_;
  int file_ = -1;         ///< of the journal, at its end; -1 without one
  std::size_t read_ = 0;  ///< bytes of it that are counted
  std::string unwritable_;
};

}  // namespace smlp
