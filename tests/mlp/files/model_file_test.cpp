// Encrypted models on disk: bit-identical round trips, other keys, damage.
#include "mlp/files/model_file.h"

#include <doctest/doctest.h>

#include "mlp/files/ciphertext_file.h"
#include "tests/mlp/training/encrypted_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

EncryptedMatrix weights(std::size_t rows, std::size_t cols, std::uint32_t step, std::size_t slots) {
  Layout layout = balanced_layout(rows - 1, cols, slots);
  layout.row_groups.push_back(1);
  IntegerMatrix values(rows, cols);
  for (std::size_t i = 0; i < values.size(); ++i) values.cells()[i] = static_cast<long>(i) - 3;
  const RandomSource random = RandomSource::from_seed(11);
  return encrypt_matrix(toy_keys().public_keys().paillier(), values, layout, toy_budget().slot_bits(),
                        {random, {.step = step, .kind = 1}}, {random, {.step = step, .kind = 2}})
      .local();
}

EncryptedModel toy_model(bool with_velocities, std::size_t slots = 4) {
  EncryptedModel model{.key = toy_keys().public_keys().fingerprint(),
                       .handed_over = false,
                       .budget = toy_budget(slots),
                       .network = {{5, 4, 3}},
                       .protocols = {{"matmul", "packed"}, {"comparison", "dgk-veugen"}},
                       .training = R"({"epochs": 5, "learning_rate": 0.1})",
                       .table_id = toy_table().info().id,
                       .epochs_done = 2,
                       .steps_done = 123456789012345,
                       .shown = {12345678901, 2345678901},
                       .weights = {weights(6, 4, 0, slots), weights(5, 3, 1, slots)},
                       .velocities = {}};
  if (with_velocities) model.velocities = {weights(6, 4, 2, slots), weights(5, 3, 3, slots)};
  return model;
}

}  // namespace

TEST_CASE("a model comes back bit for bit") {
  const TemporaryDirectory directory;
  for (const bool with_velocities : {false, true})
    for (const std::size_t slots : {std::size_t{1}, std::size_t{4}}) {
      EncryptedModel model = toy_model(with_velocities, slots);
      model.handed_over = with_velocities;
      save_model(directory / "m.h5", model, toy_keys().public_keys());
      const LoadedModel loaded = load_model(directory / "m.h5");
      CHECK(loaded.model == model);
      CHECK(loaded.keys.fingerprint() == toy_keys().public_keys().fingerprint());
      save_model(directory / "n.h5", loaded.model, loaded.keys);
      CHECK(read_text(directory / "m.h5") == read_text(directory / "n.h5"));
      CHECK(load_model(directory / "m.h5", toy_keys().public_keys()) == model);
    }
  CHECK(directory.entries() == 2);
}

TEST_CASE("a model under other keys is refused") {
  const TemporaryDirectory directory;
  save_model(directory / "m.h5", toy_model(true), toy_keys().public_keys());
  CHECK(
      contains(message_of([&] { load_model(directory / "m.h5", toy_keys(Variant::standard).public_keys()); }),
               "m.h5 belongs to the key"));
  CHECK(contains(message_of([&] {
                   save_model(directory / "n.h5", toy_model(true), toy_keys(Variant::standard).public_keys());
                 }),
                 "the model belongs to the key"));
  CHECK(directory.entries() == 1);
}

TEST_CASE("a model that contradicts itself is not written") {
  const TemporaryDirectory directory;
  const auto refusal = [&](const std::function<void(EncryptedModel&)>& change) {
    EncryptedModel model = toy_model(true);
    change(model);
    return message_of([&] { save_model(directory / "m.h5", model, toy_keys().public_keys()); });
  };
  CHECK(contains(refusal([](auto& m) { m.network.sizes = {5}; }), "2 to 64 sizes"));
  CHECK(contains(refusal([](auto& m) { m.network.sizes = {5, 0, 3}; }), "0 neurons"));
  CHECK(contains(refusal([](auto& m) { m.network.sizes = {5, 4, 2}; }), "weights of layer 2 are 5 x 3"));
  CHECK(contains(refusal([](auto& m) { m.weights.pop_back(); }), "as many weights, not 1"));
  CHECK(contains(refusal([](auto& m) { m.velocities.pop_back(); }), "as many velocities, not 1"));
  CHECK(contains(refusal([](auto& m) { m.protocols["selection"] = ""; }), "no name"));
  for (const char* products : {"cheapest", "packed,packed,packed,packed"})
    CHECK(contains(refusal([&](auto& m) { m.protocols["matmul"] = products; }),
                   "the products of the model are"));
  CHECK(contains(refusal([](auto& m) { m.training = std::string(40000, ' '); }), "32 KiB"));
  CHECK(contains(refusal([](auto& m) {
                   const RandomSource random = RandomSource::from_seed(12);
                   m.weights[0] = encrypt_matrix(toy_keys().public_keys().paillier(), IntegerMatrix(6, 4),
                                                 balanced_layout(6, 4, 4), toy_budget().slot_bits(),
                                                 {random, {}}, {random, {.kind = 1}})
                                      .local();
                 }),
                 "bias row of layer 1"));
  CHECK(directory.entries() == 0);
}

