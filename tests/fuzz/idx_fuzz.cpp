// IDX images and labels, plain and compressed.
#include "mlp/tables/idx.h"
#include "tests/fuzz/fuzz.h"

using namespace smlp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = fuzz::file_of(fuzz::text_of({data, size}));
  fuzz::may_refuse([&] {
    const Table table = load_idx(path, std::nullopt);
    fuzz::expect(table.rows() > 0 && table.labels.empty(), "images have no labels");
    for (const double value : table.values.cells())
      fuzz::expect(value >= 0 && value <= 255, "a pixel is a byte");
  });
  static const test::TemporaryDirectory directory;
  static const auto images = [] {
    const std::string_view two_of_one_pixel("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x01\x07\x09", 18);
    std::ofstream(directory / "images", std::ios::binary) << two_of_one_pixel;
    return directory / "images";
  }();
  fuzz::may_refuse([&] {
    const Table table = load_idx(images, path);
    fuzz::expect(table.rows() == 2 && table.labels.size() == 2, "an image has a label");
  });
  return 0;
}
