// The key holder refuses whatever breaks a rule, in one sentence, and never fails otherwise.
#include "protocols/key_holder.h"

#include <doctest/doctest.h>

#include <functional>

#include "protocols/comparison/sign_state.h"
#include "protocols/masked_values.h"
#include "protocols/matmul/operand.h"
#include "protocols/opened_values.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

constexpr auto out_of_range = "the key holder refused: a masked value is out of range; the session ends";
constexpr auto foreign_state = "the key holder refused: a sealed state does not belong to this request";

/// The requests of one protocol in its first composition.
std::vector<Bytes> requests_of(TwoParties& parties, const std::string& wire_name) {
  const Descriptor& descriptor = find_protocol(wire_name);
  const std::size_t before = parties.channel().requests().size();
  run_protocol(parties, descriptor, compositions(descriptor).front());
  std::vector<Bytes> out;
  for (std::size_t i = before; i < parties.channel().requests().size(); ++i)
    if (decode_request(parties.channel().requests()[i]).header.protocol == wire_name)
      out.push_back(parties.channel().requests()[i]);
  return out;
}

/// The refusal of a request with its header changed.
std::string refusal_with(const TwoParties& parties, const Bytes& frame,
                         const std::function<void(Request&)>& change) {
  Request request = decode_request(frame);
  change(request);
  return refusal_of(parties.key_holder(), encode_request(request.header, request.body));
}

/// A request to truncate one value that is this residue, in a session of its own.
Bytes truncation_of(TwoParties& parties, const Integer& residue, std::size_t slots_in_group = 1) {
  Header header = parties.evaluator().header("truncation/packed", 0, parties.next_operation(),
                                             {{slots_in_group}, {1}}, {20, 1, 4, 0, 0});
  header.session = {static_cast<std::uint8_t>(header.operation.step)};
  Bytes body;
  append_little_endian(residue, parties.evaluator().paillier().ciphertext_bytes(), body);
  return encode_request(header, body);
}

}  // namespace

TEST_CASE("key holder: a request for another key, protocol or stage is refused") {
  TwoParties parties;
  const Bytes frame = requests_of(parties, "matmul/packed").front();
  CHECK(refusal_of(parties.key_holder(), frame).empty());
  const Fingerprint own = toy_keys().public_keys().fingerprint();
  Fingerprint other = own;
  other[0] ^= 1;
  CHECK(refusal_with(parties, frame, [&](Request& r) { r.header.key = other; }) ==
        "the key holder refused: a request is for the key " + to_hex(other) + ", this key holder has " +
            to_hex(own));
  CHECK(
      refusal_with(parties, frame, [](Request& r) {
        r.header.protocol = "matmul/fast";
      }).starts_with("the key holder refused: there is no protocol 'matmul/fast'; there is matmul/packed, "));
  for (const Descriptor& descriptor : registry()) {
    const std::size_t stage = descriptor.stages();
    CHECK(refusal_with(parties, frame,
                       [&](Request& r) {
                         r.header.protocol = descriptor.wire_name();
                         r.header.stage = static_cast<std::uint8_t>(stage);
                       }) == "the key holder refused: the protocol " + descriptor.wire_name() +
                                 " has no stage " + std::to_string(stage));
  }
}

TEST_CASE("key holder: leaking protocols are answered only where the policy names them") {
  KeyHolderPolicy strict;
  TwoParties parties({.policy = strict});
  for (const Descriptor& descriptor : registry()) {
    if (!descriptor.leaks()) continue;
    const Header header = parties.evaluator().header(descriptor.wire_name(), 0, {}, {{1}, {1}});
    CHECK(refusal_of(parties.key_holder(), encode_request(header, {})) ==
          "the key holder refused: the protocol " + descriptor.wire_name() + " leaks (" +
              std::string(descriptor.leakage.text) + ") and is not allowed by this key holder");
  }
  strict.protocols.insert("comparison/affine");
  TwoParties lenient({.policy = strict});
  CHECK(refusal_of(lenient.key_holder(),
                   encode_request(lenient.evaluator().header("activation/max", 0, {}, {{1}, {1}}), {}))
            .ends_with("is not allowed by this key holder"));
  CHECK(requests_of(lenient, "comparison/affine").size() == 1);
}

