// Endpoints as text.
#include "protocols/transport/endpoint.h"

#include <algorithm>
#include <charconv>

#include "paillier/error.h"

namespace smlp {

std::string Endpoint::text() const {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

bool Endpoint::is_loopback() const {
  const auto digits_and_points = [this] {
    return std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  };
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && digits_and_points());
}

Endpoint parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  Endpoint endpoint;
  unsigned number = 0;
  if (colon != std::string::npos) {
    endpoint.host = text.substr(0, colon);
    endpoint.port = text.substr(colon + 1);
  }
  if (endpoint.host.size() > 2 && endpoint.host.front() == '[' && endpoint.host.back() == ']')
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  else if (endpoint.host.find(':') != std::string::npos)
    endpoint.host.clear();  // an IPv6 address needs brackets
  const char* end = endpoint.port.data() + endpoint.port.size();
  const auto [stop, status] = std::from_chars(endpoint.port.data(), end, number);
  const bool printable = std::ranges::all_of(
      endpoint.host, [](char c) { return c > ' ' && c < 127 && c != '/' && c != '[' && c != ']'; });
  if (endpoint.host.empty() || !printable || endpoint.port.empty() || stop != end || status != std::errc() ||
      number > 65535)
    throw Error("'" + text + "' is no address, HOST:PORT is needed");
  return endpoint;
}

std::vector<Endpoint> parse_endpoints(const std::string& text) {
  std::vector<Endpoint> out;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    out.push_back(parse_endpoint(text.substr(start, comma - start)));
    if (out.back().port == "0") throw Error("'" + out.back().text() + "' has port 0, which nobody can call");
    start = comma + 1;
  }
  if (out.size() > 64)
    throw Error(std::to_string(out.size()) + " addresses are given, allowed are at most 64");
  return out;
}

}  // namespace smlp
