// The HDF5 C library behind RAII and exceptions.
#include "mlp/files/hdf5.h"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "paillier/error.h"

namespace smlp::hdf5 {

namespace {

static_assert(sizeof(hid_t) == sizeof(std::int64_t));

constexpr std::size_t chunk_bytes = std::size_t{1} << 18;

/// The innermost message of the library's error stack; of the system's refusal only what the system says.
std::string library_message() {
  std::string message;
  const auto take_first = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    if (error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
    return 1;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &message);
  constexpr std::string_view before = "error message = '";
  if (const auto at = message.find(before); at != std::string::npos) {
    message.erase(0, at + before.size());
    message.erase(std::min(message.find('\''), message.size()));
  }
  std::ranges::replace(message, '\n', ' ');
  return message;
}

[[noreturn]] void fail(const std::string& what) {
  const std::string reason = library_message();
  throw Error(what + (reason.empty() ? "" : " (HDF5: " + reason + ")"));
}

void check(herr_t status, const std::string& what) {
  if (status < 0) fail(what);
}

Handle own(hid_t id, Handle::Close close, const std::string& what) {
  if (id < 0) fail(what);
  return {id, close};
}

Handle property_list(hid_t type) {
  return own(H5Pcreate(type), H5Pclose, "HDF5 has no property list left");
}

/// Switches off the library's own printing of errors, which is a setting of each thread.
void silence() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

/// Newest format: its structures have checksums.
Handle file_access() {
  // After a failed write the library keeps the file half open, and at the end of the process would crash on
  // it.
  static_cast<void>(H5dont_atexit());
  silence();
  Handle access = property_list(H5P_FILE_ACCESS);
  check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST),
        "HDF5 lacks its newest format");
  // Files are written under a name of their own and renamed when they are whole, so nobody reads what another
  // one writes; and some file systems have no locks.
  check(H5Pset_file_locking(access.id(), false, true), "HDF5 cannot do without locks");
  return access;
}

std::array<hsize_t, 3> extents(const Shape& shape) {
  return {shape.rows, shape.cols, shape.width};
}

/// `rows` rows in memory, with the axes of the file: between spaces of another rank the library copies byte
/// by byte.
Handle memory_space(const Shape& shape, std::size_t rows) {
  const std::array<hsize_t, 3> size = extents({rows, shape.cols, shape.width});
  return own(H5Screate_simple(3, size.data(), nullptr), H5Sclose, "HDF5 has no extent left");
}

/// Chunks of about chunk_bytes: some rows, or a part of one.
std::array<hsize_t, 3> chunk_of(const Shape& shape) {
  const std::size_t most = std::clamp<std::size_t>(chunk_bytes / shape.width, 1, shape.cols);
  const std::size_t parts = (shape.cols + most - 1) / most;
  const std::size_t cols =
      (shape.cols + parts - 1) / parts;  // chunks are stored whole: the last is not left half empty
  const std::size_t rows = std::clamp<std::size_t>(chunk_bytes / (cols * shape.width), 1, shape.rows);
  return {rows, cols, shape.width};
}

void check_hard_link(hid_t group, const std::string& name, const std::string& where) {
  if (H5Lexists(group, name.c_str(), H5P_DEFAULT) <= 0) throw Error(where + " has no " + name);
  H5L_info_t info{};
  check(H5Lget_info(group, name.c_str(), &info, H5P_DEFAULT), where + ": " + name + " cannot be read");
  if (info.type != H5L_TYPE_HARD)
    throw Error(where + ": " + name + " is a link, only objects of the file are allowed");
}

}  // namespace

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    reset();
    id_ = std::exchange(other.id_, -1);
    close_ = other.close_;
  }
  return *this;
}

bool Handle::reset() noexcept {
  return id_ < 0 || close_(std::exchange(id_, -1)) >= 0;
}

Handle Dataset::select(std::size_t first, std::size_t rows) const {
  if (rows == 0 || first > shape_.rows || rows > shape_.rows - first)
    throw Error(name_ + " has " + std::to_string(shape_.rows) + " rows; rows " + std::to_string(first) +
                " to " + std::to_string(first + rows) + " are not all there");
  silence();
  Handle space = own(H5Dget_space(handle_.id()), H5Sclose, name_ + " has no extent");
  const std::array<hsize_t, 3> start{first, 0, 0};
  const std::array<hsize_t, 3> count{rows, shape_.cols, shape_.width};
  check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
        name_ + " cannot be read in part");
  return space;
}

