// Lines, bars and numbers for people.
#include "mlp/program/console.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace smlp {

namespace {

constexpr std::chrono::seconds plain_interval{5};
constexpr std::chrono::milliseconds drawn_interval{100};
constexpr int bar_width = 24;

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
  if (json_) return;
  end_progress();
  out_ << line << std::endl;
}

void Console::note(std::string_view line) {
  if (quiet_) return;
  end_progress();
  (json_ ? err_ : out_) << line << std::endl;
  spoken_ = std::chrono::steady_clock::now();
}

void Console::warning(std::string_view line) {
  end_progress();
  err_ << "smlp: " << one_line(line) << std::endl;
}

void Console::document(std::string_view text) {
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
  const auto filled = static_cast<std::size_t>(part * bar_width);
  std::string line = what_ + " [" + std::string(filled, '#') + std::string(bar_width - filled, '.') + "] " +
                     std::to_string(done) + "/" + std::to_string(total) + " " + unit_;
  if (done > first_)
    line += ", " + fixed_text(rate, rate < 10 ? 2 : 0) + "/s, " +
            duration_text(static_cast<double>(total - done) / rate) + " left";
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
