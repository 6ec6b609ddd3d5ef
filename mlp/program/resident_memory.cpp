// As Linux tells it.
#include "mlp/program/resident_memory.h"

#include <unistd.h>

#include <fstream>

namespace smlp {

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace smlp
