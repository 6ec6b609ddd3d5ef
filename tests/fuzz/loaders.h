// All readers of encrypted files on one file.
#pragma once

#include "mlp/files/answers_file.h"
#include "mlp/files/inspect_file.h"
#include "mlp/files/model_file.h"
#include "mlp/files/table_file.h"
#include "tests/fuzz/fuzz.h"

/// What HDF5 itself does not free after it has refused a damaged file.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5";
}

namespace smlp::fuzz {

inline void load_encrypted_file(const std::filesystem::path& path) {
  may_refuse([&] { file_kind(path); });
  may_refuse([&] {
    const TableFile table(path);
    for (std::size_t group = 0; group < table.groups().widths.size(); ++group)
      may_refuse([&] {
        expect(table.features(group).cols() == table.info().features, "a group has the features");
        table.order(group);
        if (table.has_labels()) table.labels(group);
      });
  });
  may_refuse([&] { check_model(load_model(path).model); });
  may_refuse([&] {
    const LoadedAnswers loaded = load_answers(path);
    check_answers(loaded.answers, loaded.keys.paillier());
  });
}

}  // namespace smlp::fuzz
