// Settings: everything that decides what a run computes. One table (a Schema) feeds the flags, the TOML
// file, the environment, --print-config and the help text; a study adds rows of its own.
//
// Precedence: defaults < configuration file < environment (SHOAL_<KEY>) < flags (--set counts as a flag).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/value_list.h"

namespace shoal {

enum class SettingType {
  integer,
  real,
  text,
  choice,  // one of `choices`
  layers,  // widths of hidden layers, "64" or "100x50"
};

/// One row of a schema. The views refer to literals.
struct Setting {
  std::string_view key;  // "weight-decay": the flag, the TOML key and, as WEIGHT_DECAY, the environment
  SettingType type = SettingType::text;
  std::string_view fallback;  // the default, as a person would write it
  std::string_view group;     // heading in the help text
  std::string_view metavar;   // "N", "LR": what stands behind the flag in the help text
  std::string_view help;
  bool list = false;  // takes lists and ranges; all lists of a run form a product
  RangeStep step = RangeStep::none;
  std::span<const std::string_view> choices = {};
  double minimum = -1e308, maximum = 1e308;  // of numbers
  std::string_view word = {};                // a word that may stand instead of a number ("auto")
  std::string_view environment = {};         // its variable, when that is not SHOAL_<KEY>
  bool identity = true;  // false: where and how, without influence on results (threads, memory-limit, ...)
};

using Schema = std::vector<Setting>;

/// Where a value came from.
enum class Origin { fallback, file, environment, flag };

class Settings {
 public:
  /// All defaults.
  explicit Settings(Schema);

  /// Checks and takes one value. `where` stands before the key in messages: "--", "SHOAL_", "my.toml: ".
  /// UsageError for an unknown key (with the nearest one) and for a value that is not the setting's.
  void set(std::string_view key, std::string_view text, Origin, std::string_view where = "--");

  /// The value as it was written ("4..64", "0.001").
  const std::string& text(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  double real(std::string_view key) const;
  /// Lists, with ranges written out.
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<std::int64_t> integers(std::string_view key) const;
  std::vector<double> reals(std::string_view key) const;
  std::vector<std::vector<int>> layers(std::string_view key) const;

  Origin origin(std::string_view key) const;
  const Setting& setting(std::string_view key) const;
  const Schema& schema() const { return rows; }

 private:
  struct Value {
    std::string text;
    Origin origin = Origin::fallback;
  };
  std::size_t index(std::string_view key) const;
  Schema rows;
  std::vector<Value> values;  // beside rows
};

/// Reads every variable of the schema from an environment (name=value, as in `environ`). Returns names that
/// start with SHOAL_ and are nobody's, for a warning.
std::vector<std::string> set_from_environment(Settings&, const std::map<std::string, std::string>& variables);

/// A variable's name: SHOAL_WEIGHT_DECAY.
std::string environment_name(const Setting&);

/// Takes "key=value", as --set gives it.
void set_assignment(Settings&, std::string_view assignment);

/// Changes a default of a schema, for a study that wants its own; the key must be there.
void set_default(Schema&, std::string_view key, std::string_view fallback);

}  // namespace shoal
