// Certificates and the folders of the parties.
#include "protocols/transport/certificates.h"

#include <sys/stat.h>

#include <fstream>

#include "tests/protocols/transport/transport_support.h"
#include "tests/support/temporary_directory.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

std::string check_of(const Identity& identity, std::chrono::hours later = std::chrono::hours(0)) {
  return error_of([&] {
    check_identity(authority().certificate(), identity, Use::client,
                   std::chrono::system_clock::now() + later);
  });
}

}  // namespace

TEST_CASE("certificates: names and validity are those that were asked for") {
  const Identity identity = authority().issue("keys.example", valid_now());
  const CertificateInfo info = read_certificates(identity.certificate, "a certificate").front();
  CHECK(info.names == std::vector<std::string>{"keys.example"});
  CHECK(info.validity.until - info.validity.from == std::chrono::hours(25));
  CHECK(check_of(identity).empty());
  CHECK(error_of([] { read_certificates("nonsense", "this"); }) == "this is no certificate in PEM");
  for (const std::string& name :
       std::vector<std::string>{"", "a b", "-x", "x.", ".x", "tür", std::string(65, 'x'), "x,DNS:y"})
    CHECK(error_of([&] { authority().issue(name, valid_now()); }).starts_with("a party is named '"));
}

TEST_CASE("certificates: what is wrong with a party's own files is said") {
  const Identity identity = authority().issue("keys.example", valid_now());
  const CertificateAuthority stranger(valid_now());
  CHECK(check_of(identity, std::chrono::hours(48)).ends_with("certificate has expired"));
  CHECK(check_of(identity, std::chrono::hours(-48)).ends_with("certificate is not yet valid"));
  CHECK(check_of(stranger.issue("keys.example", valid_now()))
            .starts_with("certificate.pem is not to be trusted: "));
  Identity mixed = identity;
  mixed.private_key = authority().issue("keys.example", valid_now()).private_key;
  CHECK(check_of(mixed) == "private_key.pem is not the key of certificate.pem");
  mixed.private_key = "nonsense";
  CHECK(check_of(mixed) == "private_key.pem is no private key in PEM");
}

TEST_CASE("certificates: every one of a bundle is read, and any of several authorities is believed") {
  const CertificateAuthority other(valid_for(std::chrono::hours(-2), std::chrono::hours(20)));
  const std::string both = other.certificate() + "between\n" + authority().certificate();
  CHECK(read_certificates(both, "both").size() == 2);
  for (const CertificateAuthority* issuer : {&other, &authority()}) {
    const Identity identity = issuer->issue("keys.example", valid_now());
    for (const Use use : {Use::client, Use::server}) {
      // Valid as long as the shortest of its way.
      const CertificateInfo info = check_identity(both, identity, use, std::chrono::system_clock::now());
      const auto left = info.validity.until - std::chrono::system_clock::now();
      CHECK(left < std::chrono::hours(issuer == &other ? 20 : 24));
      CHECK(left > std::chrono::hours(issuer == &other ? 19 : 23));
    }
  }
  std::string broken = both;
  broken.replace(broken.rfind("-----BEGIN") + 60, 4, "????");
  CHECK(error_of([&] { read_certificates(broken, "this"); }) ==
        "this has a certificate that cannot be read, number 2");
}

TEST_CASE("certificates: a party's folder is saved once and loaded with its checks") {
  const test::TemporaryDirectory directory;
  const auto folder = directory / "party";
  const Identity identity = authority().issue("a.example", valid_now());
  const auto save = [&] {
    save_party(folder, authority().certificate(), identity, {"b.example", "c.example"});
  };
  save();
  struct stat status {};
  REQUIRE(::stat((folder / "private_key.pem").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(::stat(folder.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  const Party loaded = load_party(folder);
  CHECK(loaded.authority == authority().certificate());
  CHECK(loaded.certificate == identity.certificate);
  CHECK(loaded.private_key == identity.private_key);
  CHECK(loaded.peers == std::vector<std::string>{"b.example", "c.example"});
  CHECK(error_of(save).ends_with("exists: certificates are never overwritten"));

  const auto with_peers = [&](const std::string& text) {
    std::ofstream(folder / "peers.json") << text;
    return error_of([&] { load_party(folder); });
  };
  const std::string start = R"({"format": "smlp-peers", "version": 1, "peers": )";
  CHECK(with_peers(start + R"(["x.example"]})").empty());
  CHECK(with_peers(start + "[]}").ends_with("has 0 names of peers, allowed are 1 to 64"));
  CHECK(with_peers(start + R"(["a b"]})").starts_with("a party is named 'a b'"));
  CHECK(with_peers(start + "[1]}").ends_with("is no list of peers in JSON"));
  CHECK(with_peers("{").ends_with("is no list of peers in JSON"));
  CHECK(with_peers(R"({"format": "smlp-peers", "version": 2, "peers": ["x"]})").ends_with("of version 1"));
  REQUIRE(::chmod((folder / "private_key.pem").c_str(), 0640) == 0);
  CHECK(error_of([&] { load_party(folder); }).find("private_key.pem") != std::string::npos);
  std::filesystem::remove(folder / "authority.pem");
  CHECK(error_of([&] { load_party(folder); }).find("authority.pem") != std::string::npos);
}
