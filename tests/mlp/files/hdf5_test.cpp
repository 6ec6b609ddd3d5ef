// The HDF5 layer: round trips, bounds, damage, and files that other programs could have made.
#include "mlp/files/hdf5.h"

#include <doctest/doctest.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;
using smlp::hdf5::Reader;
using smlp::hdf5::Shape;
using smlp::hdf5::Writer;

namespace {

constexpr Shape shape{100, 3, 1024};  // more than one chunk

Bytes pattern(std::size_t first, std::size_t rows) {
  Bytes cells(rows * shape.cols * shape.width);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::size_t at = first * shape.cols * shape.width + i;
    cells[i] = static_cast<std::uint8_t>(at * 7 + at / 256 + at / 65536);
  }
  return cells;
}

void write_sample(const std::filesystem::path& path) {
  Writer writer(path);
  {
    hdf5::Group group = writer.root().create_group("g");
    hdf5::Dataset data = group.create_dataset("data", shape);
    data.write(60, pattern(60, 40));
    data.write(0, pattern(0, 60));
    group.set_number("number", ~std::uint64_t{0});
  }
  writer.root().set_numbers("numbers", {3, 1, 2});
  writer.root().set_bytes("bytes", Bytes{1, 2, 255});
  writer.root().set_text("text", "h\xC3\xA9llo");
  writer.root().set_text("nothing", "");
  writer.commit();
}

}  // namespace

TEST_CASE("attributes and arrays come back; parts of an array are read alone") {
  const TemporaryDirectory directory;
  write_sample(directory / "a.h5");
  CHECK(directory.entries() == 1);
  const Reader reader(directory / "a.h5");
  CHECK(reader.root().contains("g"));
  CHECK_FALSE(reader.root().contains("h"));
  const hdf5::Group group = reader.root().open_group("g");
  CHECK(group.number("number", 0, ~std::uint64_t{0}) == ~std::uint64_t{0});
  CHECK(reader.root().numbers("numbers", 3) == std::vector<std::size_t>{3, 1, 2});
  Bytes bytes(3);
  reader.root().bytes("bytes", bytes);
  CHECK(bytes == Bytes{1, 2, 255});
  CHECK(reader.root().text("text", 6) == "h\xC3\xA9llo");
  CHECK(reader.root().text("nothing", 6).empty());
  const hdf5::Dataset data = group.open_dataset("data", shape);
  CHECK(data.read(0, 100) == pattern(0, 100));
  CHECK(data.read(33, 35) == pattern(33, 35));
  CHECK(data.read(99, 1) == pattern(99, 1));
  CHECK_THROWS_AS(data.read(99, 2), Error);
  CHECK_THROWS_AS(data.read(0, 0), Error);
  CHECK_THROWS_AS(data.read(~std::size_t{0}, 2), Error);
}

TEST_CASE("the same content gives the same file") {
  const TemporaryDirectory directory;
  write_sample(directory / "a.h5");
  sleep(1);  // times stored in a file would differ
  write_sample(directory / "b.h5");
  CHECK(read_text(directory / "a.h5") == read_text(directory / "b.h5"));
}

