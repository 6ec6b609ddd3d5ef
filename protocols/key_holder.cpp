// The key holder's dispatch and the reading and writing of one request.
#include "protocols/key_holder.h"

#include <algorithm>
#include <deque>
#include <mutex>

#include "paillier/error.h"
#include "paillier/large_buffers.h"
#include "paillier/parallel.h"
#include "protocols/masked_values.h"
#include "protocols/matmul/operand.h"
#include "protocols/registry.h"
#include "protocols/truncation/division.h"

namespace smlp {

OutOfRange::OutOfRange() : Error("a masked value is out of range; the session ends") {}

void refuse_out_of_range() {
  throw OutOfRange();
}

RandomSource AnswerRandomness::for_request(const Digest& request_tag) const {
  return source_ ? source_->derive(request_tag) : RandomSource::from_system();
}

std::set<std::string> harmless_protocols() {
  std::set<std::string> names;
  for (const Descriptor& protocol : registry())
    if (!protocol.leaks() && protocol.sends()) names.insert(protocol.wire_name());
  return names;
}

/// The sessions in which a value was out of range; the oldest is forgotten first.
class KeyHolder::EndedSessions {
 public:
  bool contains(const SessionId& session) {
    const std::lock_guard lock(mutex_);
    return sessions_.contains(session);
  }
  /// Whether it is new.
  bool add(const SessionId& session) {
    const std::lock_guard lock(mutex_);
    if (!sessions_.insert(session).second) return false;
    order_.push_back(session);
    if (order_.size() <= most) return true;
    sessions_.erase(order_.front());
    order_.pop_front();
    return true;
  }

