// Inputs are opened and read once: files, pipes and FIFOs, compressed and not.
#include "mlp/tables/input.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <thread>

#include "mlp/tables/table.h"
#include "tests/mlp/files/files_support.h"
#include "tests/mlp/tables/gzip.h"

using namespace smlp;
using namespace smlp::test;

namespace {

/// More than any buffer holds.
std::string long_table() {
  std::string text = "a,b,class\n";
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + ",1.5," + (i % 2 == 0 ? "x" : "y") + "\n";
  return text;
}

/// What load_table makes of a FIFO that these bytes go through once.
Table through_fifo(const std::filesystem::path& path, const std::string& content) {
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  std::thread writer([&] { write_text(path, content); });
  TableSource source;
  source.data = path;
  Table table = load_table(source);
  writer.join();
  return table;
}

}  // namespace

TEST_CASE("bytes come in order, looked at or taken") {
  const TemporaryDirectory directory;
  std::string content;
  for (std::size_t i = 0; i < 200000; ++i) content += static_cast<char>(i * 7 + i / 256);
  for (const bool compressed : {false, true}) {
    Input input(compressed ? write_gzip(directory / "f", content) : write_text(directory / "f", content));
    CHECK(input.peek(3) == content.substr(0, 3));
    CHECK(input.next() == static_cast<unsigned char>(content[0]));
    std::string read(content.size() - 1, '\0');
    CHECK(input.peek(Input::buffer_bytes).size() >= Input::buffer_bytes - 1);
    CHECK(input.read({reinterpret_cast<std::uint8_t*>(read.data()), read.size()}) == read.size());
    CHECK(read == content.substr(1));
    CHECK(input.next() == -1);
    CHECK(input.peek(1).empty());
  }
}

TEST_CASE("every row of a pipe is read, and its first line is the header") {
  const TemporaryDirectory directory;
  const std::string text = long_table();
  const Table table = through_fifo(directory / "csv", text);
  CHECK(table.rows() == 20000);
  CHECK(table.columns == std::vector<std::string>{"a", "b"});
  CHECK(table.values(19999, 0) == 19999);
  CHECK(through_fifo(directory / "csv.gz", read_text(write_gzip(directory / "c", text))).values ==
        table.values);
  const std::string images("\0\0\x08\x03\0\0\0\x01\0\0\0\x01\0\0\0\x02\x05\x06", 18);
  CHECK(through_fifo(directory / "idx", images).values.cells() == std::vector<double>{5, 6});
  CHECK(through_fifo(directory / "idx.gz", read_text(write_gzip(directory / "i", images))).values.cells() ==
        std::vector<double>{5, 6});
}

TEST_CASE("compressed CSV that is cut or damaged is refused") {
  const TemporaryDirectory directory;
  const std::string whole = read_text(write_gzip(directory / "whole", long_table()));
  TableSource source;
  source.data = directory / "cut";
  for (const std::size_t size : {whole.size() / 2, whole.size() - 5}) {
    write_text(source.data, whole.substr(0, size));
    CHECK(contains(message_of([&] { load_table(source); }), "is truncated or damaged"));
  }
  // Members follow one another, and nothing else follows them.
  std::string second = read_text(write_gzip(directory / "second", "1,2,x\n"));
  write_text(source.data, whole + second);
  CHECK(load_table(source).rows() == 20001);
  second[0] ^= 1;
  for (const std::string& rest : {second, std::string("\x1F"), std::string(3, '\0')}) {
    write_text(source.data, whole + rest);
    CHECK(contains(message_of([&] { load_table(source); }), "is truncated or damaged"));
  }
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 4);
  write_text(source.data, flipped);
  CHECK_THROWS_AS(load_table(source), Error);
}
