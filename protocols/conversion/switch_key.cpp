// Re-encryption of results under the user's key, in one round trip for each 65,536 ciphertexts.
//
// This project; the masking of Bellafqira et al. 2018.
//   E -> K  [y + r] under K's key, all slots      K -> E  c_K, the same packed integer under the user's key
//   E       c_K (1 + n_u)^(-r), re-randomised under the user's key
// Without that K, who made c_K and knows y + r, would divide what was handed over by c_K and read r.
// K answers only for user keys that it was configured with: with a key of E's own choice this would be a
// decryption oracle. Ranges   y: L = l + guard bits under L + sigma; the user's modulus has at least S slots
// + 2 bits. Views    K: y + r, and what is handed over: a fresh ciphertext under the user's key.
//   E: ciphertexts, two of them of the same masked value under different keys.
// Parameters  ciphertexts, four words of SHA-256 of the user's modulus, purpose (0 answers, 1 model)
// The purpose is the evaluator's word: K holds it against what the user key was given for, and writes it
// down.
#include "protocols/conversion/switch_key.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/masked_values.h"
#include "protocols/truncation/division.h"

namespace smlp {

namespace {

constexpr auto wire_name = "conversion/switch-key";

std::vector<std::int64_t> key_words(const PaillierPublicKey& key) {
  Bytes bytes;
  append_little_endian(key.n(), key.ciphertext_bytes() / 2, bytes);
  const Digest digest = sha256(bytes);
  ByteReader reader(digest);
  std::vector<std::int64_t> words;
  for (int i = 0; i < 4; ++i) words.push_back(static_cast<std::int64_t>(reader.number(8, "a digest")));
  return words;
}

/// Behind the number of ciphertexts and the words of the key.
constexpr std::size_t purpose_parameter = 5;

const char* text_of(Purpose purpose) {
  return purpose == Purpose::answers ? "answers" : "models";
}

Purpose checked_purpose(std::int64_t value) {
  if (value != 0 && value != 1)
    throw Error("a request hands over for the purpose " + std::to_string(value) +
                ", allowed are 0 (answers) and 1 (model)");
  return static_cast<Purpose>(value);
}

/// Columns of one group of all slots.
Layout full_slots(std::size_t slots, std::size_t count) {
  return {{slots}, std::vector<std::size_t>(count, 1)};
}

void check_user_key(const PaillierPublicKey& user, const BitBudget& budget) {
  const std::size_t needed = budget.slot_bits() * budget.slots() + 2;
  if (user.bits() < needed)
    throw Error("the user's key has " + std::to_string(user.bits()) + " bits, " +
                std::to_string(budget.slots()) + " slots of " + std::to_string(budget.slot_bits()) +
                " bits need at least " + std::to_string(needed));
}

void answer_switch(Responder& responder) {
  const BitBudget& budget = responder.budget();
  const UserKey* known = nullptr;
  Purposes purposes{.answers = false, .model = false};
  for (const UserKey& one : responder.policy().user_keys) {
    const auto words = key_words(one.key);
    bool same = true;
    for (std::size_t i = 0; i < words.size(); ++i) same &= responder.parameter(1 + i) == words[i];
    if (!same) continue;
    known = &one;
    purposes.answers |= one.purposes.answers;
    purposes.model |= one.purposes.model;
  }
  if (known == nullptr)
    throw Error("the user key of a request is not one that this key holder was configured with");
  const Purpose purpose = checked_purpose(responder.parameter(purpose_parameter));
  if (!purposes.contain(purpose))
    throw Error("the user key of a request was not given to this key holder for " +
                std::string(text_of(purpose)));
  const PaillierPublicKey* user = &known->key;
  check_user_key(*user, budget);
  const std::size_t count = checked_size(responder.parameter(0), max_groups, "number of ciphertexts");
  const Layout layout = full_slots(budget.slots(), count);
  const IntegerMatrix masked = integer_matrix(
      responder.open_column_packed(layout, budget.guarded_mask_bits(), "y + r"), budget.slots(), count);
  const auto switched = user->encrypt(pack_columns(masked, layout, budget.slot_bits()),
                                      responder.draws(RandomnessKind::answer_column_packed));
  Bytes encoded;
  user->encode(switched, encoded);
  responder.put_bytes(encoded);
}

std::size_t round_trips(std::size_t count, std::size_t most) {
  return count / most + (count % most != 0 ? 1 : 0);
}

/// One round trip.
std::vector<FreshCiphertext> switch_some(const Evaluator& evaluator, const OperationId& operation,
                                         const PaillierPublicKey& user, Purpose purpose,
                                         std::span<const Ciphertext> packed) {
  const BitBudget& budget = evaluator.budget;
  const Layout layout = full_slots(budget.slots(), packed.size());
  const Mask r = Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_conversion), budget.slots(),
                             packed.size(), budget.guarded_mask_bits());
  RequestBody body(evaluator);
  body.add(mask_column_packed(evaluator, packed, layout, r, budget.guarded_bits(), operation));
  std::vector<std::int64_t> parameters{static_cast<std::int64_t>(packed.size())};
  for (const std::int64_t word : key_words(user)) parameters.push_back(word);
  parameters.push_back(static_cast<std::int64_t>(purpose));
  AnswerBody answer(evaluator, evaluator.header(wire_name, 0, operation, layout, std::move(parameters)),
                    body);
  const auto bytes = answer.raw(packed.size() * user.ciphertext_bytes(), "the results under the user's key");
  const auto switched = user.decode(bytes, packed.size(), "the results under the user's key");
  answer.finish();
  const std::vector<Integer> masks = pack_columns(r.values(), layout, budget.slot_bits());
  const auto unmasked =
      parallel_map(switched.size(), [&](std::size_t i) { return user.add_plain(switched[i], -masks[i]); });
  return user.rerandomise(unmasked, evaluator.draws(operation, RandomnessKind::hand_over));
}

}  // namespace

