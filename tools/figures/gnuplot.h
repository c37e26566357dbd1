// Runs gnuplot, where there is one.
#pragma once

#include <filesystem>
#include <string>

namespace shoal {

struct GnuplotResult {
  enum class Outcome { drawn, no_gnuplot, failed } outcome = Outcome::drawn;
  std::string message;  // of a failure: what gnuplot said first
};

/// Runs the script `script` (a file name) in `folder`; `program` is found on the PATH. No shell is involved
/// and no start-up file of the user is read, so the same script draws the same figure for everyone.
GnuplotResult run_gnuplot(const std::filesystem::path& folder, const std::string& script,
                          const std::string& program = "gnuplot");

}  // namespace shoal
