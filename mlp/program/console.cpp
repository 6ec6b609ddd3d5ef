// Lines, bars and numbers for people.
#include "mlp/program/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace smlp {

namespace {

constexpr std::chrono::seconds plain_interval{5};
constexpr std::chrono::milliseconds drawn_interval{100};
constexpr std::size_t widest_bar = 24, narrowest_bar = 4;

/// Columns of the terminal behind a file descriptor; 0 where there is none.
std::size_t terminal_columns(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/// Breaks at spaces where a line is longer than `columns`; what goes on is indented.
std::string wrapped(std::string_view line, std::size_t columns) {
  constexpr std::string_view indent = "\n    ";
  std::string out;
  std::size_t room = columns;
  while (line.size() > room) {
    const std::size_t space = line.rfind(' ', room);
    if (space == std::string_view::npos || space == 0) break;  // a word that is longer than the terminal
    out.append(line.substr(0, space)).append(indent);
    line.remove_prefix(space + 1);
    room = columns - indent.size() + 1;
  }
  return out.append(line);
}

/// A line for people, made to fit the terminal where standard output is one.
void say(std::ostream& out, std::string_view line) {
  constexpr std::size_t least = 20;
  const std::size_t columns = &out == &std::cout ? terminal_columns(STDOUT_FILENO) : 0;
  out << (columns < least ? std::string(line) : wrapped(line, columns)) << std::endl;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

void Console::end_progress() {
  if (drawn_) err_ << "\r\033[K" << std::flush;
  drawn_ = false;
}

void Console::result(std::string_view line) {
  if (json_ || silent_) return;
  end_progress();
  say(out_, line);
}

void Console::note(std::string_view line) {
  if (quiet_) return;
  end_progress();
  say(json_ ? err_ : out_, line);
  spoken_ = std::chrono::steady_clock::now();
}

void Console::warning(std::string_view line) {
  if (silent_) return;
  end_progress();
  err_ << "smlp: " << one_line(line) << std::endl;
}

void Console::log(std::string_view line) {
  err_ << line << std::endl;
}

void Console::document(std::string_view text) {
  if (silent_) return;
  end_progress();
  out_ << text << std::endl;
}

void Console::progress(std::string_view line) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  if (terminal_) {
    if (drawn_ && now - spoken_ < drawn_interval) return;
    err_ << "\r\033[K" << line << std::flush;
    drawn_ = true;
  } else {
    if (now - spoken_ < plain_interval) return;
    err_ << line << std::endl;
  }
  spoken_ = now;
}

ProgressBar::ProgressBar(Console& console, std::string what, std::string unit, std::size_t first)
    : console_(console),
      what_(std::move(what)),
      unit_(std::move(unit)),
      first_(first),
      start_(std::chrono::steady_clock::now()) {}

double ProgressBar::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void ProgressBar::operator()(std::size_t done, std::size_t total) {
  const double elapsed = std::max(seconds(), 1e-9);
  const double part = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  const double rate = static_cast<double>(done - first_) / elapsed;
  const std::string count = " " + std::to_string(done) + "/" + std::to_string(total);
  std::string left;
  if (done > first_)
    left = ", " + fixed_text(rate, rate < 10 ? 2 : 0) + "/s, " +
           duration_text(static_cast<double>(total - done) / rate) + " left";
  // What does not fit a narrow terminal: columns of the bar, then the rate, then the unit.
  const std::size_t columns = terminal_columns(STDERR_FILENO);
  const std::size_t room = columns == 0 ? std::string::npos : columns - 1;
  std::string tail = count + " " + unit_ + left;
  const auto width_with = [&](const std::string& end) {
    return what_.size() + 3 + narrowest_bar + end.size();
  };
  if (width_with(tail) > room && done > first_)
    tail = count + " " + unit_ + ", " + duration_text(static_cast<double>(total - done) / rate) + " left";
  if (width_with(tail) > room) tail = count;
  const std::size_t spare = room > width_with(tail) ? room - width_with(tail) : 0;
  const std::size_t bar = std::min(widest_bar, narrowest_bar + spare);
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(bar));
  const std::string line =
      what_ + " [" + std::string(filled, '#') + std::string(bar - filled, '.') + "]" + tail;
  console_.progress(line);
}

std::string duration_text(double seconds) {
  if (seconds < 59.95) return fixed_text(seconds, 1) + " s";
  const auto whole = static_cast<unsigned long>(std::llround(seconds));
  std::array<char, 48> out{};
  if (whole < 3600)
    std::snprintf(out.data(), out.size(), "%lu:%02lu min", whole / 60, whole % 60);
  else
    std::snprintf(out.data(), out.size(), "%lu:%02lu:%02lu h", whole / 3600, whole / 60 % 60, whole % 60);
  return out.data();
}

std::string bytes_text(double bytes) {
  constexpr std::array units{"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < units.size()) bytes /= 1000, ++unit;
  return fixed_text(bytes, unit == 0 ? 0 : 1) + " " + units[unit];
}

std::string count_text(std::size_t count, const std::string& singular) {
  return std::to_string(count) + " " + singular + (count == 1 ? "" : "s");
}

std::string fixed_text(double value, int digits) {
  std::array<char, 400> out{};
  std::snprintf(out.data(), out.size(), "%.*f", digits, value);
  return out.data();
}

}  // namespace smlp
