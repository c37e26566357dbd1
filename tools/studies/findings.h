// What a study has found, as tables, events and words.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tools/report.h"
#include "tools/run_directory.h"
#include "tools/training.h"

namespace shoal {

/// A named value of a row. A number that is not there is NaN: an empty cell, null in an event.
struct Field {
  std::string name;
  std::variant<double, std::int64_t, std::string> value;

  Field(std::string_view n, std::string_view word) : name(n), value(std::string(word)) {}
  template <std::floating_point T>
  Field(std::string_view n, T number) : name(n), value(static_cast<double>(number)) {}
  template <std::integral T>
  Field(std::string_view n, T count) : name(n), value(static_cast<std::int64_t>(count)) {}
};
using Record = std::vector<Field>;

/// A header and a line a record; all have the same names. Empty without records.
std::string csv_of(std::span<const Record>);
/// One event each, with "data" in front.
void tell(Report&, std::string_view type, const std::string& data, std::span<const Record>);

/// csv_of into the directory's file, and the events.
void publish(const Population&, std::string_view file, std::string_view type, std::span<const Record>);

/// Sentences in verdict.txt, as an event, and for people.
void say_verdict(const RunDirectory&, const std::string& data, std::span<const std::string> sentences,
                 Report&);

/// "MNIST" for "mnist", for titles.
std::string words_for(const std::string& data);
/// "MNIST, 5 epochs"
std::string where_of(const Population&);

}  // namespace shoal
