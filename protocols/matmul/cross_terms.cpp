// Cross terms by correlated transfers of vectors, piece by piece.
#include "protocols/matmul/cross_terms.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "paillier/error.h"
#include "paillier/large_buffers.h"
#include "paillier/parallel.h"
#include "protocols/integer_product.h"
#include "protocols/key_holder.h"
#include "protocols/matmul/ring_vectors.h"
#include "protocols/oblivious_transfer/pads.h"

namespace smlp {

namespace {

/// Elements whose labels are made together: they fill whole squares of the transpose.
constexpr std::size_t elements_in_piece = 128;
/// Of what one party chooses, where both do.
constexpr std::size_t most_both_choose = std::size_t{16} << 20;
/// Beyond any request; keeps the closed forms in their range.
constexpr std::size_t most_elements = std::size_t{1} << 32;
constexpr std::size_t blocks_for(std::size_t bytes) {
  return (bytes + sizeof(Block) - 1) / sizeof(Block);
}

/// The vector and the place of the products of an element.
struct Element {
  std::size_t vector = 0;             ///< row of e_B or column of e_A
  std::size_t cells = 0;              ///< of it
  std::size_t first = 0, stride = 0;  ///< of the cells of the sum
  bool left = false;
};

Element element_at(const CrossTerms& terms, std::size_t number) {
  if (number < terms.left_elements())
    return {number % terms.inner, terms.cols, number / terms.inner * terms.cols, 1, true};
  const std::size_t i = number - terms.left_elements();
  return {i / terms.cols, terms.rows, i % terms.cols, terms.cols, false};
}

/// body(first, count, sums) for the pieces of a tile, those of one thread after each other, and adds up the
/// sums of all threads. `make` prepares a thread for its first piece, and gives the body.
template <typename Make>
void in_pieces(const CrossTerms& terms, const Elements& tile, FixedIntegers& sums, bool subtract,
               const Make& make) {
  const std::size_t pieces = (tile.count + elements_in_piece - 1) / elements_in_piece,
                    fitting = 2 * terms.tile_bytes / (terms.cells() * terms.limbs() * sizeof(Limb)),
                    parts = std::min({pieces, static_cast<std::size_t>(thread_count()),
                                      std::max<std::size_t>(fitting, 1)});
  std::vector<FixedIntegers> partial(parts);
  parallel_for(parts, [&](std::size_t part) {
    partial[part] = FixedIntegers(terms.cells(), terms.limbs());
    const std::size_t first_piece = part * pieces / parts, last_piece = (part + 1) * pieces / parts;
    auto body = make(first_piece * elements_in_piece * terms.choice_bits);
    for (std::size_t piece = first_piece; piece < last_piece; ++piece) {
      const std::size_t first = piece * elements_in_piece;
      body(first, std::min(elements_in_piece, tile.count - first), partial[part]);
    }
  });
  for (const FixedIntegers& more : partial)
    for (std::size_t cell = 0; cell < sums.size(); ++cell) {
      if (subtract)
        mpn_sub_n(sums[cell].data(), sums[cell].data(), more[cell].data(),
                  static_cast<mp_size_t>(sums.limbs()));
      else
        mpn_add_n(sums[cell].data(), sums[cell].data(), more[cell].data(),
                  static_cast<mp_size_t>(sums.limbs()));
    }
}

/// Buffers of one thread: bytes that may be read beyond, and words as kernels have them.
struct Buffers {
  explicit Buffers(const CrossTerms& terms)
      : cells(std::max(terms.rows, terms.cols)),
        labels(elements_in_piece * terms.choice_bits),
        zero(blocks_for(cells * terms.message_bytes(0) + ring_slack)),
        one(zero.size()),
        message(zero.size()),
        vector(terms.limbs() * ring_row(cells)),
        sum(vector.size()) {}

