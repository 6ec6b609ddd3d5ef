// Both parties of a protocol in one test.
#include "tests/support/protocol_fixture.h"

#include "paillier/error.h"
#include "protocols/conversion/change_form.h"
#include "protocols/conversion/range_check.h"
#include "protocols/conversion/switch_key.h"
#include "protocols/conversion/unpack.h"
#include "protocols/masked_values.h"
#include "protocols/opened_values.h"
#include "tests/support/toy_keys.h"

namespace smlp::testing {

const PaillierSecretKey& toy_user_secret_key() {
  static const PaillierSecretKey key = [] {
    RandomStream random = RandomSource::from_seed(77).stream({});
    return PaillierSecretKey::generate(Variant::subgroup, 512, 64, random);
  }();
  return key;
}

const PaillierPublicKey& toy_user_key() {
  return toy_user_secret_key().public_key();
}

KeyHolderPolicy permissive_policy() {
  KeyHolderPolicy policy;
  for (const Descriptor& descriptor : registry()) policy.protocols.insert(descriptor.wire_name());
  policy.user_keys.push_back(toy_user_key());
  return policy;
}

Bytes RecordingChannel::exchange(std::span<const std::uint8_t> frame) {
  Bytes answer = key_holder_.answer(frame);
  const std::lock_guard lock(mutex_);
  requests_.emplace_back(frame.begin(), frame.end());
  answers_.push_back(answer);
  return answer;
}

namespace {

RandomSource source(const Setup& setup, std::string_view role) {
  return RandomSource::from_seed(setup.seed).derive(role).recording(setup.log);
}

void append_names(std::vector<ProtocolNames>& out, ProtocolNames names, std::string ProtocolNames::*field,
                  Family family) {
  for (const Descriptor& descriptor : registry()) {
    if (descriptor.family != family) continue;
    names.*field = descriptor.name;
    out.push_back(names);
  }
}

}  // namespace

TwoParties::TwoParties(const Setup& setup)
    : key_holder_(toy_keys(), setup.policy, AnswerRandomness::from_source(source(setup, "key holder")),
                  setup.observer),
      channel_(key_holder_),
      evaluator_random_(source(setup, "evaluator")),
      evaluator_{
          toy_keys().public_keys(),
          BitBudget(setup.numbers, setup.max_inner, toy_keys().public_keys().paillier().bits(), setup.slots),
          channel_,
          evaluator_random_,
          draw_session(evaluator_random_),
          false,
          source(setup, "transfers")},
      owner_(source(setup, "owner")) {}

Sizes TwoParties::sizes() const {
  return {budget(), evaluator_.paillier().ciphertext_bytes(), evaluator_.keys.dgk().ciphertext_bytes()};
}

EncryptedMatrix TwoParties::encrypt(const IntegerMatrix& m) {
  return encrypt(m, balanced_layout(m.rows(), m.cols(), budget().slots()));
}

EncryptedMatrix TwoParties::encrypt(const IntegerMatrix& m, const Layout& layout) {
  const OperationId operation{++encryptions_, 0, Direction::input};
  return encrypt_matrix(evaluator_.paillier(), m, layout, budget().slot_bits(),
                        Draws(owner_, operation.address(RandomnessKind::table_column_packed)),
                        Draws(owner_, operation.address(RandomnessKind::table_row_packed)))
      .local();
}

EncryptedMatrix TwoParties::open(const IntegerMatrix& m, const OperationId& operation) {
  return open(m, operation, balanced_layout(m.rows(), m.cols(), budget().slots()));
}

EncryptedMatrix TwoParties::open(const IntegerMatrix& m, const OperationId& operation, const Layout& layout) {
  return make_protocols(preset("homomorphic"), budget())
      .truncation->rescale(evaluator_, operation, encrypt(m, layout), budget().product_bits(), {1, 0},
                           std::nullopt, Form::opened);
}

IntegerMatrix TwoParties::decrypt(const EncryptedMatrix& m) const {
  if (!m.has_ciphertexts()) return opened_in_clear(evaluator_, toy_keys(), m);
  const PaillierSecretKey& key = toy_keys().paillier();
  const auto row_packed_of = [&] {
    return unpack_rows(key.decrypt(m.row_packed()), m.layout(), budget().slot_bits());
  };
  if (m.stored_column_packed().empty()) return row_packed_of();
  const IntegerMatrix column_packed =
      unpack_columns(key.decrypt(m.column_packed()), m.layout(), budget().slot_bits());
  if (!m.layout().single() && m.stored_row_packed().empty()) return column_packed;
  if (!(column_packed == row_packed_of())) throw Error("the two packings of a matrix differ");
  return column_packed;
}

IntegerMatrix matrix_of(std::size_t rows, std::size_t cols, const std::vector<long>& values) {
  IntegerMatrix m(rows, cols);
  for (std::size_t i = 0; i < m.size(); ++i) m.cells()[i] = values[i % values.size()];
  return m;
}

IntegerMatrix random_matrix(std::size_t rows, std::size_t cols, std::size_t bits, RandomStream& random) {
  IntegerMatrix m(rows, cols);
  for (Integer& cell : m.cells()) cell = random.bits(bits) - power_of_two(bits - 1);
  return m;
}

IntegerMatrix sum(IntegerMatrix a, const IntegerMatrix& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a.cells()[i] += b.cells()[i];
  return a;
}

IntegerMatrix naive_product(const IntegerMatrix& a, const IntegerMatrix& b) {
  IntegerMatrix out(a.rows(), b.cols());
  for (std::size_t i = 0; i < a.rows(); ++i)
    for (std::size_t j = 0; j < b.cols(); ++j)
      for (std::size_t x = 0; x < a.cols(); ++x) out(i, j) += a(i, x) * b(x, j);
  return out;
}

std::vector<ProtocolNames> compositions(const Descriptor& descriptor) {
  ProtocolNames names = preset("homomorphic");
  std::vector<ProtocolNames> out;
  switch (descriptor.family) {
    case Family::matmul:
      names.matmul = descriptor.name;
      if (descriptor.fused)
        out.push_back(names);
      else
        append_names(out, names, &ProtocolNames::truncation, Family::truncation);
      break;
    case Family::truncation:
      names.truncation = descriptor.name;
      out.push_back(names);
      break;
    case Family::comparison:
      names.comparison = descriptor.name;
      append_names(out, names, &ProtocolNames::selection, Family::selection);
      break;
    case Family::selection:
      names.selection = descriptor.name;
      append_names(out, names, &ProtocolNames::comparison, Family::comparison);
      break;
    case Family::activation:
      names.activation = descriptor.name;
      if (descriptor.fused) {
        out.push_back(names);
        break;
      }
      for (const Descriptor& comparison : registry()) {
        if (comparison.family != Family::comparison) continue;
        names.comparison = comparison.name;
        append_names(out, names, &ProtocolNames::selection, Family::selection);
      }
      break;
    case Family::conversion:
      out.push_back(names);
      break;
  }
  return out;
}

std::string to_string(const ProtocolNames& names) {
  return names.matmul + "/" + names.truncation + "/" + names.comparison + "/" + names.selection + "/" +
         names.activation;
}

Evaluator gathering_evidence(const Evaluator& evaluator) {
  Evaluator out = evaluator;
  out.evidence = std::make_shared<RangeEvidence>();
  return out;
}

void compare_and_check(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& z) {
  const Evaluator gathering = gathering_evidence(evaluator);
  make_protocols(preset("homomorphic"), evaluator.budget).activation->forward(gathering, operation, z);
  check_ranges(gathering, operation);
}

std::string refusal_of(const KeyHolder& key_holder, std::span<const std::uint8_t> frame) {
  const Bytes answer = key_holder.answer(frame);
  return error_of([&] { decode_answer(answer); });
}

void run_protocol(TwoParties& parties, const Descriptor& descriptor, const ProtocolNames& names) {
  const Evaluator& evaluator = parties.evaluator();
  const ProtocolSet set = make_protocols(names, parties.budget());
  const EncryptedMatrix z = parties.encrypt(matrix_of(3, 2, {0, -1, 1, 700, -700, 5}));
  const OperationId operation = parties.next_operation();
  OperationId backward = operation;
  backward.direction = Direction::backward;
  switch (descriptor.family) {
    case Family::matmul: {
      const EncryptedMatrix b = parties.encrypt(matrix_of(2, 5, {3, -9, 0, 4, 1}));
      const Addend addend{parties.encrypt(matrix_of(3, 5, {1000, -1000})), 12};
      set.matmul->multiply(evaluator, operation, z, b, {3, 4}, addend);
      set.matmul->multiply(evaluator, backward, z, b, {3, 4}, addend, Form::opened);
      if (descriptor.on_opened) {  // opened operands and an opened addend
        OperationId gradient = operation;
        gradient.direction = Direction::gradient;
        OperationId clipping = operation;
        clipping.direction = Direction::clipping;
        OperationId stored = operation;
        stored.direction = Direction::stored;
        const EncryptedMatrix x = parties.open(matrix_of(3, 2, {4, -4}), stored),
                              c = parties.open(matrix_of(3, 5, {7, -7}), clipping);
        set.matmul->multiply(evaluator, gradient, add(evaluator.paillier(), x, x), b, {3, 4}, Addend{c, 12},
                             Form::opened);
      }
      break;
    }
    case Family::truncation:
      set.truncation->rescale(evaluator, operation, z, 20, {3, 4},
                              Addend{parties.encrypt(matrix_of(3, 2, {1000, -1000})), 12});
      set.truncation->rescale(evaluator, backward, z, 20, {3, 4}, std::nullopt, Form::opened);
      break;
    case Family::comparison:
      set.comparison->sign(evaluator, operation, z);
      if (descriptor.on_opened)
        set.comparison->sign(evaluator, backward,
                             parties.open(matrix_of(3, 2, {0, -1, 1, 700, -700, 5}), operation));
      break;
    case Family::selection: {
      const SignShares bits = set.comparison->sign(evaluator, operation, z);
      set.selection->select(evaluator, backward, z, bits);
      set.selection->select_compared(evaluator, operation, z, bits);
      OperationId gradient = operation;
      gradient.direction = Direction::gradient;
      set.selection->select(evaluator, gradient, parties.open(matrix_of(3, 2, {9, -9}), gradient), bits,
                            Packings::row_packed);
      if (descriptor.on_opened) {
        OperationId left_opened = operation;
        left_opened.direction = Direction::clipping;
        set.selection->select(evaluator, left_opened, z, bits, Packings::none);
        left_opened.direction = Direction::lookahead;
        set.selection->select(evaluator, left_opened, z, bits, Packings::operand);
      }
      break;
    }
    case Family::activation: {
      const Activated out = set.activation->forward(evaluator, operation, z);
      set.activation->backward(evaluator, backward, z, *out.state);
      break;
    }
    case Family::conversion:
      if (descriptor.name == "unpack")
        unpack_matrix(evaluator, operation, z);
      else if (descriptor.name == "switch-key")
        switch_key(evaluator, operation, toy_user_key(), Purpose::answers, z.column_packed());
      else if (descriptor.name == "range-check")
        compare_and_check(evaluator, operation, z);
      else if (descriptor.name == "change-form")
        close_matrix(evaluator, backward, open_matrix(evaluator, operation, z));
      else if (descriptor.name == "base-transfers")
        evaluator.transfers(operation);
      else
        throw Error("the test support has no run for the conversion " + std::string(descriptor.name));
      break;
  }
  evaluator.calls->send();
}

void run_every_protocol(TwoParties& parties) {
  for (const Descriptor& descriptor : registry())
    for (const ProtocolNames& names : compositions(descriptor))
      if (parties.budget().slots() == 1 || !(names.needs_one_value_a_ciphertext() || descriptor.single_value))
        run_protocol(parties, descriptor, names);
}

}  // namespace smlp::testing