void Dataset::write(std::size_t first, std::span<const std::uint8_t> cells) {
  const std::size_t row_bytes = shape_.cols * shape_.width;
  if (cells.size() % row_bytes != 0)
    throw Error(name_ + ": " + std::to_string(cells.size()) + " bytes are no whole rows of " +
                std::to_string(row_bytes));
  const Handle target = select(first, cells.size() / row_bytes);
  const Handle memory = memory_space(shape_, cells.size() / row_bytes);
  check(H5Dwrite(handle_.id(), H5T_NATIVE_UINT8, memory.id(), target.id(), H5P_DEFAULT, cells.data()),
        name_ + " cannot be written");
}

Bytes Dataset::read(std::size_t first, std::size_t rows) const {
  const Handle source = select(first, rows);
  Bytes cells(rows * shape_.cols * shape_.width);
  const Handle memory = memory_space(shape_, rows);
  check(H5Dread(handle_.id(), H5T_NATIVE_UINT8, memory.id(), source.id(), H5P_DEFAULT, cells.data()),
        name_ + " is damaged");
  return cells;
}

Group Group::create_group(const std::string& name) {
  const Handle creation = property_list(H5P_GROUP_CREATE);
  check(H5Pset_obj_track_times(creation.id(), false), name_ + " cannot be written");
  const hid_t id = H5Gcreate2(handle_.id(), name.c_str(), H5P_DEFAULT, creation.id(), H5P_DEFAULT);
  return {own(id, H5Gclose, name_ + ": cannot create " + name), name_ + "/" + name, file_size_};
}

Group Group::open_group(const std::string& name) const {
  check_hard_link(handle_.id(), name, name_);
  const hid_t id = H5Gopen2(handle_.id(), name.c_str(), H5P_DEFAULT);
  return {own(id, H5Gclose, name_ + ": " + name + " is no group"), name_ + "/" + name, file_size_};
}

Dataset Group::create_dataset(const std::string& name, const Shape& shape) {
  const std::string where = name_ + ": cannot create " + name;
  if (shape.rows == 0 || shape.cols == 0 || shape.width == 0) throw Error(where + ": it would hold nothing");
  const std::array<hsize_t, 3> size = extents(shape);
  const std::array<hsize_t, 3> chunk = chunk_of(shape);
  const Handle space = own(H5Screate_simple(3, size.data(), nullptr), H5Sclose, where);
  const Handle creation = property_list(H5P_DATASET_CREATE);
  check(H5Pset_chunk(creation.id(), 3, chunk.data()), where);
  check(H5Pset_fletcher32(creation.id()), where);
  check(H5Pset_obj_track_times(creation.id(), false), where);
  const hid_t id = H5Dcreate2(handle_.id(), name.c_str(), H5T_STD_U8LE, space.id(), H5P_DEFAULT,
                              creation.id(), H5P_DEFAULT);
  return {own(id, H5Dclose, where), shape, name_ + "/" + name};
}

Dataset Group::open_dataset(const std::string& name, const Shape& wanted) const {
  const std::string where = name_ + "/" + name;
  if (wanted.rows == 0 || wanted.cols == 0 || wanted.width == 0 ||
      wanted.rows > file_size_ / wanted.width / wanted.cols)
    throw Error(where + " would hold " + std::to_string(wanted.rows) + " x " + std::to_string(wanted.cols) +
                " cells of " + std::to_string(wanted.width) + " bytes, the file has " +
                std::to_string(file_size_) + " bytes in all: it is truncated or damaged");
  check_hard_link(handle_.id(), name, name_);
  Handle handle = own(H5Dopen2(handle_.id(), name.c_str(), H5P_DEFAULT), H5Dclose, where + " is no array");

  const Handle type = own(H5Dget_type(handle.id()), H5Tclose, where + " has no type");
  if (H5Tequal(type.id(), H5T_STD_U8LE) <= 0) throw Error(where + " is no array of bytes");
  const Handle space = own(H5Dget_space(handle.id()), H5Sclose, where + " has no extent");
  std::array<hsize_t, 3> size{};
  if (H5Sget_simple_extent_ndims(space.id()) != 3 ||
      H5Sget_simple_extent_dims(space.id(), size.data(), nullptr) != 3)
    throw Error(where + " has not three axes");
  if (size != extents(wanted))
    throw Error(where + " has " + std::to_string(size[0]) + " x " + std::to_string(size[1]) + " cells of " +
                std::to_string(size[2]) + " bytes, the file's header says " + std::to_string(wanted.rows) +
                " x " + std::to_string(wanted.cols) + " of " + std::to_string(wanted.width));

  const Handle creation = own(H5Dget_create_plist(handle.id()), H5Pclose, where + " has no properties");
  std::array<hsize_t, 3> chunk{};
  if (H5Pget_layout(creation.id()) != H5D_CHUNKED || H5Pget_chunk(creation.id(), 3, chunk.data()) != 3)
    throw Error(where + " is not stored in chunks");
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (chunk[axis] > size[axis]) throw Error(where + " has chunks larger than itself");
  unsigned flags = 0;
  std::size_t values = 0;
  unsigned config = 0;
  if (H5Pget_nfilters(creation.id()) != 1 || H5Pget_filter2(creation.id(), 0, &flags, &values, nullptr, 0,
                                                            nullptr, &config) != H5Z_FILTER_FLETCHER32)
    throw Error(where + " has not the one filter that is allowed, fletcher32");
  return {std::move(handle), wanted, where};
}

