// Options, version, machine.
#include "mlp/program/provenance.h"

#include <sys/utsname.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "paillier/lanes.h"
#include "paillier/parallel.h"
#include "protocols/version.h"

namespace smlp {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

namespace {

std::string system_text() {
  utsname names{};
  if (::uname(&names) != 0) return "unknown";
  return std::string(names.sysname) + " " + names.release + " " + names.machine;
}

}  // namespace

nlohmann::ordered_json provenance(const CommandLine& line, const std::optional<std::uint64_t>& seed) {
  nlohmann::ordered_json out{{"command", line.name()}, {"version", version}, {"options", line.values()}};
  // Where the bound has chosen sigma, the bound repeats it: they exclude each other.
  auto& options = out["options"];
  if (options.contains("sigma") && !options["statistical-bound"].is_null()) options["sigma"] = nullptr;
  out["seed"] = seed ? nlohmann::ordered_json(*seed) : nlohmann::ordered_json();
  out["machine"] = {{"processor", processor()},
                    {"cores", std::thread::hardware_concurrency()},
                    {"threads", thread_count()},
                    {"arithmetic", name(best_instructions(4096))},  // of n^2 by default
                    {"system", system_text()}};
  return out;
}

}  // namespace smlp
