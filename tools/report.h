// What the program says. stdout is data: results, or with --json one JSON object a line and nothing else.
// stderr is talk: progress, remarks, warnings. Safe to use from several threads.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace shoal {

enum class Colour { automatic, always, never };

struct ReportSpec {
  bool json = false;
  bool quiet = false;    // warnings and errors only
  bool verbose = false;  // remarks too
  bool progress = true;
  Colour colour = Colour::automatic;
  std::filesystem::path log_file;  // everything said is also written there, with the time
};

class Report {
 public:
  explicit Report(const ReportSpec&);  // OutputError when the log file cannot be opened
  ~Report();
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  bool json() const;
  bool quiet() const;

  void say(std::string_view line);     // stderr, unless quiet
  void detail(std::string_view line);  // stderr, when verbose
  void warn(std::string_view line);    // stderr always, and an event "warning"
  void error(std::string_view line);   // stderr always

  void log(std::string_view line);  // the log file only

  /// Text that was asked for: stdout in every mode.
  void print_raw(std::string_view text);
  /// A result for people: stdout, unless quiet or --json (several lines are fine).
  void print(std::string_view text);
  /// A result that programs may want, too (the path of the run): stdout even when quiet, not with --json.
  void print_always(std::string_view line);

  /// One line of JSON on stdout, when --json: {"type": type, "schema": 1, ...fields}. NaN and infinities
  /// become null.
  void event(std::string_view type, const nlohmann::ordered_json& fields);

  /// A moment of progress. On a terminal `line` is redrawn in place; elsewhere it is printed every 10 % of
  /// `share` (0 .. 1) or 30 seconds, as a line of its own. `seconds`: since the beginning.
  void progress(std::string_view line, double share, double seconds);
  /// Takes the redrawn line away.
  void end_progress();

  bool colour() const;  // on stdout

 private:
  struct State;
  std::unique_ptr<State> state;
};

/// When a line of progress is due where nothing can be redrawn.
class ProgressClock {
 public:
  bool due(double share, double seconds);

 private:
  int tenth = 0;
  double last = 0.0;
};

}  // namespace shoal
