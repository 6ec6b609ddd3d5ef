// The file of metrics: one JSON object a line: what they come from, then one a step and one an epoch.
#pragma once

#include <fstream>
#include <optional>
#include <string>

#include "mlp/program/session.h"

namespace smlp {

class MetricsFile {
 public:
  /// Nothing is written where `path` is empty. With `epochs_done` above 0 a file that is there is continued
  /// after the lines of these epochs; later lines, of steps that will be repeated, go. Throws Error when it
  /// cannot be written, or holds something else.
  MetricsFile(const std::string& path, std::size_t epochs_done);

  /// A line of what the following ones come from: the first one, and one wherever a training was resumed. It
  /// begins with "command" (provenance.h).
  void head(const Json& provenance);
  /// Both count from 1; `measured`: none in the clear; `visible`: what whoever holds the keys saw, such as
  /// loss and accuracy. Throws Error when the disk is full.
  void step(std::size_t epoch, std::size_t step, const std::optional<Measured>& measured,
            const Json& visible);
  void epoch(std::size_t epoch, const std::optional<Measured>& measured, const Json& visible);

 private:
  void write(const Json& line);
  std::string path_;
  std::ofstream file_;
};

}  // namespace smlp
