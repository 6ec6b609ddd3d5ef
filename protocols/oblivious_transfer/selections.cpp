// Batches of selections: pads, and what is between them.
#include "protocols/oblivious_transfer/selections.h"

#include <algorithm>

#include "paillier/error.h"

namespace smlp {

namespace {

using RingNumber = std::span<const Limb>;

void append(RingNumber number, RingBytes ring, Bytes& out) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(number.data());
  out.insert(out.end(), bytes, bytes + ring.bytes);
}

void add(std::span<Limb> sum, RingNumber term) {
  add_shifted(sum, term, 0, mask_of(1));
}
void add_where(std::span<Limb> sum, RingNumber term, unsigned bit) {
  add_shifted(sum, term, 0, mask_of(bit));
}
void subtract(std::span<Limb> sum, std::span<Limb> term) {
  negate_where(term, mask_of(1));
  add(sum, term);
}

/// The numbers modulo 2^(64 limbs).
FixedIntegers in_ring(const FixedIntegers& values, RingBytes ring) {
  FixedIntegers out(values.size(), ring.limbs());
  for (std::size_t j = 0; j < out.size(); ++j) {
    const RingNumber from = values[j];
    const std::span<Limb> to = out[j];
    const Limb sign = mask_of(static_cast<unsigned>(from.back() >> (limb_bits - 1)));
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = i < from.size() ? from[i] : sign;
  }
  return out;
}

/// Pad j of label j.
FixedIntegers pads(const Aes128& hash, std::span<const Block> labels, RingBytes ring) {
  const std::size_t blocks = (ring.bytes + sizeof(Block) - 1) / sizeof(Block);
  SecretBlocks x(labels.size() * blocks);
  std::vector<Block> tweaks(x.size());
  for (std::size_t j = 0; j < labels.size(); ++j)
    for (std::size_t b = 0; b < blocks; ++b) {
      x[j * blocks + b] = labels[j];
      tweaks[j * blocks + b] = {j, b};
    }
  hash.hash(x, tweaks);
  FixedIntegers out(labels.size(), ring.limbs());
  for (std::size_t j = 0; j < labels.size(); ++j)
    std::memcpy(out[j].data(), &x[j * blocks], out[j].size_bytes());
  return out;
}

SecretBlocks plus_offset(std::span<const Block> labels, const Block& offset) {
  SecretBlocks out(labels.begin(), labels.end());
  for (Block& block : out) block ^= offset;
  return out;
}

void check_size(const char* what, std::size_t got, std::size_t wanted) {
  if (got != wanted)
    throw Error(std::string(what) + " has " + std::to_string(got) + " bytes, expected are " +
                std::to_string(wanted));
}

}  // namespace

void append_ring(const FixedIntegers& numbers, RingBytes ring, Bytes& out) {
  for (std::size_t j = 0; j < numbers.size(); ++j) append(numbers[j], ring, out);
}

FixedIntegers read_ring(std::span<const std::uint8_t> bytes, RingBytes ring) {
  const std::size_t count = bytes.size() / ring.bytes;
  check_size("a list of numbers", bytes.size(), count * ring.bytes);
  FixedIntegers out(count, ring.limbs());
  for (std::size_t j = 0; j < count; ++j)
    std::memcpy(out[j].data(), bytes.subspan(j * ring.bytes).data(), ring.bytes);
  return out;
}

Label selection_label(const Digest& request) {
  return transfer_label("choices of the key holder", request);
}

RequestBody& RequestBody::add(const SelectionChoices& choices) {
  bytes_.insert(bytes_.end(), choices.bytes().begin(), choices.bytes().end());
  return *this;
}

RequestBody& RequestBody::add(const SelectionMessage& message) {
  bytes_.insert(bytes_.end(), message.bytes().begin(), message.bytes().end());
  return *this;
}

SelectionChoices::SelectionChoices(const EvaluatorTransfers& transfers, std::span<const std::uint8_t> content,
                                   const Matrix<std::uint8_t>& s)
    : labels_(s.size()) {
  Bytes bound(content.begin(), content.end());
  bound.insert(bound.end(), s.cells().begin(), s.cells().end());
  const Label label = transfers.own_label(bound);
  wipe_memory(bound.data(), bound.size());
  bytes_.assign(label.begin(), label.end());
  transfers.chooser(label).extend(s.cells(), bytes_, labels_);
}

