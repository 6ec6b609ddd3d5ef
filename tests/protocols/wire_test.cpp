// Frames: round trips, and refusal of everything that is no frame.
#include "protocols/wire.h"

#include <doctest/doctest.h>

#include "tests/support/protocol_fixture.h"

using namespace smlp;
using smlp::testing::error_of;

namespace {

Header sample() {
  Header header;
  header.protocol = "matmul/packed";
  header.stage = 3;
  for (std::size_t i = 0; i < header.session.size(); ++i) header.session[i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < header.key.size(); ++i) header.key[i] = static_cast<std::uint8_t>(200 + i);
  header.operation = {0xdeadbeef, 7, Direction::gradient, 0x105};
  header.numbers = {20, 10, 40};
  header.max_inner = 1024;
  header.slots = 15;
  header.layout = {{3, 2}, {15, 14, 1}};
  header.parameters = {-1, 0, std::numeric_limits<std::int64_t>::min(),
                       std::numeric_limits<std::int64_t>::max()};
  return header;
}

/// The frame with `count` bytes at `offset` overwritten by a little-endian number.
Bytes with_number(Bytes frame, std::size_t offset, std::size_t count, std::uint64_t value) {
  for (std::size_t i = 0; i < count; ++i) frame.at(offset + i) = static_cast<std::uint8_t>(value >> (8 * i));
  return frame;
}

// Offsets of fields in a frame of sample(), by the widths that the format states.
constexpr std::size_t name_at = 1;
constexpr std::size_t direction_at = 1 + 1 + 13 + 1 + 16 + 32 + 4 + 1;
constexpr std::size_t row_groups_at = direction_at + 1 + 2 + 3 + 4 + 4;
constexpr std::size_t col_groups_at = row_groups_at + 4 + 2 * 2;
constexpr std::size_t parameters_at = col_groups_at + 4 + 3 * 2;
constexpr std::size_t body_size_at = parameters_at + 2 + 4 * 8;

/// The frame of an answer.
Bytes answer_of(const Bytes& body) {
  Bytes frame = begin_answer();
  const std::size_t before = frame.size();
  frame.insert(frame.end(), body.begin(), body.end());
  end_frame(before, frame);
  return frame;
}

}  // namespace

TEST_CASE("wire: a request survives its frame") {
  const Header header = sample();
  for (const Bytes& body : {Bytes{}, Bytes{1, 2, 3}, Bytes(1000, 0xff)}) {
    const Bytes frame = encode_request(header, body);
    CHECK(frame.size() == body_size_at + 8 + body.size());
    const Request request = decode_request(frame);
    CHECK(request.header == header);
    CHECK(request.body == body);
  }
  Header bare;
  bare.numbers = {8, 1, 40};
  CHECK(decode_request(encode_request(bare, {})).header == bare);
}

TEST_CASE("wire: a frame cut at any byte, or with one too many, is refused") {
  const Bytes frame = encode_request(sample(), Bytes{9, 8, 7});
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const Bytes cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string error = error_of([&] { decode_request(cut); });
    CAPTURE(size);
    CHECK(error.starts_with("a frame is truncated at "));
  }
  Bytes longer = frame;
  longer.push_back(0);
  CHECK(error_of([&] { decode_request(longer); }) == "a frame has 1 bytes too many");
  const Bytes answer = answer_of(Bytes{1, 2, 3});
  for (std::size_t size = 0; size < answer.size(); ++size)
    CHECK(error_of([&] {
            decode_answer(std::span(answer).first(size));
          }).starts_with("a frame is truncated at "));
  longer = answer;
  longer.push_back(0);
  CHECK(error_of([&] { decode_answer(longer); }) == "an answer has 1 bytes too many");
}

