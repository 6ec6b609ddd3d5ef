// Base transfers on OpenSSL's P-256, whose products by secret scalars take constant time.
#include "protocols/oblivious_transfer/base_transfers.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>

#include <algorithm>

#include "paillier/error.h"

namespace smlp {

namespace {

using Secret = std::array<std::uint8_t, 32>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_clear_free)>;
using Point = std::unique_ptr<EC_POINT, decltype(&EC_POINT_clear_free)>;

/// Bytes that are wiped.
template <std::size_t size>
struct WipedBytes {
  std::array<std::uint8_t, size> bytes{};
  ~WipedBytes() { wipe_memory(bytes.data(), size); }
};

/// Some stand for seeds, and of two one tells a choice.
using Encoded = WipedBytes<point_bytes>;

void check(int ok, const char* what) {
  if (ok != 1) throw Error(std::string("OpenSSL failed to ") + what);
}

/// The group and what its functions work with. Not shared between threads.
class Curve {
 public:
  Curve()
      : group_(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), &EC_GROUP_free),
        context_(BN_CTX_secure_new(), &BN_CTX_free) {
    if (!group_ || !context_) throw Error("OpenSSL failed to start P-256");
  }

  Point point() const {
    Point made(EC_POINT_new(group_.get()), &EC_POINT_clear_free);
    if (!made) throw Error("OpenSSL failed to make a point");
    return made;
  }
  /// 33 bytes are never infinity, which has one.
  Point decode(std::span<const std::uint8_t> bytes, std::string_view what) const {
    Point out = point();
    if (bytes.size() != point_bytes || (bytes[0] != 2 && bytes[0] != 3) ||
        EC_POINT_oct2point(group_.get(), out.get(), bytes.data(), bytes.size(), context_.get()) != 1 ||
        EC_POINT_is_on_curve(group_.get(), out.get(), context_.get()) != 1)
      throw Error(std::string(what) + " is not a point of P-256");
    return out;
  }
  Encoded encode(const Point& p) const {
    Encoded out;
    if (EC_POINT_point2oct(group_.get(), p.get(), POINT_CONVERSION_COMPRESSED, out.bytes.data(), point_bytes,
                           context_.get()) != point_bytes)
      throw Error("OpenSSL failed to encode a point");
    return out;
  }
  /// 64 bytes modulo the order: within 2^-256 of uniform.
  Number scalar(std::span<const std::uint8_t> bytes) const {
    const Number wide(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr), &BN_clear_free);
    Number out(BN_secure_new(), &BN_clear_free);
    if (!wide || !out) throw Error("OpenSSL failed to make a number");
    BN_set_flags(wide.get(), BN_FLG_CONSTTIME);
    check(BN_mod(out.get(), wide.get(), EC_GROUP_get0_order(group_.get()), context_.get()),
          "reduce a number");
    if (BN_is_zero(out.get())) throw Error("a secret of the base transfers is 0");
    BN_set_flags(out.get(), BN_FLG_CONSTTIME);
    return out;
  }
  /// x G.
  Point of_generator(const Number& x) const {
    Point out = point();
    check(EC_POINT_mul(group_.get(), out.get(), x.get(), nullptr, nullptr, context_.get()),
          "multiply a point");
    return out;
  }
  Point times(const Number& x, const Point& p) const {
    Point out = point();
    check(EC_POINT_mul(group_.get(), out.get(), nullptr, p.get(), x.get(), context_.get()),
          "multiply a point");
    return out;
  }
  Point sum(const Point& a, const Point& b) const {
    Point out = point();
    check(EC_POINT_add(group_.get(), out.get(), a.get(), b.get(), context_.get()), "add points");
    return out;
  }
  Point difference(const Point& a, const Point& b) const {
    Point minus(EC_POINT_dup(b.get(), group_.get()), &EC_POINT_clear_free);
    if (!minus) throw Error("OpenSSL failed to copy a point");
    check(EC_POINT_invert(group_.get(), minus.get(), context_.get()), "negate a point");
    return sum(a, minus);
  }

 private:
  std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group_;
  std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context_;
};

/// 64 bytes: HMAC-SHA512 of the text, its length, the ticket, i and eight zeros. A pseudorandom function of
/// the secret.
WipedBytes<64> derived(const Secret& secret, std::string_view text, const Digest& ticket, std::size_t i = 0) {
  Bytes message(text.begin(), text.end());
  append_number(text.size(), 8, message);
  message.insert(message.end(), ticket.begin(), ticket.end());
  append_number(i, 8, message);
  append_number(0, 8, message);
  WipedBytes<64> out;
  unsigned length = 0;
  if (HMAC(EVP_sha512(), secret.data(), static_cast<int>(secret.size()), message.data(), message.size(),
           out.bytes.data(), &length) == nullptr ||
      length != out.bytes.size())
    throw Error("OpenSSL failed to derive a secret");
  return out;
}