  /// The vector that is to be sent, from a row of numbers.
  void set_vector(const Limb* numbers, std::size_t count, std::size_t limbs) {
    for (std::size_t i = 0; i < limbs; ++i)
      for (std::size_t c = 0; c < count; ++c) vector.data()[i * ring_row(count) + c] = numbers[c * limbs + i];
  }
  void clear_sum() { std::fill_n(sum.data(), sum.size(), 0); }
  void add_sum_to(const Element& element, FixedIntegers& sums) const {
    std::array<Limb, most_ring_words> number{};
    for (std::size_t c = 0; c < element.cells; ++c) {
      for (std::size_t i = 0; i < sums.limbs(); ++i) number[i] = sum.data()[i * ring_row(element.cells) + c];
      Limb* const cell = sums[element.first + c * element.stride].data();
      mpn_add_n(cell, cell, number.data(), static_cast<mp_size_t>(sums.limbs()));
    }
  }

  std::size_t cells;
  SecretBlocks labels, zero, one, message;
  WordBuffer vector, sum;
};

std::uint8_t* bytes_of(SecretBlocks& blocks) {
  return reinterpret_cast<std::uint8_t*>(blocks.data());
}

void keep_lowest_bits(FixedIntegers& numbers, std::size_t bits) {
  for (std::size_t i = 0; i < numbers.size(); ++i)
    for (std::size_t limb = 0; limb < numbers.limbs(); ++limb) {
      const std::size_t below = std::min(bits - std::min(bits, limb * limb_bits), limb_bits);
      numbers[i][limb] &= below == limb_bits ? ~Limb{0} : (Limb{1} << below) - 1;
    }
}

}  // namespace

std::size_t CrossTerms::message_bytes(const Elements& range) const {
  const std::size_t left = std::clamp(left_elements(), range.first, range.first + range.count) - range.first;
  std::size_t cell = 0;
  for (std::size_t bit = 0; bit < choice_bits; ++bit) cell += message_bytes(bit);
  return (left * cols + (range.count - left) * rows) * cell;
}

std::size_t CrossTerms::pad_blocks() const {
  std::size_t left = 0, right = 0;
  for (std::size_t bit = 0; bit < choice_bits; ++bit) {
    left += blocks_for(cols * message_bytes(bit));
    right += blocks_for(rows * message_bytes(bit));
  }
  return left_elements() * left + (elements() - left_elements()) * right;
}

/// With corrections as the evaluator sends them; the key holder's are half of that.
std::size_t CrossTerms::element_bytes(bool left) const {
  return message_bytes(Elements{left ? 0 : left_elements(), 1}) + choice_bits * sizeof(Block);
}

std::size_t CrossTerms::part_bytes() const {
  return std::max({tile_bytes, 8 * element_bytes(true), 8 * element_bytes(false)});
}

/// The first element that begins at or after `number` parts, rounded up to eights.
std::size_t CrossTerms::tile_start(std::size_t number) const {
  const std::size_t bytes = number * part_bytes(), left = element_bytes(true), right = element_bytes(false);
  const std::size_t all_left = left_elements() * left;
  const std::size_t element = bytes <= all_left ? (bytes + left - 1) / left
                                                : left_elements() + (bytes - all_left + right - 1) / right;
  return std::min((element + 7) / 8 * 8, elements());
}

std::size_t CrossTerms::tiles() const {
  const std::size_t bytes =
      left_elements() * element_bytes(true) + (elements() - left_elements()) * element_bytes(false);
  std::size_t tiles = (bytes + part_bytes() - 1) / part_bytes();
  while (tiles > 1 && tile_start(tiles - 1) == elements()) --tiles;
  return tiles;
}

Elements CrossTerms::tile(std::size_t number) const {
  const std::size_t first = tile_start(number);
  return {first, tile_start(number + 1) - first};
}

std::size_t CrossTerms::most_corrections() const {
  const std::size_t most = part_bytes() / std::min(element_bytes(true), element_bytes(false)) + 8;
  return key_holder_corrections(std::min(most, elements()) * choice_bits);
}

CrossTerms cross_terms(const BitBudget& budget, std::size_t rows, std::size_t inner, std::size_t cols) {
  // A + 2^(l-1) is below 2^l and R_A at most 3 (2^(l + sigma) - 1): their sum is below 2^(l + sigma + 2).
  // -2^(product_mask_bits) < A B + rho < 2^(product_mask_bits + 2): one bit more with the sign.
  CrossTerms terms{.rows = rows,
                   .inner = inner,
                   .cols = cols,
                   .choice_bits = budget.value_mask_bits() + mask_sum_bits,
                   .ring_bits = budget.product_mask_bits() + mask_sum_bits + 1};
  const std::size_t vector = std::max(rows, cols) * terms.ring_bytes() * terms.choice_bits;
  if (vector > terms.tile_bytes || terms.cells() * terms.ring_bytes() > terms.tile_bytes ||
      terms.elements() > most_elements)
    throw Error("a product of " + std::to_string(rows) + " x " + std::to_string(inner) + " and " +
                std::to_string(inner) + " x " + std::to_string(cols) +
                " matrices is too large for oblivious transfers; take --matmul packed");
  if (rows != cols) {
    CrossTerms smaller = terms;
    smaller.by = rows < cols ? ChosenBy::left : ChosenBy::right;
    smaller.tile_bytes = most_both_choose;
    if (smaller.tiles() == 1) return smaller;
  }
  return terms;
}

IntegerMatrix offset_operand(const BitBudget& budget, IntegerMatrix m) {
  const Integer offset = power_of_two(budget.numbers().value_bits - 1);
  for (Integer& cell : m.cells()) cell += offset;
  return m;
}

FixedIntegers elements_of(const CrossTerms& terms, const IntegerMatrix& a, const IntegerMatrix& b) {
  FixedIntegers out(terms.elements(), terms.choice_limbs());
  bool outside = false;
  std::size_t next = 0;
  for (const IntegerMatrix* operand : {&a, &b}) {
    const bool chosen =
        terms.by == ChosenBy::both_operands || (terms.by == ChosenBy::left) == (operand == &a);
    for (const Integer& cell : operand->cells()) {
      const bool fits = cell >= 0 && bit_length(cell) <= terms.choice_bits;
      outside |= !fits;
      if (fits && chosen) std::ranges::copy(limbs_of(cell), out[next].begin());
      next += chosen ? 1 : 0;
    }
  }
  if (outside) refuse_out_of_range();
  return out;
}

FixedIntegers ring_numbers(const CrossTerms& terms, const IntegerMatrix& m) {
  FixedIntegers out(m.size(), terms.limbs());
  Integer reduced;
  for (std::size_t i = 0; i < m.size(); ++i) {
    mpz_fdiv_r_2exp(reduced.get_mpz_t(), m.cells()[i].get_mpz_t(), terms.ring_bits);
    std::ranges::copy(limbs_of(reduced), out[i].begin());
  }
  return out;
}

IntegerMatrix ring_integers(const CrossTerms& terms, const FixedIntegers& numbers) {
  IntegerMatrix out(terms.rows, terms.cols);
  const Integer half = power_of_two(terms.ring_bits - 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    Integer& cell = out.cells()[i];
    cell = numbers.integer(i) + half;
    mpz_fdiv_r_2exp(cell.get_mpz_t(), cell.get_mpz_t(), terms.ring_bits);
    cell -= half;
  }
  return out;
}

void append_numbers(const FixedIntegers& numbers, const Elements& range, std::size_t width, Bytes& out) {
  const std::size_t first = out.size();
  out.resize(first + range.count * width);
  for (std::size_t i = 0; i < range.count; ++i)
    std::memcpy(out.data() + first + i * width, numbers[range.first + i].data(), width);
}

FixedIntegers read_numbers(std::span<const std::uint8_t> bytes, std::size_t count, std::size_t width,
                           std::size_t limbs) {
  if (bytes.size() != count * width || width > limbs * sizeof(Limb))
    throw Error(std::to_string(bytes.size()) + " bytes do not hold " + std::to_string(count) +
                " numbers of " + std::to_string(width) + " bytes");
  FixedIntegers out(count, limbs);
  for (std::size_t i = 0; i < count; ++i) std::memcpy(out[i].data(), bytes.data() + i * width, width);
  return out;
}

Label tile_label(const Digest& request, std::size_t tile) {
  return transfer_label("bits of operands, tile " + std::to_string(tile), request);
}

std::size_t cross_term_bytes(const CrossTerms& terms, std::size_t tile) {
  return sizeof(Block) + terms.message_bytes(terms.tile(tile));
}

std::size_t cross_sum_bytes(const CrossTerms& terms) {
  return terms.cells() * terms.ring_bytes();
}

void CrossTermMessages::append_to(Bytes& out) {
  if (!append_) throw Error("messages of transfers were to be sent twice");
  std::exchange(append_, nullptr)(out);
}

RequestBody& RequestBody::add(CrossTermMessages&& messages) {
  messages.append_to(bytes_);
  return *this;
}

RequestBody& RequestBody::add(const ElementChoices& choices) {
  bytes_.insert(bytes_.end(), choices.bytes().begin(), choices.bytes().end());
  return *this;
}

CrossTermSender::CrossTermSender(const CrossTerms& terms, std::size_t depth, const IntegerMatrix& a,
                                 const IntegerMatrix& b, const IntegerMatrix& sums)
    : terms_(terms), depth_(depth), sums_(ring_numbers(terms, sums)) {
  if (terms.by != ChosenBy::left) columns_of_a_ = ring_numbers(terms, a.transposed());
  if (terms.by != ChosenBy::right) rows_of_b_ = ring_numbers(terms, b);
}

std::array<std::uint64_t, sizeof(Digest) / sizeof(std::uint64_t)> CrossTermSender::content() const {
  std::array<std::uint64_t, sizeof(Digest) / sizeof(std::uint64_t)> content;
  Bytes hidden;
  hidden.reserve((columns_of_a_.size() + rows_of_b_.size() + sums_.size()) * sums_.limbs() * sizeof(Limb));
  for (const FixedIntegers* numbers : {&columns_of_a_, &rows_of_b_, &sums_})
    append_numbers(*numbers, {0, numbers->size()}, numbers->limbs() * sizeof(Limb), hidden);
  const Digest digest = sha256(hidden);
  wipe_memory(hidden.data(), hidden.size());
  std::memcpy(content.data(), digest.data(), digest.size());
  return content;
}

void CrossTermSender::append(const Block& offset, const std::function<OffsetHolder()>& make_holder,
                             std::span<const std::uint8_t> corrections, const Block& key, Bytes& out) {
  const Elements tile = terms_.tile(tile_);
  const std::size_t w = terms_.choice_bits;
  const auto bytes_of_transfers = [&](std::size_t count) { return correction_bytes(depth_, count); };
  if (corrections.size() != bytes_of_transfers(tile.count * w))
    throw Error("the corrections of " + std::to_string(tile.count * w) + " transfers have " +
                std::to_string(corrections.size()) + " bytes, expected are " +
                std::to_string(bytes_of_transfers(tile.count * w)));
  const std::size_t start = out.size() + sizeof key;
  reserve_to_fill(out, out.size() + cross_term_bytes(terms_, tile_) + cross_sum_bytes(terms_));
  append_bytes({reinterpret_cast<const char*>(&key), sizeof key}, out);
  out.resize(start + terms_.message_bytes(tile));
  in_pieces(terms_, tile, sums_, false, [&](std::size_t skipped) {
    OffsetHolder holder = make_holder();
    holder.skip(skipped);
    return [&, holder = std::move(holder), buffers = Buffers(terms_), pads = TransferPads(key)](
               std::size_t first, std::size_t count, FixedIntegers& sums) mutable {
      const std::span<Block> zeros = std::span(buffers.labels).first(count * w);
      holder.extend(corrections.subspan(bytes_of_transfers(first * w), bytes_of_transfers(count * w)), zeros);
      SecretBlocks ones(zeros.begin(), zeros.end());
      for (Block& label : ones) label ^= offset;
      pads.prepare(zeros);
      pads.prepare(ones);
      std::uint8_t* to = out.data() + start + terms_.message_bytes(Elements{tile.first, first});
      const std::uint8_t* const end = to + terms_.message_bytes(Elements{tile.first + first, count});
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t number = tile.first + first + i;
        const Element element = element_at(terms_, number);
        const FixedIntegers& vectors = element.left ? rows_of_b_ : columns_of_a_;
        buffers.set_vector(vectors[element.vector * element.cells].data(), element.cells, terms_.limbs());
        buffers.clear_sum();
        for (std::size_t t = 0; t < w; ++t) {
          const std::size_t width = terms_.message_bytes(w - 1 - t), bytes = element.cells * width;
          pads.pad(zeros[i * w + t], number * w + t, std::span(buffers.zero).first(blocks_for(bytes)));
          pads.pad(ones[i * w + t], number * w + t, std::span(buffers.one).first(blocks_for(bytes)));
          const bool inside = bytes + ring_slack <= static_cast<std::size_t>(end - to);
          std::uint8_t* const message = inside ? to : bytes_of(buffers.message);
          ring_kernels(width).send({buffers.vector.data(), bytes_of(buffers.zero), bytes_of(buffers.one),
                                    message, buffers.sum.data()},
                                   element.cells, width);
          if (!inside) std::memcpy(to, message, bytes);
          to += bytes;
        }
        buffers.add_sum_to(element, sums);
      }
    };
  });
  ++tile_;
}