bool Group::contains(const std::string& name) const {
  return H5Lexists(handle_.id(), name.c_str(), H5P_DEFAULT) > 0;
}

void Group::write_attribute(const std::string& name, std::int64_t type, std::size_t count, const void* data) {
  const std::string where = name_ + ": cannot write " + name;
  const hsize_t size = count;
  const Handle space =
      own(count == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, nullptr), H5Sclose, where);
  const Handle attribute = own(
      H5Acreate2(handle_.id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose, where);
  check(H5Awrite(attribute.id(), type, data), where);
}

void Group::set_number(const std::string& name, std::uint64_t value) {
  write_attribute(name, H5T_STD_U64LE, 0, &value);
}

void Group::set_numbers(const std::string& name, const std::vector<std::size_t>& values) {
  if (values.empty()) throw Error(name_ + ": " + name + " would hold nothing");
  const std::vector<std::uint64_t> copy(values.begin(), values.end());
  write_attribute(name, H5T_STD_U64LE, copy.size(), copy.data());
}

void Group::set_bytes(const std::string& name, std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) throw Error(name_ + ": " + name + " would hold nothing");
  write_attribute(name, H5T_STD_U8LE, bytes.size(), bytes.data());
}

void Group::set_text(const std::string& name, std::string_view text) {
  const Handle type = own(H5Tcopy(H5T_C_S1), H5Tclose, name_ + ": cannot write " + name);
  check(H5Tset_size(type.id(), text.size() + 1), name_ + ": cannot write " + name);
  check(H5Tset_cset(type.id(), H5T_CSET_UTF8), name_ + ": cannot write " + name);
  write_attribute(name, type.id(), 0, std::string(text).c_str());
}

Handle Group::open_attribute(const std::string& name) const {
  if (H5Aexists(handle_.id(), name.c_str()) <= 0) throw Error(name_ + " has no attribute " + name);
  return own(H5Aopen(handle_.id(), name.c_str(), H5P_DEFAULT), H5Aclose, name_ + ": cannot read " + name);
}

namespace {

/// Reads up to `most` integers of at most `width` bytes each.
template <typename T>
std::vector<T> read_integers(const Handle& attribute, std::size_t most, hid_t memory_type,
                             const std::string& where) {
  const Handle type = own(H5Aget_type(attribute.id()), H5Tclose, where + " has no type");
  const Handle space = own(H5Aget_space(attribute.id()), H5Sclose, where + " has no extent");
  const hssize_t count = H5Sget_simple_extent_npoints(space.id());
  if (H5Tget_class(type.id()) != H5T_INTEGER || H5Tget_size(type.id()) != sizeof(T) || count < 1 ||
      static_cast<std::size_t>(count) > most)
    throw Error(where + " holds not 1 to " + std::to_string(most) + " integers of " +
                std::to_string(sizeof(T)) + " bytes");
  std::vector<T> values(static_cast<std::size_t>(count));
  check(H5Aread(attribute.id(), memory_type, values.data()), where + " cannot be read");
  return values;
}

}  // namespace

std::uint64_t Group::number(const std::string& name, std::uint64_t low, std::uint64_t high) const {
  const std::string where = name_ + ": " + name;
  const std::uint64_t value =
      read_integers<std::uint64_t>(open_attribute(name), 1, H5T_NATIVE_UINT64, where).front();
  if (value < low || value > high)
    throw Error(where + " is " + std::to_string(value) + ", allowed are " + std::to_string(low) + " to " +
                std::to_string(high));
  return value;
}

