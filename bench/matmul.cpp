// Secure multiplications a second in matrix products, both parties and everything between them included:
// `packed` beside `oblivious-transfer` and the paper's `blinded` protocol.
#include <omp.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <sstream>

#include "bench/direct_channel.h"
#include "bench/reference.h"
#include "bench/samples.h"
#include "mlp/program/session.h"
#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/registry.h"

namespace smlp::bench {

namespace {

struct Shape {
  std::size_t rows, inner, outputs;
  std::size_t multiplications() const { return rows * inner * outputs; }
  std::string text() const {
    return std::to_string(rows) + " x " + std::to_string(inner) + " x " + std::to_string(outputs);
  }
};

IntegerMatrix random_matrix(std::size_t rows, std::size_t cols, std::size_t bits, const Draws& draws) {
  IntegerMatrix m(rows, cols);
  for (std::size_t i = 0; i < m.size(); ++i)
    m.cells()[i] = draws.stream(i).bits(bits) - power_of_two(bits - 1);
  return m;
}

/// A protocol with its two parties and encrypted operands.
class Product {
 public:
  Product(const SecretKeys& keys, const ProtocolNames& names, const Shape& shape, const Numbers& numbers = {})
      : random_(RandomSource::from_system()),
        budget_(numbers, 1024, keys.public_keys().paillier().bits(),
                names.needs_one_value_a_ciphertext() ? 1 : 0),
        session_(keys.public_keys(), direct_channel(keys), budget_, names, random_, false),
        protocols_(make_protocols(names, budget_)),
        a_(encrypted(shape.rows, shape.inner)),
        b_(encrypted(shape.inner, shape.outputs)) {
    if (names.needs_transfers()) evaluator().transfers({});  // once a session
    before_ = session_.channel().traffic();
  }

  void multiply() {
    const Rescale factor{1, budget_.numbers().fraction_bits};
    protocols_.matmul->multiply(evaluator(), {++step_, 0, Direction::forward}, a_, b_, factor, std::nullopt);
  }
  /// The signs of the left operand.
  void compare() {
    protocols_.comparison->sign(evaluator(), {++step_, 0, Direction::activation}, a_);
    evaluator().calls->send();
  }
  std::size_t slots() const { return budget_.slots(); }
  /// To and fro, of one product.
  std::uint64_t bytes() const {
    const Traffic& traffic = session_.channel().traffic();
    return (traffic.to_key_holder - before_.to_key_holder + traffic.to_evaluator - before_.to_evaluator) /
           step_;
  }

 private:
  const Evaluator& evaluator() const { return session_.arithmetic().evaluator(); }
  EncryptedMatrix encrypted(std::size_t rows, std::size_t cols) {
    const auto draws = [&] { return Draws(random_.derive("operands"), Address{.step = ++drawn_}); };
    return encrypt_matrix(evaluator().paillier(),
                          random_matrix(rows, cols, budget_.numbers().value_bits, draws()),
                          balanced_layout(rows, cols, budget_.slots()), budget_.slot_bits(), draws(), draws())
        .local();
  }

