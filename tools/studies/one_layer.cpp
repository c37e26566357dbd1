#include "tools/studies/one_layer.h"

#include <fmt/format.h>

#include "tools/exit_codes.h"
#include "tools/studies/versions.h"

namespace shoal {

void check_one_layer(const Settings& settings, std::string_view study) {
  const std::string comparison = fmt::format("{} compares widths and seeds", study);
  refuse_other_lists(settings, {comparison, {"hidden", "seeds"}});
  refuse_deep(settings, study);
  if (settings.text("neurons") != "after-relu") {
    throw UsageError(
        fmt::format("{} looks at neurons after their ReLU: --neurons {} leaves it nothing to "
                    "look at, after-relu is what it needs",
                    study, settings.text("neurons")));
  }
}

}  // namespace shoal
