// Where a process is reached: a host and a port.
#pragma once

#include <string>
#include <vector>

namespace smlp {

/// "HOST:PORT" or "[IPV6]:PORT".
struct Endpoint {
  std::string host;  ///< without brackets
  std::string port;  ///< 0 to 65535
  std::string text() const;
  /// 127.0.0.0/8, ::1 or localhost.
  bool is_loopback() const;
};
/// Throws Error unless the text is an endpoint.
Endpoint parse_endpoint(const std::string& text);
/// A list with commas between. Throws Error also on port 0 and on more than 64 addresses.
std::vector<Endpoint> parse_endpoints(const std::string& text);

}  // namespace smlp
