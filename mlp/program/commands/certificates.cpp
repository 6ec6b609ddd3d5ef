// smlp certificates: what the parties of one deployment prove themselves with.
#include "protocols/transport/certificates.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "paillier/error.h"
#include "protocols/transport/party.h"

namespace smlp {

namespace {

std::string date_text(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
  return text.data();
}

}  // namespace

int certificates_command(const Words& words, Console& console) {
  std::string out, key_holder, evaluator, owner;
  std::size_t days = 365;
  CommandLine line(
      "certificates",
      "Makes a private authority and one certificate a party. The authority's key is thrown away: new "
      "certificates come from a new authority, for all parties together.");
  line.required("out", out, "directory; gets a directory for each party");
  line.required("key-holder", key_holder, "its DNS name");
  line.required("evaluator", evaluator, "its DNS name");
  line.required("owner", owner, "the data owner's DNS name");
  line.number("days", days, "of validity");
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  if (days < 1 || days > 3650) throw Error("--days is " + std::to_string(days) + ", allowed are 1 to 3650");
  if (key_holder == evaluator || key_holder == owner || evaluator == owner)
    throw Error("two parties have the same name; each needs its own");

  for (const std::string& name : {key_holder, evaluator, owner}) check_party_name(name);

  const std::filesystem::path directory = out;
  if (std::filesystem::exists(directory) && !std::filesystem::is_empty(directory))
    throw Error("--out " + out + " is not empty: certificates are never overwritten; take another directory");
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    throw Error("cannot make the directory --out " + out + ": " + std::strerror(errno));
  // An hour back, for clocks that are behind.
  const auto now = std::chrono::system_clock::now();
  const Validity validity{now - std::chrono::hours(1),
                          now + std::chrono::hours(24) * static_cast<long>(days)};
  const CertificateAuthority authority(validity);
  const auto save = [&](const char* folder, const std::string& name, const std::vector<std::string>& peers) {
    save_party(directory / folder, authority.certificate(), authority.issue(name, validity), peers);
    console.result((directory / folder).string() + ": " + name + ", valid until " +
                   date_text(validity.until));
  };
  save("key_holder", key_holder, {evaluator});
  save("evaluator", evaluator, {key_holder});
  save("owner", owner, {key_holder});
  console.result("each folder goes to its party and nowhere else; private_key.pem never leaves it");
  return 0;
}

}  // namespace smlp
