// Folders of certificates.
#include "protocols/transport/party.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "paillier/error.h"
#include "paillier/files.h"

namespace smlp {

namespace {

constexpr std::size_t largest_file = std::size_t{1} << 16;
constexpr std::size_t most_names = 64;

std::string read_text(const std::filesystem::path& path) {
  const Bytes bytes = read_file(path, largest_file, Readers::anyone);
  return {bytes.begin(), bytes.end()};
}

SecretText read_secret(const std::filesystem::path& path) {
  Bytes bytes = read_file(path, largest_file, Readers::owner_only);
  SecretText text(bytes.begin(), bytes.end());
  wipe_memory(bytes.data(), bytes.size());
  return text;
}

std::vector<std::string> read_peers(const std::filesystem::path& path) {
  const Bytes bytes = read_file(path, largest_file, Readers::anyone);
  std::vector<std::string> peers;
  try {
    const auto json = nlohmann::json::parse(bytes);
    if (json.at("format") != "smlp-peers" || json.at("version") != 1)
      throw Error(path.string() + " is no file of peers of version 1");
    peers = json.at("peers").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw Error(path.string() + " is no list of peers in JSON");
  }
  if (peers.empty() || peers.size() > most_names)
    throw Error(path.string() + " has " + std::to_string(peers.size()) +
                " names of peers, allowed are 1 to " + std::to_string(most_names));
  for (const std::string& name : peers) check_party_name(name);
  return peers;
}

}  // namespace

Party load_party(const std::filesystem::path& folder) {
  return {read_text(folder / "authority.pem"), read_text(folder / "certificate.pem"),
          read_secret(folder / "private_key.pem"), read_peers(folder / "peers.json")};
}

std::string peers_json(const std::vector<std::string>& peers) {
  return nlohmann::ordered_json{{"format", "smlp-peers"}, {"version", 1}, {"peers", peers}}.dump(2) + "\n";
}

void check_party_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  if (name.empty() || name.size() > 64 || !std::ranges::all_of(name, allowed) || name.front() == '.' ||
      name.front() == '-' || name.back() == '.')
    throw Error("a party is named '" + name +
                "', a DNS name of at most 64 letters, digits, '-' and '.' is needed");
}

}  // namespace smlp
