// Dense matrices: parts of one, and several under each other.
#include "protocols/matrix.h"

#include <doctest/doctest.h>

using namespace smlp;

namespace {

// first, first + 1, .. row by row.
Matrix<int> counting(std::size_t rows, std::size_t cols, int first) {
  Matrix<int> out(rows, cols);
  for (int& cell : out.cells()) cell = first++;
  return out;
}

}  // namespace

TEST_CASE("matrix: the transpose and the first rows") {
  const Matrix<int> m = counting(3, 2, 1);
  CHECK(m.transposed().cells() == std::vector<int>{1, 3, 5, 2, 4, 6});
  CHECK(m.first_rows(3) == m);
  CHECK(m.first_rows(2) == counting(2, 2, 1));
  CHECK(m.first_rows(0) == Matrix<int>(0, 2));
  CHECK_THROWS_WITH_AS(m.first_rows(4), "a matrix of 3 rows has no first 4", Error);
  CHECK_THROWS_AS(Matrix<int>().first_rows(std::size_t{0} - 1), Error);
}

TEST_CASE("matrix: under each other") {
  using Parts = std::vector<Matrix<int>>;
  CHECK(stacked(Parts{counting(2, 3, 0), Matrix<int>(0, 3), counting(1, 3, 6)}) == counting(3, 3, 0));
  CHECK(stacked(Parts{}) == Matrix<int>());
  const auto refused = [](const Parts& parts) {
    CHECK_THROWS_WITH_AS(stacked(parts), "matrices of 3 and 2 columns cannot be stacked", Error);
  };
  refused({counting(2, 3, 0), counting(2, 2, 0)});
  refused({Matrix<int>(0, 3), counting(2, 2, 0)});
  refused({counting(2, 3, 0), Matrix<int>(0, 2)});
}
