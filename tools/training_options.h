// Flags of training commands, and what they make of the settings.
#pragma once

#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/report.h"
#include "tools/training.h"

namespace CLI {
class Option;
}

namespace shoal {

struct TrainingCommand {
  std::string name;  // "train", "study width"
  Schema schema;
  std::deque<std::string> values;        // beside schema; CLI11 writes into them
  std::vector<CLI::Option*> options;     // beside schema
  std::vector<std::string> assignments;  // --set
  std::string output, config, log_file, colour = "auto";
  bool force = false, resume = false, json = false, dry_run = false, print_config = false;
  bool quiet = false, verbose = false, no_progress = false;
};

/// A flag for every setting of the command's schema.
void add_setting_flags(CLI::App&, TrainingCommand&);

ReportSpec report_spec_of(const TrainingCommand&);

/// Defaults, then the configuration of the run that is resumed, --config, the environment, flags and --set.
/// Warnings about variables that are nobody's are appended.
Settings settings_of(const TrainingCommand&, std::vector<std::string>& warnings);

/// The configuration of a run that is there to be resumed; empty path when there is none.
std::filesystem::path resumed_config(const TrainingCommand&);

/// UsageError when a setting that decides results differs from that of the run being resumed.
void check_resumed(const TrainingCommand&, const Settings&);

}  // namespace shoal
