// What a subcommand says: results on standard output, progress and warnings on standard error.
#pragma once

#include <chrono>
#include <ostream>
#include <string>
#include <string_view>

namespace smlp {

/// Text with control characters replaced by spaces, so that it stays one line.
std::string one_line(std::string_view text);

class Console {
 public:
  /// `terminal`: standard error is one, so that a line may be rewritten in place.
  Console(std::ostream& out, std::ostream& err, bool terminal) : out_(out), err_(err), terminal_(terminal) {}

  /// With `json` standard output is kept for one object, and text for people goes to standard error.
  void configure(bool json, bool quiet) { json_ = json, quiet_ = quiet; }
  bool is_quiet() const { return quiet_; }
  /// From here on: another process speaks for this one.
  void say_nothing() { silent_ = quiet_ = true; }

  /// A line for people: what was done. Not said when it would mix with JSON.
  void result(std::string_view line);
  /// A line on the way, such as that of an epoch. Silenced by --quiet.
  void note(std::string_view line);
  /// What must not be missed. Never silenced.
  void warning(std::string_view line);
  /// A line for machines, on standard error.
  void log(std::string_view line);
  /// The one JSON object or another document for standard output.
  void document(std::string_view text);

  /// Rewritten in place on a terminal; elsewhere a line every few seconds. Silenced by --quiet.
  void progress(std::string_view line);
  /// Takes the progress line off the terminal.
  void end_progress();

 private:
  std::ostream& out_;
  std::ostream& err_;
  bool terminal_;
  bool json_ = false;
  bool quiet_ = false;
  bool silent_ = false;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point spoken_ = std::chrono::steady_clock::now();
};

/// ProgressBar of one piece of work: bar, rate and time left.
class ProgressBar {
 public:
  /// `unit` names one piece in the plural ("steps"); `first` of them were done before.
  ProgressBar(Console& console, std::string what, std::string unit, std::size_t first = 0);
  void rename(std::string what) { what_ = std::move(what); }
  void operator()(std::size_t done, std::size_t total);
  double seconds() const;

 private:
  Console& console_;
  std::string what_;
  std::string unit_;
  std::size_t first_;
  std::chrono::steady_clock::time_point start_;
};

/// "1:02:03", "2:03" or "3.4 s".
std::string duration_text(double seconds);
/// "1.2 MB": powers of 1000.
std::string bytes_text(double bytes);
/// "1 epoch", "2 epochs".
std::string count_text(std::size_t count, const std::string& singular);
/// With this many digits behind the point.
std::string fixed_text(double value, int digits);

}  // namespace smlp
