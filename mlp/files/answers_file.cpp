// Encrypted answers on disk.
#include "mlp/files/answers_file.h"

#include <numeric>

#include "mlp/files/ciphertext_file.h"
#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::size_t most_rows = std::size_t{1} << 32;
constexpr std::size_t most_outputs = std::size_t{1} << 24;
constexpr std::size_t longest_name = 64;

void check_size(const char* what, std::size_t size, std::size_t high) {
  if (size < 1 || size > high)
    throw Error("the answers have " + std::to_string(size) + " " + what + ", allowed are 1 to " +
                std::to_string(high));
}

}  // namespace

void check_answers(const EncryptedAnswers& answers, const PaillierPublicKey& key) {
  check_size("rows", answers.rows, most_rows);
  check_size("outputs", answers.outputs, most_outputs);
  if (answers.task == Task::regression && (answers.outputs != 1 || answers.kind->compares()))
    throw Error("answers of a regression have one linear output, not " + std::to_string(answers.outputs) +
                " of " + std::string(answers.kind->name));
  const std::size_t slots = std::min(answers.budget.slots(), (key.bits() - 2) / answers.budget.slot_bits());
  for (const std::size_t width : answers.groups) check_size("rows in a group", width, slots);
  if (std::accumulate(answers.groups.begin(), answers.groups.end(), std::size_t{0}) != answers.rows)
    throw Error("the groups of the answers do not hold their " + std::to_string(answers.rows) + " rows");
  const std::size_t groups = answers.groups.size();
  if (answers.order.size() != groups || answers.values.size() != groups * answers.outputs)
    throw Error("the answers have " + std::to_string(answers.order.size()) + " and " +
                std::to_string(answers.values.size()) + " ciphertexts, " + std::to_string(groups) + " and " +
                std::to_string(groups * answers.outputs) + " are needed");
}

void save_answers(const std::filesystem::path& path, const EncryptedAnswers& answers,
                  const PublicKeys& keys) {
  check_same_key("the answers", answers.key, keys.fingerprint());
  check_answers(answers, keys.paillier());
  hdf5::Writer writer(path);
  hdf5::Group& root = writer.root();
  write_header(root, answers_format, {.keys = keys, .budget = answers.budget, .task = answers.task});
  const std::size_t groups = answers.groups.size();
  root.set_number("handed_over", answers.handed_over ? 1 : 0);
  root.set_bytes("profile", answers.profile);
  root.set_number("rows", answers.rows);
  root.set_number("outputs", answers.outputs);
  root.set_text("output", answers.kind->name);
  root.set_numbers("groups", answers.groups);
  write_ciphertexts(root, "order", keys.paillier(), answers.order, groups, 1);
  write_ciphertexts(root, "values", keys.paillier(), answers.values, groups, answers.outputs);
  writer.commit();
}

LoadedAnswers load_answers(const std::filesystem::path& path) {
  const hdf5::Reader reader(path);
  const hdf5::Group& root = reader.root();
  FileHeader header = read_header(root, answers_format);
  const PaillierPublicKey& key = header.keys.paillier();
  try {
    const std::size_t rows = root.number("rows", 1, most_rows);
    EncryptedAnswers answers{
        .key = header.keys.fingerprint(),
        .handed_over = root.number("handed_over", 0, 1) == 1,
        .budget = header.budget,
        .task = header.task,
        .rows = rows,
        .outputs = root.number("outputs", 1, most_outputs),
        .kind =
            &output_kind(header.version < first_with_kinds ? "linear" : root.text("output", longest_name)),
        .groups = root.numbers("groups", rows),
        .order = {},
        .values = {},
        .profile = {}};
    root.bytes("profile", answers.profile);
    answers.order = read_ciphertexts(root, "order", key, answers.groups.size(), 1);
    answers.values = read_ciphertexts(root, "values", key, answers.groups.size(), answers.outputs);
    check_answers(answers, key);
    return {std::move(answers), std::move(header.keys)};
  } catch (const Error& error) {
    const std::string sentence = error.what();
    throw Error(sentence.starts_with(path.string()) ? sentence : path.string() + " is damaged: " + sentence);
  }
}

EncryptedAnswers load_answers(const std::filesystem::path& path, const PublicKeys& keys) {
  LoadedAnswers loaded = load_answers(path);
  check_same_key(path.string(), loaded.answers.key, keys.fingerprint());
  return std::move(loaded.answers);
}

}  // namespace smlp
