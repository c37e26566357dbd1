#include "tools/report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>

#include "tools/exit_codes.h"

namespace shoal {
namespace {

bool wants_colour(Colour colour, std::FILE* stream) {
  if (colour != Colour::automatic) return colour == Colour::always;
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  if (no_colour && *no_colour) return false;
  return isatty(fileno(stream)) && terminal && std::strcmp(terminal, "dumb") != 0;
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

}  // namespace

struct Report::State {
  ReportSpec spec;
  std::mutex mutex;
  std::FILE* log = nullptr;
  bool redraws = false, drawn = false, colour_out = false, colour_err = false;
  ProgressClock clock;

  void write_log(std::string_view line) {
    if (!log) return;
    fmt::print(log, "{:%Y-%m-%d %H:%M:%S} {}\n", fmt::localtime(std::time(nullptr)), line);
    std::fflush(log);
  }
  void erase_line() {
    if (drawn) std::fputs("\r\033[K", stderr);
    drawn = false;
  }
  void talk(std::string_view line) {
    erase_line();
    fmt::print(stderr, "{}\n", line);
  }
  std::string marked(std::string_view word, const char* escape) const {
    return colour_err ? fmt::format("\033[{}m{}\033[0m", escape, word) : std::string(word);
  }
  /// A result that cannot be written is a failure; nobody would notice otherwise.
  void out(std::string_view text) {
    erase_line();
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      throw OutputError(fmt::format("cannot write to stdout: {}", std::strerror(errno)));
  }
};

Report::Report(const ReportSpec& spec) : state(std::make_unique<State>()) {
  state->spec = spec;
  state->colour_out = wants_colour(spec.colour, stdout);
  state->colour_err = wants_colour(spec.colour, stderr);
  state->redraws = isatty(STDERR_FILENO) != 0;
  if (spec.log_file.empty()) return;
  state->log = std::fopen(spec.log_file.c_str(), "a");
  if (!state->log)
    throw OutputError(
        fmt::format("cannot open the log file {}: {}", spec.log_file.string(), std::strerror(errno)));
}

Report::~Report() {
  end_progress();
  if (state->log) std::fclose(state->log);
}

bool Report::json() const { return state->spec.json; }
bool Report::quiet() const { return state->spec.quiet; }
bool Report::colour() const { return state->colour_out; }

void Report::say(std::string_view line) {
  const std::lock_guard lock(state->mutex);
  state->write_log(line);
  if (!state->spec.quiet) state->talk(line);
}

void Report::detail(std::string_view line) {
  const std::lock_guard lock(state->mutex);
  state->write_log(line);
  if (state->spec.verbose && !state->spec.quiet) state->talk(line);
}

void Report::warn(std::string_view line) {
  {
    const std::lock_guard lock(state->mutex);
    state->write_log(fmt::format("warning: {}", line));
    state->talk(fmt::format("{} {}", state->marked("warning:", "33"), line));
  }
  event("warning", {{"message", std::string(line)}});
}

void Report::error(std::string_view line) {
  const std::lock_guard lock(state->mutex);
  state->write_log(fmt::format("error: {}", line));
  state->talk(fmt::format("{} {}", state->marked("error:", "31"), line));
}

void Report::log(std::string_view line) {
  const std::lock_guard lock(state->mutex);
  state->write_log(line);
}

void Report::print_raw(std::string_view text) {
  const std::lock_guard lock(state->mutex);
  state->out(text);
}

void Report::print(std::string_view text) {
  if (state->spec.json || state->spec.quiet) return;
  const std::lock_guard lock(state->mutex);
  state->out(text);
}

void Report::print_always(std::string_view line) {
  if (state->spec.json) return;
  const std::lock_guard lock(state->mutex);
  state->out(fmt::format("{}\n", line));
}

void Report::event(std::string_view type, const nlohmann::ordered_json& fields) {
  if (!state->spec.json) return;
  nlohmann::ordered_json object;
  object["type"] = type;
  object["schema"] = 1;
  object.update(fields);
  // The library writes NaN and infinities as null; bytes that are no UTF-8 are replaced, not thrown at.
  const std::string line =
      object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  const std::lock_guard lock(state->mutex);
  state->out(line);
}

void Report::progress(std::string_view line, double share, double seconds) {
  const std::lock_guard lock(state->mutex);
  if (state->spec.quiet || !state->spec.progress) return;
  if (!state->redraws) {
    if (!state->clock.due(share, seconds)) return;
    state->write_log(line);
    return state->talk(line);
  }
  // Bytes are counted as columns, so lines of progress are ASCII.
  fmt::print(stderr, "\r{}\033[K", line.substr(0, terminal_width() - 1));
  std::fflush(stderr);
  state->drawn = true;
}

void Report::end_progress() {
  const std::lock_guard lock(state->mutex);
  state->erase_line();
}

bool ProgressClock::due(double share, double seconds) {
  constexpr double kSeconds = 30.0;
  const int now = static_cast<int>(std::floor(share * 10.0 + 1e-9));
  if (now <= tenth && !(seconds - last >= kSeconds)) return false;
  tenth = std::max(tenth, now);
  last = seconds;
  return true;
}

}  // namespace shoal
