// Profiles: with the checksum as it comes and with a right one, so that what lies behind it is reached too.
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "mlp/tables/profile.h"
#include "tests/fuzz/fuzz.h"

using namespace smlp;

namespace {

void load(std::string_view text) {
  fuzz::may_refuse([&] {
    const Profile profile = load_profile(fuzz::file_of(text));
    static const test::TemporaryDirectory directory;
    save_profile(profile, directory / "again");
    fuzz::expect(load_profile(directory / "again") == profile, "a profile comes back");
    fuzz::expect(profile.features().size() == profile.offset.size(), "a feature has its scaling");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  load(fuzz::text_of({data, size}));
  auto json = nlohmann::ordered_json::parse(data, data + size, nullptr, false);
  if (!json.is_object()) return 0;
  json.erase("checksum");
  const std::string content = json.dump();
  json["checksum"] =
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  load(json.dump());
  return 0;
}
