// Tells what a file is from its content.
#pragma once

#include <filesystem>
#include <string_view>

namespace smlp {

enum class FileKind { table, model, answers, public_key, secret_key, sealed_secret_key, profile };
/// "encrypted table", "encrypted model", "encrypted answers", "public key", "secret key", "sealed secret
/// key", "profile".
std::string_view name(FileKind kind);

/// Reads the format that the file states and nothing else. Throws Error when the file cannot be read or is
/// none of these.
FileKind file_kind(const std::filesystem::path& path);

}  // namespace smlp