/// The seed that a point stands for.
Block seed_of(std::string_view offered_by, const Digest& ticket, std::size_t i, const Encoded& point) {
  Bytes text(offered_by.begin(), offered_by.end());
  text.insert(text.end(), ticket.begin(), ticket.end());
  append_number(i, 8, text);
  text.insert(text.end(), point.bytes.begin(), point.bytes.end());
  Digest digest = sha256(text);
  const Block seed = to_block(digest);
  wipe_memory(text.data(), text.size());
  wipe_memory(digest.data(), digest.size());
  return seed;
}

constexpr std::string_view by_key_holder = "smlp-ot-seeds-of-key-holder",
                           by_evaluator = "smlp-ot-seeds-of-evaluator";

/// x G + bit p, in the same steps for either bit.
Encoded choosing_point(const Curve& curve, const Number& x, const Point& p, unsigned bit) {
  const Point zero = curve.of_generator(x);
  const Encoded of_zero = curve.encode(zero), of_one = curve.encode(curve.sum(zero, p));
  const auto mask = static_cast<std::uint8_t>(0U - bit);
  Encoded out;
  for (std::size_t k = 0; k < point_bytes; ++k)
    out.bytes[k] =
        static_cast<std::uint8_t>(of_zero.bytes[k] ^ (mask & (of_zero.bytes[k] ^ of_one.bytes[k])));
  return out;
}

void append(const Encoded& point, Bytes& out) {
  out.insert(out.end(), point.bytes.begin(), point.bytes.end());
}

Number base_scalar(const Curve& curve, const Secret& sealing_secret) {
  return curve.scalar(derived(sealing_secret, "smlp-ot-base", Digest{}).bytes);
}

/// K's pairs, pair i at 2i and 2i + 1: AES in counter mode under a key that is derived, since every request
/// about transfers needs them all.
SecretBlocks pairs_of(const Digest& ticket, const Secret& sealing_secret) {
  SecretBlocks pairs(2 * transfer_bits);
  Aes128(to_block(derived(sealing_secret, "smlp-ot-seeds", ticket).bytes)).counter(0, pairs);
  return pairs;
}

/// Two children of each node, in turn.
SecretBlocks children_of(std::span<const Block> nodes) {
  const Label label = transfer_label("children", {});
  SecretBlocks children(2 * nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    SeedStream(nodes[i], label).fill(0, std::span(children).subspan(2 * i, 2));
  return children;
}

SecretBlocks leaves_of(std::span<const Block> pairs) {
  SecretBlocks nodes, leaves(leaf_count(key_holder_depth));
  for (std::size_t i = 0; i < pairs.size(); i += 4) nodes.insert(nodes.end(), {pairs[i], pairs[i + 1]});
  const SecretBlocks children = children_of(nodes);
  for (std::size_t first = 0; first < leaves.size(); first += 4)
    for (std::size_t b = 0; b < 2; ++b)
      for (std::size_t c = 0; c < 2; ++c) leaves[first + b + 2 * c] = children[first + 2 * b + c];
  return leaves;
}

}  // namespace

struct BaseRequest::Secrets {
  Curve curve;
  Number own{nullptr, &BN_clear_free};  // a_E
  std::vector<Number> scalars;          // b_i
  SecretBlocks offset = SecretBlocks(1);

  Number fresh(RandomStream& random) const {
    WipedBytes<64> bytes;
    random.fill(bytes.bytes);
    return curve.scalar(bytes.bytes);
  }
};

Bytes key_holder_point(const Secret& sealing_secret) {
  const Curve curve;
  const Encoded point = curve.encode(curve.of_generator(base_scalar(curve, sealing_secret)));
  return Bytes(point.bytes.begin(), point.bytes.end());
}

BaseRequest::BaseRequest(std::span<const std::uint8_t> key_point, RandomStream& random)
    : secrets_(std::make_unique<Secrets>()), key_point_(key_point.begin(), key_point.end()) {
  Secrets& secrets = *secrets_;
  const Point key = secrets.curve.decode(key_point, "the key holder's base point");
  WipedBytes<sizeof(Block)> offset;
  random.fill(offset.bytes);
  offset.bytes[0] |= 1;
  secrets.offset[0] = to_block(offset.bytes);
  secrets.own = secrets.fresh(random);
  append(secrets.curve.encode(secrets.curve.of_generator(secrets.own)), bytes_);
  for (std::size_t i = 0; i < transfer_bits; ++i) {
    secrets.scalars.push_back(secrets.fresh(random));
    append(choosing_point(secrets.curve, secrets.scalars.back(), key, secrets.offset[0].bit(i)), bytes_);
  }
  bytes_.resize(base_request_bytes);
  random.fill(std::span(bytes_).last(32));
}

BaseRequest::~BaseRequest() = default;