TEST_CASE("key holder: parameters and sizes outside the budget are refused by name and value") {
  TwoParties parties;
  const Bytes frame = requests_of(parties, "matmul/packed").front();
  const auto parameter = [&](std::size_t i, std::int64_t value) {
    return refusal_with(parties, frame, [&](Request& r) { r.header.parameters.at(i) = value; });
  };
  const std::string refused = "the key holder refused: ";
  CHECK(parameter(0, 9) == refused + "a request has the inner dimension 9, allowed are 1 to 8");
  CHECK(parameter(0, 0) == refused + "a request has the inner dimension 0, allowed are 1 to 8");
  CHECK(parameter(0, -1) == refused + "a request has the inner dimension -1, allowed are 1 to 8");
  CHECK(parameter(1, 17) == refused + "a request multiplies by 17 / 2^4, allowed is at most 1");
  CHECK(parameter(1, std::numeric_limits<std::int64_t>::min()) ==
        refused + "a request multiplies by -9223372036854775808 / 2^4, allowed is at most 1");
  CHECK(parameter(2, -1) == refused + "a request shifts by -1 bits, allowed are 0 to 43");
  CHECK(parameter(2, 44) == refused + "a request shifts by 44 bits, allowed are 0 to 43");
  CHECK(parameter(3, -1) == refused + "a request has the number of addend bits -1, allowed are 1 to 129");
  CHECK(parameter(3, 130) == refused + "a request has the number of addend bits 130, allowed are 1 to 129");
  CHECK(parameter(3, 86).starts_with(refused +
                                     "the bit budget does not fit: matmul/packed adds a value of 86 bits"));
  CHECK(refusal_with(parties, frame, [](Request& r) { r.header.parameters.resize(2); }) ==
        refused + "a request of matmul/packed has 2 parameters, at least 3 are needed");
  CHECK(refusal_with(parties, frame, [](Request& r) { r.header.numbers.value_bits = 7; }) ==
        refused + "--value-bits is 7, allowed are 8 to 60");
  CHECK(refusal_with(parties, frame, [](Request& r) { r.header.numbers.sigma = 39; }) ==
        refused + "--sigma is 39, allowed are 40 to 128");
  CHECK(refusal_with(parties, frame, [](Request& r) { r.header.max_inner = 0; }) ==
        refused + "--inner is 0, allowed are 1 to 16777216");
  CHECK(refusal_with(parties, frame, [](Request& r) {
          r.header.slots = 5;
        }).starts_with(refused + "the bit budget does not fit: 5 slots of 129 bits"));
  CHECK(refusal_with(parties, frame, [](Request& r) { r.header.layout.row_groups = {5}; }) ==
        refused + "a request has a group of more than the 3 slots of a ciphertext");
  CHECK(refusal_with(parties, frame, [](Request& r) { r.body.push_back(0); }) ==
        refused + "a request has 1 bytes too many");
  CHECK(refusal_with(parties, frame, [](Request& r) { r.body.resize(2); }) ==
        refused + "a frame is truncated at A + R_A");
  CHECK(refusal_with(parties, frame, [](Request& r) { r.body.clear(); }) ==
        refused + "a product of inner dimension 2 came with 0 bytes");
  CHECK(refusal_with(parties, requests_of(parties, "conversion/switch-key").front(), [](Request& r) {
          r.header.parameters[2] ^= 1;
        }) == refused + "the user key of a request is not one that this key holder was configured with");
  CHECK(refusal_with(parties, requests_of(parties, "selection/homomorphic").front(), [](Request& r) {
          r.header.parameters[0] = 0;
        }) == refused + "the comparison of a request is none that this key holder has");
  for (const std::int64_t packings : {std::int64_t{-1}, std::int64_t{3}, std::int64_t{1} << 32})
    CHECK(refusal_with(parties, requests_of(parties, "selection/homomorphic").front(),
                       [&](Request& r) { r.header.parameters[1] = packings; }) ==
          refused + "a selection asks for the packings " + std::to_string(packings) + ", there are 0 to 2");
}

