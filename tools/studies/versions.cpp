#include "tools/studies/versions.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <memory>

#include "datasets/mnist.h"
#include "tools/exit_codes.h"
#include "tools/population_spec.h"

namespace shoal {
namespace {

constexpr std::string_view kBoth = "both";

/// Flags that were given, by version; the first version's stands for what is done anyway.
struct Flags {
  std::deque<bool> given;
};

std::shared_ptr<Flags> add_flags(CLI::App& app, const std::vector<StudyVersion>& versions) {
  const auto flags = std::make_shared<Flags>();
  std::vector<CLI::Option*> options;
  for (const StudyVersion& version : versions) {
    bool& given = flags->given.emplace_back(false);
    if (*version.flag == '\0') continue;
    CLI::Option* const option = app.add_flag(version.flag, given, version.help);
    for (CLI::Option* other : options) option->excludes(other);
    options.push_back(option);
  }
  return flags;
}

/// Takes the built-in digits where MNIST is not there and no data were asked for.
void fall_back_to_digits(Settings& settings, Report& report) {
  if (settings.text("data") != "mnist" || settings.origin("data") != Origin::fallback ||
      settings.origin("data-dir") != Origin::fallback || find_dataset("mnist", {}))
    return;
  settings.set("data", "digits", Origin::fallback);
  report.say(
      "MNIST is not here, so this study runs on the built-in digits (`shoal data list` says where MNIST is "
      "looked for)");
}

}  // namespace

Action declare_study(CLI::App& app, StudySpec spec) {
  for (const auto& [key, value] : spec.versions.empty() ? StudyVersion{}.values : spec.versions[0].values)
    set_default(spec.schema, key, value);
  for (Setting& row : spec.schema)
    if (row.key == "data" && spec.two_data_sets && row.fallback == "mnist")
      row.help =
          "mnist, fashion-mnist, both (these two, one after the other), digits, circle, or a file (.npz, "
          ".csv, .tsv, IDX)";
  const std::shared_ptr<Flags> flags = add_flags(app, spec.versions);
  const auto command = add_training_options(app, spec.schema);
  return [command, flags, versions = spec.versions,
          both = spec.two_data_sets ? spec.both : std::vector<std::string>(),
          make = spec.extras](const Invocation& invocation) {
    TrainingExtras extras = make();
    extras.settle = [&flags, &versions, own = extras.settle](Settings& settings, Report& report) {
      for (std::size_t v = 1; v < versions.size(); ++v)
        if (flags->given[v])
          for (const auto& [key, value] : versions[v].values)
            if (settings.origin(key) == Origin::fallback) settings.set(key, value, Origin::fallback);
      fall_back_to_digits(settings, report);
      if (own) own(settings, report);
    };
    extras.parts = [&both](const Settings& settings) {
      return settings.text("data") == kBoth ? both : std::vector<std::string>();
    };
    extras.table = false;
    return run_training(*command, invocation, extras);
  };
}

void refuse_other_lists(const Settings& settings, const Comparison& c) {
  for (const Setting& row : settings.schema()) {
    if (!row.list || row.group == kStudyGroup || std::ranges::find(c.lists, row.key) != c.lists.end())
      continue;
    const std::size_t values = row.key == "seeds"    ? seeds_of(settings).size()
                               : row.key == "hidden" ? settings.layers("hidden").size()
                                                     : settings.texts(row.key).size();
    if (values > 1)
      throw UsageError(
          fmt::format("{}: --{} takes one value here, not {}", c.study, row.key, settings.text(row.key)));
  }
}

void refuse_own(const Settings& settings, const Comparison& c, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys)
    if (settings.text(key) != settings.setting(key).fallback)
      throw UsageError(fmt::format("{}: it sets --{} itself, leave it out", c.study, key));
}

void refuse_deep(const Settings& settings, std::string_view study) {
  for (const std::vector<int>& layers : settings.layers("hidden"))
    if (layers.size() != 1)
      throw UsageError(fmt::format("{} looks at single hidden layers: --hidden {} has {} layers", study,
                                   to_text(layers), layers.size()));
}

}  // namespace shoal
