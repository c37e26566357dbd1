// What every study's command has: versions by name (--quick, --full), two data sets at once, and built-in
// data where MNIST is not there.
//
//   Action declare_adam(CLI::App& app) {
//     return declare_study(app, {.schema = schema_of_study(),
//                                .versions = {{"--quick", "...", {{"hidden", "32"}, {"epochs", "400"}}},
//                                             {"--full", "...", {{"hidden", "64"}, {"epochs", "100"}}}},
//                                .extras = [] { TrainingExtras extras; ...; return extras; }});
//   }
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/command.h"
#include "tools/settings.h"
#include "tools/training.h"

namespace shoal {

/// Heading of a study's own settings in its help text.
inline constexpr std::string_view kStudyGroup = "Study";

/// Values for settings that nobody has set.
struct StudyVersion {
  const char* flag = "";  // "" for the first one: what is done when no version is named
  const char* help = "";
  std::vector<std::pair<std::string_view, std::string_view>> values;  // literals
};

struct StudySpec {
  Schema schema;                       // rows of the study's own have an empty fallback where versions set it
  std::vector<StudyVersion> versions;  // the first is the default; they exclude one another
  bool two_data_sets = true;           // --data both: one after the other
  std::vector<std::string> both = {"mnist", "fashion-mnist"};
  /// Made anew for every invocation. Its `settle` comes after the version; `parts` and `table` are set here.
  std::function<TrainingExtras()> extras;
};

Action declare_study(CLI::App&, StudySpec);

/// The settings of its models that a study compares, for messages.
struct Comparison {
  std::string_view study;  // "study adam compares optimizers"
  std::initializer_list<std::string_view> lists;
};

/// UsageError for a setting with several values that is neither one of the comparison's lists nor of the
/// study's own group: it would put different experiments into one row.
void refuse_other_lists(const Settings&, const Comparison&);
/// UsageError for settings that the study sets itself: another value would be overruled without a word.
void refuse_own(const Settings&, const Comparison&, std::initializer_list<std::string_view> keys);
/// UsageError unless every model has one hidden layer. `study`: "study width".
void refuse_deep(const Settings&, std::string_view study);

}  // namespace shoal