Bytes choose_elements(const CrossTerms& terms, TransferChooser chooser, const FixedIntegers& elements,
                      const Elements& range) {
  const std::size_t w = terms.choice_bits;
  Bytes corrections;
  corrections.reserve(chooser.correction_bytes(range.count * w));
  std::vector<std::uint8_t, WipingAllocator<std::uint8_t>> choices(elements_in_piece * w);
  SecretBlocks labels(choices.size());
  for (std::size_t first = 0; first < range.count; first += elements_in_piece) {
    const std::size_t count = std::min(elements_in_piece, range.count - first);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t t = 0; t < w; ++t)
        choices[i * w + t] =
            static_cast<std::uint8_t>(word_at(elements[range.first + first + i], w - 1 - t) & 1);
    chooser.extend(std::span(choices).first(count * w), corrections, std::span(labels).first(count * w));
  }
  return corrections;
}

void receive_cross_terms(const CrossTerms& terms, std::size_t tile_number,
                         const std::function<TransferChooser()>& make_chooser, const FixedIntegers& elements,
                         std::span<const std::uint8_t> messages, FixedIntegers& sums) {
  const Elements tile = terms.tile(tile_number);
  const std::size_t w = terms.choice_bits;
  if (messages.size() != cross_term_bytes(terms, tile_number) || elements.size() != tile.count)
    throw Error("the messages of " + std::to_string(tile.count * w) + " transfers have " +
                std::to_string(messages.size()) + " bytes, expected are " +
                std::to_string(cross_term_bytes(terms, tile_number)));
  const Block key = to_block(messages);
  in_pieces(terms, tile, sums, true, [&](std::size_t skipped) {
    TransferChooser chooser = make_chooser();
    chooser.skip(skipped);
    return [&, chooser = std::move(chooser), buffers = Buffers(terms), pads = TransferPads(key)](
               std::size_t first, std::size_t count, FixedIntegers& partial) mutable {
      const std::span<Block> labels = std::span(buffers.labels).first(count * w);
      chooser.labels(labels);
      pads.prepare(labels);
      const std::uint8_t* from =
          messages.data() + sizeof(Block) + terms.message_bytes(Elements{tile.first, first});
      const std::uint8_t* const end = messages.data() + messages.size();
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t number = tile.first + first + i;
        const Element element = element_at(terms, number);
        buffers.clear_sum();
        for (std::size_t t = 0; t < w; ++t) {
          const std::size_t width = terms.message_bytes(w - 1 - t), bytes = element.cells * width;
          const Limb choice = mask_of(static_cast<unsigned>(word_at(elements[first + i], w - 1 - t) & 1));
          pads.pad(labels[i * w + t], number * w + t, std::span(buffers.zero).first(blocks_for(bytes)));
          const bool inside = bytes + ring_slack <= static_cast<std::size_t>(end - from);
          if (!inside) std::memcpy(buffers.message.data(), from, bytes);
          ring_kernels(width).receive(
              {bytes_of(buffers.zero), inside ? from : bytes_of(buffers.message), choice, buffers.sum.data()},
              element.cells, width);
          from += bytes;
        }
        buffers.add_sum_to(element, partial);
      }
    };
  });
}

