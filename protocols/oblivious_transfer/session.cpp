// Base transfers as a protocol, and both parties' access to what they left.
#include "protocols/oblivious_transfer/session.h"

#include <algorithm>
#include <string_view>

#include "paillier/error.h"
#include "protocols/protocol.h"
#include "protocols/version.h"

namespace smlp {

namespace {

constexpr auto wire_name = "conversion/base-transfers";
enum Stage : std::uint8_t { stage_point, stage_base };

/// Round trips that are about no matrix.
Header header_at(const Evaluator& evaluator, Stage stage, OperationId operation) {
  operation.tile = 0;
  return evaluator.header(wire_name, stage, operation, {{1}, {1}}, {version_word()});
}

void answer_point(Responder& responder) {
  require_same_version(responder.parameter(0));
  responder.put_bytes(key_holder_point(responder.keys().sealing_secret()));
}

void answer_base(Responder& responder) {
  require_same_version(responder.parameter(0));
  const auto request = responder.read_bytes(base_request_bytes, "base transfers");
  std::vector<Integer> points(transfer_bits + 1);
  for (std::size_t i = 0; i < points.size(); ++i)
    mpz_import(points[i].get_mpz_t(), point_bytes, 1, 1, 1, 0, request.data() + i * point_bytes);
  responder.observe("the points of base transfers", points);
  responder.put_bytes(
      answer_base_request(request, responder.request_digest(), responder.keys().sealing_secret()).bytes);
}

}  // namespace

Digest request_digest(const Header& header, const RequestBody& body) {
  return sha256(encode_request(header, body.bytes()));
}

RequestBody& RequestBody::add(const BaseRequest& request) {
  bytes_.insert(bytes_.end(), request.bytes().begin(), request.bytes().end());
  return *this;
}

RequestBody& RequestBody::add(const EvaluatorTransfers& transfers) {
  bytes_.insert(bytes_.end(), transfers.ticket().begin(), transfers.ticket().end());
  return *this;
}

EvaluatorTransfers::EvaluatorTransfers(const Evaluator& evaluator, const OperationId& operation,
                                       RandomSource secrets)
    : secrets_(std::move(secrets)) {
  Evaluator alone = evaluator;
  alone.turn = {};
  AnswerBody told(alone, header_at(alone, stage_point, operation), RequestBody(alone));
  const auto point = told.raw(point_bytes, "the key holder's base point");
  told.finish();
  RandomStream random = secrets_.derive("base transfers").stream({});
  const BaseRequest request(point, random);
  RequestBody body(alone);
  body.add(request);
  const Header header = header_at(alone, stage_base, operation);
  AnswerBody answer(alone, header, body);
  base_ = request.finish(answer.raw(base_answer_bytes, "base transfers"), request_digest(header, body));
  answer.finish();
}

Block EvaluatorTransfers::secret_for(const Digest& request, std::span<const std::uint8_t> answer,
                                     std::span<const std::uint64_t> hidden) const {
  const Digest answered = sha256(answer);
  const std::span content(reinterpret_cast<const std::uint8_t*>(hidden.data()), hidden.size_bytes());
  RandomStream random = secrets_.derive("batch").derive(request).derive(answered).derive(content).stream({});
  std::array<std::uint8_t, sizeof(Block)> bytes;
  random.fill(bytes);
  return to_block(bytes);
}

std::int64_t version_word() {
  const std::string_view text = version;
  const Digest digest = sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return static_cast<std::int64_t>(ByteReader(digest).number(8, "a digest"));
}

void require_same_version(std::int64_t word) {
  if (word != version_word())
    throw Error(
        "oblivious transfers need the same version of the program on both sides; this key holder is " +
        std::string(version));
}

Digest read_ticket(Responder& responder) {
  Digest ticket;
  std::ranges::copy(responder.read_bytes(ticket.size(), "a ticket"), ticket.begin());
  return ticket;
}

TransferChooser transfer_chooser(const Responder& responder, const Digest& ticket, const Label& label) {
  return {key_holder_pairs(ticket, responder.keys().sealing_secret()), label};
}

extern constexpr Descriptor base_transfers_descriptor{
    .family = Family::conversion,
    .name = "base-transfers",
    .paper = "Chou, Orlandi 2015; Naor, Pinkas 2001",
    .flow =
        "K -> E its point A_K;  E -> K 128 points that hide its offset;  K -> E 128 pairs of seeds, of which "
        "E "
        "opens one each; the same the other way",
    .handlers = {answer_point, answer_base},
    .declared =
        [](const Work&, const Sizes&) {
          return Declaration{.rounds = 2,
                             .to_key_holder = {.bytes = base_request_bytes},
                             .to_evaluator = {.bytes = point_bytes + base_answer_bytes}};
        },
};

}  // namespace smlp
