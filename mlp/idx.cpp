// Reads IDX files through zlib, which takes plain files as they are.
#include "mlp/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::uint32_t images_magic = 0x00000803;  // bytes, three axes
constexpr std::uint32_t labels_magic = 0x00000801;  // bytes, one axis
constexpr std::uint64_t longest_axis = 4096;
constexpr std::uint64_t most_pixels = std::uint64_t{1} << 28;
constexpr std::uint64_t best_ratio = 1032;  // deflate cannot do better

class IdxFile {
 public:
  explicit IdxFile(const std::filesystem::path& path) : name_(path.string()) {
    std::error_code problem;
    size_ = std::filesystem::file_size(path, problem);
    if (problem) throw Error("cannot open " + name_ + ": " + problem.message());
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) throw Error("cannot open " + name_ + ": " + std::strerror(errno));
  }

  const std::string& name() const { return name_; }
  std::uint64_t most_content() const { return size_ * best_ratio; }

  std::uint32_t number() {
    std::array<std::uint8_t, 4> bytes{};
    read(bytes);
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
           bytes[3];
  }

  void check_magic(std::uint32_t wanted, const char* what) {
    const std::uint32_t magic = number();
    if (magic != wanted)
      throw Error(name_ + " is no IDX file of " + what + ": its magic number is " + std::to_string(magic) +
                  ", not " + std::to_string(wanted));
  }

  void read(std::span<std::uint8_t> out) {
    const int got = gzread(file_.get(), out.data(), static_cast<unsigned>(out.size()));
    if (got < 0) fail();
    if (static_cast<std::size_t>(got) != out.size()) throw Error(name_ + " is truncated");
  }

  /// Checks that nothing follows; for gzip this reads and checks the sum.
  void finish() {
    std::uint8_t extra = 0;
    const int got = gzread(file_.get(), &extra, 1);
    if (got > 0) throw Error(name_ + " has bytes left over after its last value");
    int state = Z_OK;
    gzerror(file_.get(), &state);
    if (got < 0 || state != Z_OK) fail();
  }

 private:
  [[noreturn]] void fail() {
    int state = Z_OK;
    const char* text = gzerror(file_.get(), &state);
    throw Error(name_ + " is truncated or damaged: " +
                (text != nullptr && *text != '\0' ? text : "its sum is wrong"));
  }

  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  std::string name_;
  std::uint64_t size_ = 0;
  std::unique_ptr<gzFile_s, Close> file_;
};

}  // namespace

Table load_idx(const std::filesystem::path& images, const std::optional<std::filesystem::path>& labels) {
  IdxFile file(images);
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
  table.values = Matrix<double>(count, pixels);
  std::vector<std::uint8_t> image(pixels);
  for (std::size_t i = 0; i < count; ++i) {
    file.read(image);
    for (std::size_t j = 0; j < pixels; ++j) table.values(i, j) = image[j];
  }
  file.finish();

  if (labels) {
    IdxFile label_file(*labels);
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