std::optional<Purpose> purpose_of(const Header& header) {
  if (header.protocol != wire_name || header.parameters.size() <= purpose_parameter) return std::nullopt;
  return header.parameters[purpose_parameter] == 0 ? Purpose::answers : Purpose::model;
}

std::vector<FreshCiphertext> switch_key(const Evaluator& evaluator, const OperationId& operation,
                                        const PaillierPublicKey& user, Purpose purpose,
                                        const std::vector<Ciphertext>& packed, std::size_t most) {
  check_user_key(user, evaluator.budget);
  if (const std::size_t sigma = evaluator.budget.numbers().sigma; user.sigma() < sigma)
    throw Error("the user's key re-randomises for sigma = " + std::to_string(user.sigma()) +
                ", the run has sigma = " + std::to_string(sigma));
  const std::size_t layers = std::size_t{256} - operation.layer;
  if (round_trips(packed.size(), most) > layers)
    throw Error(std::to_string(packed.size()) +
                " results are too many to hand over at one place, allowed are " +
                std::to_string(layers * most) + "; encrypt the queries with a smaller --batch");
  std::vector<FreshCiphertext> out;
  OperationId at = operation;
  for (std::span<const Ciphertext> rest = packed; !rest.empty(); ++at.layer) {
    const auto some = rest.first(std::min(most, rest.size()));
    std::ranges::move(switch_some(evaluator, at, user, purpose, some), std::back_inserter(out));
    rest = rest.subspan(some.size());
  }
  return out;
}

extern constexpr Descriptor switch_key_descriptor{
    .family = Family::conversion,
    .name = "switch-key",
    .paper = "this project, after Bellafqira et al. 2018",
    .flow = "E -> K [y + r];  K -> E the same under the user's key;  E re-randomises y there",
    .handlers = {answer_switch},
    .declared =
        [](const Work& work, const Sizes&) {
          const std::size_t count = column_packed_count(work.left);
          // Under the user's key: the key holder encrypts, and the evaluator re-randomises.
          return Declaration{.rounds = round_trips(count, max_groups),
                             .to_key_holder = {.ciphertexts = count},
                             .to_evaluator = {.bytes = count * 2 * ((work.user_bits + 7) / 8)},
                             .masked_values = cell_count(work.left),
                             .beside = {.rerandomisations = static_cast<double>(2 * count)}};
        },
};

}  // namespace smlp
