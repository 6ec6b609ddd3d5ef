// Base transfers: what both sides get fits, replicas answer alike, and points that are none are refused.
#include "protocols/oblivious_transfer/base_transfers.h"

#include <doctest/doctest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>

#include <set>

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

/// Whether the holder knows the leaves that its offset leaves it; all are different.
void check_seeds(const BaseTransfers& chooser, const BaseTransfers& holder, std::size_t depth) {
  CHECK(holder.offset[0].bit(0) == 1);
  CHECK(chooser.leaves.size() == leaf_count(depth));
  CHECK(holder.known == known_leaves(holder.offset[0], chooser.leaves, depth));
  std::set<std::pair<std::uint64_t, std::uint64_t>> leaves;
  for (const Block& leaf : chooser.leaves) leaves.emplace(leaf.low, leaf.high);
  CHECK(leaves.size() == chooser.leaves.size());
}

}  // namespace

TEST_CASE("base transfers: each side takes the seeds that its offset chooses, and no other") {
  const BaseRequest request = request_for(key_holder_point(secret));
  const Digest ticket = sha256(request.bytes());
  const BaseAnswer answer = answer_base_request(request.bytes(), ticket, secret);
  CHECK(request.bytes().size() == base_request_bytes);
  CHECK(answer.bytes.size() == base_answer_bytes);
  const BaseTransfers evaluator = request.finish(answer.bytes, ticket);
  check_seeds(answer.transfers, evaluator, key_holder_depth);
  check_seeds(evaluator, answer.transfers, evaluator_depth);
  CHECK(answer.transfers.leaves == key_holder_leaves(ticket, secret));
}

TEST_CASE(
    "base transfers: the answer is a function of secret, request and ticket; another ticket shares nothing") {
  const BaseRequest request = request_for(key_holder_point(secret));
  const Digest ticket = sha256(request.bytes());
  const BaseAnswer first = answer_base_request(request.bytes(), ticket, secret);
  const BaseAnswer again = answer_base_request(request.bytes(), ticket, secret);
  CHECK(first.bytes == again.bytes);
  CHECK(first.transfers.known == again.transfers.known);
  const BaseAnswer other = answer_base_request(request.bytes(), sha256(ticket), secret);
  CHECK(first.transfers.offset != other.transfers.offset);
  for (std::size_t i = 0; i < 2 * transfer_bits; ++i)
    CHECK(first.transfers.leaves[i] != other.transfers.leaves[i]);
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
  // After that come the messages about trees, which this implementation did not have.
  const std::size_t about_pairs = answer.bytes.size() - transfer_bits * sizeof(Block);
  CHECK(to_hex(sha256(std::span(answer.bytes).first(about_pairs))) ==
        "735708e5f0b729e805b4670810d0603a31b208ea6518350c28c03021c364a4ff");
  Bytes taken(transfer_bits * sizeof(Block));
  std::memcpy(taken.data(), answer.transfers.known.data(), taken.size());
  CHECK(to_hex(sha256(taken)) == "1841ee4cbf11a5e62860afa7de2f74f76b7fd67b6f7695190e0a99905ad7f0ff");
}

TEST_CASE("base transfers: trees and their messages are those of the definition") {
  const BaseRequest request = request_for(key_holder_point(secret));
  const Digest ticket = sha256(request.bytes());
  const BaseAnswer answer = answer_base_request(request.bytes(), ticket, secret);
  const std::string_view name = "smlp-ot-seeds";
  Bytes text(name.begin(), name.end());
  append_number(name.size(), 8, text);
  text.insert(text.end(), ticket.begin(), ticket.end());
  text.resize(text.size() + 16);
  Bytes mac(64);
  HMAC(EVP_sha512(), secret.data(), static_cast<int>(secret.size()), text.data(), text.size(), mac.data(),
       nullptr);
  const auto pair_seed = [&](std::size_t i, std::size_t b) {  // k_i^b
    return independent_aes(to_block(mac), {2 * i + b, 0});
  };
  const Label label = transfer_label("children", {});
  const auto child = [&](const Block& node, std::uint64_t c) {
    Bytes text(sizeof(Block));
    std::memcpy(text.data(), &node, sizeof node);
    text.insert(text.end(), label.begin(), label.end());
    return independent_aes(to_block(sha256(text)), {c, 0});
  };
  const std::size_t trees = transfer_bits / 2;
  ByteReader messages(std::span(answer.bytes).last(2 * trees * sizeof(Block)));
  std::size_t wrong = 0;
  for (std::size_t tree = 0; tree < trees; ++tree)
    for (std::size_t c = 0; c < 2; ++c) {
      const Block zero = answer.transfers.leaves[4 * tree + 2 * c],
                  one = answer.transfers.leaves[4 * tree + 2 * c + 1];
      wrong += zero != child(pair_seed(2 * tree, 0), c);
      wrong += one != child(pair_seed(2 * tree, 1), c);
      wrong +=
          to_block(messages.take(sizeof(Block), "a message")) != (zero ^ one ^ pair_seed(2 * tree + 1, c));
    }
  CHECK(wrong == 0);
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
