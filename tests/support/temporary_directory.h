// A directory for the files of a test.
#pragma once

#include <stdlib.h>
#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

#include "paillier/error.h"

namespace smlp::test {

/// A new directory, removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "smlp-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw Error("no temporary directory for a test");
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

/// Who may do what with a file, as chmod has it.
inline mode_t mode_of(const std::filesystem::path& path) {
  return static_cast<mode_t>(std::filesystem::status(path).permissions());
}

}  // namespace smlp::test