TEST_CASE("an attribute of another kind or size is refused by name") {
  const TemporaryDirectory directory;
  write_sample(directory / "a.h5");
  const Reader reader(directory / "a.h5");
  const hdf5::Group& root = reader.root();
  const auto refusal = [&](const std::function<void()>& action) {
    const std::string message = message_of(action);
    CHECK(contains(message, (directory / "a.h5").string()));
    return message;
  };
  Bytes four(4);
  CHECK(contains(refusal([&] { root.number("numbers", 0, 9); }), "numbers"));
  CHECK(contains(refusal([&] { root.number("text", 0, 9); }), "integers"));
  CHECK(contains(refusal([&] { root.number("none", 0, 9); }), "has no attribute none"));
  CHECK(contains(refusal([&] { root.numbers("numbers", 2); }), "1 to 2 integers"));
  CHECK(contains(refusal([&] { root.numbers("bytes", 9); }), "integers of 8 bytes"));
  CHECK(contains(refusal([&] { root.bytes("bytes", four); }), "has 3 bytes, not 4"));
  CHECK(contains(refusal([&] { root.text("text", 5); }), "at most 5"));
  CHECK(contains(refusal([&] { root.text("numbers", 9); }), "no text"));
  CHECK(contains(refusal([&] { root.open_group("none"); }), "has no none"));
  const hdf5::Group group = root.open_group("g");
  CHECK(contains(refusal([&] { group.number("number", 1, 9); }), "allowed are 1 to 9"));
  CHECK(contains(refusal([&] { group.open_dataset("data", {100, 3, 1023}); }), "the file's header says"));
  CHECK(contains(refusal([&] {
                   group.open_dataset("data", {1u << 30, 1u << 30, 1u << 30});
                 }),
                 "truncated or damaged"));
  CHECK(contains(refusal([&] { group.open_dataset("data", {0, 3, 1024}); }), "would hold 0"));
  CHECK_THROWS_AS(group.open_group("data"), Error);
  CHECK_THROWS_AS(root.open_dataset("g", {1, 1, 1}), Error);
}

TEST_CASE("an uncommitted file leaves nothing and touches nothing") {
  const TemporaryDirectory directory;
  write_text(directory / "a.h5", "old");
  {
    Writer writer(directory / "a.h5");
    writer.root().set_number("n", 1);
    CHECK(directory.entries() == 2);
  }
  CHECK(directory.entries() == 1);
  CHECK(read_text(directory / "a.h5") == "old");
  write_sample(directory / "a.h5");
  CHECK(directory.entries() == 1);
  CHECK_NOTHROW(Reader(directory / "a.h5"));
}

TEST_CASE("two writers of one file: each puts a whole one in place") {
  const TemporaryDirectory directory;
  Writer first(directory / "a.h5"), second(directory / "a.h5");
  first.root().set_number("n", 1);
  second.root().set_number("n", 2);
  const auto number = [&] { return Reader(directory / "a.h5").root().number("n", 0, 9); };
  first.commit();
  CHECK(number() == 1);
  second.commit();
  CHECK(number() == 2);
  CHECK(directory.entries() == 1);
}

TEST_CASE("what cannot be written is refused") {
  const TemporaryDirectory directory;
  CHECK(contains(message_of([&] { Writer(directory / "none" / "a.h5"); }), "No such file or directory"));
  write_text(directory / "file", "");
  CHECK(contains(message_of([&] { Writer(directory / "file" / "a.h5"); }), "Not a directory"));
  std::filesystem::create_directory(directory / "d.h5");
  CHECK(contains(message_of([&] {
                   Writer writer(directory / "d.h5");
                   writer.commit();
                 }),
                 "cannot replace"));
  Writer writer(directory / "a.h5");
  CHECK_THROWS_AS(writer.root().set_numbers("n", {}), Error);
  CHECK_THROWS_AS(writer.root().set_bytes("n", {}), Error);
  CHECK_THROWS_AS(writer.root().create_dataset("d", {0, 1, 1}), Error);
  hdf5::Dataset data = writer.root().create_dataset("d", {2, 2, 2});
  CHECK_THROWS_AS(data.write(0, Bytes(3)), Error);
  CHECK_THROWS_AS(data.write(1, Bytes(8)), Error);
  CHECK_THROWS_AS(writer.root().create_dataset("d", {2, 2, 2}), Error);
  CHECK(directory.entries() == 3);
}

TEST_CASE("a full disk ends in an Error and leaves no file") {
  const TemporaryDirectory directory;
  // A child may write 64 KiB a file only; it reports what happened by its exit code.
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit limit{65536, 65536};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);
    int code = 1;
    try {
      write_sample(directory / "a.h5");
    } catch (const Error&) {
      code = directory.entries() == 0 ? 0 : 2;
    }
    _exit(code);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("what is no HDF5 file is refused") {
  const TemporaryDirectory directory;
  CHECK(contains(message_of([&] { Reader(directory / "none"); }), "No such file"));
  CHECK(contains(message_of([&] { Reader(write_text(directory / "x", "a,b\n")); }), "is no HDF5 file"));
  CHECK(contains(message_of([&] { Reader(write_text(directory / "x", "\x89HDF\r\n\x1a\n")); }), "damaged"));
  CHECK_THROWS_AS(Reader(directory.path()), Error);
}

