// What encrypted tables, models and answers share on disk: a header that names format, version, key and bit
// budget, the public keys themselves, and arrays of ciphertexts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mlp/files/hdf5.h"
#include "mlp/task.h"
#include "paillier/keys.h"
#include "protocols/bit_budget.h"
#include "protocols/encrypted_matrix.h"

namespace smlp {

/// The formats, as written in the attribute `format`.
inline constexpr std::string_view table_format = "smlp-encrypted-table";
inline constexpr std::string_view model_format = "smlp-encrypted-model";
inline constexpr std::string_view answers_format = "smlp-encrypted-answers";

/// Of the files that are written. Older ones are read too: those of version 3 say nothing of kinds of layers,
/// and those before 5 nothing of the task, which was classification.
inline constexpr std::uint64_t format_version = 5;
inline constexpr std::uint64_t first_with_kinds = 4, first_with_task = 5;

struct FileHeader {
  PublicKeys keys;
  BitBudget budget;
  std::uint64_t version = format_version;
  Task task = Task::classification;
};

void write_header(hdf5::Group& root, std::string_view format, const FileHeader& header);
/// Throws Error naming the file: another format or version, keys that are damaged or do not have the
/// fingerprint stated, a budget that does not fit.
FileHeader read_header(const hdf5::Group& root, std::string_view format);

/// The attribute `format` of an HDF5 file; "" where there is none. Throws Error when the file cannot be read.
std::string read_format(const std::filesystem::path& path);

/// Throws Error "WHAT belongs to the key .., not to the key .." unless both are the same.
void check_same_key(const std::string& what, const Fingerprint& found, const Fingerprint& expected);

/// rows x cols ciphertexts as the dataset `name`; nothing is written when there are none.
void write_ciphertexts(hdf5::Group& group, const std::string& name, const PaillierPublicKey& key,
                       std::span<const Ciphertext> cells, std::size_t rows, std::size_t cols);
std::vector<Ciphertext> read_ciphertexts(const hdf5::Group& group, const std::string& name,
                                         const PaillierPublicKey& key, std::size_t rows, std::size_t cols);

/// A matrix with its layout as a group of its own.
void write_matrix(hdf5::Group& parent, const std::string& name, const PaillierPublicKey& key,
                  const EncryptedMatrix& matrix);
/// Throws Error unless it has these sizes and its groups hold 1 to `slots` cells.
EncryptedMatrix read_matrix(const hdf5::Group& parent, const std::string& name, const PaillierPublicKey& key,
                            std::size_t rows, std::size_t cols, std::size_t slots);

}  // namespace smlp
