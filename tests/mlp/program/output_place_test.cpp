// OperationIds that commands write to: what is refused, what is held, what is left.
#include "mlp/program/output_place.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "paillier/error.h"
#include "tests/mlp/files/files_support.h"

using namespace smlp;
using test::contains;
using test::message_of;

TEST_CASE("a place that can be written, and nothing is left by the check") {
  const test::TemporaryDirectory directory;
  { const OutputPlace place("--out", directory / "new", Content::file); }
  CHECK(directory.entries() == 0);
  const auto path = test::write_text(directory / "old", "x");
  {
    const OutputPlace place("--out", path, Content::file, {directory / "other"});
    CHECK(place.holds_file());
    CHECK(!place.is_stream());
  }
  CHECK(test::read_text(path) == "x");
  const auto refusal = [&](const std::filesystem::path& where,
                           const std::vector<std::filesystem::path>& read = {}) {
    return message_of([&] { OutputPlace("--out", where, Content::file, read); });
  };
  CHECK(contains(refusal(path, {path}), "would overwrite"));
  CHECK(contains(refusal(directory.path()), "is a directory"));
  CHECK(contains(refusal(directory / "no" / "file"), "cannot write --out"));
  CHECK(contains(message_of([&] { refuse_existing("--out", path); }), "old is there already: "));
  CHECK_NOTHROW(refuse_existing("--out", directory / "new"));
  std::filesystem::create_symlink("nowhere", directory / "link");
  CHECK(is_there(directory / "link"));
}

TEST_CASE("a place has one writer at a time, by whatever name") {
  const test::TemporaryDirectory directory;
  {
    const OutputPlace place("--out", directory / "a", Content::file);
    CHECK(contains(message_of([&] { OutputPlace("--out", directory / "." / "a", Content::file); }),
                   "is being written by another smlp"));
    CHECK_NOTHROW(OutputPlace("--out", directory / "b", Content::file));
    place.write("text", 0600);
  }
  CHECK_NOTHROW(OutputPlace("--out", directory / "a", Content::file));
  CHECK(test::read_text(directory / "a") == "text");
  CHECK(directory.entries() == 1);
}

TEST_CASE("a pipe takes text and nothing else") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(contains(message_of([&] { OutputPlace("--out", path, Content::file); }), "regular file"));
  const OutputPlace place("--out", path, Content::text);
  CHECK(place.is_stream());
  CHECK(!place.holds_file());
  CHECK(OutputPlace("--out", "/dev/stdout", Content::text).is_stream());
  CHECK(directory.entries() == 1);
}
