// JSON lines.
#include "mlp/program/metrics.h"

#include <nlohmann/json.hpp>

#include "paillier/error.h"

namespace smlp {

MetricsFile::MetricsFile(const std::string& path, bool append) : path_(path) {
  if (path_.empty()) return;
  require_writable("--metrics", path_);
  file_.open(path_, append ? std::ios::app : std::ios::trunc);
  if (!file_) throw Error("cannot write --metrics " + path_);
}

void MetricsFile::write(const Json& line) {
  if (path_.empty()) return;
  file_ << line.dump() << std::endl;
  if (!file_) throw Error("cannot write --metrics " + path_);
}

void MetricsFile::step(std::size_t epoch, std::size_t step, const Measured& measured) {
  if (path_.empty()) return;
  Json line{{"epoch", epoch}, {"step", step}};
  line.update(measured.to_json());
  write(line);
}

void MetricsFile::epoch(std::size_t epoch, const Measured& measured, const Json& visible) {
  if (path_.empty()) return;
  Json line{{"epoch", epoch}};
  line.update(visible);
  line.update(measured.to_json());
  write(line);
}

}  // namespace smlp