 private:
  static constexpr std::size_t most = 65536;
  std::mutex mutex_;
  std::set<SessionId> sessions_;
  std::deque<SessionId> order_;
};

KeyHolder::KeyHolder(SecretKeys keys, KeyHolderPolicy policy, AnswerRandomness randomness,
                     ViewObserver observer)
    : keys_(std::move(keys)),
      policy_(std::move(policy)),
      randomness_(std::move(randomness)),
      observer_(std::move(observer)),
      ended_(std::make_shared<EndedSessions>()) {}

Bytes KeyHolder::answer(std::span<const std::uint8_t> frame, bool& ended) const {
  ended = false;
  try {
    const RequestView request = view_request(frame);
    if (ended_->contains(request.header.session)) refuse_out_of_range();
    try {
      Bytes answer = answer_or_throw(request);
      // Another request may have ended the session meanwhile: whether this one would have, too, stays untold.
      if (ended_->contains(request.header.session)) refuse_out_of_range();
      return answer;
    } catch (const OutOfRange&) {
      ended = ended_->add(request.header.session);
      throw;
    }
  } catch (const Error& error) {
    return encode_refusal(error.what());
  } catch (const std::exception&) {
    return encode_refusal("the request could not be answered");
  }
}

KeyHolder KeyHolder::with_user_keys(std::vector<UserKey> user_keys) const {
  KeyHolder other = *this;
  other.policy_.user_keys = std::move(user_keys);
  return other;
}

Bytes KeyHolder::answer_or_throw(const RequestView& request) const {
  const Header& header = request.header;
  if (header.key != keys_.public_keys().fingerprint())
    throw Error("a request is for the key " + to_hex(header.key) + ", this key holder has " +
                to_hex(keys_.public_keys().fingerprint()));
  const Descriptor& protocol = find_protocol(header.protocol);
  if (!policy_.protocols.contains(header.protocol))
    throw Error("the protocol " + header.protocol +
                (protocol.leaks() ? " leaks (" + std::string(protocol.leakage.text) + ") and" : "") +
                " is not allowed by this key holder");
  if (header.stage >= protocol.stages())
    throw Error("the protocol " + header.protocol + " has no stage " + std::to_string(header.stage));
  const Digest tag = frame_tag(request.frame, keys_.sealing_secret());
  Responder responder(keys_, policy_, request, tag, randomness_.for_request(tag), observer_);
  protocol.handlers[header.stage](responder);
  responder.finish();
  return responder.take_answer();
}

std::size_t KeyHolder::memory_needed(const Header& header, std::size_t frame_bytes) const {
  const PaillierPublicKey& key = keys_.paillier().public_key();
  const Sizes sizes{BitBudget(header.numbers, header.max_inner, key.bits(), header.slots),
                    key.ciphertext_bytes(), keys_.dgk().public_key().ciphertext_bytes()};
  const Descriptor& protocol = find_protocol(header.protocol);
  Work work{.left = header.layout, .right = header.layout, .checked = true, .user_bits = 8192};
  if (protocol.family == Family::matmul) {
    const std::size_t inner = header.parameters.empty()
                                  ? 1
                                  : checked_size(header.parameters[0], header.max_inner, "inner dimension");
    work.left.col_groups.assign(1, inner);
    work.right.row_groups.assign(1, inner);
    if (!protocol.single_value && asks_for_row_packing(header.parameters)) {
      const std::size_t most = frame_bytes / masked_value_bytes(sizes.budget.value_mask_bits());
      if (inner > most)
        throw Error("a request of " + std::to_string(frame_bytes) + " bytes has an inner dimension of " +
                    std::to_string(inner) + ", allowed are " + std::to_string(most));
      work.left.col_groups = groups_with_bias(inner, sizes.budget.slots());
      work.left_states.closes = true;
    }
  }
  std::size_t answer_bytes = 0;
  if (protocol.sends()) {
    const Declaration declared = protocol.declared(work, sizes);
    answer_bytes = declared.traffic(sizes).to_evaluator - declared.in_other_answers;
  }
  // A cell in the clear is a big integer: its limbs and what GMP and malloc put around them, here and in two
  // results.
  const std::size_t cell_bytes = 3 * (64 + sizes.budget.slot_bits() / 8);
  // Most values that the frame can hold: packed in ciphertexts, or as sealed operands of a product, of which
  // the left one may have a column of constants beside them. Messages of transfers hold none.
  std::size_t values = frame_bytes / sizes.ciphertext_bytes * sizes.budget.fitting_slots();
  if (protocol.family == Family::matmul && !protocol.single_value)
    values = header.stage > 0
                 ? 0
                 : frame_bytes / masked_value_bytes(sizes.budget.value_mask_bits()) + header.layout.rows();
  const std::size_t cells = header.layout.rows() * header.layout.cols() + values;
  return 4 * (frame_bytes + answer_bytes) + cells * cell_bytes;
}

Responder::Responder(const SecretKeys& keys, const KeyHolderPolicy& policy, const RequestView& request,
                     const Digest& request_tag, RandomSource random, const ViewObserver& observer)
    : keys_(keys),
      policy_(policy),
      request_(request),
      request_tag_(request_tag),
      random_(std::move(random)),
      observer_(observer),
      budget_(request.header.numbers, request.header.max_inner, keys.paillier().public_key().bits(),
              request.header.slots),
      reader_(request.body) {
  const std::size_t fitting = budget_.fitting_slots();
  if (header().layout.rows() == 0 || header().layout.cols() == 0) throw Error("a request is about no cells");
  const auto fits = [fitting](std::size_t width) { return width <= fitting; };
  if (!std::ranges::all_of(header().layout.row_groups, fits) ||
      !std::ranges::all_of(header().layout.col_groups, fits))
    throw Error("a request has a group of more than the " + std::to_string(fitting) +
                " slots of a ciphertext");
}

const Digest& Responder::request_digest() {
  if (!request_digest_) request_digest_ = sha256(request_.frame);
  return *request_digest_;
}

Draws Responder::draws(RandomnessKind kind) {
  used_.use(header().operation, kind);
  return Draws(random_, header().operation.address(kind));
}

std::int64_t Responder::parameter(std::size_t i) const {
  if (i >= header().parameters.size())
    throw Error("a request of " + header().protocol + " has " + std::to_string(header().parameters.size()) +
                " parameters, at least " + std::to_string(i + 1) + " are needed");
  return header().parameters[i];
}

FixedIntegers Responder::open(std::size_t count, std::string_view what) {
  const PaillierSecretKey& key = keys_.paillier();
  const std::size_t width = key.public_key().ciphertext_bytes();
  const auto ciphertexts = key.public_key().decode(reader_.take(count * width, what), count, what);
  FixedIntegers values;
  try {
    values = key.decrypt_fixed(ciphertexts);
  } catch (const Error&) {
    refuse_out_of_range();
  }
  return values;
}

FixedIntegers Responder::open_column_packed(const Layout& layout, std::size_t bits, std::string_view what) {
  const FixedIntegers packed = open(layout.row_groups.size() * layout.cols(), what);
  return open_cells(packed, column_packed_cells(layout), bits, what);
}

FixedIntegers Responder::open_row_packed(const Layout& layout, std::size_t bits, std::string_view what) {
  const FixedIntegers packed = open(layout.rows() * layout.col_groups.size(), what);
  return open_cells(packed, row_packed_cells(layout), bits, what);
}

FixedIntegers Responder::open_cells(const FixedIntegers& packed, const std::vector<SlotCells>& cells,
                                    std::size_t bits, std::string_view what) const {
  Limb outside = 0;
  FixedIntegers values =
      unpacked(packed, cells, budget_.slot_bits(), bits + mask_sum_bits, masked_value_limbs(bits), outside);
  refuse_where(outside, refuse_out_of_range);
  observe(what, values);
  return values;
}

namespace {

/// `count` packed integers out of half as many: 2i holds the lower `shift` bits of each slot of pair i,
/// signed, and 2i + 1 the rest. A lower value that is too large is read as another and a carry; as an operand
/// it takes the product out of its range.
std::vector<Integer> parted(std::span<const Integer> pairs, std::size_t count, std::size_t shift,
                            std::size_t slots, std::size_t slot_bits) {
  const Integer half = power_of_two(shift - 1);
  std::vector<Integer> out(count);
  parallel_for(count / 2, [&](std::size_t i) {
    std::vector<Integer> lower = unpack(pairs[i], slots, slot_bits), upper(slots);
    for (std::size_t slot = 0; slot < slots; ++slot) {
      upper[slot] = floor_shift(lower[slot] + half, shift);
      lower[slot] -= upper[slot] << shift;
    }
    out[2 * i] = pack(lower, slot_bits);
    out[2 * i + 1] = pack(upper, slot_bits);
  });
  if (count % 2 == 1) out.back() = pairs.back();
  return out;
}

}  // namespace

IntegerMatrix Responder::open_operand(const Layout& layout, Side side, std::string_view what) {
  const bool left = side == Side::left;
  const std::size_t count =
      left ? layout.row_groups.size() * layout.cols() : layout.rows() * layout.col_groups.size();
  const std::size_t slot_bits = budget_.slot_bits();
  const std::vector<Integer> pairs = open((count + 1) / 2, what).integers();
  IntegerMatrix m;
  try {
    const std::vector<Integer> packed =
        parted(pairs, count, budget_.pair_shift(), budget_.fitting_slots(), slot_bits);
    m = left ? unpack_columns(packed, layout, slot_bits) : unpack_rows(packed, layout, slot_bits);
  } catch (const Error&) {
    refuse_out_of_range();
  }
  bool outside = false;
  for (const Integer& value : m.cells())
    outside |= bit_length(value) > budget_.value_mask_bits() + mask_sum_bits;
  if (outside) refuse_out_of_range();
  observe(what, m.cells());
  return m;
}

std::vector<DgkCiphertext> Responder::read_bits(std::size_t count, std::string_view what) {
  const DgkPublicKey& key = keys_.dgk().public_key();
  return key.decode(reader_.take(count * key.ciphertext_bytes(), what), count, what);
}

OpenedState Responder::open_sealed(std::size_t state_bytes, const Header& context,
                                   const std::string& sealed_by, std::uint8_t sealed_at) {
  return unseal(reader_.take(sealed_overhead + state_bytes, "a sealed state"), context, sealed_by, sealed_at,
                keys_.sealing_secret());
}

void Responder::put_matrix(const IntegerMatrix& m, const Layout& layout, RandomnessKind column_packed,
                           RandomnessKind row_packed) {
  std::vector<Integer> packed_columns, packed_rows;
  try {
    packed_columns = pack_columns(m, layout, budget_.slot_bits());
    if (!layout.single()) packed_rows = pack_rows(m, layout, budget_.slot_bits());
  } catch (const Error&) {
    refuse_out_of_range();  // its own sentence would tell a value's length
  }
  put(packed_columns, column_packed);
  if (!layout.single()) put(packed_rows, row_packed);
}

void Responder::put_matrix(const FixedIntegers& cells, Packings packings) {
  const Layout& layout = header().layout;
  const auto put_packing = [&](const std::vector<SlotCells>& packing, RandomnessKind kind) {
    put(packed(cells, packing, budget_.slot_bits(), keys_.paillier().plaintext_limbs()), kind);
  };
  if (makes_column_packed(layout, packings))
    put_packing(column_packed_cells(layout), RandomnessKind::answer_column_packed);
  if (makes_row_packed(layout, packings))
    put_packing(row_packed_cells(layout), RandomnessKind::answer_row_packed);
}

void Responder::put(std::span<const Integer> plaintexts, RandomnessKind kind) {
  put(keys_.paillier().encrypt(plaintexts, draws(kind)));
}

void Responder::put(const FixedIntegers& plaintexts, RandomnessKind kind) {
  put(keys_.paillier().encrypt(plaintexts, draws(kind)));
}

void Responder::put(std::span<const FreshCiphertext> ciphertexts) {
  keys_.paillier().public_key().encode(ciphertexts, answer_);
}

void Responder::put(std::span<const FreshDgkCiphertext> bits) {
  keys_.dgk().public_key().encode(bits, answer_);
}

void Responder::put_sealed(std::span<const std::uint8_t> state, const Header& context) {
  RandomStream salt =
      Draws(random_, header().operation.address(RandomnessKind::answer_seal)).stream(sealed_++);
  const Bytes sealed = seal(state, context, request_tag_, keys_.sealing_secret(), salt);
  put_bytes(sealed);
}

void Responder::put_bytes(std::span<const std::uint8_t> bytes) {
  Bytes& answer = room_for(bytes.size());
  answer.insert(answer.end(), bytes.begin(), bytes.end());
}

Bytes& Responder::room_for(std::size_t bytes) {
  const std::size_t size = answer_.size() + bytes;
  if (size > answer_.capacity()) reserve_to_fill(answer_, size + size / 8);
  return answer_;
}

Bytes Responder::take_answer() {
  end_frame(answer_begins_, answer_);
  return std::move(answer_);
}

void Responder::observe(std::string_view what, const FixedIntegers& values) const {
  if (observer_) observer_(header(), what, values);
}

void Responder::observe(std::string_view what, const std::vector<Integer>& values) const {
  if (!observer_) return;
  std::size_t longest = 0;
  for (const Integer& value : values) longest = std::max(longest, bit_length(value));
  observe(what, FixedIntegers(values, limbs_for(longest + 1)));
}

void Responder::observe(std::string_view what, std::span<const std::uint8_t> bytes) const {
  if (!observer_) return;
  FixedIntegers values(bytes.size(), 1);
  for (std::size_t i = 0; i < bytes.size(); ++i) values[i][0] = bytes[i];
  observe(what, values);
}

}  // namespace smlp
