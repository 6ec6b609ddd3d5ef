// What a result comes from, told with it, so that it can be had again.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "mlp/program/command_line.h"

namespace smlp {

/// The model name of this machine's processor, "unknown" where the system does not tell.
std::string processor();

/// {"command", "version", "options": every option by name with its value, null where it has none, "seed" or
/// null, "machine": {"processor", "cores", "threads", "arithmetic", "system"}}.
nlohmann::ordered_json provenance(const CommandLine& line, const std::optional<std::uint64_t>& seed);

}  // namespace smlp
