// What a network is to answer for each row.
#pragma once

#include <string>
#include <string_view>

#include "paillier/error.h"

namespace smlp {

enum class Task {
  classification,  ///< one of the classes of the label column
  regression,      ///< a number, as the label column holds them
};

inline std::string_view name(Task task) {
  return task == Task::classification ? "classification" : "regression";
}

/// Throws Error with both names.
inline Task task_from_name(std::string_view text) {
  for (const Task task : {Task::classification, Task::regression})
    if (text == name(task)) return task;
  throw Error("there is no task '" + std::string(text.substr(0, 40)) +
              "'; there is classification, regression");
}

}  // namespace smlp
