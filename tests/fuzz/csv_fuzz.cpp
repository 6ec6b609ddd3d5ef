// CSV tables, of training and of queries: finite numbers in the shape that was promised.
#include <cmath>

#include "mlp/csv.h"
#include "tests/fuzz/fuzz.h"

using namespace smlp;

namespace {

void check(const Table& table) {
  fuzz::expect(table.rows() > 0 && table.columns.size() == table.values.cols(), "a table has its columns");
  fuzz::expect(table.labels.empty() || table.labels.size() == table.rows(), "a table has its labels");
  for (const double value : table.values.cells()) fuzz::expect(std::isfinite(value), "a cell is finite");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = fuzz::file_of(fuzz::text_of({data, size}));
  const ExpectedColumns expected{{"b", "a"}, "class"};
  fuzz::may_refuse([&] { check(load_csv(path, std::nullopt)); });
  fuzz::may_refuse([&] {
    const Table table = load_csv(path, std::nullopt, &expected);
    fuzz::expect(table.columns == expected.features, "queries come in the order of the profile");
    check(table);
  });
  return 0;
}