TEST_CASE("key holder: residues that are no ciphertexts, and values out of range, get the uniform refusal") {
  TwoParties parties;
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  const Integer& n = key.n();
  const Integer& p = toy_keys().paillier().p().value();
  const Integer& q = toy_keys().paillier().q().value();
  RandomStream random = RandomSource::from_seed(20).stream({});
  const auto outcome = [&](const Integer& residue) {
    return refusal_of(parties.key_holder(), truncation_of(parties, residue));
  };
  const auto encrypted = [&](const Integer& m) { return key.encrypt(m, random).local().residue(); };
  CHECK(outcome(encrypted(5)).empty());
  for (const Integer& residue : {Integer(0), key.n_squared(), Integer(key.n_squared() + 1)})
    CHECK(outcome(residue) ==
          "the key holder refused: x + rho: ciphertext 0 is zero or not below its modulus");
  for (const Integer& residue :
       {n, Integer(3 * n), p, Integer(p * 12345), Integer(p * p), q, Integer(q * q * 7)})
    CHECK(outcome(residue) ==
          "the key holder refused: x + rho: ciphertext 0 shares a factor with the modulus");
  CHECK(outcome(key.n_squared() - 1) == out_of_range);  // -1 is a unit of order 2
  CHECK(outcome(2) == out_of_range);
  const Integer foreign = toy_user_key().encrypt(5, random).local().residue();
  CHECK(outcome(foreign < key.n_squared() ? foreign : Integer(foreign - key.n_squared())) == out_of_range);
  for (int trial = 0; trial < 20; ++trial) CHECK(outcome(random.below(key.n_squared())) == out_of_range);
  // 20 bits under a mask of 60, a sum of three: below 2^62 passes.
  const Integer edge = power_of_two(62);
  CHECK(outcome(encrypted(edge - 1)).empty());
  CHECK(outcome(encrypted(1 - edge)).empty());
  CHECK(outcome(encrypted(edge)) == out_of_range);
  CHECK(outcome(encrypted(-edge)) == out_of_range);
  CHECK(outcome(encrypted((n - 1) / 2)) == out_of_range);
  // More slots than the group has.
  CHECK(outcome(encrypted(power_of_two(129))) == out_of_range);
  CHECK(refusal_of(parties.key_holder(), truncation_of(parties, encrypted(power_of_two(129)), 2)).empty());
  CHECK(refusal_of(parties.key_holder(), truncation_of(parties, encrypted(power_of_two(258)), 2)) ==
        out_of_range);
}

