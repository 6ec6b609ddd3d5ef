// Endpoints as text.
#include "protocols/transport/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "paillier/error.h"

namespace smlp {

std::string Endpoint::text() const {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

std::string Endpoint::address() const {
  return host == "localhost" ? "127.0.0.1" : host;
}

bool Endpoint::is_loopback() const {
  in_addr four{};
  in6_addr six{};
  const std::string numbers = address();
  if (::inet_pton(AF_INET, numbers.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
  return ::inet_pton(AF_INET6, numbers.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
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

std::string why_unknown(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(endpoint.address().c_str(), endpoint.port.c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  if (status == 0) return "";
  return "unknown host " + endpoint.host + " (" + ::gai_strerror(status) + ")";
}

std::string why_not_listening(const Endpoint& endpoint) {
  if (const std::string unknown = why_unknown(endpoint); !unknown.empty()) return unknown;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(endpoint.address().c_str(), endpoint.port.c_str(), &hints, &found) != 0)
    return "its address is not found";
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  std::string why;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const int socket = ::socket(one->ai_family, one->ai_socktype, one->ai_protocol);
    const int on = 1;
    const bool can = socket >= 0 && ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                     ::bind(socket, one->ai_addr, one->ai_addrlen) == 0 && ::listen(socket, 1) == 0;
    const int error = errno;
    if (socket >= 0) ::close(socket);
    if (can) return "";
    switch (error) {
      case EADDRINUSE:
        why = "the port is in use, by another key holder perhaps: end that process or take another port";
        break;
      case EACCES:
        why = "this user may not listen on port " + endpoint.port + ": take one above 1023";
        break;
      case EADDRNOTAVAIL:
        why = endpoint.host + " is no address of this machine: take one of its own, or 0.0.0.0 for all";
        break;
      default:
        why = std::strerror(error);
    }
  }
  return why;
}

}  // namespace smlp
