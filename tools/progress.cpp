#include "tools/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "tools/table.h"

namespace shoal {
namespace {

double rate_of(const Progress& p) { return p.seconds > 0.0 ? p.model_samples / p.seconds : 0.0; }

/// NaN before anything is known.
double seconds_left(const Progress& p, double already_done) {
  const double here = p.done - already_done;
  return here > 0.0 ? p.seconds * (1.0 - p.done) / here : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::string progress_text(const Progress& p, double already_done) {
  std::string text = fmt::format("{} model{}", p.models, p.models == 1 ? "" : "s");
  if (p.waves > 1) text += fmt::format("  wave {}/{}", p.wave + 1, p.waves);
  text += fmt::format("  epoch {}/{}  {:.0f} %  {} model-samples/s", std::min(p.epoch + 1, p.epochs),
                      p.epochs, 100.0 * p.done, with_unit(rate_of(p)));
  text +=
      fmt::format("  {} elapsed  {} left", clock_text(p.seconds), clock_text(seconds_left(p, already_done)));
  return text + fmt::format("  {} diverged", p.diverged);
}

nlohmann::ordered_json progress_fields(const Progress& p, double already_done) {
  return {{"models", p.models},   {"diverged", p.diverged},
          {"wave", p.wave},       {"waves", p.waves},
          {"epoch", p.epoch},     {"epochs", p.epochs},
          {"done", p.done},       {"model_samples_per_second", rate_of(p)},
          {"seconds", p.seconds}, {"seconds_left", seconds_left(p, already_done)}};
}

}  // namespace shoal