namespace {

IntegerMatrix sum(IntegerMatrix a, const IntegerMatrix& b) {
  for (std::size_t cell = 0; cell < a.size(); ++cell) a.cells()[cell] += b.cells()[cell];
  return a;
}

}  // namespace

EvaluatorCrossTerms::EvaluatorCrossTerms(const CrossTerms& terms, const EvaluatorTransfers& transfers,
                                         const IntegerMatrix& e_a, const IntegerMatrix& e_b, const Mask& rho)
    : terms_(terms),
      transfers_(transfers),
      elements_(terms.both_choose() ? elements_of(terms, e_a, e_b) : FixedIntegers()),
      sender_(terms, key_holder_depth, e_a, e_b, sum(integer_product(e_a, e_b), rho.values())),
      content_(sender_.content()) {}

ElementChoices EvaluatorCrossTerms::choices(std::span<const std::uint8_t> content) {
  Bytes bound(content.begin(), content.end());
  bound.reserve(bound.size() + elements_.size() * terms_.choice_bytes());  // no copy of a part stays behind
  append_numbers(elements_, {0, elements_.size()}, terms_.choice_bytes(), bound);
  label_ = transfers_.own_label(bound);
  wipe_memory(bound.data(), bound.size());
  ElementChoices out;
  out.bytes_.assign(label_.begin(), label_.end());
  const Bytes corrections =
      choose_elements(terms_, transfers_.chooser(label_), elements_, {0, elements_.size()});
  out.bytes_.insert(out.bytes_.end(), corrections.begin(), corrections.end());
  return out;
}

