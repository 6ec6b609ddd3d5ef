// The time of day as logs have it.
#pragma once

#include <array>
#include <chrono>
#include <ctime>
#include <string>

namespace smlp {

/// "2026-11-27T22:50:24Z".
inline std::string utc_text(std::chrono::system_clock::time_point time = std::chrono::system_clock::now()) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace smlp