TEST_CASE("a file whose parts do not fit is refused by name") {
  const TemporaryDirectory directory;
  const auto path = directory / "m.h5";
  const auto refusal = [&](const std::vector<std::size_t>& network, const std::string& protocols,
                           const std::vector<std::size_t>& row_groups,
                           const std::string& layers = R"(["linear"])") {
    {
      hdf5::Writer writer(path);
      hdf5::Group& root = writer.root();
      write_header(root, model_format, {toy_keys().public_keys(), toy_budget()});
      root.set_numbers("network", network);
      root.set_text("layers", layers);
      root.set_text("protocols", protocols);
      root.set_text("training", "{}");
      root.set_bytes("table_id", TableId{});
      root.set_bytes("profile", Fingerprint{});
      root.set_number("handed_over", 0);
      root.set_number("epochs_done", 0);
      root.set_number("steps_done", 0);
      root.set_number("shown_masks", 0);
      root.set_number("shown_rerandomisations", 0);
      root.set_number("with_velocities", 0);
      {
        hdf5::Group group = root.create_group("weights_0");
        group.set_numbers("row_groups", row_groups);
        group.set_numbers("col_groups", {3});
      }
      writer.commit();
    }
    const std::string message = message_of([&] { load_model(path); });
    CHECK(contains(message, path.string()));
    return message;
  };
  CHECK(contains(refusal({5}, "{}", {4}), "2 to 64 sizes"));
  CHECK(contains(refusal({5, 3}, "[1]", {4}), "protocols"));
  CHECK(contains(refusal({5, 3}, "{", {4}), "protocols"));
  CHECK(contains(refusal({5, 3}, "{}", {5, 1}), "a group of 5 cells, allowed are 1 to 4"));
  CHECK(contains(refusal({5, 3}, "{}", {3, 0, 3}), "a group of 0 cells"));
  CHECK(contains(refusal({5, 3}, "{}", {3, 1}), "groups of 4 cells in all, 6 are needed"));
  CHECK(contains(refusal({5, 3}, "{}", {3, 2, 1}), "has no down"));
  const auto of_layers = [&](const char* layers) { return refusal({5, 3}, "{}", {4}, layers); };
  CHECK(contains(of_layers(R"(["softmax"])"), "there is no output 'softmax'; there is hard-sigmoid, linear"));
  CHECK(contains(of_layers(R"(["sine", "linear"])"), "there is no hidden layer 'sine'"));
  CHECK(contains(of_layers(R"(["relu", "linear"])"), "has as many kinds of layers less one, not 2"));
  CHECK(contains(of_layers("[]"), "its layers are not named"));
  CHECK(contains(of_layers(R"({"a": 1})"), "its layers are no list of names"));
}

TEST_CASE("a model keeps the kinds of its layers; one of version 3 has ReLU and linear outputs") {
  const TemporaryDirectory directory;
  EncryptedModel model = toy_model(false);
  model.network = Network({5, 4, 3}, {&hidden_kind("hard-tanh"), &output_kind("hard-sigmoid")});
  save_model(directory / "m.h5", model, toy_keys().public_keys());
  CHECK(load_model(directory / "m.h5").model == model);
  {
    hdf5::Writer writer(directory / "old.h5");
    hdf5::Group& root = writer.root();
    write_header(root, model_format, {toy_keys().public_keys(), toy_budget(), 3});
    root.set_numbers("network", model.network.sizes);
    root.set_text("protocols", "{}");
    root.set_text("training", "{}");
    root.set_bytes("table_id", TableId{});
    root.set_bytes("profile", Fingerprint{});
    for (const char* name : {"handed_over", "epochs_done", "steps_done", "shown_masks",
                             "shown_rerandomisations", "with_velocities"})
      root.set_number(name, 0);
    for (std::size_t layer = 0; layer < 2; ++layer)
      write_matrix(root, "weights_" + std::to_string(layer), toy_keys().public_keys().paillier(),
                   model.weights[layer]);
    writer.commit();
  }
  const EncryptedModel old = load_model(directory / "old.h5").model;
  CHECK(old.network == Network{{5, 4, 3}});
  CHECK(old.weights == model.weights);
}

TEST_CASE("a model says its task: one of regression has one linear output") {
  const TemporaryDirectory directory;
  EncryptedModel model = toy_model(false);
  model.task = Task::regression;
  CHECK(contains(message_of([&] { save_model(directory / "m.h5", model, toy_keys().public_keys()); }),
                 "one linear output, not 5-4-3"));
  model.network = Network({5, 4, 1});
  model.weights[1] = trivial_matrix(toy_keys().public_keys().paillier(), IntegerMatrix(5, 1),
                                    {model.weights[1].layout().row_groups, {1}}, toy_budget().slot_bits());
  save_model(directory / "m.h5", model, toy_keys().public_keys());
  CHECK(load_model(directory / "m.h5").model == model);
}

TEST_CASE("a damaged model is refused") {
  const TemporaryDirectory directory;
  const EncryptedModel model = toy_model(true);
  save_model(directory / "m.h5", model, toy_keys().public_keys());
  const std::size_t refused =
      damage(directory / "m.h5", 100, [&](const auto& path) { return load_model(path).model == model; });
  CHECK(refused > 150);
}