TEST_CASE("key holder: both values of a pair are read signed, in the range of masked operands") {
  std::vector<Integer> seen;
  TwoParties parties({.observer = [&](const Header&, std::string_view what, const FixedIntegers& values) {
    if (what == "A + R_A") seen = values.integers();
  }});
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  RandomStream random = RandomSource::from_seed(21).stream({});
  const std::size_t slot_bits = parties.budget().slot_bits();
  // One row of two masked values times zeros.
  const auto outcome = [&](const Integer& pair) {
    Header header = parties.evaluator().header("matmul/packed", 0, parties.next_operation(), {{1}, {1}},
                                               {2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    header.session = {static_cast<std::uint8_t>(header.operation.step)};
    Bytes body;
    key.encode(std::vector{key.encrypt(pair, random)}, body);
    for (int zero = 0; zero < 3; ++zero) key.encode(std::vector{key.encrypt(0, random)}, body);
    seen.clear();
    return refusal_of(parties.key_holder(), encode_request(header, body));
  };
  const Integer end = power_of_two(62), shift = power_of_two(63);
  for (const Integer& lower : {Integer(0), Integer(1), Integer(-1), Integer(end - 1), Integer(1 - end)})
    for (const Integer& upper : {Integer(0), Integer(1), Integer(-1), Integer(end - 1), Integer(1 - end)}) {
      CHECK(outcome(lower + shift * upper).empty());
      CHECK(seen == std::vector{lower, upper});
    }
  for (const int sign : {1, -1}) {
    // Beyond its range a lower value runs into the upper one.
    CHECK(outcome(sign * (end + 1)).empty());
    CHECK(seen == std::vector<Integer>{sign * (1 - end), sign});
    CHECK(outcome(sign * end) == out_of_range);
    CHECK(outcome(sign * end * shift) == out_of_range);
    CHECK(outcome(sign * power_of_two(slot_bits - 1)) == out_of_range);
    CHECK(outcome(sign * power_of_two(slot_bits)) == out_of_range);  // a slot that the row has not
    CHECK(outcome(sign * (key.n() - 1) / 2) == out_of_range);
  }
}

TEST_CASE(
    "key holder: a value out of range ends its session, with the same words from then on, and no other") {
  TwoParties parties;
  RandomStream random = RandomSource::from_seed(23).stream({});
  const Bytes good =
      truncation_of(parties, toy_keys().public_keys().paillier().encrypt(5, random).local().residue());
  const Bytes bad = truncation_of(parties, 2);
  CHECK(refusal_of(parties.key_holder(), bad) == out_of_range);
  const auto in_session = [&](const Bytes& frame, const Bytes& session_of) {
    return refusal_with(parties, frame,
                        [&](Request& r) { r.header.session = decode_request(session_of).header.session; });
  };
  CHECK(in_session(good, bad) == out_of_range);
  CHECK(in_session(Bytes(good), good).empty());
  CHECK(refusal_of(parties.key_holder(), good).empty());
  CHECK(in_session(bad, good) == out_of_range);
  CHECK(refusal_of(parties.key_holder(), good) == out_of_range);
  // A session ends once, however many of its requests are refused.
  const Bytes another = truncation_of(parties, 2);
  bool ended = false;
  parties.key_holder().answer(another, ended);
  CHECK(ended);
  parties.key_holder().answer(another, ended);
  CHECK(!ended);
}

TEST_CASE("key holder: two requests of a session that are out of range at the same time end it once") {
  std::shared_ptr<KeyHolder> key_holder;
  Bytes bad, good;
  bool inner_ended = false, ended = false;
  TwoParties parties;
  RandomStream random = RandomSource::from_seed(29).stream({});
  good = truncation_of(parties, toy_keys().public_keys().paillier().encrypt(5, random).local().residue());
  Request other = decode_request(truncation_of(parties, 2));
  other.header.session = decode_request(good).header.session;
  bad = encode_request(other.header, other.body);
  // While the good one is computed, the bad one comes and ends the session.
  key_holder = std::make_shared<KeyHolder>(toy_keys(), KeyHolderPolicy{}, AnswerRandomness::from_system(),
                                           [&](const Header&, std::string_view, const FixedIntegers&) {
                                             if (!inner_ended) key_holder->answer(bad, inner_ended);
                                           });
  CHECK(refusal_in(key_holder->answer(good, ended)) == "a masked value is out of range; the session ends");
  CHECK(inner_ended);
  CHECK(!ended);
}

TEST_CASE("key holder: protocols that the policy does not list are refused") {
  KeyHolderPolicy narrow;
  narrow.protocols = {"truncation/packed"};
  TwoParties parties({.policy = narrow});
  const Header header = parties.evaluator().header("matmul/packed", 0, {}, {{1}, {1}});
  CHECK(refusal_of(parties.key_holder(), encode_request(header, {})) ==
        "the key holder refused: the protocol matmul/packed is not allowed by this key holder");
}

TEST_CASE("key holder: the memory of a request is known from its header") {
  TwoParties parties;
  const KeyHolder& key_holder = parties.key_holder();
  const auto needed = [&](const Bytes& frame) {
    return key_holder.memory_needed(decode_request(frame).header, frame.size());
  };
  run_every_protocol(parties);
  for (std::size_t i = 0; i < parties.channel().requests().size(); ++i) {
    const Bytes& request = parties.channel().requests()[i];
    CHECK(needed(request) >= request.size() + parties.channel().answers()[i].size());
    CHECK(needed(request) < 2'000'000);
  }
  Request small = decode_request(requests_of(parties, "comparison/dgk-veugen").front());
  small.header.layout = {std::vector<std::size_t>(1024, 4), std::vector<std::size_t>(1024, 4)};
  CHECK(key_holder.memory_needed(small.header, 1000) > std::size_t{1} << 32);
  small.header.numbers.sigma = 1;
  CHECK_THROWS_AS(key_holder.memory_needed(small.header, 1000), Error);
  // The answer of a product may have the other packing of its left operand.
  Request product = decode_request(requests_of(parties, "matmul/packed").front());
  product.header.layout.row_groups.assign(1000, 3);
  const auto needed_by = [&](std::int64_t inner, std::int64_t form) {
    product.header.parameters[0] = inner;
    product.header.parameters[first_form] = form;
    return key_holder.memory_needed(product.header, 1000);
  };
  constexpr std::int64_t kept = 1, closes = 16;
  // The constant column, and seven more in groups of three; nothing where it is not asked for.
  CHECK(needed_by(8, kept | closes) - needed_by(8, kept) >= 4 * parties.sizes().ciphertext_bytes * 3000 * 3);
  CHECK(needed_by(8, kept) == needed_by(1, kept));
  // A sealed column of a left operand may come with one of constants, but values do not come twice.
  product.header.protocol = "matmul/oblivious-transfer";
  const std::size_t frame = 6000 * masked_value_bytes(parties.budget().value_mask_bits()),
                    of_operands = key_holder.memory_needed(product.header, frame);
  product.header.stage = 1;  // which has none
  CHECK(of_operands - key_holder.memory_needed(product.header, frame) ==
        (6000 + product.header.layout.rows()) * 3 * (64 + parties.budget().slot_bits() / 8));
  product.header.stage = 0;
  product.header.protocol = "matmul/packed";
  // What no request of 1000 bytes can bring is refused before anything is made for it.
  product.header.max_inner = std::size_t{1} << 24;
  CHECK(error_of([&] {
          needed_by(1 << 24, kept | closes);
        }).starts_with("a request of 1000 bytes has an inner dimension of 16777216, allowed are "));
}

TEST_CASE("key holder: a comparison takes masked values up to either end of their range") {
  TwoParties parties;
  RandomStream random = RandomSource::from_seed(21).stream({});
  const auto outcome = [&](const Integer& k) {
    Header header =
        parties.evaluator().header("comparison/dgk-veugen", 0, parties.next_operation(), {{1}, {1}}, {0});
    header.session = {static_cast<std::uint8_t>(header.operation.step)};
    Bytes body;
    append_little_endian(parties.evaluator().paillier().encrypt(k, random).local().residue(), 128, body);
    return refusal_of(parties.key_holder(), encode_request(header, body));
  };
  const Integer end = power_of_two(parties.budget().guarded_mask_bits() + 2);
  for (const Integer& k : {Integer(0), Integer(-1), Integer(end - 1), Integer(1 - end)})
    CHECK(outcome(k).empty());
  for (const Integer& k : {end, Integer(-end)}) CHECK(outcome(k) == out_of_range);
}

TEST_CASE("key holder: sealed state of another place, session, shape, protocol or stage is refused") {
  TwoParties parties;
  const std::vector<Bytes> comparison = requests_of(parties, "comparison/dgk-veugen");
  const std::vector<Bytes> selection = requests_of(parties, "selection/homomorphic");
  REQUIRE(comparison.size() == 4);  // of ciphertexts, then of what was opened before: two stages each
  REQUIRE(selection.size() == 3);   // of ciphertexts, of what was compared, of what was opened before
  for (const Bytes& frame :
       {comparison[1], comparison[2], comparison[3], selection[0], selection[1], selection[2]}) {
    CHECK(refusal_of(parties.key_holder(), frame).empty());
    CHECK(refusal_with(parties, frame, [](Request& r) { ++r.header.operation.step; }) == foreign_state);
    CHECK(refusal_with(parties, frame, [](Request& r) { r.header.session[0] ^= 1; }) == foreign_state);
    CHECK(refusal_with(parties, frame, [](Request& r) { ++r.header.numbers.fraction_bits; }) ==
          foreign_state);
    // Another shape of as many cells; of shares, another packing too.
    CHECK(refusal_with(parties, frame, [](Request& r) {
            if (r.header.protocol == "selection/homomorphic")
              r.header.layout.col_groups = {1, 1};
            else
              r.header.layout = {{2}, {3}};
          }) == foreign_state);
  }
  // The place of opened values is the one that the request names for them (opened_values_test.cpp); that of
  // shares is the request's own.
  for (const Bytes& frame : selection)
    CHECK(refusal_with(parties, frame, [](Request& r) { ++r.header.operation.layer; }) == foreign_state);
  // Shares of the other comparison.
  CHECK(refusal_with(parties, selection[1], [](Request& r) {
          r.header.parameters[0] = comparison_word("comparison/affine");
        }) == foreign_state);
  CHECK(refusal_with(parties, selection[1], [](Request& r) { r.body = Bytes(r.body.size()); }) ==
        foreign_state);
}

TEST_CASE("key holder: shares are taken from the comparison that made them, at its last stage, alone") {
  TwoParties parties;
  const Request request = decode_request(requests_of(parties, "selection/homomorphic")[1]);
  const std::size_t shares_bytes = SignState::encoded_size(6), shares = sealed_overhead + shares_bytes,
                    mask_bits = parties.budget().guarded_mask_bits();
  RandomStream salt = RandomSource::from_seed(25).stream({});
  // Opened values and shares as the key holder seals them, but for the name and stage under which it does.
  const auto refusal = [&](const std::string& values_by, std::uint8_t values_at, const std::string& shares_by,
                           std::uint8_t shares_at) {
    Header context = opened_context(request.header, request.header.operation, 3, 2);
    context.protocol = values_by;
    context.stage = values_at;
    const FixedIntegers values(std::vector<Integer>(6, 5), masked_value_limbs(mask_bits));
    Bytes body = seal(opened_state(values, {RandomnessKind::mask_comparison, mask_bits, 0, 3, 2}), context,
                      {}, toy_keys().sealing_secret(), salt);
    CHECK(body.size() + shares == request.body.size());
    context = request.header;
    context.protocol = shares_by;
    context.stage = shares_at;
    const Bytes sealed =
        seal(SignState{Matrix<std::uint8_t>(3, 2)}.encode(), context, {}, toy_keys().sealing_secret(), salt);
    body.insert(body.end(), sealed.begin(), sealed.end());
    return refusal_of(parties.key_holder(), encode_request(request.header, body));
  };
  const std::string values_by = opened_context(request.header, {}, 3, 2).protocol;
  CHECK(refusal(values_by, 0, "comparison/dgk-veugen", 1).empty());
  CHECK(refusal(values_by, 0, "comparison/dgk-veugen", 0) == foreign_state);
  CHECK(refusal(values_by, 0, "comparison/affine", 1) == foreign_state);
  CHECK(refusal(values_by, 0, values_by, 0) == foreign_state);
  CHECK(refusal(values_by, 1, "comparison/dgk-veugen", 1) == foreign_state);
  CHECK(refusal("comparison/dgk-veugen", 0, "comparison/dgk-veugen", 1) == foreign_state);
  CHECK(refusal("comparison/dgk-veugen", 1, "comparison/dgk-veugen", 1) == foreign_state);
}

TEST_CASE("key holder: a repeated request gets the same answer from a seed, a fresh one from the system") {
  TwoParties parties;
  const Bytes frame = requests_of(parties, "truncation/packed").front();
  const Bytes answer = parties.channel().answers().front();
  CHECK(parties.key_holder().answer(frame) == answer);
  const KeyHolder system(toy_keys(), {}, AnswerRandomness::from_system());
  const Bytes first = system.answer(frame);
  const Bytes second = system.answer(frame);
  CHECK(first != second);
  const PaillierPublicKey& key = parties.evaluator().paillier();
  const auto open = [&](const Bytes& encoded) {
    const Bytes body = decode_answer(encoded);
    return toy_keys().paillier().decrypt(key.decode(body, body.size() / key.ciphertext_bytes(), "an answer"));
  };
  CHECK(open(first) == open(second));
  CHECK(open(first) == open(answer));
}

TEST_CASE("key holder: random frames and mutated ones are answered or refused, never worse") {
  TwoParties parties;
  run_every_protocol(parties);
  TwoParties single({.slots = 1, .seed = 2});
  run_every_protocol(single);
  RandomStream random = RandomSource::from_seed(22).stream({});
  const auto below = [&](std::size_t bound) {
    return static_cast<std::size_t>(random.below(std::uint64_t{bound}));
  };
  const auto mutate = [&](Bytes& bytes, std::size_t at) {
    bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1 + below(255)));
  };
  for (int trial = 0; trial < 500; ++trial) {
    Bytes frame(below(400));
    random.fill(frame);
    if (trial % 2 == 0 && !frame.empty()) frame[0] = wire_version;
    CHECK(!refusal_of(parties.key_holder(), frame).empty());
  }
  for (TwoParties* each : {&parties, &single})
    for (const Bytes& frame : each->channel().requests()) {
      const Header header = decode_request(frame).header;
      const std::size_t body_size = decode_request(frame).body.size();
      const std::size_t header_size = frame.size() - body_size;
      for (int trial = 0; trial < 40; ++trial) {
        Bytes changed = frame;
        if (trial % 4 == 0)  // cut, or longer
          changed.resize(trial % 8 == 0 ? below(frame.size()) : frame.size() + 1 + below(9));
        else
          mutate(changed,
                 trial % 4 == 1 || body_size == 0 ? below(header_size) : header_size + below(body_size));
        const std::string refusal = refusal_of(each->key_holder(), changed);
        if (trial % 4 == 0) CHECK(!refusal.empty());
        // A changed Paillier ciphertext is none; DGK ciphertexts carry no such redundancy, nor do points,
        // tickets and garbled tables.
        const bool any = (header.protocol == "comparison/dgk-veugen" && header.stage == 1) ||
                         header.protocol == "comparison/garbled" ||
                         header.protocol == "conversion/base-transfers";
        if (trial % 4 > 1 && !any) CHECK(!refusal.empty());
      }
    }
}
