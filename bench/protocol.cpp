// One call of one protocol, any that the registry has: processor seconds of both parties, bytes and rounds.
#include <algorithm>
#include <functional>
#include <iostream>

#include "bench/direct_channel.h"
#include "bench/samples.h"
#include "mlp/program/session.h"
#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/activation/tiles.h"
#include "protocols/registry.h"

namespace smlp::bench {

namespace {

struct Shape {
  std::size_t rows, inner, outputs;
  std::size_t multiplications() const { return rows * inner * outputs; }
};

/// The protocols of a preset, but for this one.
ProtocolNames names_with(const Descriptor& protocol, ProtocolNames others) {
  if (others.chooses_products()) others.matmul = "oblivious-transfer";
  auto names = others.by_family();
  names[std::string(name(protocol.family))] = protocol.name;
  return ProtocolNames::from_families(names);
}

/// What can be called of a protocol, and on how many units it works.
struct Call {
  std::string name, unit;
  std::size_t units = 1;
  std::function<void(const Evaluator&)> body;
};

class ProtocolCalls {
 public:
  ProtocolCalls(const SecretKeys& keys, const Descriptor& protocol, const ProtocolNames& others,
                const Numbers& numbers, std::size_t inner)
      : names_(names_with(protocol, others)),
        random_(RandomSource::from_system()),
        budget_(numbers, inner, keys.public_keys().paillier().bits(),
                names_.needs_one_value_a_ciphertext() ? 1 : 0),
        session_(keys.public_keys(), direct_channel(keys), budget_, names_, random_, false),
        protocols_(make_protocols(names_, budget_)),
        tile_cells_{tile_cells(names_).most, tile_cells(names_).most} {
    protocols_.activation = in_tiles(std::move(protocols_.activation), tile_cells_);
  }

  /// On a layer of rows x outputs values, or on the operands of a product.
  std::vector<Call> calls(Family family, const Shape& shape) {
    const std::size_t values = shape.rows * shape.outputs;
    const OperationId forward{1, 0, Direction::activation}, backward{1, 0, Direction::activation_backward};
    const OperationId product{1, 0, Direction::forward};
    const Rescale factor{1, budget_.numbers().fraction_bits};
    if (family == Family::matmul)
      return {{"product", "multiplication", shape.multiplications(),
               [=, a = encrypted(shape.rows, shape.inner), b = encrypted(shape.inner, shape.outputs),
                matmul = protocols_.matmul](const Evaluator& e) {
                 matmul->multiply(e, product, a, b, factor, std::nullopt);
               }}};
    const auto z = std::make_shared<const EncryptedMatrix>(encrypted(shape.rows, shape.outputs));
    const auto by_tiles = [this](const EncryptedMatrix& m, const auto& work) {
      return [tiles = cut_in_tiles(m, tile_cells_), work](const Evaluator& e) {
        for (std::size_t i = 0; i < tiles.size(); ++i) {
          work(e, i, tiles[i]);
          e.calls->send();
        }
      };
    };
    switch (family) {
      case Family::truncation:
        return {{"truncation", "value", values,
                 [=, bits = budget_.product_bits(), truncation = protocols_.truncation](const Evaluator& e) {
                   truncation->rescale(e, product, *z, bits, factor, std::nullopt);
                 }}};
      case Family::comparison: {
        const auto sign = [=, comparison = protocols_.comparison](const Evaluator& e, std::size_t i,
                                                                  const EncryptedMatrix& tile) {
          comparison->sign(e, forward.of_tile(i), tile);
        };
        std::vector<Call> calls{{"comparison", "value", values, by_tiles(*z, sign)}};
        if (!find_protocol(family, names_.comparison).on_opened) return calls;
        calls.push_back({"of opened values", "value", values, by_tiles(*opened(*z), sign)});
        return calls;
      }
      case Family::selection: {
        const auto shares = std::make_shared<std::vector<SignShares>>();
        for (const EncryptedMatrix& tile : cut_in_tiles(*z, tile_cells_)) {
          shares->push_back(
              protocols_.comparison->sign(fresh_evaluator(), forward.of_tile(shares->size()), tile));
          shares->back().key_holder.bytes();  // what waits is no part of a selection
        }
        return {{"of what was compared", "value", values,
                 by_tiles(*z,
                          [=, selection = protocols_.selection](const Evaluator& e, std::size_t i,
                                                                const EncryptedMatrix& tile) {
                            selection->select_compared(e, forward.of_tile(i), tile, (*shares)[i]);
                          })},
                {"of other values", "value", values,
                 by_tiles(*z, [=, selection = protocols_.selection](const Evaluator& e, std::size_t i,
                                                                    const EncryptedMatrix& tile) {
                   selection->select(e, backward.of_tile(i), tile, (*shares)[i]);
                 })}};
      }
      case Family::activation: {
        const auto activation = protocols_.activation;
        const Evaluator before = fresh_evaluator();
        const auto state = activation->forward(before, forward, *z).state;
        before.calls->send();  // what waits is no part of a derivative
        std::vector<Call> calls{
            {"forward", "value", values, [=](const Evaluator& e) { activation->forward(e, forward, *z); }},
            {"backward", "value", values,
             [=](const Evaluator& e) { activation->backward(e, backward, *z, *state); }}};
        if (!names_.stays_opened(0)) return calls;
        calls.push_back(
            {"forward, from opened to opened", "value", values, [=, opened = opened(*z)](const Evaluator& e) {
               activation->forward(e, forward, *opened, Packings::operand);
             }});
        calls.push_back({"backward, from opened to opened", "value", values,
                         [=, opened = opened(*z)](const Evaluator& e) {
                           activation->backward(e, backward, *opened, *state, Packings::operand);
                         }});
        return calls;
      }
      default:
        throw Error("a conversion is no choice of a user, and not measured by itself");
    }
  }

