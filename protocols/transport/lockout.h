// Evaluators that are served no more, until an operator lets them in again.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "paillier/error.h"
#include "paillier/files.h"
#include "protocols/wire.h"

namespace smlp {

/// The caller is not served, whatever it asks.
class LockedOut : public Error {
 public:
  using Error::Error;
};

/// Everybody is: who is locked out cannot be told. The sentence is for the operator, it names the journal.
class JournalError : public LockedOut {
 public:
  using LockedOut::LockedOut;
};

/// Counts the sessions of each evaluator that ended by a masked value out of range, each once. Whether a
/// value is out of range is a bit that a deviating evaluator may choose, so it gets few of them: across its
/// sessions, and with a journal across restarts and the processes of a machine. A line of the journal is
/// "TIME NAME out-of-range SESSION" or "TIME NAME forgiven"; empty lines and the beginning of one, left by a
/// process that was killed, are passed over. A journal that was removed, replaced or made shorter is read
/// again from its start. Thread-safe.
class Lockout {
 public:
  /// Sessions after which an evaluator is locked out.
  static constexpr std::size_t most_sessions = 3;

  /// In memory alone: a restart forgets.
  Lockout() = default;
  /// Goes on from what the journal holds. Throws JournalError, here and below: it cannot be read, is longer
  /// than 1 MiB, or a line of it is none.
  explicit Lockout(const std::filesystem::path& journal);
  Lockout(const Lockout&) = delete;
  Lockout& operator=(const Lockout&) = delete;

  /// Why the journal cannot be written, so that a restart forgets; "" where it can.
  const std::string& unwritable() const { return unwritable_; }
  /// A session that ended. Throws JournalError, after it was counted, where the journal cannot be written.
  void record(const std::string& name, const SessionId& session);
  /// Forgets all sessions of this evaluator, and returns how many there were. Throws JournalError where the
  /// journal cannot be written.
  std::size_t forgive(const std::string& name);
  /// Throws LockedOut where the evaluator has too many.
  void check(const std::string& name);
  /// Whether this session of the evaluator ended: in another process perhaps.
  bool has_ended(const std::string& name, const SessionId& session);

 private:
  int open_journal(int flags);
  void read_on();
  void apply(const std::string& line);
  void append(const std::string& name, const std::string& what);
  void write(const std::string& line);
  [[noreturn]] void fail(const std::string& verb, int why) const;

  std::mutex mutex_;
  std::map<std::string, std::set<std::string>> sessions_;  ///< of each name, in hexadecimal digits
  std::filesystem::path journal_;
  FileDescriptor file_;   ///< of the journal, where there is one
  std::size_t read_ = 0;  ///< bytes of it that are counted
  std::string unwritable_;
};

}  // namespace smlp
