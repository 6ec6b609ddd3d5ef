// An encrypted table of any size in minutes, to show what larger-than-memory data needs: real ciphertexts of
// random values under a real key, but from few random powers, so it hides nothing and is for measuring alone.
#include <iostream>

#include "bench/report.h"
#include "mlp/files/table_file.h"
#include "mlp/training/fixed_point.h"

namespace smlp::bench {

namespace {

/// Every cell is a public value times one of few encryptions of 0.
class LargeTable : public EncryptedTable {
 public:
  LargeTable(const PublicKeys& keys, const TableInfo& info) : EncryptedTable(info), key_(keys.paillier()) {
    const std::vector<Integer> zeros(256);
    for (const FreshCiphertext& c : key_.encrypt(zeros, {random_, {}})) zeros_.push_back(c.local());
  }

  EncryptedMatrix features(std::size_t group) const override {
    const Layout layout = feature_layout(group);
    IntegerMatrix values(layout.rows(), layout.cols());
    RandomStream random = random_.derive("features").stream({.element = group});
    for (Integer& value : values.cells())
      value = static_cast<long>(random.below(std::uint64_t{4096})) - 2048;  // two deviations of 2^10
    return encrypted(values, layout);
  }
  EncryptedMatrix labels(std::size_t group) const override {
    std::vector<std::size_t> classes;
    for (std::size_t i = 0; i < width(group); ++i)
      classes.push_back((groups().first_rows[group] + i) % info().outputs);
    return encrypted(encode(class_targets(classes, info().outputs).all(), info().budget.numbers()),
                     label_layout(group));
  }
  std::vector<Ciphertext> order(std::size_t group) const override {
    std::vector<Integer> rows;
    for (std::size_t i = 0; i < width(group); ++i)
      rows.emplace_back(static_cast<unsigned long>(groups().first_rows[group] + i));
    return encrypted(std::vector{pack(rows, info().budget.slot_bits())});
  }

 private:
  EncryptedMatrix encrypted(const IntegerMatrix& m, const Layout& layout) const {
    const std::size_t slot_bits = info().budget.slot_bits();
    std::vector<Ciphertext> row_packed;
    if (!layout.single()) row_packed = encrypted(pack_rows(m, layout, slot_bits));
    return {layout, encrypted(pack_columns(m, layout, slot_bits)), std::move(row_packed)};
  }
  std::vector<Ciphertext> encrypted(const std::vector<Integer>& packed) const {
    std::vector<Ciphertext> out;
    for (std::size_t i = 0; i < packed.size(); ++i)
      out.push_back(key_.add_plain(zeros_[i % zeros_.size()], packed[i]));
    return out;
  }

  PaillierPublicKey key_;
  RandomSource random_ = RandomSource::from_seed(1);
  std::vector<Ciphertext> zeros_;
};

void make_table(int argc, char** argv) {
  const Options options(argc, argv,
                        "An encrypted table of random values, which hides nothing, for measuring memory.\n"
                        "--key FILE     public.json\n"
                        "--rows N       (60000)\n"
                        "--features N   (784)\n"
                        "--classes N    (10)\n"
                        "--batch N      (32)\n"
                        "--out FILE     the table\n");
  const PublicKeys keys = load_public_keys(options.text("key", ""));
  const TableInfo info{keys.fingerprint(),
                       BitBudget(Numbers{}, 1024, keys.paillier().bits()),
                       options.number("rows", 60000),
                       options.number("features", 784),
                       options.number("classes", 10),
                       options.number("batch", 32),
                       {}};
  save_table(options.text("out", ""), LargeTable(keys, info), keys, [](std::size_t done, std::size_t total) {
    if (done % 1000 == 0) std::cerr << done << " of " << total << " groups\n";
  });
}

}  // namespace

}  // namespace smlp::bench

int main(int argc, char** argv) {
  return smlp::bench::run_benchmark(argc, argv, smlp::bench::make_table);
}
