// Encrypted answers on disk: round trips, other keys, damage.
#include "mlp/files/answers_file.h"

#include <doctest/doctest.h>

#include "tests/mlp/training/encrypted_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

std::vector<Ciphertext> ciphertexts(std::size_t count, std::uint8_t kind) {
  std::vector<Ciphertext> out;
  for (std::size_t i = 0; i < count; ++i) {
    RandomStream stream = RandomSource::from_seed(13).stream({.kind = kind, .element = i});
    out.push_back(toy_keys().public_keys().paillier().encrypt(static_cast<unsigned long>(i), stream).local());
  }
  return out;
}

EncryptedAnswers toy_answers() {
  return {.key = toy_keys().public_keys().fingerprint(),
          .handed_over = true,
          .budget = toy_budget(),
          .rows = 7,
          .outputs = 3,
          .kind = &output_kind("hard-sigmoid"),
          .groups = {3, 2, 2},
          .order = ciphertexts(3, 0),
          .values = ciphertexts(9, 1)};
}

}  // namespace

TEST_CASE("answers come back") {
  const TemporaryDirectory directory;
  save_answers(directory / "a.h5", toy_answers(), toy_keys().public_keys());
  const LoadedAnswers loaded = load_answers(directory / "a.h5");
  CHECK(loaded.answers == toy_answers());
  CHECK(loaded.keys.fingerprint() == toy_keys().public_keys().fingerprint());
  CHECK(load_answers(directory / "a.h5", toy_keys().public_keys()) == toy_answers());
  CHECK(directory.entries() == 1);
}

TEST_CASE("answers may lie under a key of another size than the table's") {
  const TemporaryDirectory directory;
  EncryptedAnswers answers = toy_answers();
  answers.budget = BitBudget(toy_numbers(), 16, 1024);
  save_answers(directory / "a.h5", answers, toy_keys().public_keys());
  CHECK(load_answers(directory / "a.h5").answers == answers);
  // 5 slots do not fit a plaintext of 510 bits.
  answers.groups = {5, 1, 1};
  CHECK(contains(message_of([&] { save_answers(directory / "a.h5", answers, toy_keys().public_keys()); }),
                 "5 rows in a group, allowed are 1 to 4"));
}

TEST_CASE("answers with more groups than a small attribute holds come back") {
  const TemporaryDirectory directory;
  constexpr std::size_t count = 10000;
  EncryptedAnswers answers = toy_answers();
  answers.rows = count;
  answers.outputs = 1;
  answers.groups.assign(count, 1);
  answers.order.assign(count, answers.order.front());
  answers.values.assign(count, answers.values.front());
  save_answers(directory / "a.h5", answers, toy_keys().public_keys());
  CHECK(load_answers(directory / "a.h5").answers == answers);
}

TEST_CASE("answers under other keys, or that contradict themselves, are refused") {
  const TemporaryDirectory directory;
  save_answers(directory / "a.h5", toy_answers(), toy_keys().public_keys());
  CHECK(contains(
      message_of([&] { load_answers(directory / "a.h5", toy_keys(Variant::standard).public_keys()); }),
      "a.h5 belongs to the key"));
  CHECK(contains(message_of([&] {
                   save_answers(directory / "b.h5", toy_answers(), toy_keys(Variant::standard).public_keys());
                 }),
                 "the answers belongs to the key"));
  const auto refusal = [&](const std::function<void(EncryptedAnswers&)>& change) {
    EncryptedAnswers answers = toy_answers();
    change(answers);
    return message_of([&] { save_answers(directory / "b.h5", answers, toy_keys().public_keys()); });
  };
  CHECK(contains(refusal([](auto& a) { a.rows = 8; }), "do not hold their 8 rows"));
  CHECK(contains(refusal([](auto& a) { a.task = Task::regression; }),
                 "one linear output, not 3 of hard-sigmoid"));
  CHECK(contains(refusal([](auto& a) { a.rows = 0; }), "0 rows"));
  CHECK(contains(refusal([](auto& a) { a.outputs = 0; }), "0 outputs"));
  CHECK(contains(refusal([](auto& a) { a.groups = {3, 4, 0}; }), "0 rows in a group"));
  CHECK(contains(refusal([](auto& a) { a.order.pop_back(); }), "2 and 9 ciphertexts, 3 and 9 are needed"));
  CHECK(contains(refusal([](auto& a) { a.values.pop_back(); }), "3 and 8 ciphertexts"));
  CHECK(directory.entries() == 1);
}

TEST_CASE("damaged answers are refused") {
  const TemporaryDirectory directory;
  save_answers(directory / "a.h5", toy_answers(), toy_keys().public_keys());
  const EncryptedAnswers answers = toy_answers();
  const std::size_t refused = damage(directory / "a.h5", 100,
                                     [&](const auto& path) { return load_answers(path).answers == answers; });
  CHECK(refused > 150);
}
