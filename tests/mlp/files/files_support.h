// What the tests of files share: texts and damage; a directory and toy keys by inclusion.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>

#include "paillier/error.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/toy_keys.h"

namespace smlp::test {

inline std::filesystem::path write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  REQUIRE(file.good());
  return path;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The message of the Error that `action` throws; fails the test when it throws none, or one of several
/// lines.
inline std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string message = error.what();
    CHECK(message.find('\n') == std::string::npos);
    return message;
  }
  FAIL("no Error was thrown");
  return {};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Flips single bits of a file, `flips` of them spread over its length, and cuts it at as many places.
/// `unchanged` loads the file and tells whether its content is what it was; it must do so or throw Error.
/// Returns how many loads threw.
inline std::size_t damage(const std::filesystem::path& path, std::size_t flips,
                          const std::function<bool(const std::filesystem::path&)>& unchanged) {
  const std::string whole = read_text(path);
  const std::filesystem::path damaged = path.string() + ".damaged";
  std::size_t refused = 0;
  const auto load = [&](const std::string& content, const std::string& what) {
    write_text(damaged, content);
    try {
      const bool same = unchanged(damaged);  // not inside CHECK, which would swallow the Error
      CHECK_MESSAGE(same, what);
    } catch (const Error& error) {
      ++refused;
      CHECK_MESSAGE(std::string(error.what()).find('\n') == std::string::npos, what);
    }
  };
  const std::size_t bits = whole.size() * 8;
  for (std::size_t i = 0; i < flips; ++i) {
    // One bit of each of `flips` equal parts; the odd multiplier visits all positions in a byte.
    const std::size_t bit = (i * bits / flips + i * 5) % bits;
    std::string content = whole;
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << (bit % 8)));
    load(content, "bit " + std::to_string(bit) + " flipped");
  }
  for (std::size_t i = 0; i < flips; ++i) {
    const std::size_t size = i * whole.size() / flips;
    const std::size_t before = refused;
    load(whole.substr(0, size), "cut at " + std::to_string(size));
    CHECK_MESSAGE(refused == before + 1, "cut at " << size << " was not refused");
  }
  std::filesystem::remove(damaged);
  return refused;
}

}  // namespace smlp::test
