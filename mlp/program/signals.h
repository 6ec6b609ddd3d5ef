// What a signal to end does to the program.
#pragma once

#include <functional>

namespace smlp {

/// From here on SIGHUP, SIGINT and SIGTERM end the process as they do without this (status 128 + signal in a
/// shell), but its temporary files are removed first. A signal that is ignored stays so. A limit on the size
/// of files (SIGXFSZ) no longer ends the process: it is a write that fails. Call before any other thread is
/// started: threads inherit what they block.
void remove_temporary_files_on_signals();

/// While it lives, the first of these signals calls `action`, in the waiting thread, in place of ending the
/// process; the next one ends it. At most one at a time.
class EndSignalAction {
 public:
  explicit EndSignalAction(std::function<void(int signal)> action);
  EndSignalAction(const EndSignalAction&) = delete;
  EndSignalAction& operator=(const EndSignalAction&) = delete;
  ~EndSignalAction();
};

/// While it lives, SIGHUP calls `action` in the waiting thread, each time, and does not end the process: what
/// daemons do to read their files again. Under nohup, which ignores it, nothing happens. At most one at a
/// time.
class HangupAction {
 public:
  explicit HangupAction(std::function<void()> action);
  HangupAction(const HangupAction&) = delete;
  HangupAction& operator=(const HangupAction&) = delete;
  ~HangupAction();
};

}  // namespace smlp