TEST_CASE("wire: fields out of bounds are refused by name and value") {
  const Bytes frame = encode_request(sample(), Bytes{});
  CHECK(error_of([&] { decode_request(with_number(frame, 0, 1, 3)); }) ==
        "a frame has version 3, this program speaks 7");
  CHECK(error_of([&] { decode_request(with_number(frame, 0, 1, 5)); }) ==
        "a frame has version 5, this program speaks 7");
  CHECK(error_of([&] { decode_request(with_number(frame, name_at, 1, 65)); }) ==
        "a frame has a protocol name of 65 characters, allowed are at most 64");
  for (const std::uint64_t direction : {7U, 15U, 255U})
    CHECK(error_of([&] { decode_request(with_number(frame, direction_at, 1, direction)); }) ==
          "a frame has an unknown direction");
  for (const std::uint64_t direction : {0U, 6U, 8U, 10U, 14U})
    CHECK_NOTHROW(decode_request(with_number(frame, direction_at, 1, direction)));
  CHECK(error_of([&] { decode_request(with_number(frame, row_groups_at, 4, 0xffffffff)); }) ==
        "a frame has 4294967295 row groups, allowed are at most 65536");
  CHECK(error_of([&] { decode_request(with_number(frame, col_groups_at, 4, 65537)); }) ==
        "a frame has 65537 column groups, allowed are at most 65536");
  CHECK(error_of([&] {
          decode_request(with_number(frame, col_groups_at, 4, 65536));
        }).starts_with("a frame "));  // runs into other fields or the end, never beyond it
  CHECK(error_of([&] { decode_request(with_number(frame, row_groups_at + 4, 2, 0)); }) ==
        "a frame has a group of 0 cells, allowed are 1 to 4096");
  CHECK(error_of([&] { decode_request(with_number(frame, row_groups_at + 4, 2, 4097)); }) ==
        "a frame has a group of 4097 cells, allowed are 1 to 4096");
  CHECK(error_of([&] { decode_request(with_number(frame, parameters_at, 2, 32769)); }) ==
        "a frame has 32769 parameters, allowed are at most 32768");
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{1} << 40, ~std::uint64_t{0}})
    CHECK(error_of([&] { decode_request(with_number(frame, body_size_at, 8, size)); }) ==
          "a frame is truncated at the body");
  Header wide = sample();
  wide.layout = {{4096, 1}, {4096}};
  CHECK(error_of([&] { decode_request(encode_request(wide, {})); }) ==
        "a frame is about 4097 x 4096 cells, allowed are at most 16777216");
  wide.layout = {{4096}, {4096}};
  CHECK(decode_request(encode_request(wide, {})).header == wide);
  Header named = sample();
  named.protocol = std::string(64, 'x');
  CHECK(decode_request(encode_request(named, {})).header == named);
}

TEST_CASE("wire: answers and refusals") {
  CHECK(decode_answer(answer_of({})).empty());
  CHECK(decode_answer(answer_of(Bytes{1, 2, 3})) == Bytes{1, 2, 3});
  CHECK(error_of([] { decode_answer(encode_refusal("no such thing")); }) ==
        "the key holder refused: no such thing");
  CHECK(error_of([] { decode_answer(encode_refusal("two\nlines\x1b[2J")); }) ==
        "the key holder refused: two lines [2J");
  CHECK(error_of([] { decode_answer(encode_refusal(std::string(5000, 'a'))); }) ==
        "the key holder refused: " + std::string(4096, 'a'));
  Bytes odd = answer_of(Bytes{1});
  odd[1] = 2;
  CHECK(error_of([&] { decode_answer(odd); }) == "an answer has the unknown status 2");
  odd = answer_of(Bytes{1});
  odd[0] = 9;
  CHECK(error_of([&] { decode_answer(odd); }) == "a frame has version 9, this program speaks 7");
  odd = answer_of(Bytes(4097, 'a'));
  odd[1] = 1;
  CHECK(error_of([&] { decode_answer(odd); }) == "an answer has the unknown status 1");
}

TEST_CASE("wire: numbers are little-endian and exact") {
  Bytes out;
  append_number(0x0102030405060708, 8, out);
  append_number(0xbeef, 2, out);
  CHECK(out == Bytes{8, 7, 6, 5, 4, 3, 2, 1, 0xef, 0xbe});
  ByteReader reader(out);
  CHECK(reader.number(8, "a") == 0x0102030405060708);
  CHECK(reader.remaining() == 2);
  CHECK(error_of([&] { reader.take(3, "the rest"); }) == "a frame is truncated at the rest");
  CHECK(reader.number(2, "b") == 0xbeef);
  reader.finish("it");
}

