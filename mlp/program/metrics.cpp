// JSON lines.
#include "mlp/program/metrics.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "paillier/error.h"

namespace smlp {

namespace {

/// Bytes of a file of metrics before the first line of a later epoch.
std::uintmax_t bytes_until(const std::string& path, std::size_t epochs_done) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) throw Error("cannot read --metrics " + path);
  std::uintmax_t kept = 0, at = 0;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    at += line.size() + 1;
    // Without its end, the process was killed as it wrote.
    const auto begins_as = [&](std::string_view start) {
      return line.substr(0, start.size()) == start.substr(0, line.size());
    };
    if (file.eof() && (begins_as("{\"epoch\":") || begins_as("{\"command\":"))) break;
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("command")) continue;  // kept where lines that are kept follow
    const auto epoch = json.is_object() ? json.find("epoch") : json.end();
    if (!json.is_object() || epoch == json.end() || !epoch->is_number_unsigned())
      throw Error("cannot continue --metrics " + path + ": line " + std::to_string(number) +
                  " is none of metrics; name another file");
    if (epoch->get<std::size_t>() > epochs_done) break;
    kept = at;
  }
  if (file.bad()) throw Error("cannot read --metrics " + path);
  return kept;
}

}  // namespace

MetricsFile::MetricsFile(const std::string& path, std::size_t epochs_done) : path_(path) {
  if (path_.empty()) return;
  const bool continued = epochs_done > 0 && std::filesystem::is_regular_file(path_);
  if (continued) std::filesystem::resize_file(path_, bytes_until(path_, epochs_done));
  file_.open(path_, continued ? std::ios::app : std::ios::trunc);
  if (!file_) throw Error("cannot write --metrics " + path_);
}

void MetricsFile::write(const Json& line) {
  if (path_.empty()) return;
  file_ << line.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  if (!file_) throw Error("cannot write --metrics " + path_);
}

void MetricsFile::head(const Json& provenance) {
  write(provenance);
}

void MetricsFile::step(std::size_t epoch, std::size_t step, const std::optional<Measured>& measured,
                       const Json& visible) {
  if (path_.empty()) return;
  Json line{{"epoch", epoch}, {"step", step}};
  line.update(visible);
  if (measured) line.update(measured->to_json());
  write(line);
}

void MetricsFile::epoch(std::size_t epoch, const std::optional<Measured>& measured, const Json& visible) {
  if (path_.empty()) return;
  Json line{{"epoch", epoch}};
  line.update(visible);
  if (measured) line.update(measured->to_json());
  write(line);
}

}  // namespace smlp
