// What a mistyped word may have meant.
#pragma once

#include <string>
#include <vector>

namespace smlp {

/// The word of `known` that is reached with the fewest letters changed, added, left out or swapped with their
/// neighbours; empty where that takes more than one for every three letters.
std::string near_miss(const std::string& word, const std::vector<std::string>& known);

}  // namespace smlp
