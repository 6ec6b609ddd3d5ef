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

/// What the state is bound to: no operation, since it serves all of a session.
Header sender_context(const Header& header) {
  Header bound = header;
  bound.protocol = wire_name;
  bound.stage = stage_base;
  bound.operation = {};
  bound.layout = {{1}, {1}};
  return bound;
}

void answer_base(Responder& responder) {
  require_same_version(responder.parameter(0));
  const auto request = responder.read_bytes(base_request_bytes, "base transfers");
  std::vector<Integer> points(transfer_bits + 1);
  for (std::size_t i = 0; i < points.size(); ++i)
    mpz_import(points[i].get_mpz_t(), point_bytes, 1, 1, 1, 0, request.data() + i * point_bytes);
  responder.observe("the points of base transfers", points);
  const Digest& ticket = responder.request_digest();
  const BaseAnswer answer = answer_base_request(request, ticket, responder.keys().sealing_secret());
  responder.put_bytes(answer.bytes);
  Bytes state;
  state.reserve(sender_bytes - sealed_overhead);  // no copy of a part stays behind
  state.insert(state.end(), ticket.begin(), ticket.end());
  append_blocks(answer.transfers.offset, state);
  append_blocks(answer.transfers.known, state);
  responder.put_sealed(state, sender_context(responder.header()));
  wipe_memory(state.data(), state.size());
}

}  // namespace

RequestBody& RequestBody::add(const BaseRequest& request) {
  bytes_.insert(bytes_.end(), request.bytes().begin(), request.bytes().end());
  labels_ = true;
  return *this;
}

RequestBody& RequestBody::add(const EvaluatorTransfers& transfers) {
  bytes_.insert(bytes_.end(), transfers.ticket().begin(), transfers.ticket().end());
  labels_ = true;
  return *this;
}

EvaluatorTransfers::EvaluatorTransfers(const Evaluator& evaluator, const OperationId& operation,
                                       RandomSource secrets)
    : secrets_(std::move(secrets)), tag_secret_(secrets_.derive("tags of answers")) {
  const Evaluator alone = evaluator.for_task();
  AnswerBody told(alone, header_at(alone, stage_point, operation), RequestBody(alone));
  const auto point = told.raw(point_bytes, "the key holder's base point");
  told.finish();
  RandomStream random = secrets_.derive("base transfers").stream({});
  const BaseRequest request(point, random);
  RequestBody body(alone);
  body.add(request);
  const Header header = header_at(alone, stage_base, operation);
  AnswerBody answer(alone, header, body);
  base_ = request.finish(answer.raw(base_answer_bytes, "base transfers"), answer.call().request_digest());
  sealed_ = answer.sealed(sender_bytes - sealed_overhead);
  answer.finish();
}

Block EvaluatorTransfers::secret_for(const Digest& request, const Digest& answer,
                                     std::span<const std::uint64_t> hidden) const {
  const std::span content(reinterpret_cast<const std::uint8_t*>(hidden.data()), hidden.size_bytes());
  RandomStream random = secrets_.derive("batch").derive(request).derive(answer).derive(content).stream({});
  std::array<std::uint8_t, sizeof(Block)> bytes;
  random.fill(bytes);
  return to_block(bytes);
}

Label EvaluatorTransfers::own_label(std::span<const std::uint8_t> content) const {
  Label label;
  secrets_.derive("choices").derive(content).stream({}).fill(label);
  return label;
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
  return {key_holder_leaves(ticket, responder.keys().sealing_secret()), key_holder_depth, label};
}

TransferSender read_sender(Responder& responder, const Digest& ticket) {
  const OpenedState opened = responder.open_sealed(sender_bytes - sealed_overhead,
                                                   sender_context(responder.header()), wire_name, stage_base);
  ByteReader reader(opened.state);
  if (!std::ranges::equal(reader.take(ticket.size(), "a ticket"), ticket))
    throw Error("a sealed state does not belong to this request");
  const Block offset = to_block(reader.take(sizeof(Block), "an offset"));
  SecretBlocks known;
  for (std::size_t i = 0; i < transfer_bits; ++i)
    known.push_back(to_block(reader.take(sizeof(Block), "a seed")));
  return {offset, std::move(known)};
}

extern constexpr Descriptor base_transfers_descriptor{
    .family = Family::conversion,
    .name = "base-transfers",
    .paper = "Chou, Orlandi 2015; Naor, Pinkas 2001",
    .flow =
        "K -> E its point A_K;  E -> K 128 points that hide its offset;  K -> E 128 pairs of seeds, of which "
        "E "
        "opens one each, and what makes trees of pairs; pairs the other way",
    .handlers = {answer_point, answer_base},
    .declared =
        [](const Work&, const Sizes&) {
          return Declaration{.rounds = 2,
                             .to_key_holder = {.bytes = base_request_bytes},
                             .to_evaluator = {.bytes = point_bytes + base_answer_bytes + sender_bytes}};
        },
};

}  // namespace smlp
