#pragma once
#include <stdexcept>

namespace shoal {

/// Data that are missing, damaged or of the wrong shape. The message is one sentence that names the file,
/// what is wrong with it and, where there is one, the nearest valid choice. The program ends with exit code 4
/// on it.
struct DataError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace shoal
