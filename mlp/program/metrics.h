// The file of metrics: one JSON object a line, one a step and one an epoch.
#pragma once

#include <fstream>
#include <string>

#include "mlp/program/session.h"

namespace smlp {

class MetricsFile {
 public:
  /// Nothing is written where `path` is empty. `append` continues a file. Throws Error when it cannot be
  /// written.
  MetricsFile(const std::string& path, bool append);

  /// Both count from 1. Throws Error when the disk is full.
  void step(std::size_t epoch, std::size_t step, const Measured& measured);
  /// `visible`: what whoever holds the keys saw, such as loss and accuracy.
  void epoch(std::size_t epoch, const Measured& measured, const Json& visible);

 private:
  void write(const Json& line);
  std::string path_;
  std::ofstream file_;
};

}  // namespace smlp