void EvaluatorCrossTerms::receive(std::span<const std::uint8_t> messages) {
  receive_cross_terms(
      terms_, 0, [&] { return transfers_.chooser(label_); }, elements_, messages, sender_.sums());
}

CrossTermMessages EvaluatorCrossTerms::send(const Digest& request, const Digest& answer,
                                            std::span<const std::uint8_t> corrections) {
  return CrossTermMessages([=, this](Bytes& out) { append_messages(request, answer, corrections, out); });
}

void EvaluatorCrossTerms::append_messages(const Digest& request, const Digest& answer,
                                          std::span<const std::uint8_t> corrections, Bytes& out) {
  const Label of_bits = tile_label(request, tile_);
  sender_.append(
      transfers_.offset(), [&] { return transfers_.offset_holder(of_bits); }, corrections,
      transfers_.secret_for(request, answer, content_), out);
  if (++tile_ == terms_.tiles()) {
    keep_lowest_bits(sender_.sums(), terms_.ring_bits);  // what is above them is of pads
    append_numbers(sender_.sums(), {0, terms_.cells()}, terms_.ring_bytes(), out);
  }
}

void add_cross_sum(const CrossTerms& terms, std::span<const std::uint8_t> v, FixedIntegers& sums) {
  const FixedIntegers numbers = read_numbers(v, terms.cells(), terms.ring_bytes(), terms.limbs());
  for (std::size_t cell = 0; cell < sums.size(); ++cell)
    mpn_add_n(sums[cell].data(), sums[cell].data(), numbers[cell].data(),
              static_cast<mp_size_t>(sums.limbs()));
}

}  // namespace smlp