  /// Five samples, fewer where `seconds` have gone, one at least.
  Json measure(const Call& call, double seconds) {
    const Traffic before = traffic();
    Samples samples;
    const double start = process_seconds();
    do {
      const Evaluator evaluator = fresh_evaluator();
      if (names_.needs_transfers()) evaluator.transfers({});  // once a session, so none of the call's
      const double from = process_seconds();
      call.body(evaluator);
      evaluator.calls->send();
      samples.seconds.push_back((process_seconds() - from) / static_cast<double>(call.units));
    } while (samples.seconds.size() < 5 && process_seconds() - start < seconds);
    const Traffic after = traffic();
    const std::uint64_t all = samples.seconds.size() * call.units;
    const auto each = [&](std::uint64_t bytes) {
      return static_cast<double>(bytes) / static_cast<double>(all);
    };
    return {{"call", call.name},
            {"unit", call.unit},
            {"units", call.units},
            {"seconds", samples.to_json()},
            {"bytes",
             {{"to_key_holder", each(after.to_key_holder - before.to_key_holder)},
              {"to_evaluator", each(after.to_evaluator - before.to_evaluator)}}},
            {"rounds", (after.rounds - before.rounds) / samples.seconds.size()}};
  }

  std::size_t slots() const { return budget_.slots(); }

 private:
  /// Without base transfers.
  Traffic traffic() const {
    Traffic all;
    for (const auto& [protocol, each] : session_.channel().traffic_by_protocol())
      if (protocol != "conversion/base-transfers") all += each;
    return all;
  }

  /// One that stays opened.
  std::shared_ptr<const EncryptedMatrix> opened(const EncryptedMatrix& m) {
    OperationId place{1, 0, Direction::output};
    place.step = ++opened_;
    const Evaluator evaluator = fresh_evaluator();
    const auto out = std::make_shared<const EncryptedMatrix>(protocols_.truncation->rescale(
        evaluator, place, m, budget_.product_bits(), {1, 0}, std::nullopt, Form::opened));
    evaluator.calls->send();  // what waits is no part of the calls that use it
    return out;
  }

  /// A place serves one call of an evaluator.
  Evaluator fresh_evaluator() {
    const Evaluator& first = session_.arithmetic().evaluator();
    return {first.keys, first.budget, first.channel, random_.derive("call " + std::to_string(++calls_)),
            first.session};
  }