SelectionMessage::SelectionMessage(const EvaluatorTransfers& transfers, const SelectionChoices& choices,
                                   const Digest& request, const Digest& answer_tag,
                                   std::span<const std::uint8_t> answer, const Matrix<std::uint8_t>& s,
                                   const FixedIntegers& e, const FixedIntegers& mask, RingBytes ring) {
  const std::size_t cells = s.size();
  check_size("the answer to a selection", answer.size(), selection_answer_bytes(cells, ring));
  SecretBlocks zeros(cells);
  transfers.offset_holder(selection_label(request)).extend(answer.subspan(cells * ring.bytes), zeros);
  const FixedIntegers hidden = in_ring(e, ring), masks = in_ring(mask, ring);
  std::vector<std::uint64_t, WipingAllocator<std::uint64_t>> content;
  for (std::size_t j = 0; j < cells; ++j) {
    content.insert(content.end(), hidden[j].begin(), hidden[j].end());
    content.insert(content.end(), masks[j].begin(), masks[j].end());
    content.push_back(s.cells()[j]);
  }
  const Block key = transfers.secret_for(request, answer_tag, content);
  const Aes128 hash(key);
  const FixedIntegers of_zero = pads(hash, zeros, ring),
                      of_one = pads(hash, plus_offset(zeros, transfers.offset()), ring),
                      received = pads(Aes128(hash_key("key holder's pads", request)), choices.labels(), ring);
  const FixedIntegers products = read_ring(answer.first(cells * ring.bytes), ring);
  bytes_.reserve(selection_message_bytes(cells, ring));
  append_blocks({&key, 1}, bytes_);
  FixedIntegers number(2, ring.limbs());
  const std::span<Limb> c = number[0], term = number[1];
  for (std::size_t j = 0; j < cells; ++j) {
    const unsigned share = s.cells()[j];
    std::ranges::copy(received[j], c.begin());
    add_where(c, products[j], share);
    std::ranges::copy(hidden[j], term.begin());
    negate_where(term, mask_of(1));
    add_where(c, term, share);
    add(c, masks[j]);
    negate_where(term, mask_of(share));  // - (1 - 2 s) e
    add(term, c);
    add(c, of_zero[j]);
    append(c, ring, bytes_);
    add(term, of_one[j]);
    append(term, ring, bytes_);
  }
}

AnsweredSelection answer_choices(const TransferSender& sender, TransferChooser chooser, const Digest& request,
                                 std::span<const std::uint8_t> choices, const Matrix<std::uint8_t>& t,
                                 const FixedIntegers& k, RingBytes ring) {
  const std::size_t cells = t.size();
  check_size("the choices of a selection", choices.size(), selection_choice_bytes(cells));
  Label label;
  std::ranges::copy(choices.first(label.size()), label.begin());
  SecretBlocks zeros(cells), own(cells);
  sender.offset_holder(label).extend(choices.subspan(label.size()), zeros);
  const Aes128 hash(hash_key("key holder's pads", request));
  FixedIntegers of_zero = pads(hash, zeros, ring),
                of_one = pads(hash, plus_offset(zeros, sender.offset()), ring);
  const FixedIntegers values = in_ring(k, ring);
  AnsweredSelection out{{}, FixedIntegers(cells, ring.limbs())};
  out.bytes.reserve(selection_answer_bytes(cells, ring));
  FixedIntegers product(1, ring.limbs());
  for (std::size_t j = 0; j < cells; ++j) {
    const unsigned share = t.cells()[j];
    const std::span<Limb> y = product[0];
    std::ranges::copy(values[j], y.begin());
    negate_where(y, mask_of(share));
    add(y, of_zero[j]);
    subtract(y, of_one[j]);
    append(y, ring, out.bytes);
    add_where(out.remembered[j], values[j], share);
    subtract(out.remembered[j], of_zero[j]);
  }
  chooser.extend(t.cells(), out.bytes, own);
  return out;
}

FixedIntegers finish_selection(TransferChooser chooser, std::span<const std::uint8_t> message,
                               const Matrix<std::uint8_t>& t, FixedIntegers remembered, RingBytes ring) {
  const std::size_t cells = t.size();
  check_size("the message of a selection", message.size(), selection_message_bytes(cells, ring));
  SecretBlocks labels(cells);
  chooser.labels(labels);
  FixedIntegers own = pads(Aes128(to_block(message)), labels, ring);
  const FixedIntegers numbers = read_ring(message.subspan(sizeof(Block)), ring);
  const std::size_t unused = limb_bits * ring.limbs() - 8 * ring.bytes;
  for (std::size_t j = 0; j < cells; ++j) {
    const unsigned share = t.cells()[j];
    const std::span<Limb> sum = remembered[j];
    add_where(sum, numbers[2 * j], share ^ 1U);
    add_where(sum, numbers[2 * j + 1], share);
    subtract(sum, own[j]);
    const auto top = static_cast<std::int64_t>(sum.back() << unused) >> unused;  // the sign goes on
    sum.back() = static_cast<Limb>(top);
  }
  return remembered;
}

}  // namespace smlp
