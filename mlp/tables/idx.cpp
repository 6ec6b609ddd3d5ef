// Reads IDX files, image by image.
#include "mlp/tables/idx.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::uint32_t images_magic = 0x00000803;  // bytes, three axes
constexpr std::uint32_t labels_magic = 0x00000801;  // bytes, one axis
constexpr std::uint64_t longest_axis = 4096;
constexpr std::uint64_t most_pixels = std::uint64_t{1} << 28;
constexpr std::uint64_t best_ratio = 1032;  // deflate cannot do better
constexpr std::uint64_t first_room = std::uint64_t{1} << 24;

class IdxFile {
 public:
  explicit IdxFile(Input input) : input_(std::move(input)) {}

  const std::string& name() const { return input_.name(); }
  /// The most bytes that a regular file can hold; a pipe's are not known.
  std::uint64_t most_content() const {
    return input_.size_on_disk() ? *input_.size_on_disk() * best_ratio : most_pixels;
  }

  std::uint32_t number() {
    std::array<std::uint8_t, 4> bytes{};
    read(bytes);
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
           bytes[3];
  }

  void check_magic(std::uint32_t wanted, const char* what) {
    const std::uint32_t magic = number();
    if (magic != wanted)
      throw Error(name() + " is no IDX file of " + what + ": its magic number is " + std::to_string(magic) +
                  ", not " + std::to_string(wanted));
  }

  void read(std::span<std::uint8_t> out) {
    if (input_.read(out) != out.size()) throw Error(name() + " is truncated");
  }

  /// Checks that nothing follows; for gzip this reads and checks the sum.
  void finish() {
    if (input_.next() >= 0) throw Error(name() + " has bytes left over after its last value");
  }

 private:
  Input input_;
};

}  // namespace

Table load_idx(Input images, std::optional<Input> labels) {
  const std::uint64_t on_disk = images.size_on_disk().value_or(0);
  IdxFile file(std::move(images));
  file.check_magic(images_magic, "images");
  const std::uint64_t count = file.number();
  const std::uint64_t height = file.number();
  const std::uint64_t width = file.number();
  if (count == 0 || height == 0 || width == 0) throw Error(file.name() + " holds no pixel");
  const std::uint64_t most = std::min(most_pixels, file.most_content());
  if (height > longest_axis || width > longest_axis || count > most / (height * width))
    throw Error(file.name() + " claims " + std::to_string(count) + " images of " + std::to_string(height) +
                " x " + std::to_string(width) + " pixels, more than it can hold or than is allowed");

  Table table;
  const std::size_t pixels = height * width;
  for (std::size_t i = 0; i < pixels; ++i) table.columns.push_back("pixel_" + std::to_string(i));
  // Pixels take room as they come, not as they are claimed.
  std::vector<double> cells;
  cells.reserve(std::min(count * pixels, std::max(first_room, on_disk)));
  std::vector<std::uint8_t> image(pixels);
  for (std::size_t i = 0; i < count; ++i) {
    file.read(image);
    cells.insert(cells.end(), image.begin(), image.end());
  }
  file.finish();
  table.values = Matrix<double>(count, pixels);
  table.values.cells() = std::move(cells);

  if (labels) {
    IdxFile label_file(*std::move(labels));
    label_file.check_magic(labels_magic, "labels");
    const std::uint64_t label_count = label_file.number();
    if (label_count != count)
      throw Error(label_file.name() + " has " + std::to_string(label_count) + " labels, " + file.name() +
                  " has " + std::to_string(count) + " images");
    std::vector<std::uint8_t> values(count);
    label_file.read(values);
    label_file.finish();
    table.label_column = "label";
    for (const std::uint8_t value : values) table.labels.push_back(std::to_string(value));
  }
  return table;
}

}  // namespace smlp
