// The owner's two parts of a table: one to train on, one to test on.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mlp/program/console.h"
#include "mlp/program/options.h"
#include "mlp/program/owner.h"
#include "mlp/program/seeds.h"
#include "mlp/program/session.h"

namespace smlp {

/// What is read: one table that is split, or a second one to test on.
struct PartOptions {
  DataOptions data;
  std::optional<std::string> test;
  std::optional<std::string> test_labels;
  double test_fraction = 0.2;
  Scaling scaling = Scaling::standard;
};

struct Parts {
  Json tables;                      ///< digests of what was read
  std::vector<std::size_t> tested;  ///< rows of the file that the test part has, from 1
  Profile profile;
  OwnerTable train;
  OwnerTable test;
};

/// Tables that are read once, and split as each seed says.
class PartSource {
 public:
  /// Reads. Throws Error.
  explicit PartSource(const PartOptions& options);
  /// With the notes and warnings about the table, where there is a console.
  Parts parts(const Seeds& seeds, const Numbers& numbers, Console* console) const;

 private:
  const PartOptions& options_;
  Table all_;
  std::optional<Table> test_;
  Json digests_;  ///< of both
};

}  // namespace smlp
