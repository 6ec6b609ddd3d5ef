// A party's folder of certificates: what proves who it is, and whom it talks to.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "paillier/secret_text.h"

namespace smlp {

/// PEM texts, and the names that the other end's certificate may carry.
struct Party {
  std::string authority;    ///< authority.pem: who may issue certificates, one or several
  std::string certificate;  ///< certificate.pem: this party's, and those of the authorities between
  SecretText private_key;   ///< private_key.pem
  std::vector<std::string> peers;
};

/// Reads a folder of four files: the three PEM files above and peers.json, {"format": "smlp-peers",
/// "version": 1, "peers": [NAME, ..]}. Throws Error naming the file: missing, above 64 KiB, a private key
/// that others may read, no list of 1 to 64 names.
Party load_party(const std::filesystem::path& folder);

/// The content of peers.json.
std::string peers_json(const std::vector<std::string>& peers);

/// Throws Error unless the name is a DNS name of at most 64 characters: letters, digits, '-' and '.'.
void check_party_name(const std::string& name);

}  // namespace smlp
