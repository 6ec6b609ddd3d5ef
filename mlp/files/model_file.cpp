// Encrypted models on disk.
//
// weights_0 .. and, with momentum, velocities_0 ..: groups that hold a matrix with its layout.
#include "mlp/files/model_file.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "mlp/files/ciphertext_file.h"
#include "paillier/error.h"
#include "protocols/registry.h"

namespace smlp {

namespace {

constexpr std::size_t most_sizes = 64;
constexpr std::size_t widest_layer = std::size_t{1} << 24;
constexpr std::size_t longest_text = std::size_t{1} << 15;

/// Counts are exact up to here.
constexpr std::uint64_t most_shown = std::uint64_t{1} << 53;

std::uint64_t whole(double count) {
  return static_cast<std::uint64_t>(std::min(std::ceil(count), static_cast<double>(most_shown)));
}

void check_sizes(const std::vector<std::size_t>& network) {
  if (network.size() < 2 || network.size() > most_sizes)
    throw Error("a network has 2 to " + std::to_string(most_sizes) + " sizes, not " +
                std::to_string(network.size()));
  for (const std::size_t size : network)
    if (size < 1 || size > widest_layer)
      throw Error("a layer of the network has " + std::to_string(size) + " neurons, allowed are 1 to " +
                  std::to_string(widest_layer));
}

void check_matrices(const std::vector<EncryptedMatrix>& matrices, const std::vector<std::size_t>& network,
                    const std::string& what) {
  if (matrices.size() != network.size() - 1)
    throw Error("a network of " + std::to_string(network.size() - 1) + " layers has as many " + what +
                ", not " + std::to_string(matrices.size()));
  for (std::size_t layer = 0; layer < matrices.size(); ++layer) {
    const EncryptedMatrix& matrix = matrices[layer];
    if (matrix.rows() != network[layer] + 1 || matrix.cols() != network[layer + 1])
      throw Error("the " + what + " of layer " + std::to_string(layer + 1) + " are " +
                  std::to_string(matrix.rows()) + " x " + std::to_string(matrix.cols()) +
                  ", the network needs " + std::to_string(network[layer] + 1) + " x " +
                  std::to_string(network[layer + 1]));
    if (matrix.layout().row_groups.back() != 1)
      throw Error("the bias row of layer " + std::to_string(layer + 1) + " is no group of its own");
  }
}

/// The kinds of the layers. Files of version 3 say nothing: all were ReLU, with linear outputs.
Network read_network(const hdf5::Group& root, std::uint64_t version) {
  std::vector<std::size_t> sizes = root.numbers("network", most_sizes);
  check_sizes(sizes);
  if (version < first_with_kinds) return {std::move(sizes)};
  std::vector<std::string> names;
  try {
    names = nlohmann::json::parse(root.text("layers", longest_text)).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw Error("its layers are no list of names");
  }
  std::vector<const LayerKind*> kinds;
  for (std::size_t i = 0; i < names.size(); ++i)
    kinds.push_back(i + 1 < names.size() ? &hidden_kind(names[i]) : &output_kind(names[i]));
  if (kinds.empty()) throw Error("its layers are not named");
  return {std::move(sizes), std::move(kinds)};
}

std::map<std::string, std::string> read_protocols(const hdf5::Group& root) {
  try {
    return nlohmann::json::parse(root.text("protocols", longest_text))
        .get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw Error(root.name() + " is damaged: its protocols are no list of names");
  }
}

std::vector<EncryptedMatrix> read_matrices(const hdf5::Group& root, const std::string& what,
                                           const std::vector<std::size_t>& network,
                                           const FileHeader& header) {
  std::vector<EncryptedMatrix> matrices;
  for (std::size_t layer = 0; layer + 1 < network.size(); ++layer)
    matrices.push_back(read_matrix(root, what + "_" + std::to_string(layer), header.keys.paillier(),
                                   network[layer] + 1, network[layer + 1], header.budget.slots()));
  return matrices;
}

}  // namespace

void check_model(const EncryptedModel& model) {
  check_sizes(model.network.sizes);
  if (model.task == Task::regression && (model.network.outputs() != 1 || model.network.output().compares()))
    throw Error("a network for regression has one linear output, not " + model.network.text());
  check_matrices(model.weights, model.network.sizes, "weights");
  if (!model.velocities.empty()) check_matrices(model.velocities, model.network.sizes, "velocities");
  for (const auto& [family, name] : model.protocols)
    if (family.empty() || name.empty()) throw Error("a protocol of the model has no name");
  if (const auto matmul = model.protocols.find("matmul"); matmul != model.protocols.end()) {
    const std::size_t named = product_names(matmul->second).size();
    if (matmul->second == cheapest || (named != 1 && named != model.network.layers()))
      throw Error("the products of the model are '" + matmul->second.substr(0, 80) +
                  "', where one for all layers or one for each is named");
  }
}

void save_model(const std::filesystem::path& path, const EncryptedModel& model, const PublicKeys& keys) {
  check_model(model);
  check_same_key("the model", model.key, keys.fingerprint());
  const std::string protocols = nlohmann::json(model.protocols).dump();
  if (protocols.size() > longest_text || model.training.size() > longest_text)
    throw Error("the training options take more than 32 KiB as text");
  hdf5::Writer writer(path);
  hdf5::Group& root = writer.root();
  write_header(root, model_format, {.keys = keys, .budget = model.budget, .task = model.task});
  root.set_numbers("network", model.network.sizes);
  root.set_text("layers", nlohmann::json(model.network.kind_names()).dump());
  root.set_text("protocols", protocols);
  root.set_text("training", model.training);
  root.set_bytes("table_id", model.table_id);
  root.set_bytes("profile", model.profile);
  root.set_number("handed_over", model.handed_over ? 1 : 0);
  root.set_number("epochs_done", model.epochs_done);
  root.set_number("steps_done", model.steps_done);
  root.set_number("shown_masks", whole(model.shown.masks));
  root.set_number("shown_rerandomisations", whole(model.shown.rerandomisations));
  root.set_number("with_velocities", model.velocities.empty() ? 0 : 1);
  for (std::size_t layer = 0; layer < model.weights.size(); ++layer) {
    write_matrix(root, "weights_" + std::to_string(layer), keys.paillier(), model.weights[layer]);
    if (!model.velocities.empty())
      write_matrix(root, "velocities_" + std::to_string(layer), keys.paillier(), model.velocities[layer]);
  }
  writer.commit();
}

LoadedModel load_model(const std::filesystem::path& path) {
  const hdf5::Reader reader(path);
  const hdf5::Group& root = reader.root();
  FileHeader header = read_header(root, model_format);
  if (header.budget.modulus_bits() != header.keys.paillier().bits())
    throw Error(path.string() + " is damaged: its bit budget is for another size of key");
  try {
    constexpr std::uint64_t most = ~std::uint64_t{0};
    EncryptedModel model{.key = header.keys.fingerprint(),
                         .handed_over = root.number("handed_over", 0, 1) == 1,
                         .budget = header.budget,
                         .task = header.task,
                         .network = read_network(root, header.version),
                         .protocols = read_protocols(root),
                         .training = root.text("training", longest_text),
                         .table_id = {},
                         .profile = {},
                         .epochs_done = root.number("epochs_done", 0, most),
                         .steps_done = root.number("steps_done", 0, most),
                         .shown = {static_cast<double>(root.number("shown_masks", 0, most_shown)),
                                   static_cast<double>(root.number("shown_rerandomisations", 0, most_shown))},
                         .weights = {},
                         .velocities = {}};
    root.bytes("table_id", model.table_id);
    root.bytes("profile", model.profile);
    model.weights = read_matrices(root, "weights", model.network.sizes, header);
    if (root.number("with_velocities", 0, 1) == 1)
      model.velocities = read_matrices(root, "velocities", model.network.sizes, header);
    check_model(model);
    return {std::move(model), std::move(header.keys)};
  } catch (const Error& error) {
    const std::string sentence = error.what();
    throw Error(sentence.starts_with(path.string()) ? sentence : path.string() + " is damaged: " + sentence);
  }
}

EncryptedModel load_model(const std::filesystem::path& path, const PublicKeys& keys) {
  LoadedModel loaded = load_model(path);
  check_same_key(path.string(), loaded.model.key, keys.fingerprint());
  return std::move(loaded.model);
}

}  // namespace smlp
