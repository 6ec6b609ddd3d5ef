// Frames between evaluator and key holder.
#include "protocols/wire.h"

#include <algorithm>
#include <utility>

#include "paillier/error.h"
#include "paillier/large_buffers.h"

namespace smlp {

namespace {

constexpr std::size_t max_name = 64;
constexpr std::size_t max_group = 4096;
constexpr std::size_t max_cells = std::size_t{1} << 24;
constexpr std::size_t max_parameters = 32768;
constexpr std::size_t max_refusal = 4096;
constexpr std::size_t body_size_bytes = 8;

void append_bytes(std::span<const std::uint8_t> bytes, Bytes& out) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_groups(const std::vector<std::size_t>& groups, Bytes& out) {
  append_number(groups.size(), 4, out);
  for (const std::size_t width : groups) append_number(width, 2, out);
}

std::vector<std::size_t> read_groups(ByteReader& reader, std::string_view what) {
  const std::uint64_t count = reader.number(4, what);
  if (count > max_groups)
    throw Error("a frame has " + std::to_string(count) + " " + std::string(what) + ", allowed are at most " +
                std::to_string(max_groups));
  std::vector<std::size_t> groups(count);
  for (std::size_t& width : groups) {
    width = reader.number(2, what);
    if (width == 0 || width > max_group)
      throw Error("a frame has a group of " + std::to_string(width) + " cells, allowed are 1 to " +
                  std::to_string(max_group));
  }
  return groups;
}

template <std::size_t size>
std::array<std::uint8_t, size> read_array(ByteReader& reader, std::string_view what) {
  const auto bytes = reader.take(size, what);
  std::array<std::uint8_t, size> out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

void check_version(std::uint64_t version) {
  if (version != wire_version)
    throw Error("a frame has version " + std::to_string(version) + ", this program speaks " +
                std::to_string(wire_version));
}

}  // namespace

std::string short_text(const SessionId& session) {
  Fingerprint padded{};
  std::ranges::copy(session, padded.begin());
  return to_hex(padded).substr(0, 8);
}

std::span<const std::uint8_t> ByteReader::take(std::size_t count, std::string_view what) {
  if (count > rest_.size()) throw Error("a frame is truncated at " + std::string(what));
  const auto out = rest_.first(count);
  rest_ = rest_.subspan(count);
  return out;
}

std::uint64_t ByteReader::number(std::size_t width, std::string_view what) {
  std::uint64_t value = 0;
  std::size_t shift = 0;
  for (const std::uint8_t byte : take(width, what)) {
    value |= std::uint64_t{byte} << shift;
    shift += 8;
  }
  return value;
}

void ByteReader::finish(std::string_view what) const {
  if (!rest_.empty())
    throw Error(std::string(what) + " has " + std::to_string(rest_.size()) + " bytes too many");
}

void append_number(std::uint64_t value, std::size_t width, Bytes& out) {
  for (std::size_t i = 0; i < width; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append_operation(const OperationId& operation, Bytes& out) {
  append_number(operation.step, 4, out);
  append_number(operation.layer, 1, out);
  append_number(static_cast<std::uint8_t>(operation.direction), 1, out);
  append_number(operation.tile, 2, out);
}

OperationId read_operation(ByteReader& reader) {
  OperationId operation;
  operation.step = static_cast<std::uint32_t>(reader.number(4, "the step"));
  operation.layer = static_cast<std::uint8_t>(reader.number(1, "the layer"));
  operation.direction = static_cast<Direction>(reader.number(1, "the direction"));
  operation.tile = static_cast<std::uint16_t>(reader.number(2, "the tile"));
  return operation;
}

void Header::append(Bytes& out) const {
  append_number(protocol.size(), 1, out);
  append_bytes({reinterpret_cast<const std::uint8_t*>(protocol.data()), protocol.size()}, out);
  append_number(stage, 1, out);
  append_bytes(session, out);
  append_bytes(key, out);
  append_operation(operation, out);
  append_number(numbers.value_bits, 1, out);
  append_number(numbers.fraction_bits, 1, out);
  append_number(numbers.sigma, 1, out);
  append_number(max_inner, 4, out);
  append_number(slots, 4, out);
  append_groups(layout.row_groups, out);
  append_groups(layout.col_groups, out);
  append_number(parameters.size(), 2, out);
  for (const std::int64_t value : parameters) append_number(static_cast<std::uint64_t>(value), 8, out);
}

Header Header::read(ByteReader& reader) {
  Header header;
  const std::uint64_t length = reader.number(1, "the protocol's name");
  if (length > max_name)
    throw Error("a frame has a protocol name of " + std::to_string(length) +
                " characters, allowed are at most " + std::to_string(max_name));
  const auto name = reader.take(length, "the protocol's name");
  header.protocol.assign(name.begin(), name.end());
  header.stage = static_cast<std::uint8_t>(reader.number(1, "the stage"));
  header.session = read_array<16>(reader, "the session");
  header.key = read_array<32>(reader, "the key's fingerprint");
  header.operation = read_operation(reader);
  const Direction direction = header.operation.direction;
  if (direction == Direction::lasting || direction > Direction::stored_velocity)
    throw Error("a frame has an unknown direction");
  header.numbers.value_bits = reader.number(1, "the value bits");
  header.numbers.fraction_bits = reader.number(1, "the fraction bits");
  header.numbers.sigma = reader.number(1, "sigma");
  header.max_inner = static_cast<std::uint32_t>(reader.number(4, "the widest inner dimension"));
  header.slots = static_cast<std::uint32_t>(reader.number(4, "the slots"));
  header.layout.row_groups = read_groups(reader, "row groups");
  header.layout.col_groups = read_groups(reader, "column groups");
  const std::size_t cols = header.layout.cols();
  if (cols != 0 && header.layout.rows() > max_cells / cols)
    throw Error("a frame is about " + std::to_string(header.layout.rows()) + " x " + std::to_string(cols) +
                " cells, allowed are at most " + std::to_string(max_cells));
  const std::uint64_t count = reader.number(2, "the parameters");
  if (count > max_parameters)
    throw Error("a frame has " + std::to_string(count) + " parameters, allowed are at most " +
                std::to_string(max_parameters));
  header.parameters.resize(count);
  for (std::int64_t& value : header.parameters)
    value = static_cast<std::int64_t>(reader.number(8, "a parameter"));
  return header;
}

Bytes begin_request(const Header& header) {
  Bytes frame;
  append_number(wire_version, 1, frame);
  header.append(frame);
  append_number(0, body_size_bytes, frame);
  return frame;
}

void end_frame(std::size_t body_begins, Bytes& frame) {
  Bytes size;
  append_number(frame.size() - body_begins, body_size_bytes, size);
  std::ranges::copy(size, frame.begin() + static_cast<std::ptrdiff_t>(body_begins - body_size_bytes));
}

Bytes encode_request(const Header& header, std::span<const std::uint8_t> body) {
  Bytes frame = begin_request(header);
  const std::size_t before = frame.size();
  reserve_to_fill(frame, before + body.size());
  append_bytes(body, frame);
  end_frame(before, frame);
  return frame;
}

namespace {

Header read_versioned_header(ByteReader& reader) {
  check_version(reader.number(1, "the version"));
  return Header::read(reader);
}

}  // namespace

Header read_request_header(std::span<const std::uint8_t> frame) {
  ByteReader reader(frame);
  return read_versioned_header(reader);
}

RequestView view_request(std::span<const std::uint8_t> frame) {
  ByteReader reader(frame);
  RequestView request{read_versioned_header(reader), {}, frame};
  const std::uint64_t size = reader.number(body_size_bytes, "the body's size");
  request.body = reader.take(size, "the body");
  reader.finish("a frame");
  return request;
}

Request decode_request(std::span<const std::uint8_t> frame) {
  RequestView request = view_request(frame);
  return {std::move(request.header), Bytes(request.body.begin(), request.body.end())};
}

namespace {

Bytes begin_status(std::uint8_t status) {
  Bytes frame;
  append_number(wire_version, 1, frame);
  append_number(status, 1, frame);
  append_number(0, body_size_bytes, frame);
  return frame;
}

}  // namespace

Bytes begin_answer() {
  return begin_status(0);
}

Bytes encode_refusal(std::string_view sentence) {
  const std::string_view kept = sentence.substr(0, max_refusal);
  Bytes frame = begin_status(1);
  const std::size_t before = frame.size();
  append_bytes({reinterpret_cast<const std::uint8_t*>(kept.data()), kept.size()}, frame);
  end_frame(before, frame);
  return frame;
}

namespace {

/// Its body and whether it is a refusal.
std::pair<std::span<const std::uint8_t>, bool> read_answer(std::span<const std::uint8_t> frame) {
  ByteReader reader(frame);
  check_version(reader.number(1, "the version"));
  const std::uint64_t status = reader.number(1, "the status");
  const std::uint64_t size = reader.number(8, "the body's size");
  const auto body = reader.take(size, "the body");
  reader.finish("an answer");
  if (status > 1 || (status == 1 && size > max_refusal))
    throw Error("an answer has the unknown status " + std::to_string(status));
  return {body, status == 1};
}

std::string sentence_of(std::span<const std::uint8_t> body) {
  std::string sentence(body.begin(), body.end());
  for (char& c : sentence)
    if (static_cast<unsigned char>(c) < 32) c = ' ';
  return sentence;
}

}  // namespace

std::span<const std::uint8_t> answer_body_in(std::span<const std::uint8_t> frame) {
  const auto [body, refused] = read_answer(frame);
  if (refused) throw Error("the key holder refused: " + sentence_of(body));
  return body;
}

Bytes decode_answer(std::span<const std::uint8_t> frame) {
  const auto body = answer_body_in(frame);
  return Bytes(body.begin(), body.end());
}

std::string refusal_in(std::span<const std::uint8_t> frame) {
  const auto [body, refused] = read_answer(frame);
  return refused ? sentence_of(body) : "";
}

void fill_gaps(ChainedRequest& request, std::span<const Bytes> answers) {
  std::size_t end = 0;
  for (const Gap& gap : request.gaps) {
    if (gap.answer >= answers.size())
      throw Error("a gap in a request is of the answer " + std::to_string(gap.answer + 1) + " of " +
                  std::to_string(answers.size()));
    const auto body = answer_body_in(answers[gap.answer]);
    if (gap.from > body.size() || gap.size > body.size() - gap.from || gap.at < end ||
        gap.at > request.frame.size() || gap.size > request.frame.size() - gap.at)
      throw Error("a gap of " + std::to_string(gap.size) + " bytes in a request of " +
                  std::to_string(request.frame.size()) + " does not fit, or its answer of " +
                  std::to_string(body.size()) + " has no such bytes");
    std::ranges::copy(body.subspan(gap.from, gap.size),
                      request.frame.begin() + static_cast<std::ptrdiff_t>(gap.at));
    end = gap.at + gap.size;
  }
}

namespace {

constexpr std::uint64_t chain_mark = 0;  // where a request has the length of its protocol's name

constexpr std::uint8_t status_chain = 2;
constexpr std::size_t gap_bytes = 1 + 3 * 8;

std::size_t checked_count(std::uint64_t count, std::size_t least, std::size_t most, const char* of_what) {
  if (count < least || count > most)
    throw Error("a chain has " + std::to_string(count) + " " + of_what + ", allowed are " +
                std::to_string(least) + " to " + std::to_string(most));
  return count;
}

/// The bytes and, before them, how many.
constexpr std::size_t sized_bytes(std::size_t size) {
  return 8 + size;
}
void append_sized(std::span<const std::uint8_t> bytes, Bytes& out) {
  append_number(bytes.size(), 8, out);
  append_bytes(bytes, out);
}
Bytes read_sized(ByteReader& reader, const std::string& what) {
  const auto bytes = reader.take(reader.number(8, what + "'s size"), what);
  Bytes out;
  reserve_to_fill(out, bytes.size());
  out.assign(bytes.begin(), bytes.end());
  return out;
}

/// The beginning of a frame of so many others.
Bytes frame_of(std::uint64_t mark, std::size_t count) {
  Bytes frame;
  append_number(wire_version, 1, frame);
  append_number(mark, 1, frame);
  append_number(count, 1, frame);
  return frame;
}

}  // namespace

Bytes encode_chain(std::span<const ChainedRequest> requests) {
  Bytes frame = frame_of(chain_mark, checked_count(requests.size(), 2, most_chained, "requests"));
  std::size_t size = frame.size();
  for (const ChainedRequest& request : requests)
    size += 4 + request.gaps.size() * gap_bytes + sized_bytes(request.frame.size());
  reserve_to_fill(frame, size);
  for (const ChainedRequest& request : requests) {
    append_number(request.gaps.size(), 4, frame);
    for (const Gap& gap : request.gaps) {
      append_number(gap.answer, 1, frame);
      for (const std::size_t number : {gap.from, gap.at, gap.size}) append_number(number, 8, frame);
    }
    append_sized(request.frame, frame);
  }
  return frame;
}

bool is_chain(std::span<const std::uint8_t> frame) {
  return frame.size() > 1 && frame[0] == wire_version && frame[1] == chain_mark;
}

std::vector<ChainedRequest> decode_chain(std::span<const std::uint8_t> frame) {
  ByteReader reader(frame);
  check_version(reader.number(1, "the version"));
  if (reader.number(1, "the mark of a chain") != chain_mark) throw Error("a frame is no chain of requests");
  std::vector<ChainedRequest> requests(
      checked_count(reader.number(1, "the number of requests"), 2, most_chained, "requests"));
  for (ChainedRequest& request : requests) {
    const std::uint64_t gaps = reader.number(4, "the number of gaps");
    request.gaps.resize(checked_count(gaps, 0, reader.remaining() / gap_bytes, "gaps in a request"));
    for (Gap& gap : request.gaps) {
      gap.answer = reader.number(1, "a gap");
      for (std::size_t* number : {&gap.from, &gap.at, &gap.size}) *number = reader.number(8, "a gap");
    }
    request.frame = read_sized(reader, "a request");
  }
  reader.finish("a chain of requests");
  return requests;
}

Bytes encode_chain_answer(std::span<const Bytes> answers) {
  Bytes frame = frame_of(status_chain, checked_count(answers.size(), 1, most_chained, "answers"));
  std::size_t size = frame.size();
  for (const Bytes& answer : answers) size += sized_bytes(answer.size());
  reserve_to_fill(frame, size);
  for (const Bytes& answer : answers) append_sized(answer, frame);
  return frame;
}

std::vector<Bytes> decode_chain_answer(std::span<const std::uint8_t> frame, std::size_t requests) {
  if (frame.size() < 2 || frame[1] != status_chain) {
    if (refusal_in(frame).empty()) throw Error("a chain of requests has one answer");
    return {Bytes(frame.begin(), frame.end())};
  }
  ByteReader reader(frame);
  check_version(reader.number(1, "the version"));
  reader.number(1, "the status");
  std::vector<Bytes> answers(
      checked_count(reader.number(1, "the number of answers"), 1, requests, "answers"));
  for (Bytes& answer : answers) answer = read_sized(reader, "an answer");
  reader.finish("the answers to a chain");
  if (answers.size() < requests && refusal_in(answers.back()).empty())
    throw Error("a chain of " + std::to_string(requests) + " requests has " + std::to_string(answers.size()) +
                " answers and no refusal");
  return answers;
}

}  // namespace smlp
