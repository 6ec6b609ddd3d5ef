// What a text looks like that is not the CSV it was said to be.
#pragma once

#include <string>
#include <string_view>

namespace smlp {

/// Throws Error, beginning with `name`, for text that starts like UTF-16, like a workbook or like another
/// binary file, and with the encoding or program that helps.
void refuse_binary(std::string_view head, const std::string& name);

/// Throws Error when `separator` does not cut the first lines of `head` into the same number of cells but
/// another one does: it is named with the option that helps.
void refuse_other_separator(std::string_view head, char separator, const std::string& name);

}  // namespace smlp
