// The evaluator's end of a run.
#include "protocols/evaluator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <mutex>
#include <optional>
#include <ranges>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/masked_values.h"
#include "protocols/oblivious_transfer/session.h"

namespace smlp {

namespace {

// What one step of a middling network takes; a few megabytes of residues.
constexpr std::size_t paillier_ahead = 2048, dgk_ahead = 16384;

}  // namespace

struct Evaluator::LazyPools {
  bool made_ahead;
  std::once_flag once;
  std::unique_ptr<RerandomiserPools> pools;
};

struct Evaluator::LazyTransfers {
  RandomSource secrets;
  std::once_flag once;
  std::unique_ptr<const EvaluatorTransfers> transfers;
};

Evaluator::Evaluator(PublicKeys keys, BitBudget budget, Channel& channel, RandomSource random,
                     SessionId session, bool made_ahead, const RandomSource& secrets,
                     const std::optional<RandomSource>& rounding)
    : keys(std::move(keys)),
      budget(std::move(budget)),
      channel(channel),
      session(session),
      calls(std::make_shared<CallQueue>(channel)),
      random_(std::move(random)),
      rounding_(rounding.value_or(random_)),
      used_(std::make_shared<UsedOperations>()),
      lazy_pools_(std::make_shared<LazyPools>(made_ahead)),
      lazy_transfers_(std::make_shared<LazyTransfers>(secrets)) {}

Evaluator Evaluator::for_task(Turn turn) const {
  Evaluator other = *this;
  other.calls = std::make_shared<CallQueue>(channel, turn);
  return other;
}

Draws Evaluator::draws(const OperationId& operation, RandomnessKind kind) const {
  used_->use(operation, kind);
  return Draws(random_, operation.address(kind));
}

WindowDraws Evaluator::rounding_draws(const OperationId& operation, RandomnessKind kind,
                                      std::size_t cols) const {
  const std::size_t stride = window.all_cols == 0 ? cols : window.all_cols;
  if (window.first_col > stride || cols > stride - window.first_col)
    throw Error("a result of " + std::to_string(cols) + " columns does not fit its place from column " +
                std::to_string(window.first_col) + " of " + std::to_string(stride) + " on");
  if (operation.tile != 0 && (window.first_row != 0 || cols != stride))
    throw Error("a tile is rounded where evaluators share its result");
  used_->use(operation, kind);
  Address first = operation.address(kind);
  first.element = std::uint64_t{window.first_row} * stride + window.first_col;
  return {Draws(rounding_, first), stride};
}

RerandomiserPools& Evaluator::pools(const OperationId& operation) const {
  LazyPools& lazy = *lazy_pools_;
  std::call_once(lazy.once, [&] {
    Bytes first;
    append_operation(operation, first);
    const RandomSource run = random_.derive("re-randomisers").derive(first);
    const auto ahead = [&](std::size_t count) { return lazy.made_ahead ? count : 0; };
    lazy.pools.reset(new RerandomiserPools{
        {keys.paillier().rerandomisers(), run.derive("paillier"), ahead(paillier_ahead)},
        {keys.dgk().rerandomisers(), run.derive("dgk"), ahead(dgk_ahead)}});
  });
  return *lazy.pools;
}

const EvaluatorTransfers& Evaluator::transfers(const OperationId& operation) const {
  LazyTransfers& lazy = *lazy_transfers_;
  std::call_once(lazy.once, [&] {
    lazy.transfers = std::make_unique<const EvaluatorTransfers>(*this, operation, lazy.secrets);
  });
  return *lazy.transfers;
}

Header Evaluator::header(const std::string& protocol, std::uint8_t stage, const OperationId& operation,
                         const Layout& layout, std::vector<std::int64_t> parameters) const {
  return {protocol,
          stage,
          session,
          keys.fingerprint(),
          operation,
          budget.numbers(),
          static_cast<std::uint32_t>(budget.max_inner()),
          static_cast<std::uint32_t>(budget.slots()),
          layout,
          std::move(parameters)};
}

SessionId draw_session(const RandomSource& random) {
  SessionId session;
  random.derive("session").stream({}).fill(session);
  return session;
}

namespace {

/// One of the three terms of a mask: as many of its low limbs as there is room for.
void read_uniform(std::span<const std::uint8_t> drawn, std::size_t bits, std::span<Limb> out) {
  std::ranges::fill(out, 0);
  std::memcpy(out.data(), drawn.data(), std::min(drawn.size(), out.size_bytes()));
  if (const std::size_t last = bits / limb_bits; last < out.size())
    out[last] &= (Limb{1} << bits % limb_bits) - 1;
}

}  // namespace

Mask Mask::drawn(const Draws& draws, std::size_t rows, std::size_t cols, std::size_t bits) {
  return drawn(WindowDraws{draws, cols}, rows, cols, bits);
}

Mask Mask::drawn(const WindowDraws& window, std::size_t rows, std::size_t cols, std::size_t bits) {
  IntegerMatrix values(rows, cols);
  constexpr std::size_t worth_a_thread = 1024;  // cells
  const std::size_t size = (bits + 7) / 8, limbs = limbs_for(bits + mask_sum_bits + 1);
  const std::size_t in_a_row = window.stride == cols ? values.size() : cols;  // elements, one after another
  parallel_blocks(values.size(), worth_a_thread, [&](std::size_t first, std::size_t count) {
    Bytes bytes(3 * size * count);
    std::span<std::uint8_t> left = bytes;
    for (std::size_t cell = first; cell < first + count;) {
      const std::size_t together = std::min(first + count - cell, in_a_row - cell % in_a_row);
      window.draws.fill_heads(cell / cols * window.stride + cell % cols, 3 * size,
                              left.first(3 * size * together));
      left = left.subspan(3 * size * together);
      cell += together;
    }
    FixedIntegers numbers(2, limbs);
    const std::span<Limb> sum = numbers[0], uniform = numbers[1];
    for (std::size_t i = 0; i < count; ++i) {
      std::ranges::fill(sum, 0);
      for (std::size_t term = 0; term < 3; ++term) {
        read_uniform(std::span(bytes).subspan((3 * i + term) * size, size), bits, uniform);
        add_shifted(sum, uniform, 0, mask_of(1));
      }
      values.cells()[first + i] = signed_integer(sum);
    }
    wipe_memory(bytes.data(), bytes.size());
  });
  return Mask(std::move(values), bits);
}

std::vector<std::uint64_t> Mask::low_words(const Draws& draws, std::size_t cells, std::size_t bits) {
  const std::size_t size = (bits + 7) / 8;
  std::vector<std::uint64_t> sums(cells);
  parallel_blocks(cells, 2048, [&](std::size_t first, std::size_t count) {
    Bytes bytes(3 * size * count);
    draws.fill_heads(first, 3 * size, bytes);
    for (std::size_t i = 0; i < 3 * count; ++i) {
      Limb uniform = 0;
      read_uniform(std::span(bytes).subspan(i * size, size), bits, {&uniform, 1});
      sums[first + i / 3] += uniform;
    }
    wipe_memory(bytes.data(), bytes.size());
  });
  return sums;
}

Mask Mask::remainder(const IntegerMatrix& product, const Mask& cross, const Mask& effective) {
  const auto fits = [&](const Mask& mask) {
    return mask.values().rows() == product.rows() && mask.values().cols() == product.cols();
  };
  if (!fits(cross) || !fits(effective))
    throw Error("masks of a product of " + std::to_string(product.rows()) + " x " +
                std::to_string(product.cols()) + " cells have another shape");
  IntegerMatrix values = product;
  for (std::size_t cell = 0; cell < values.size(); ++cell)
    values.cells()[cell] -= cross.values().cells()[cell] + effective.values().cells()[cell];
  return Mask(std::move(values), cross.bits());
}

Mask Mask::stacked(std::span<const Mask> masks) {
  const std::size_t bits = masks.front().bits();
  for (const Mask& mask : masks)
    if (mask.bits() != bits)
      throw Error("masks of " + std::to_string(bits) + " and " + std::to_string(mask.bits()) +
                  " bits cannot be stacked");
  return Mask(smlp::stacked(masks | std::views::transform(&Mask::values)), bits);
}

namespace {

void check_mask(const Evaluator& evaluator, const Mask& mask, std::size_t content_bits) {
  const std::size_t sigma = evaluator.budget.numbers().sigma;
  if (mask.bits() < content_bits + sigma)
    throw Error("a mask of " + std::to_string(mask.bits()) + " bits does not hide " +
                std::to_string(content_bits) + " bits; at least " + std::to_string(content_bits + sigma) +
                " are needed");
}

IntegerMatrix shifted(const Mask& mask, const Integer& offset) {
  IntegerMatrix values = mask.values();
  for (Integer& value : values.cells()) value += offset;
  return values;
}

std::vector<FreshCiphertext> masked(const Evaluator& evaluator, std::span<const Ciphertext> cs,
                                    const std::vector<Integer>& packed, const OperationId& operation) {
  if (cs.size() != packed.size())
    throw Error("a mask for " + std::to_string(packed.size()) + " ciphertexts does not fit " +
                std::to_string(cs.size()));
  const auto sums = parallel_map(
      cs.size(), [&](std::size_t i) { return evaluator.paillier().add_plain(cs[i], packed[i]); });
  return evaluator.paillier().rerandomise(sums, evaluator.pools(operation).paillier.take(sums.size()));
}

}  // namespace

MaskedCiphertexts mask_column_packed(const Evaluator& evaluator, std::span<const Ciphertext> column_packed,
                                     const Layout& layout, const Mask& mask, std::size_t content_bits,
                                     const OperationId& operation, const Integer& offset) {
  check_mask(evaluator, mask, content_bits);
  const auto packed = pack_columns(shifted(mask, offset), layout, evaluator.budget.slot_bits());
  return MaskedCiphertexts(masked(evaluator, column_packed, packed, operation));
}

MaskedCiphertexts mask_row_packed(const Evaluator& evaluator, std::span<const Ciphertext> row_packed,
                                  const Layout& layout, const Mask& mask, std::size_t content_bits,
                                  const OperationId& operation, const Integer& offset) {
  check_mask(evaluator, mask, content_bits);
  const auto packed = pack_rows(shifted(mask, offset), layout, evaluator.budget.slot_bits());
  return MaskedCiphertexts(masked(evaluator, row_packed, packed, operation));
}

MaskedCiphertexts mask_operand(const Evaluator& evaluator, const EncryptedMatrix& operand, Side side,
                               const Mask& mask, const OperationId& operation) {
  const BitBudget& budget = evaluator.budget;
  if (mask.bits() != budget.value_mask_bits())
    throw Error("a mask of " + std::to_string(mask.bits()) + " bits reached an operand; it needs " +
                std::to_string(budget.value_mask_bits()) + " bits");
  const bool left = side == Side::left;
  const std::vector<Ciphertext>& cs = left ? operand.column_packed() : operand.row_packed();
  const auto packed = left ? pack_columns(mask.values(), operand.layout(), budget.slot_bits())
                           : pack_rows(mask.values(), operand.layout(), budget.slot_bits());
  const std::size_t shift = budget.pair_shift();
  std::vector<Integer> pairs;
  pairs.reserve((packed.size() + 1) / 2);
  for (std::size_t i = 0; i < packed.size(); i += 2)
    pairs.push_back(i + 1 < packed.size() ? Integer(packed[i] + (packed[i + 1] << shift)) : packed[i]);
  return MaskedCiphertexts(masked(evaluator, evaluator.paillier().join_pairs(cs, shift), pairs, operation));
}

MaskedDifferences mask_opened(const Evaluator& evaluator, const OpenedValue& x, const Mask& mask,
                              std::size_t content_bits) {
  check_mask(evaluator, mask, content_bits);
  const IntegerMatrix &e = x.mask, &r = mask.values();
  if (e.rows() != r.rows() || e.cols() != r.cols())
    throw Error("a mask of " + std::to_string(r.rows()) + " x " + std::to_string(r.cols()) +
                " cells does not fit an opened matrix of " + std::to_string(e.rows()) + " x " +
                std::to_string(e.cols()));
  const std::size_t width = masked_difference_bytes(mask.bits());
  Bytes bytes;
  bytes.reserve(e.size() * width);
  Integer c;
  for (std::size_t cell = 0; cell < e.size(); ++cell) {
    c = e.cells()[cell] - r.cells()[cell];
    mpz_fdiv_r_2exp(c.get_mpz_t(), c.get_mpz_t(), 8 * width);
    append_little_endian(c, width, bytes);
  }
  return MaskedDifferences(std::move(bytes));
}

BlindedBits blind_and_shuffle(const Evaluator& evaluator, const OperationId& operation,
                              std::size_t comparisons, std::size_t per_comparison,
                              const ComparisonTerms& terms_of) {
  const DgkPublicKey& key = evaluator.keys.dgk();
  const Draws units = evaluator.draws(operation, RandomnessKind::blinding_unit);
  const Draws shuffles = evaluator.draws(operation, RandomnessKind::shuffle);
  Rerandomisers ready = evaluator.pools(operation).dgk.take(comparisons * per_comparison);
  std::vector<std::optional<FreshDgkCiphertext>> out(comparisons * per_comparison);
  parallel_blocks(comparisons, key.lanes(), [&](std::size_t first, std::size_t count) {
    // place_of[k][i]: where term i of comparison first + k goes.
    std::vector<std::vector<std::size_t>> place_of(count);
    for (std::size_t k = 0; k < count; ++k) {
      RandomStream random = shuffles.stream(first + k);
      std::vector<std::size_t>& to = place_of[k];
      for (std::size_t i = 0; i < per_comparison; ++i) to.push_back((first + k) * per_comparison + i);
      for (std::size_t i = per_comparison; i > 1; --i)
        std::swap(to[i - 1], to[random.below(static_cast<std::uint64_t>(i))]);
    }
    const std::vector<DgkBlock> terms = terms_of(first, count);
    if (terms.size() != per_comparison)
      throw Error("a comparison of " + std::to_string(per_comparison) + " terms made " +
                  std::to_string(terms.size()));
    for (std::size_t i = 0; i < per_comparison; ++i) {
      std::vector<unsigned> factors;
      std::vector<std::size_t> places;
      for (std::size_t k = 0; k < count; ++k) {
        RandomStream unit = units.stream(place_of[k][i]);
        factors.push_back(static_cast<unsigned>(1 + unit.below(static_cast<std::uint64_t>(key.u() - 1))));
        places.push_back(place_of[k][i]);
      }
      auto blinded = key.rerandomise(key.scale(terms[i], factors), ready, places);
      for (std::size_t k = 0; k < count; ++k) out[place_of[k][i]] = std::move(blinded[k]);
    }
  });
  std::vector<FreshDgkCiphertext> bits;
  bits.reserve(out.size());
  for (auto& bit : out) bits.push_back(std::move(*bit));
  return BlindedBits(std::move(bits));
}

BlindedSum blind_sum(const Evaluator& evaluator, const OperationId& operation,
                     std::span<const Ciphertext> terms) {
  const PaillierPublicKey& key = evaluator.paillier();
  Ciphertext sum = terms.front();
  for (const Ciphertext& term : terms.subspan(1)) sum = key.add(sum, term);
  const Integer factor = 1 + evaluator.draws(operation, RandomnessKind::range_factor)
                                 .stream(0)
                                 .below(Integer(power_of_two(BlindedSum::factor_bits) - 1));
  const FixedIntegers factors({&factor, 1}, limbs_for(BlindedSum::factor_bits + 1));
  Integer mask = evaluator.draws(operation, RandomnessKind::range_mask).stream(0).below(key.n());
  const auto scaled = key.dot_products({&sum, 1}, factors, 1, BlindedSum::factor_bits);
  const std::vector<Ciphertext> blinded{key.add_plain(scaled.front(), mask)};
  if (2 * mask > key.n()) mask -= key.n();  // as it is decrypted
  return BlindedSum(std::move(key.rerandomise(blinded, evaluator.pools(operation).paillier.take(1)).front()),
                    sum_digest(FixedIntegers({&mask, 1}, key.plaintext_limbs())[0]));
}

Digest sum_digest(std::span<const Limb> plaintext) {
  constexpr std::string_view purpose = "smlp sum of evidence";
  static_assert(std::endian::native == std::endian::little, "limbs are hashed lowest byte first");
  Bytes bytes(purpose.begin(), purpose.end());
  const auto* limbs = reinterpret_cast<const std::uint8_t*>(plaintext.data());
  bytes.insert(bytes.end(), limbs, limbs + plaintext.size_bytes());
  return sha256(bytes);
}

RequestBody& RequestBody::add(const MaskedCiphertexts& masked) {
  evaluator_.paillier().encode(masked.ciphertexts(), bytes_);
  return *this;
}

RequestBody& RequestBody::add(const BlindedBits& bits) {
  evaluator_.keys.dgk().encode(bits.ciphertexts(), bytes_);
  return *this;
}

RequestBody& RequestBody::add(const BlindedSum& sum) {
  evaluator_.paillier().encode({&sum.ciphertext(), 1}, bytes_);
  bytes_.insert(bytes_.end(), sum.digest().begin(), sum.digest().end());
  return *this;
}

RequestBody& RequestBody::add(const MaskedDifferences& differences) {
  bytes_.insert(bytes_.end(), differences.bytes().begin(), differences.bytes().end());
  return *this;
}

RequestBody& RequestBody::add(const SealedState& state) {
  const SealedState::Content& content = *state.content_;
  if (content.call && state.queue_ != evaluator_.calls) state.bytes();  // another task's, or evaluator's
  if (content.call) {
    awaited_.push_back({state.content_, bytes_.size()});
    bytes_.resize(bytes_.size() + content.size);
  } else {
    bytes_.insert(bytes_.end(), content.bytes.begin(), content.bytes.end());
  }
  return *this;
}

RequestBody& RequestBody::add(const RequestBody& part) {
  for (const auto& [state, at] : part.awaited_)
    awaited_.push_back({state, bytes_.size() + at - part.begins_});
  const auto bytes = part.bytes();
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  labels_ = labels_ || part.labels_;
  return *this;
}

ByteReader& AnswerBody::reader() {
  if (!reader_) {
    if (!call_->answered()) evaluator_.calls->send();
    reader_.emplace(call_->answer_body());
    reader_->take(read_, "a sealed state");
  }
  return *reader_;
}

void AnswerBody::finish() {
  if (read_ == 0 || reader_ || call_->answered() || !call_->may_wait())
    reader().finish("an answer");
  else
    call_->expected_ = read_;
}

EncryptedMatrix AnswerBody::matrix(const Layout& layout, std::string_view what) {
  std::vector<Ciphertext> column_packed = ciphertexts(layout.row_groups.size() * layout.cols(), what);
  std::vector<Ciphertext> row_packed;
  if (!layout.single()) row_packed = ciphertexts(layout.rows() * layout.col_groups.size(), what);
  return EncryptedMatrix(layout, std::move(column_packed), std::move(row_packed));
}

std::vector<Ciphertext> AnswerBody::ciphertexts(std::size_t count, std::string_view what) {
  const PaillierPublicKey& key = evaluator_.paillier();
  return key.decode(reader().take(count * key.ciphertext_bytes(), what), count, what);
}

std::vector<DgkCiphertext> AnswerBody::bits(std::size_t count, std::string_view what) {
  const DgkPublicKey& key = evaluator_.keys.dgk();
  return key.decode(reader().take(count * key.ciphertext_bytes(), what), count, what);
}

std::function<std::vector<Ciphertext>()> AnswerBody::ciphertexts_later(std::size_t count,
                                                                       std::string_view what) {
  const std::size_t from = read_, size = count * evaluator_.paillier().ciphertext_bytes();
  if (reader_ || call_->answered() || !may_be_read_later() || size > most_read_later_bytes)
    return [cells = ciphertexts(count, what)] { return cells; };
  read_ += size;
  return [key = evaluator_.paillier(), call = call_, queue = evaluator_.calls, from, size, count,
          what = std::string(what)] {
    if (!call->answered()) queue->send();
    if (!call->answered()) throw Error(what + " was lost with the request whose answer would have had it");
    ByteReader reader(call->answer_body());
    reader.take(from, "a sealed state");
    return key.decode(reader.take(size, what), count, what);
  };
}

SealedState AnswerBody::sealed(std::size_t state_bytes) {
  auto content = std::make_shared<SealedState::Content>();
  std::shared_ptr<CallQueue> queue;
  content->size = sealed_overhead + state_bytes;
  if (reader_ || call_->answered()) {
    const auto bytes = reader().take(content->size, "a sealed state");
    content->bytes.assign(bytes.begin(), bytes.end());
  } else {
    content->call = call_;
    queue = evaluator_.calls;
    content->from = read_;
    read_ += content->size;
    call_->states_.push_back(content);
  }
  return SealedState(std::move(content), std::move(queue));
}

}  // namespace smlp
