// Base transfers: what both sides get fits, replicas answer alike, and points that are none are refused.
#include "protocols/oblivious_transfer/base_transfers.h"

#include <doctest/doctest.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "paillier/error.h"
#include "tests/support/blocks.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

const std::array<std::uint8_t, 32> secret = sha256(Bytes{1, 2, 3});

BaseRequest request_for(const Bytes& key_point) {
  RandomStream random = RandomSource::from_system().stream({});
  return BaseRequest(key_point, random);
}

/// Whether `taken` are the seeds that the offset chooses, and none the other.
void check_seeds(const BaseTransfers& chooser, const BaseTransfers& holder) {
  CHECK(holder.offset[0].bit(0) == 1);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < transfer_bits; ++i) {
    const unsigned bit = holder.offset[0].bit(i);
    wrong += holder.taken[i] != chooser.pairs[2 * i + bit];
    wrong += holder.taken[i] == chooser.pairs[2 * i + 1 - bit];
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("base transfers: each side takes the seeds that its offset chooses, and no other") {
  const BaseRequest request = request_for(key_holder_point(secret));
  const Digest ticket = sha256(request.bytes());
  const BaseAnswer answer = answer_base_request(request.bytes(), ticket, secret);
  CHECK(request.bytes().size() == base_request_bytes);
  CHECK(answer.bytes.size() == base_answer_bytes);
  const BaseTransfers evaluator = request.finish(answer.bytes, ticket);
  check_seeds(answer.transfers, evaluator);
  check_seeds(evaluator, answer.transfers);
  CHECK(answer.transfers.pairs == key_holder_pairs(ticket, secret));
}

TEST_CASE(
    "base transfers: the answer is a function of secret, request and ticket; another ticket shares nothing") {
  const BaseRequest request = request_for(key_holder_point(secret));
  const Digest ticket = sha256(request.bytes());
  const BaseAnswer first = answer_base_request(request.bytes(), ticket, secret);
  const BaseAnswer again = answer_base_request(request.bytes(), ticket, secret);
  CHECK(first.bytes == again.bytes);
  CHECK(first.transfers.taken == again.transfers.taken);
  const BaseAnswer other = answer_base_request(request.bytes(), sha256(ticket), secret);
  CHECK(first.transfers.offset != other.transfers.offset);
  for (std::size_t i = 0; i < 2 * transfer_bits; ++i)
    CHECK(first.transfers.pairs[i] != other.transfers.pairs[i]);
  // Two requests of one evaluator, too, have nothing in common.
  const BaseRequest second = request_for(key_holder_point(secret));
  CHECK(second.bytes() != request.bytes());
}

TEST_CASE("base transfers: an answer is that of another implementation") {
  // In Python, with a P-256 of its own (affine additions): E's points are 3 G and 5 G, .., 132 G, its
  // bytes 7.
  const std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group(
      EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), &EC_GROUP_free);
  const std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)> point(EC_POINT_new(group.get()), &EC_POINT_free);
  Bytes request;
  for (unsigned i = 4; i < 133; ++i) {
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> factor(BN_new(), &BN_free);
    BN_set_word(factor.get(), i == 4 ? 3 : i);
    EC_POINT_mul(group.get(), point.get(), factor.get(), nullptr, nullptr, nullptr);
    request.resize(request.size() + point_bytes);
    EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_COMPRESSED,
                       request.data() + request.size() - point_bytes, point_bytes, nullptr);
  }
  request.resize(request.size() + 32, 7);
  const BaseAnswer answer = answer_base_request(request, sha256(request), secret);
  CHECK(to_hex(sha256(answer.bytes)) == "10a3f9535259e6bb2852a385657228609aea5a12071fea6dbf4f977dde549afc");
  Bytes taken(transfer_bits * sizeof(Block));
  std::memcpy(taken.data(), answer.transfers.taken.data(), taken.size());
  CHECK(to_hex(sha256(taken)) == "1841ee4cbf11a5e62860afa7de2f74f76b7fd67b6f7695190e0a99905ad7f0ff");
}

TEST_CASE("base transfers: refuses points that are none and lengths that do not fit") {
  const std::string refused = "the key holder's base point is not a point of P-256";
  CHECK(error_of([] { request_for(Bytes(33)); }) == refused);
  CHECK(error_of([] { request_for(Bytes(1)); }) == refused);  // infinity
  Bytes off = key_holder_point(secret);
  while (error_of([&] { request_for(off); }).empty()) ++off[32];  // half of all x are off the curve
  CHECK(error_of([&] { request_for(off); }) == refused);

  const BaseRequest request = request_for(key_holder_point(secret));
  const Digest ticket = sha256(request.bytes());
  const auto answered = [&](Bytes bytes) { answer_base_request(bytes, ticket, secret); };
  Bytes longer = request.bytes();
  longer.push_back(0);
  CHECK(error_of([&] { answered(longer); }) ==
        "a request for base transfers has 4290 bytes, expected are 4289");
  Bytes wrong = request.bytes();
  std::ranges::copy(off, wrong.begin());
  CHECK(error_of([&] { answered(wrong); }) == "the evaluator's base point is not a point of P-256");
  wrong = request.bytes();
  std::ranges::copy(off, wrong.begin() + 33 * 128);
  CHECK(error_of([&] { answered(wrong); }) == "a point of the evaluator is not a point of P-256");

  Bytes answer = answer_base_request(request.bytes(), ticket, secret).bytes;
  CHECK(error_of([&] { request.finish(std::span(answer).first(answer.size() - 1), ticket); }) ==
        "a frame is truncated at a seed");
  const Bytes other = key_holder_point(sha256(Bytes{4}));
  std::ranges::copy(other, answer.begin());
  CHECK(error_of([&] { request.finish(answer, ticket); }) ==
        "the key holder answered base transfers with another base point than it told before");
}