  RandomSource random_;
  BitBudget budget_;
  Session session_;
  ProtocolSet protocols_;
  std::uint32_t drawn_ = 0, step_ = 0;
  EncryptedMatrix a_, b_;
  Traffic before_;
};

ProtocolNames protocols_named(const std::string& matmul) {
  ProtocolNames names = preset(matmul == "blinded" ? "paper" : "homomorphic");
  names.matmul = matmul;
  return names;
}

/// OpenSSL's product modulo n^2, to be sampled beside our work.
Task openssl_product(const SecretKeys& keys) {
  const auto& key = keys.public_keys().paillier();
  const auto openssl = std::make_shared<const Openssl>(key.n_squared());
  const auto x = std::make_shared<Openssl::Number>(Openssl::number(key.hs()));
  const auto y = std::make_shared<Openssl::Number>(Openssl::number(key.hs()));
  constexpr std::size_t repeats = 256;
  return {repeats, [=] { openssl->multiply(*x, *y, repeats); }};
}

/// Samples a shape on one thread until `seconds` of processor time have gone, five times at most. The paper's
/// protocol runs on as few rows and outputs as keep it below `most` multiplications, since its work is the
/// same for each.
Json measure(const SecretKeys& keys, const std::string& matmul, Shape shape, std::size_t most, double seconds,
             const Numbers& numbers = {}) {
  Shape run = shape;
  if (matmul == "blinded") {
    run.rows = std::clamp<std::size_t>(most / run.inner, 1, run.rows);
    run.outputs = std::clamp<std::size_t>(most / (run.inner * run.rows), 1, run.outputs);
  }
  Product product(keys, protocols_named(matmul), run, numbers);
  Turns turns;
  turns.add(openssl_product(keys));
  turns.add({run.multiplications(), [&] { product.multiply(); }});
  const double start = thread_seconds();
  std::size_t rounds = 0;
  do {
    const double before = thread_seconds();
    turns.round();
    const double after =
        thread_seconds();  // long products are seen beside as many OpenSSL products as last a tenth
    while (thread_seconds() - after < (after - before) / 10) turns.sample(0);
  } while (++rounds < 5 && thread_seconds() - start < seconds);
  const Samples& ours = turns.samples(1);
  std::cerr << matmul << " " << shape.text() << ": "
            << ours.min() * static_cast<double>(run.multiplications()) << " s, " << 1 / ours.min()
            << " a second\n";
  return {{"protocol", matmul},
          {"variant", name(keys.public_keys().paillier().variant())},
          {"shape", {shape.rows, shape.inner, shape.outputs}},
          {"run", {run.rows, run.inner, run.outputs}},
          {"multiplication", ours.to_json()},
          {"bytes", product.bytes()},
          {"openssl", turns.samples(0).to_json()}};
}

/// Wall-clock seconds on one thread and on two, in turn.
Json one_and_two_threads(const std::string& what, const std::function<void()>& work) {
  constexpr int rounds = 7;
  Samples one, two;
  for (int i = 0; i < rounds; ++i)
    for (const int threads : {1, 2}) {
      set_thread_count(threads);
      const double start = wall_seconds();
      work();
      (threads == 1 ? one : two).seconds.push_back(wall_seconds() - start);
    }
  set_thread_count(1);
  std::cerr << what << ": " << one.min() << " s on one thread, " << two.min() << " s on two\n";
  return {{"what", what}, {"one", one.to_json()}, {"two", two.to_json()}};
}

/// A product, and comparisons of full lanes and ciphertexts.
Json measure_threads(const SecretKeys& keys, const Shape& shape) {
  const ProtocolNames names = protocols_named("packed");
  Product product(keys, names, shape);
  const Shape column{product.slots(), 16, 1};
  Product comparison(keys, names, column);
  return {one_and_two_threads("product " + shape.text(), [&] { product.multiply(); }),
          one_and_two_threads(std::to_string(column.rows * column.inner) + " comparisons",
                              [&] { comparison.compare(); })};
}

Shape parsed_shape(const std::string& text) {
  Shape shape{};
  char end = 0;
  if (std::sscanf(text.c_str(), "%zux%zux%zu%c", &shape.rows, &shape.inner, &shape.outputs, &end) != 3 ||
      std::min({shape.rows, shape.inner, shape.outputs}) == 0)
    throw Error("the shape " + text + " is not of the form 128x784x128");
  return shape;
}

void run_matmul(int argc, char** argv) {
  const Options options(
      argc, argv,
      "Secure matrix products in processor seconds of both parties on one thread.\n"
      "--bits N        size of n (2048)\n"
      "--shapes LIST   rows x inner x outputs (layers of 2-10-2 to 784-128-10; 128x64x128 to\n"
      "                128x784x128)\n"
      "--sigma N       bits by which masks are wider than what they hide (56)\n"
      "--most N        multiplications of a run of the paper's protocol (1024)\n"
      "--seconds N     samples of a shape end after this time, after one sample at least (3)\n"
      "--threads N     1 leaves out the comparison of one thread with two, which wants two idle cores and\n"
      "                OMP_WAIT_POLICY=passive (2)\n"
      "--json FILE     results\n");
  set_thread_count(1);
  const std::size_t bits = options.number("bits", 2048), most = options.number("most", 1024);
  const auto seconds = static_cast<double>(options.number("seconds", 3));
  Numbers numbers;
  numbers.sigma = options.number("sigma", numbers.sigma);
  std::vector<Shape> shapes;
  std::istringstream list(options.text("shapes",
                                       "40x3x10,40x11x2,32x31x16,32x17x2,128x129x10,128x64x128,128x256x128,"
                                       "128x784x128"));
  for (std::string item; std::getline(list, item, ',');) shapes.push_back(parsed_shape(item));

  const SecretKeys keys = make_keys(Variant::subgroup, bits);
  Json rows = Json::array();
  for (const Shape& shape : shapes)
    for (const char* matmul : {"packed", "oblivious-transfer", "blinded"})
      rows.push_back(measure(keys, matmul, shape, most, seconds, numbers));
  // The paper's protocol under the paper's keys, which pay for every encryption in full.
  const SecretKeys standard = make_keys(Variant::standard, bits);
  rows.push_back(measure(standard, "blinded", {2, 16, 2}, most, seconds));
  Json results{{"bits", bits}, {"sigma", numbers.sigma}, {"rows", std::move(rows)}};
  if (options.number("threads", 2) > 1 && omp_get_num_procs() > 1)
    results["threads"] = measure_threads(keys, {128, 64, 128});
  write_results(options.text("json", ""), "matmul", results);
}

}  // namespace

}  // namespace smlp::bench

int main(int argc, char** argv) {
  return smlp::bench::run_benchmark(argc, argv, smlp::bench::run_matmul);
}
