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
  /// The host to look up: "localhost" is 127.0.0.1, and nobody is asked for it.
  std::string address() const;
  /// The same with its port.
  std::string address_text() const { return Endpoint{address(), port}.text(); }
  /// In 127.0.0.0/8, ::1 or localhost. No other name is, whatever it resolves to.
  bool is_loopback() const;
};
/// Throws Error unless the text is an endpoint.
Endpoint parse_endpoint(const std::string& text);
/// A list with commas between. Throws Error also on port 0 and on more than 64 addresses.
std::vector<Endpoint> parse_endpoints(const std::string& text);

/// Asks the resolver: "unknown host HOST (its words)", or "" where it knows the host.
std::string why_unknown(const Endpoint& endpoint);

/// Why nobody can listen there, in one clause: the port is in use, this user may not, the address is not this
/// machine's, the host is unknown. "" where one can.
std::string why_not_listening(const Endpoint& endpoint);

}  // namespace smlp
