// What the fuzzers share: bytes in, and either a result that holds or an Error in one line. Anything else
// (another exception, a sanitizer's finding, memory or time beyond the limits of scripts/fuzz.sh) is a
// failure.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "tests/support/temporary_directory.h"

namespace smlp::fuzz {

using Input = std::span<const std::uint8_t>;

inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// Runs `action`, which may refuse its input by an Error in one line.
template <typename Action>
void may_refuse(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string_view sentence = error.what();
    expect(!sentence.empty() && sentence.find('\n') == std::string_view::npos, "an error is one line");
  }
}

inline std::string text_of(Input input) {
  return {input.begin(), input.end()};
}

/// A file of these bytes, for its owner alone; the next call replaces it.
inline std::filesystem::path file_of(std::string_view bytes) {
  static const test::TemporaryDirectory directory;
  const std::filesystem::path path = directory / "input";
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  expect(file.good(), "a file can be written");
  std::filesystem::permissions(path,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return path;
}

/// Takes what a fuzzer is given as the choices that a structured input is made of; zeros after the end.
class Choices {
 public:
  explicit Choices(Input input) : rest_(input) {}
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes && !rest_.empty(); ++i, rest_ = rest_.subspan(1))
      value = value << 8 | rest_.front();
    return value;
  }
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(number(1)) % count; }
  std::string text(std::size_t length) {
    const Input part = rest_.first(std::min(length, rest_.size()));
    rest_ = rest_.subspan(part.size());
    return text_of(part);
  }

 private:
  Input rest_;
};

}  // namespace smlp::fuzz