std::vector<std::size_t> Group::numbers(const std::string& name, std::size_t most) const {
  const auto values =
      read_integers<std::uint64_t>(open_attribute(name), std::min<std::uintmax_t>(most, file_size_),
                                   H5T_NATIVE_UINT64, name_ + ": " + name);
  return {values.begin(), values.end()};
}

void Group::bytes(const std::string& name, std::span<std::uint8_t> out) const {
  const std::string where = name_ + ": " + name;
  const auto values = read_integers<std::uint8_t>(open_attribute(name), out.size(), H5T_NATIVE_UINT8, where);
  if (values.size() != out.size())
    throw Error(where + " has " + std::to_string(values.size()) + " bytes, not " +
                std::to_string(out.size()));
  std::ranges::copy(values, out.begin());
}

std::string Group::text(const std::string& name, std::size_t longest) const {
  const std::string where = name_ + ": " + name;
  const Handle attribute = open_attribute(name);
  const Handle type = own(H5Aget_type(attribute.id()), H5Tclose, where + " has no type");
  const Handle space = own(H5Aget_space(attribute.id()), H5Sclose, where + " has no extent");
  if (H5Tget_class(type.id()) != H5T_STRING || H5Tis_variable_str(type.id()) != 0 ||
      H5Sget_simple_extent_npoints(space.id()) != 1)
    throw Error(where + " is no text of fixed length");
  const std::size_t size = H5Tget_size(type.id());
  if (size == 0 || size > longest + 1)
    throw Error(where + " has " + std::to_string(size) + " bytes, allowed are at most " +
                std::to_string(longest));
  std::string text(size, '\0');
  check(H5Aread(attribute.id(), type.id(), text.data()), where + " cannot be read");
  text.resize(std::min(text.find('\0'), size));
  return text;
}

namespace {

Handle open_file(const std::filesystem::path& path) {
  // Says plainly what the library would say in its own words.
  const FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0)
    throw Error("cannot open " + path.string() + ": " + std::strerror(errno));
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    throw Error(path.string() + " is a pipe or a device; HDF5 needs a regular file");
  if (!is_hdf5(path)) throw Error(path.string() + " is no HDF5 file, as tables, models and answers are");
  const Handle access = file_access();
  return own(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose,
             path.string() + " is truncated or damaged");
}

Handle open_root(const Handle& file, const std::filesystem::path& path) {
  return own(H5Gopen2(file.id(), "/", H5P_DEFAULT), H5Gclose, path.string() + " has no root");
}

std::uintmax_t size_of(const std::filesystem::path& path) {
  std::error_code problem;
  const std::uintmax_t size = std::filesystem::file_size(path, problem);
  if (problem) throw Error("cannot open " + path.string() + ": " + problem.message());
  return size;
}

/// An empty HDF5 file at `name`; opening it later cannot make it again once a signal has removed it.
void begin_file(const std::filesystem::path& name, const std::filesystem::path& path) {
  const Handle access = file_access();
  const Handle creation = property_list(H5P_FILE_CREATE);
  check(H5Pset_obj_track_times(creation.id(), false), "cannot write " + path.string());
  Handle file = own(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), H5Fclose,
                    "cannot write " + path.string());
  if (!file.reset()) fail("cannot write " + path.string());
}

Handle open_to_write(const std::filesystem::path& partial, const std::filesystem::path& path) {
  const Handle access = file_access();
  return own(H5Fopen(partial.c_str(), H5F_ACC_RDWR, access.id()), H5Fclose, "cannot write " + path.string());
}

}  // namespace

Reader::Reader(const std::filesystem::path& path)
    : file_(open_file(path)), root_(open_root(file_, path), path.string(), size_of(path)) {}

Writer::Writer(const std::filesystem::path& path)
    : path_(path),
      partial_(path, 0644, [&](const std::filesystem::path& name) { begin_file(name, path); }),
      file_(open_to_write(partial_.name(), path)),
      root_(open_root(file_, path), path.string(), 0) {}

void Writer::commit() {
  if (!root_.handle_.reset() || H5Fflush(file_.id(), H5F_SCOPE_GLOBAL) < 0 || !file_.reset())
    fail("cannot write " + path_.string());
  partial_.commit();
}

bool is_hdf5(const std::filesystem::path& path) {
  constexpr std::array<char, 8> signature{'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::array<char, 8> start{};
  std::ifstream file(path, std::ios::binary);
  return file.read(start.data(), start.size()) && start == signature;
}

}  // namespace smlp::hdf5
