// IDX files, plain and compressed, made here.
#include "mlp/tables/idx.h"

#include <doctest/doctest.h>

#include "tests/mlp/files/files_support.h"
#include "tests/mlp/tables/gzip.h"

using namespace smlp;
using namespace smlp::test;

namespace {

std::string number(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string images(std::uint32_t count, std::uint32_t height, std::uint32_t width,
                   const std::string& pixels) {
  return number(0x803) + number(count) + number(height) + number(width) + pixels;
}

std::string labels(std::uint32_t count, const std::string& values) {
  return number(0x801) + number(count) + values;
}

const std::string two_images("\x00\x01\x02\x03\x04\x05\xff\xfe\x80\x7f\x00\x01", 12);

}  // namespace

TEST_CASE("images and labels, plain and compressed") {
  const TemporaryDirectory directory;
  const std::string content = images(2, 2, 3, two_images);
  for (const bool compressed : {false, true}) {
    const auto write =
        compressed ? write_gzip : +[](const std::filesystem::path& path, const std::string& text) {
          return write_text(path, text);
        };
    const Table table = load_idx(write(directory / "images", content),
                                 write(directory / "labels", labels(2, {'\x07', '\x0a'})));
    CHECK(table.columns ==
          std::vector<std::string>{"pixel_0", "pixel_1", "pixel_2", "pixel_3", "pixel_4", "pixel_5"});
    CHECK(table.values.cells() == std::vector<double>{0, 1, 2, 3, 4, 5, 255, 254, 128, 127, 0, 1});
    CHECK(table.label_column == "label");
    CHECK(table.labels == std::vector<std::string>{"7", "10"});
    CHECK_FALSE(load_idx(directory / "images", {}).has_labels());
  }
}

TEST_CASE("bad IDX files are refused by name") {
  const TemporaryDirectory directory;
  const auto refusal = [&](const std::string& content) {
    const std::string message = message_of([&] { load_idx(write_text(directory / "i", content), {}); });
    CHECK(contains(message, (directory / "i").string()));
    return message;
  };
  CHECK(contains(message_of([&] { load_idx(directory / "none", {}); }), "cannot open"));
  CHECK(contains(message_of([&] { load_idx(directory.path(), {}); }), directory.path().string()));
  CHECK(contains(refusal(""), "truncated"));
  CHECK(contains(refusal(labels(2, "ab")), "is no IDX file of images: its magic number is 2049"));
  CHECK(contains(refusal(images(2, 2, 3, two_images) + "x"), "bytes left over"));
  CHECK(contains(refusal(images(2, 2, 3, two_images.substr(0, 11))), "truncated"));
  CHECK(contains(refusal(images(0, 2, 3, "")), "no pixel"));
  CHECK(contains(refusal(images(1, 4097, 1, "")), "more than"));
  CHECK(contains(refusal(images(0xffffffff, 4096, 4096, "")), "more than"));
  CHECK(contains(refusal(images(0xffffffff, 1, 1, "")), "more than"));
  // Less than 2^28 pixels, but more than a file of 16 bytes can hold.
  CHECK(contains(refusal(images(20000, 1, 1, "")), "more than it can hold"));

  write_text(directory / "i", images(2, 2, 3, two_images));
  const auto label_refusal = [&](const std::string& content) {
    return message_of([&] { load_idx(directory / "i", write_text(directory / "l", content)); });
  };
  CHECK(contains(label_refusal(labels(3, "abc")), "has 3 labels"));
  CHECK(contains(label_refusal(labels(2, "a")), "truncated"));
  CHECK(contains(label_refusal(labels(2, "abc")), "left over"));
  CHECK(contains(label_refusal(images(2, 2, 3, two_images)), "is no IDX file of labels"));
}

TEST_CASE("a damaged compressed file is refused or reads the same") {
  const TemporaryDirectory directory;
  const auto path = write_gzip(directory / "i.gz", images(2, 2, 3, two_images));
  const Matrix<double> values = load_idx(path, {}).values;
  const std::size_t refused = damage(path, std::filesystem::file_size(path),
                                     [&](const auto& file) { return load_idx(file, {}).values == values; });
  CHECK(refused > std::filesystem::file_size(path));
}
