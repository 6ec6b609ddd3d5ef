// What a key holder says while it serves, for people or for machines.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "mlp/program/console.h"
#include "protocols/transport/server.h"

namespace smlp {

enum class LogFormat {
  text,  ///< lines on standard output, warnings on standard error
  json,  ///< an object a line on standard error, with "time" and "event"
};
/// Throws Error unless the name is text or json.
LogFormat log_format_from_name(const std::string& name);

/// Never a value. Each line is said whole; thread-safe.
class ServeLog {
 public:
  ServeLog(Console& console, LogFormat format) : console_(console), format_(format) {}
  /// Who, what, how much; what was answered not with --quiet. A call that may come again (Refusal::busy) is
  /// not said: there may be thousands.
  void call(const CallRecord& call);
  /// An event, as a line or as an object with these fields.
  void say(std::string_view event, const std::string& line, const nlohmann::ordered_json& fields);
  void warn(const std::string& sentence);
  /// What was asked for, by whom.
  void say_sums();

 private:
  struct Sum {
    std::size_t requests = 0, refused = 0, bytes = 0;
    double seconds = 0;
  };
  void write(std::string_view event, const std::string& line, const nlohmann::ordered_json& fields);

  Console& console_;
  const LogFormat format_;
  std::mutex mutex_;
  std::map<std::string, Sum> sums_;
  std::size_t turned_away_ = 0;
};

}  // namespace smlp
