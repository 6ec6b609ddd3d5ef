// The profile as a JSON file.
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "mlp/sha256.h"
#include "mlp/tables/profile.h"
#include "paillier/error.h"
#include "paillier/files.h"

namespace smlp {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* format_name = "smlp-profile";
/// Of classes; of regression. 1 had numbers alone: no levels, missing values or other columns.
constexpr int format_version = 2, regression_version = 3;
constexpr std::size_t largest_file = std::size_t{64} << 20;

/// All fields but the checksum. Those of classes stay as version 2 has them, for the sake of fingerprints.
Json json_of(const Profile& profile) {
  const bool regression = profile.task == Task::regression;
  Json out{{"format", format_name},
           {"version", regression ? regression_version : format_version},
           {"scaling", name(profile.scaling)},
           {"label_column", profile.label_column},
           {"classes", profile.classes},
           {"columns", profile.columns},
           {"offset", profile.offset},
           {"factor", profile.factor},
           {"levels", profile.levels},
           {"missing", name(profile.missing)},
           {"means", profile.means},
           {"header", profile.header},
           {"table", profile.table},
           {"salt", profile.salt}};
  if (!regression) return out;
  out["task"] = name(profile.task);
  out["label_offset"] = profile.label_offset;
  out["label_factor"] = profile.label_factor;
  return out;
}

/// CRC-32 of the compact form without the checksum itself: a flipped digit of a mean is no longer a valid
/// mean.
std::uint32_t checksum(const Json& json) {
  const std::string text = json.dump();
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

void check_labels(const Profile& profile) {
  const std::size_t classes = profile.classes.size();
  if (profile.task == Task::regression) {
    if (classes != 0) throw Error("it has classes, though its labels are numbers");
    if (!std::isfinite(profile.label_offset) || !std::isfinite(profile.label_factor) ||
        !(profile.label_factor > 0))
      throw Error("the scaling of its label is not finite and positive");
    return;
  }
  if (classes < 2 || classes > max_classes)
    throw Error("it has " + std::to_string(classes) + " classes, allowed are 2 to " +
                std::to_string(max_classes));
  const std::set<std::string> distinct(profile.classes.begin(), profile.classes.end());
  if (distinct.size() != classes || distinct.contains(""))
    throw Error("its classes are not distinct and non-empty");
}

void check_profile(const Profile& profile) {
  if (profile.columns.empty()) throw Error("it has no columns");
  const std::vector<std::string> features = profile.features();
  const std::size_t count = features.size();
  if (profile.offset.size() != count || profile.factor.size() != count)
    throw Error("it has " + std::to_string(count) + " features, " + std::to_string(profile.offset.size()) +
                " offsets and " + std::to_string(profile.factor.size()) + " factors");
  if (profile.means.size() != (profile.missing == Missing::mean ? count : 0))
    throw Error("it has " + std::to_string(profile.means.size()) + " means, which are for --missing mean");
  for (std::size_t j = 0; j < count; ++j)
    if (!std::isfinite(profile.offset[j]) || !std::isfinite(profile.factor[j]) ||
        (!profile.means.empty() && !std::isfinite(profile.means[j])))
      throw Error("the scaling of column " + in_quotes(features[j]) + " is not finite");
  for (const auto& [column, texts] : profile.levels) {
    if (std::ranges::find(profile.columns, column) == profile.columns.end())
      throw Error("it has texts of a column " + in_quotes(column) + " that it does not have");
    if (texts.empty() || std::ranges::adjacent_find(texts, std::greater_equal{}) != texts.end())
      throw Error("the texts of column " + in_quotes(column) + " are not distinct and sorted");
  }
  std::set<std::string> names(profile.columns.begin(), profile.columns.end());
  names.insert(profile.label_column);
  if (names.size() != profile.columns.size() + 1 || names.contains(""))
    throw Error("its column names are not distinct and non-empty");
  const std::set<std::string> header(profile.header.begin(), profile.header.end());
  if (header.size() != profile.header.size() || header.contains("") ||
      (!header.empty() && !std::ranges::includes(header, names)))
    throw Error("the header of its table is not distinct, or lacks one of its columns");
  check_labels(profile);
  for (const std::string& hex : {profile.table, profile.salt})
    if (!hex.empty() && (hex.size() != 64 || hex.find_first_not_of("0123456789abcdef") != std::string::npos))
      throw Error("its table or salt has not 64 hexadecimal digits");
}

}  // namespace

Fingerprint fingerprint(const Profile& profile) {
  if (profile.salt.empty()) return {};  // without it the servers could test guesses
  Sha256 hash;
  hash.add(json_of(profile).dump(-1, ' ', false, Json::error_handler_t::replace));
  return hash.value();
}

void save_profile(const Profile& profile, const std::filesystem::path& path) {
  try {
    check_profile(profile);
    Json json = json_of(profile);
    json["checksum"] = checksum(json);
    const std::string text = json.dump(2) + "\n";
    write_file_atomically(path, Bytes(text.begin(), text.end()), 0600);
  } catch (const Json::exception&) {
    throw Error("cannot write " + path.string() + ": a column or class name is not valid UTF-8");
  }
}

Profile load_profile(const std::filesystem::path& path) {
  const Bytes bytes = read_file(path, largest_file, Readers::anyone);
  try {
    Json json = Json::parse(bytes);
    if (!json.is_object() || json.value("format", Json()) != format_name)
      throw Error("it is no profile of smlp");
    const bool old = json.at("version") == 1;
    const bool regression = json.at("version") == regression_version;
    if (!old && !regression && json.at("version") != format_version)
      throw Error("its version is " + json.at("version").dump() + ", this program reads 1 to " +
                  std::to_string(regression_version));
    const auto sum = json.at("checksum").get<std::uint32_t>();
    json.erase("checksum");
    if (sum != checksum(json)) throw Error("its checksum does not match: it was damaged or edited");
    Profile profile;
    profile.scaling = scaling_from_name(json.at("scaling").get<std::string>());
    json.at("label_column").get_to(profile.label_column);
    json.at("classes").get_to(profile.classes);
    json.at("columns").get_to(profile.columns);
    json.at("offset").get_to(profile.offset);
    json.at("factor").get_to(profile.factor);
    if (!old) {
      json.at("levels").get_to(profile.levels);
      profile.missing = missing_from_name(json.at("missing").get<std::string>());
      json.at("means").get_to(profile.means);
      json.at("header").get_to(profile.header);
      json.at("table").get_to(profile.table);
      json.at("salt").get_to(profile.salt);
    }
    if (regression) {
      profile.task = task_from_name(json.at("task").get<std::string>());
      json.at("label_offset").get_to(profile.label_offset);
      json.at("label_factor").get_to(profile.label_factor);
      if (profile.task != Task::regression) throw Error("its version is of regression, its task is not");
    }
    check_profile(profile);
    return profile;
  } catch (const Json::exception&) {
    throw Error("the profile " + path.string() +
                " cannot be read: it is no JSON, or a field is missing or of another type");
  } catch (const Error& error) {
    throw Error("the profile " + path.string() + " cannot be read: " + error.what());
  }
}

}  // namespace smlp
