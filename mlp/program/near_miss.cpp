// Distances between words (optimal string alignment).
#include "mlp/program/near_miss.h"

#include <algorithm>
#include <utility>

namespace smlp {

namespace {

std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before, above, row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string near_miss(const std::string& word, const std::vector<std::string>& known) {
  constexpr std::size_t longest = 64;  // no word of the program is near such a length
  std::string nearest;
  std::size_t least = std::max<std::size_t>(word.size() / 3, 1) + 1;
  if (word.size() > longest) return nearest;
  for (const std::string& candidate : known)
    if (const std::size_t d = distance(word, candidate); d > 0 && d < least) least = d, nearest = candidate;
  return nearest;
}

}  // namespace smlp
