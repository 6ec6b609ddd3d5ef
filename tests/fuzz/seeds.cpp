// Writes what the fuzzers start from: frames of every protocol, and a small file of every kind. seeds DIR
// makes DIR/NAME/*.
#define DOCTEST_CONFIG_IMPLEMENT
#include <zlib.h>

#include <iostream>

#include "mlp/files/answers_file.h"
#include "mlp/files/model_file.h"
#include "mlp/files/table_file.h"
#include "mlp/tables/profile.h"
#include "tests/fuzz/parties.h"
#include "tests/mlp/training/encrypted_support.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;

namespace {

class Seeds {
 public:
  explicit Seeds(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path path(const std::string& fuzzer, const std::string& name) const {
    std::filesystem::create_directories(directory_ / fuzzer);
    return directory_ / fuzzer / name;
  }
  void write(const std::string& fuzzer, const std::string& name, std::string_view content) const {
    std::ofstream file(path(fuzzer, name), std::ios::binary);
    file << content;
    if (!file.flush()) throw Error("cannot write seeds in " + directory_.string());
  }
  void write(const std::string& fuzzer, const std::string& name, const Bytes& content) const {
    write(fuzzer, name, std::string(content.begin(), content.end()));
  }

 private:
  std::filesystem::path directory_;
};

void write_frames(const Seeds& seeds) {
  for (const std::size_t slots : {0u, 1u}) {
    testing::TwoParties parties({.slots = slots});
    testing::run_every_protocol(parties);
    const auto write = [&](const std::string& fuzzer, const std::vector<Bytes>& frames) {
      for (std::size_t i = 0; i < frames.size(); ++i)
        seeds.write(fuzzer, std::to_string(slots) + "-" + std::to_string(i), frames[i]);
    };
    write("request", parties.channel().requests());
    const auto& answers = parties.channel().answers();
    seeds.write(
        "request", std::to_string(slots) + "-chain",
        encode_chain(std::vector<ChainedRequest>{{parties.channel().requests()[0], {}},
                                                 {parties.channel().requests()[1], {{0, 0, 120, 4}}}}));
    seeds.write("answer", std::to_string(slots) + "-chain", encode_chain_answer(std::span(answers).first(2)));
    write("answer", parties.channel().answers());
  }
  seeds.write("answer", "refusal", encode_refusal("the key holder has reasons"));
  seeds.write("sealed", "state", fuzz::sealed_state());
}

void write_encrypted_files(const Seeds& seeds) {
  const PublicKeys& keys = toy_keys().public_keys();
  const MemoryTable table = test::toy_table();
  save_table(seeds.path("encrypted_file", "table"), table, keys);
  save_table(seeds.path("encrypted_file", "queries"), test::toy_table(false, 5, 1), keys);
  const BitBudget budget = test::toy_budget(1);
  const EncryptedMatrix column = trivial_matrix(keys.paillier(), testing::matrix_of(2, 1, {5}),
                                                balanced_layout(2, 1, 1), budget.slot_bits());
  save_model(seeds.path("encrypted_file", "model"),
             {.key = keys.fingerprint(),
              .handed_over = false,
              .budget = budget,
              .network = {{1, 1}},
              .protocols = preset("paper").by_family(),
              .training = "{}",
              .table_id = table.info().id,
              .epochs_done = 1,
              .steps_done = 1,
              .weights = {column},
              .velocities = {column}},
             keys);
  const std::vector<Ciphertext> cells = column.column_packed();
  save_answers(seeds.path("encrypted_file", "answers"),
               {.key = keys.fingerprint(),
                .handed_over = true,
                .budget = budget,
                .rows = 2,
                .outputs = 1,
                .groups = {1, 1},
                .order = cells,
                .values = cells},
               keys);
  for (const char kind : {'\0', '\1', '\2'})
    seeds.write("encrypted_fields", std::to_string(kind), std::string(1, kind) + std::string(90, '\0'));
}

void write_tables(const Seeds& seeds) {
  // The first byte chooses the way of reading, as csv_fuzz.cpp says.
  seeds.write("csv", "training", '\0' + std::string("a,b,class\n1,2.5,x\n-3e2,True,\"y,\"\"z\"\n"));
  seeds.write("csv", "queries", '\0' + std::string("\xef\xbb\xbf\"b\",a\r\n1,x\r\n\r\n"));
  seeds.write("csv", "text",
              "\x20"
              "a,b,class\nred,1,x\nblue,?,y\n,3,x\n");
  seeds.write("csv", "semicolons",
              "\x46"
              "a;b;class\n1,5;2;x\nNA;2,5;y\n3;4;Y\n");
  seeds.write("csv", "numbers",
              "\x60"
              "a,b,y\n1,2,0.5\n3,,-1e3\n2,1,7\n");
  seeds.write("csv", "headerless",
              "\x01"
              "1,2,x\r3,4,y\r");
  seeds.write("csv", "excel", '\0' + std::string("sep=;\na;b;class\n1;\"two\nlines\";x\n"));
  const std::string images("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\x01\x02\x03\x04", 20);
  const std::string labels("\0\0\x08\x01\0\0\0\x02\x01\x02", 10);
  seeds.write("idx", "images", images);
  seeds.write("idx", "labels", labels);
  for (const auto& [name, content] : {std::pair("images.gz", images), std::pair("labels.gz", labels)}) {
    const gzFile file = gzopen(seeds.path("idx", name).c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
  }
  save_profile({.scaling = Scaling::standard,
                .columns = {"a", "b"},
                .label_column = "class",
                .offset = {0.5, -1e300},
                .factor = {2, 0},
                .classes = {"x", "y"},
                .table = std::string(64, '0'),
                .salt = std::string(64, '1')},
               seeds.path("profile", "two"));
  save_profile({.scaling = Scaling::min_max,
                .columns = {"a", "b"},
                .label_column = "class",
                .offset = {0.5, 0, 0},
                .factor = {2, 1, 1},
                .classes = {"x", "y"},
                .levels = {{"b", {"blue", "red"}}},
                .missing = Missing::mean,
                .means = {1, 0.25, 0.75},
                .header = {"id", "a", "b", "class"}},
               seeds.path("profile", "text"));
  save_profile({.scaling = Scaling::none,
                .columns = {"a"},
                .label_column = "y",
                .offset = {0},
                .factor = {1},
                .classes = {},
                .task = Task::regression,
                .label_offset = -2.5,
                .label_factor = 0.125},
               seeds.path("profile", "regression"));
}

void write_keys(const Seeds& seeds) {
  for (const Variant variant : {Variant::standard, Variant::subgroup}) {
    const std::string name(smlp::name(variant));
    save(toy_keys(variant), seeds.path("key_file", name + "-secret"));
    save(toy_keys(variant), seeds.path("key_file", name + "-sealed"), "x", {ScryptCost::least});
    save(toy_keys(variant).public_keys(), seeds.path("key_file", name));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: seeds DIR\n";
    return 2;
  }
  const Seeds seeds(argv[1]);
  write_frames(seeds);
  write_encrypted_files(seeds);
  write_tables(seeds);
  write_keys(seeds);
  return 0;
}
