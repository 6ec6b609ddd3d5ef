// Tells what a file is from its content.
#include "mlp/files/inspect_file.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "mlp/files/ciphertext_file.h"
#include "mlp/files/hdf5.h"
#include "paillier/error.h"
#include "paillier/files.h"

namespace smlp {

namespace {

constexpr std::size_t largest_json = std::size_t{64} << 20;

constexpr std::pair<std::string_view, FileKind> formats[] = {
    {table_format, FileKind::table},           {model_format, FileKind::model},
    {answers_format, FileKind::answers},       {"smlp-public-key", FileKind::public_key},
    {"smlp-secret-key", FileKind::secret_key}, {"smlp-sealed-secret-key", FileKind::sealed_secret_key},
    {"smlp-profile", FileKind::profile},
};

std::string stated_format(const std::filesystem::path& path) {
  if (hdf5::is_hdf5(path)) return read_format(path);
  Bytes bytes = read_file(path, largest_json, Readers::anyone);
  try {
    const auto json = nlohmann::json::parse(bytes);
    wipe_memory(bytes.data(), bytes.size());
    return json.is_object() ? json.value("format", "") : "";
  } catch (const nlohmann::json::exception&) {
    return "";
  }
}

}  // namespace

std::string_view name(FileKind kind) {
  switch (kind) {
    case FileKind::table:
      return "encrypted table";
    case FileKind::model:
      return "encrypted model";
    case FileKind::answers:
      return "encrypted answers";
    case FileKind::public_key:
      return "public key";
    case FileKind::secret_key:
      return "secret key";
    case FileKind::sealed_secret_key:
      return "sealed secret key";
    case FileKind::profile:
      return "profile";
  }
  throw Error("a kind of file has no name");
}

FileKind file_kind(const std::filesystem::path& path) {
  const std::string format = stated_format(path);
  for (const auto& [text, kind] : formats)
    if (format == text) return kind;
  throw Error(path.string() +
              " is no file of smlp: keys, encrypted tables, models, answers and profiles are");
}

}  // namespace smlp
