// Numbers, missing values and other text in one cell.
#include "mlp/tables/cells.h"

#include <doctest/doctest.h>

using namespace smlp;

TEST_CASE("numbers are finite and whole cells, with the point that was said") {
  CHECK(number_in("-3e2", '.') == -300);
  CHECK(number_in("+4", '.') == 4);
  CHECK(number_in(".94", '.') == 0.94);
  CHECK(number_in("1,5", ',') == 1.5);
  CHECK(number_in("15", ',') == 15);
  for (const char* text : {"True", "true", "TRUE"}) CHECK(number_in(text, '.') == 1);
  CHECK(number_in("False", ',') == 0);
  for (const char* text :
       {"", "abc", "1.5x", "1 2", "0x10", "+-1", "+", "1,5", "nan", "-inf", "1e999", "truer"})
    CHECK_FALSE(number_in(text, '.'));
  for (const char* text : {"1.5", "1.234,5", "1,2,3"}) CHECK_FALSE(number_in(text, ','));
}

TEST_CASE("why a cell is no number") {
  CHECK(why_no_number("abc", '.') == "is 'abc', not a number");
  CHECK(why_no_number("inf", '.') == "is 'inf', only finite numbers are allowed");
  CHECK(why_no_number("1e999", '.') == "is '1e999', a number out of range");
  CHECK(why_no_number("1,5", '.') == "is '1,5', not a number with a decimal point; add --decimal ,");
  CHECK(why_no_number("1.5", ',') == "is '1.5', not a number with a decimal comma; add --decimal .");
}

TEST_CASE("what stands for no value") {
  for (const char* text : {"", "?", "NA", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>"})
    CHECK(is_missing(text));
  for (const char* text : {"0", "-", "nanna", "N", "no"}) CHECK_FALSE(is_missing(text));
}