  EncryptedMatrix encrypted(std::size_t rows, std::size_t cols) {
    const auto draws = [&] { return Draws(random_.derive("operands"), Address{.step = ++drawn_}); };
    const Draws contents = draws();
    const std::size_t bits = budget_.numbers().value_bits;
    IntegerMatrix values(rows, cols);
    for (std::size_t i = 0; i < values.size(); ++i)
      values.cells()[i] = contents.stream(i).bits(bits) - power_of_two(bits - 1);
    return encrypt_matrix(session_.arithmetic().evaluator().paillier(), values,
                          balanced_layout(rows, cols, budget_.slots()), budget_.slot_bits(), draws(), draws())
        .local();
  }

  ProtocolNames names_;
  RandomSource random_;
  BitBudget budget_;
  Session session_;
  ProtocolSet protocols_;
  TileCells tile_cells_;  ///< a large matrix goes in tiles as a trainer's does, a small one in one
  std::uint32_t calls_ = 0, drawn_ = 0, opened_ = 0;
};

void run_protocol(int argc, char** argv) {
  const Options options(
      argc, argv,
      "Calls of one protocol in processor seconds of both parties on one thread.\n"
      "--protocol NAME    by its wire name (comparison/dgk-veugen)\n"
      "--preset NAME      which has the protocols beside it (homomorphic)\n"
      "--bits N           size of n (2048)\n"
      "--rows N           of the layer: a batch (32)\n"
      "--inner N          of a product, rows x inner x outputs (31)\n"
      "--outputs N        columns of the layer (16)\n"
      "--most N           multiplications, or values, of a call with one value a ciphertext: fewer\n"
      "                   rows and outputs, since its work is the same for each (1024)\n"
      "--value-bits N     of a number, with its sign (20)\n"
      "--fraction-bits N  of it behind the point (10)\n"
      "--sigma N          bits by which masks are wider (56)\n"
      "--seconds N        samples end after this time, after one at least (3)\n"
      "--json FILE        results\n");
  set_thread_count(1);
  const Descriptor& protocol = find_protocol(options.text("protocol", "comparison/dgk-veugen"));
  const Numbers numbers{.value_bits = options.number("value-bits", 20),
                        .fraction_bits = options.number("fraction-bits", 10),
                        .sigma = options.number("sigma", 56)};
  numbers.check();
  const std::size_t bits = options.number("bits", 2048), most = options.number("most", 1024);
  Shape shape{options.number("rows", 32), options.number("inner", 31), options.number("outputs", 16)};
  if (protocol.single_value) {
    const std::size_t inner = protocol.family == Family::matmul ? shape.inner : 1;
    shape.rows = std::clamp<std::size_t>(most / inner, 1, shape.rows);
    shape.outputs = std::clamp<std::size_t>(most / (inner * shape.rows), 1, shape.outputs);
  }
  const SecretKeys keys = make_keys(Variant::subgroup, bits);
  ProtocolCalls bench(keys, protocol, preset(options.text("preset", "homomorphic")), numbers,
                      std::max<std::size_t>(1024, shape.inner));
  Json rows = Json::array();
  for (const Call& call : bench.calls(protocol.family, shape)) {
    rows.push_back(bench.measure(call, static_cast<double>(options.number("seconds", 3))));
    std::cerr << protocol.wire_name() << ", " << call.name << ": "
              << rows.back()["seconds"]["median"].get<double>() * 1e6 << " us a " << call.unit << '\n';
  }
  write_results(options.text("json", ""), "protocol",
                {{"bits", bits},
                 {"protocol", protocol.wire_name()},
                 {"leakage", protocol.leakage.text},
                 {"run", {shape.rows, shape.inner, shape.outputs}},
                 {"slots", bench.slots()},
                 {"rows", std::move(rows)}});
}

}  // namespace

}  // namespace smlp::bench

int main(int argc, char** argv) {
  return smlp::bench::run_benchmark(argc, argv, smlp::bench::run_protocol);
}