TEST_CASE("links out of the file and other storage are refused") {
  const TemporaryDirectory directory;
  write_sample(directory / "a.h5");
  const auto path = directory / "b.h5";
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(file >= 0);
  H5Lcreate_external((directory / "a.h5").c_str(), "/g", file, "g", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/plain", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
  const std::array<hsize_t, 3> size{4, 4, 4};
  const std::array<hsize_t, 3> chunk{2, 4, 4};
  const hid_t space = H5Screate_simple(3, size.data(), nullptr);
  const auto create = [&](const char* name, hid_t type, hid_t creation) {
    const hid_t id = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    REQUIRE(id >= 0);
    H5Dclose(id);
  };
  create("plain", H5T_STD_U8LE, H5P_DEFAULT);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 3, chunk.data());
  create("unchecked", H5T_STD_U8LE, creation);
  create("doubles", H5T_IEEE_F64LE, creation);
  H5Pset_deflate(creation, 9);
  create("compressed", H5T_STD_U8LE, creation);
  const hid_t variable = H5Tcopy(H5T_C_S1);
  H5Tset_size(variable, H5T_VARIABLE);
  const hid_t scalar = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(file, "text", variable, scalar, H5P_DEFAULT, H5P_DEFAULT);
  const char* text = "text";
  H5Awrite(attribute, variable, static_cast<const void*>(&text));
  H5Aclose(attribute);
  H5Sclose(scalar);
  H5Tclose(variable);
  H5Pclose(creation);
  H5Sclose(space);
  H5Fclose(file);

  const Reader reader(path);
  const hdf5::Group& root = reader.root();
  CHECK(contains(message_of([&] { root.open_group("g"); }), "is a link"));
  CHECK(contains(message_of([&] { root.open_dataset("soft", {4, 4, 4}); }), "is a link"));
  CHECK(contains(message_of([&] { root.open_dataset("plain", {4, 4, 4}); }), "chunks"));
  CHECK(contains(message_of([&] { root.open_dataset("unchecked", {4, 4, 4}); }), "filter"));
  CHECK(contains(message_of([&] { root.open_dataset("compressed", {4, 4, 4}); }), "filter"));
  CHECK(contains(message_of([&] { root.open_dataset("doubles", {4, 4, 4}); }), "no array of bytes"));
  CHECK(contains(message_of([&] { root.text("text", 9); }), "fixed length"));
}

TEST_CASE("a pipe is called one, and its bytes are left alone") {
  const TemporaryDirectory directory;
  const auto path = directory / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(contains(message_of([&] { Reader{path}; }), "pipe is a pipe or a device; HDF5 needs a regular file"));
}

TEST_CASE("a flipped bit or a cut is noticed [slow]") {
  const TemporaryDirectory directory;
  write_sample(directory / "a.h5");
  const Bytes cells = pattern(0, 100);
  const std::size_t refused = damage(directory / "a.h5", 100, [&](const auto& path) {
    const Reader reader(path);
    const hdf5::Group group = reader.root().open_group("g");
    Bytes bytes(3);
    reader.root().bytes("bytes", bytes);
    return group.number("number", 0, ~std::uint64_t{0}) == ~std::uint64_t{0} &&
           reader.root().numbers("numbers", 3) == std::vector<std::size_t>{3, 1, 2} &&
           bytes == Bytes{1, 2, 255} && reader.root().text("text", 9) == "h\xC3\xA9llo" &&
           reader.root().text("nothing", 9).empty() &&
           group.open_dataset("data", shape).read(0, 100) == cells;
  });
  CHECK(refused > 150);
}
