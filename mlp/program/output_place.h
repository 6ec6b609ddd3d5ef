// The places that a command writes to. One rule for all of them: what is there already is refused unless
// --force is given, and a place has one writer at a time.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mlp/program/command_line.h"
#include "paillier/files.h"

namespace smlp {

/// --force.
struct ForceOption {
  bool force = false;
  void add_to(CommandLine& line) { line.flag("force", force, "replace files that are there already"); }
};

/// Whether there is something at the path; a link without its target is something.
bool is_there(const std::filesystem::path& path);

/// Throws Error "OPTION PATH is there already: REMEDY".
void refuse_existing(const std::string& option, const std::filesystem::path& path,
                     const std::string& remedy = "replace it with --force, or name another file");

/// Throws Error where `path` is one of the `others`, by whatever name.
void refuse_one_of(const std::string& option, const std::filesystem::path& path,
                   const std::vector<std::filesystem::path>& others);

/// What a place may take.
enum class Content {
  file,  ///< a regular file alone
  text,  ///< also a pipe, a terminal or /dev/stdout
};

/// Held from the first check of a command to its end.
class OutputPlace {
 public:
  /// Throws Error unless a file can be made at `path`: its directory is there and can be written, and it is
  /// neither a directory nor one of the files that are `read`, and no other process is writing to it.
  OutputPlace(const std::string& option, std::filesystem::path path, Content content,
              const std::vector<std::filesystem::path>& read = {});

  /// No regular file: it is written to, never replaced.
  bool is_stream() const { return stream_; }
  /// Whether there is a file, to be replaced or continued.
  bool holds_file() const { return !stream_ && is_there(path_); }
  /// A file is written whole or not at all, with this mode. Throws Error.
  void write(std::string_view text, mode_t mode) const;

 private:
  std::filesystem::path path_;
  bool stream_ = false;
  std::optional<FileLock> lock_;
};

}  // namespace smlp
