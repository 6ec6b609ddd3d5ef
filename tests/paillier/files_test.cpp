// Atomic files: content, mode, nothing left behind, old content kept on failure.
#include "paillier/files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "paillier/error.h"
#include "tests/support/temporary_directory.h"

using namespace smlp;
using smlp::test::mode_of;

TEST_CASE("a file is written, replaced and read") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "file";
  write_file_atomically(path, Bytes{1, 2, 3}, 0600);
  CHECK(mode_of(path) == 0600);
  CHECK(read_file(path, 3, Readers::owner_only) == Bytes{1, 2, 3});
  const Bytes large(300000, 7);
  write_file_atomically(path, large, 0644);
  CHECK(mode_of(path) == 0644);
  CHECK(read_file(path, large.size(), Readers::anyone) == large);
  write_file_atomically(path, {}, 0600);
  CHECK(read_file(path, 0, Readers::anyone).empty());
  CHECK(directory.entries() == 1);
}

TEST_CASE("a relative path without a directory") {
  const test::TemporaryDirectory directory;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  write_file_atomically("here", Bytes{5}, 0600);
  std::filesystem::current_path(before);
  CHECK(read_file(directory / "here", 10, Readers::anyone) == Bytes{5});
}

TEST_CASE("a file that is written again keeps owner, group and mode; a link is refused") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "file", link = directory / "link";
  CHECK_THROWS_AS(rewrite_file_atomically(path, Bytes{1}), Error);
  write_file_atomically(path, Bytes{1}, 0640);
  const bool root = ::getuid() == 0;
  if (root) REQUIRE(::chown(path.c_str(), 12, 34) == 0);
  REQUIRE(::chmod(path.c_str(), 0440) == 0);
  rewrite_file_atomically(path, Bytes{2, 3});
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0440);
  if (root) {
    CHECK(status.st_uid == 12);
    CHECK(status.st_gid == 34);
  }
  std::filesystem::create_symlink("file", link);
  CHECK_THROWS_WITH_AS(rewrite_file_atomically(link, Bytes{4}),
                       (link.string() + " is a link or no regular file: name the file itself").c_str(),
                       Error);
  CHECK(std::filesystem::is_symlink(link));
  CHECK(read_file(path, 2, Readers::anyone) == Bytes{2, 3});
  CHECK(directory.entries() == 2);
}

TEST_CASE("what cannot be written leaves nothing behind") {
  const test::TemporaryDirectory directory;
  const auto missing = directory / "missing" / "file";
  CHECK_THROWS_WITH_AS(write_file_atomically(missing, Bytes{1}, 0600),
                       ("cannot write " + missing.string() + ": No such file or directory").c_str(), Error);
  const auto occupied = directory / "occupied";
  std::filesystem::create_directory(occupied);
  CHECK_THROWS_AS(write_file_atomically(occupied, Bytes{1}, 0600), Error);
  CHECK(directory.entries() == 1);
}

TEST_CASE("a new file has a name of its own until it is in place") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "file";
  NewFile first(path, 0640), second(path, 0600);
  CHECK(first.name() != second.name());
  REQUIRE(write_all(first.descriptor(), Bytes{1}));
  REQUIRE(write_all(second.descriptor(), Bytes{2, 2}));
  first.commit();
  CHECK(read_file(path, 9, Readers::anyone) == Bytes{1});
  second.commit();
  CHECK(read_file(path, 9, Readers::anyone) == Bytes{2, 2});
  CHECK(mode_of(path) == 0600);
  const auto begin = [](const std::filesystem::path&) { throw Error("not begun"); };
  CHECK_THROWS_WITH_AS(NewFile(path, 0600, begin), "not begun", Error);
  CHECK(directory.entries() == 1);
}

TEST_CASE("a lock holds a place, and cleans up after killed writers") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "file";
  const std::string killed = (directory / ".file.partial-0123456789abcdef").string();
  for (const std::string& name : {killed, killed + "0", (directory / ".file.partial").string()})
    std::ofstream(name) << "x";
  {
    const FileLock lock(path, "--out file");
    CHECK(!std::filesystem::exists(killed));
    CHECK_THROWS_WITH_AS(FileLock(path, "--out file"),
                         "--out file is being written by another smlp: let it end, or name another file",
                         Error);
    CHECK_NOTHROW(FileLock(directory / "other", "--out other"));
  }
  CHECK_NOTHROW(FileLock(path, "--out file"));
  CHECK(directory.entries() == 2);  // the lookalikes
}

TEST_CASE("a temporary file goes with its object, unless it was renamed") {
  const test::TemporaryDirectory directory;
  const auto make = [&](const char* name) {
    return [&directory, name] {
      std::ofstream(directory / name) << "x";
      return directory / name;
    };
  };
  {
    TemporaryFile first(make("first"));
    const TemporaryFile second(make("second"));
    CHECK(second.name() == directory / "second");
    CHECK_THROWS_AS(TemporaryFile([]() -> std::filesystem::path { throw Error("not made"); }), Error);
    CHECK(!first.rename(directory / "missing" / "file"));
    CHECK(first.rename(directory / "kept"));
    CHECK(directory.entries() == 2);
  }
  CHECK(directory.entries() == 1);
  CHECK(read_file(directory / "kept", 1, Readers::anyone) == Bytes{'x'});
}

TEST_CASE("reading is bounded, private and only of regular files") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "file";
  write_file_atomically(path, Bytes(1000, 1), 0640);
  CHECK_THROWS_WITH_AS(read_file(path, 999, Readers::anyone),
                       ("the file " + path.string() + " is longer than the allowed 999 bytes").c_str(),
                       Error);
  for (const mode_t mode : std::initializer_list<mode_t>{0640, 0604, 0620, 0610, 0601, 0602}) {
    ::chmod(path.c_str(), mode);
    CHECK_THROWS_AS(read_file(path, 1000, Readers::owner_only), Error);
  }
  ::chmod(path.c_str(), 0400);
  CHECK(read_file(path, 1000, Readers::owner_only).size() == 1000);
  CHECK_THROWS_AS(read_file(directory.path(), 1000, Readers::anyone), Error);
  CHECK_THROWS_AS(read_file(directory / "missing", 1000, Readers::anyone), Error);
  const auto pipe = directory / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(read_file(pipe, 1000, Readers::anyone),
                       ("cannot read " + pipe.string() + ": it is not a regular file").c_str(), Error);
}