TEST_CASE("wire: a chain and its answers survive their frames, and nothing else does") {
  const std::vector<ChainedRequest> chain{
      {encode_request(sample(), Bytes{1, 2, 3}), {}},
      {encode_request(sample(), Bytes(9)), {{0, 1, body_size_at + 8, 2}}}};
  const Bytes frame = encode_chain(chain);
  REQUIRE(is_chain(frame));
  CHECK(!is_chain(chain.front().frame));
  CHECK(error_of([&] { decode_request(frame); }) != "");
  const std::vector<ChainedRequest> again = decode_chain(frame);
  REQUIRE(again.size() == 2);
  CHECK(again[1].frame == chain[1].frame);
  CHECK(again[1].gaps.front().at == body_size_at + 8);
  for (std::size_t size = 0; size < frame.size(); ++size)
    CHECK(error_of([&] { decode_chain(std::span(frame).first(size)); }) != "");
  Bytes longer = frame;
  longer.push_back(0);
  CHECK(error_of([&] { decode_chain(longer); }) != "");
  for (const std::uint64_t count : {0U, 1U, 3U, 192U, 193U, 255U})
    CHECK(error_of([&] { decode_chain(with_number(frame, 2, 1, count)); }) != "");
  std::vector<ChainedRequest> longest(most_chained, chain.front());
  CHECK(decode_chain(encode_chain(longest)).size() == 192);
  longest.push_back(chain.front());
  CHECK(error_of([&] { encode_chain(longest); }) == "a chain has 193 requests, allowed are 2 to 192");

  const std::vector<Bytes> answers{answer_of(Bytes{4, 5, 6}), encode_refusal("no")};
  CHECK(decode_chain_answer(encode_chain_answer(answers), 2) == answers);
  CHECK(decode_chain_answer(encode_chain_answer(answers), 3) == answers);  // nothing after a refusal
  CHECK(error_of([&] { decode_chain_answer(encode_chain_answer(answers), 1); }) ==
        "a chain has 2 answers, allowed are 1 to 1");
  CHECK(error_of([&] { decode_chain_answer(encode_chain_answer(std::span(answers).first(1)), 2); }) ==
        "a chain of 2 requests has 1 answers and no refusal");
  CHECK(decode_chain_answer(answers[1], 2) == std::vector<Bytes>{answers[1]});
  CHECK(error_of([&] { decode_chain_answer(answers[0], 2); }) == "a chain of requests has one answer");
}

TEST_CASE("wire: gaps are filled from earlier answers, each within its bounds and after the last") {
  const std::vector<Bytes> answers{answer_of(Bytes{10, 11, 12, 13})};
  ChainedRequest request{Bytes(6, 0), {{0, 1, 0, 2}, {0, 0, 4, 2}}};
  fill_gaps(request, answers);
  CHECK(request.frame == Bytes{11, 12, 0, 0, 10, 11});
  const std::size_t huge = SIZE_MAX;
  for (const std::vector<Gap>& gaps : std::vector<std::vector<Gap>>{{{1, 0, 0, 1}},
                                                                    {{0, 3, 0, 2}},
                                                                    {{0, 5, 0, 0}},
                                                                    {{0, 0, 5, 2}},
                                                                    {{0, 0, 7, 0}},
                                                                    {{0, huge, 0, 2}},
                                                                    {{0, 0, huge, 2}},
                                                                    {{0, 0, 1, huge}},
                                                                    {{0, 0, 2, 2}, {0, 0, 1, 2}},
                                                                    {{0, 0, 2, 2}, {0, 0, 3, 2}}}) {
    ChainedRequest bad{Bytes(6, 0), gaps};
    CHECK(error_of([&] { fill_gaps(bad, answers); }) != "");
  }
  ChainedRequest of_refusal{Bytes(6, 0), {{0, 0, 0, 1}}};
  CHECK(error_of([&] { fill_gaps(of_refusal, std::vector<Bytes>{encode_refusal("no")}); }) ==
        "the key holder refused: no");
}