BaseTransfers BaseRequest::finish(std::span<const std::uint8_t> answer, const Digest& ticket) const {
  const Curve& curve = secrets_->curve;
  ByteReader reader(answer);
  const auto key_bytes = reader.take(point_bytes, "the key holder's base point");
  if (!std::ranges::equal(key_bytes, key_point_))
    throw Error("the key holder answered base transfers with another base point than it told before");
  const Point key = curve.decode(key_bytes, "the key holder's base point");
  const Point own = curve.of_generator(secrets_->own), shift = curve.times(secrets_->own, own);
  BaseTransfers out;
  out.ticket = ticket;
  out.offset = secrets_->offset;
  for (std::size_t i = 0; i < transfer_bits; ++i) {
    const Point theirs = curve.decode(reader.take(point_bytes, "a point"), "a point of the key holder");
    const Point product = curve.times(secrets_->own, theirs);
    out.leaves.push_back(seed_of(by_evaluator, ticket, i, curve.encode(product)));
    out.leaves.push_back(seed_of(by_evaluator, ticket, i, curve.encode(curve.difference(product, shift))));
  }
  const auto chosen = [&](std::size_t i) {
    const Block zero = to_block(reader.take(sizeof(Block), "a seed"));
    const Block one = to_block(reader.take(sizeof(Block), "a seed"));
    return zero ^ ((zero ^ one) & block_mask(out.offset[0].bit(i)));
  };
  SecretBlocks taken;
  for (std::size_t i = 0; i < transfer_bits; ++i) {
    const Encoded point = curve.encode(curve.times(secrets_->scalars[i], key));
    taken.push_back(chosen(i) ^ seed_of(by_key_holder, ticket, i, point));
  }
  SecretBlocks nodes;
  for (std::size_t i = 0; i < transfer_bits; i += 2) nodes.push_back(taken[i]);
  SecretBlocks sides = children_of(nodes);  // leaves y with the bit b of the offset, two of a tree
  for (std::size_t i = 0; i < transfer_bits; i += 2) {
    const std::span<Block> side = std::span(sides).subspan(i, 2);
    const Block swap = (side[0] ^ side[1]) & block_mask(out.offset[0].bit(i + 1));
    for (Block& child : side) child ^= swap;  // the one with its bit c comes first
    out.known.push_back(side[1]);
    out.known.push_back(chosen(i + 1) ^ taken[i + 1] ^ side[0]);
    out.known.push_back(side[0]);
  }
  reader.finish("an answer about base transfers");
  return out;
}

SecretBlocks key_holder_leaves(const Digest& ticket, const Secret& sealing_secret) {
  return leaves_of(pairs_of(ticket, sealing_secret));
}

BaseAnswer answer_base_request(std::span<const std::uint8_t> request, const Digest& ticket,
                               const Secret& sealing_secret) {
  if (request.size() != base_request_bytes)
    throw Error("a request for base transfers has " + std::to_string(request.size()) +
                " bytes, expected are " + std::to_string(base_request_bytes));
  const Curve curve;
  const Number a = base_scalar(curve, sealing_secret);
  const Point own = curve.of_generator(a), shift = curve.times(a, own);
  BaseAnswer out;
  BaseTransfers& transfers = out.transfers;
  transfers.ticket = ticket;
  const SecretBlocks pairs = pairs_of(ticket, sealing_secret);
  transfers.leaves = leaves_of(pairs);
  transfers.offset[0] = to_block(derived(sealing_secret, "smlp-ot-offset", ticket).bytes);
  transfers.offset[0].low |= 1;

  ByteReader reader(request);
  const Point theirs = curve.decode(reader.take(point_bytes, "a point"), "the evaluator's base point");
  append(curve.encode(own), out.bytes);
  for (std::size_t i = 0; i < transfer_bits; ++i) {
    const Number scalar = curve.scalar(derived(sealing_secret, "smlp-ot-scalar", ticket, i).bytes);
    append(choosing_point(curve, scalar, theirs, transfers.offset[0].bit(i)), out.bytes);
    const Encoded product = curve.encode(curve.times(scalar, theirs));
    transfers.known.push_back(seed_of(by_evaluator, ticket, i, product));
  }
  for (std::size_t i = 0; i < transfer_bits; ++i) {
    const Point chosen = curve.decode(reader.take(point_bytes, "a point"), "a point of the evaluator");
    const Point product = curve.times(a, chosen);
    const Encoded zero = curve.encode(product), one = curve.encode(curve.difference(product, shift));
    append_blocks(std::array{pairs[2 * i] ^ seed_of(by_key_holder, ticket, i, zero),
                             pairs[2 * i + 1] ^ seed_of(by_key_holder, ticket, i, one)},
                  out.bytes);
  }
  for (std::size_t tree = 0; tree < transfer_bits / 2; ++tree) {
    const std::span leaf = std::span(transfers.leaves).subspan(4 * tree, 4);
    append_blocks(
        std::array{leaf[0] ^ leaf[1] ^ pairs[4 * tree + 2], leaf[2] ^ leaf[3] ^ pairs[4 * tree + 3]},
        out.bytes);
  }
  return out;
}

}  // namespace smlp
