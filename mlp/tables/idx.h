// Reads images and labels in the IDX format of MNIST, plain or compressed with gzip.
#pragma once

#include <filesystem>
#include <optional>

#include "mlp/tables/input.h"
#include "mlp/tables/table.h"

namespace smlp {

/// Reads an IDX file of bytes with three axes (images, rows, columns) and, if given, one with one axis
/// (labels). Columns are pixel_0 .. in row-major order with values 0 to 255; the label column is "label",
/// class names are the labels in decimal. A gzip file is checked by its own sum. Throws Error naming the
/// file: no such file, another magic number, truncated or damaged, bytes left over, another number of labels
/// than images, no image, an axis of more than 4,096 pixels, more than 2^28 pixels in all or more than the
/// file can hold. Each input is read once.
Table load_idx(Input images, std::optional<Input> labels);

}  // namespace smlp
