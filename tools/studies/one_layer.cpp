#include "tools/studies/one_layer.h"

#include <fmt/format.h>

#include "datasets/mnist.h"
#include "tools/exit_codes.h"

namespace shoal {

void check_one_layer(const Settings& settings, std::string_view study) {
  for (const Setting& row : settings.schema()) {
    if (!row.list || row.key == "hidden" || row.key == "seeds") continue;
    if (settings.texts(row.key).size() > 1) {
      throw UsageError(fmt::format("{} compares widths and seeds: --{} takes one value here, not {}", study,
                                   row.key, settings.text(row.key)));
    }
  }
  for (const std::vector<int>& layers : settings.layers("hidden")) {
    if (layers.size() == 1) continue;
    throw UsageError(fmt::format("{} compares single hidden layers: --hidden {} has {} layers", study,
                                 to_text(layers), layers.size()));
  }
  if (settings.text("neurons") != "after-relu") {
    throw UsageError(
        fmt::format("{} looks at neurons after their ReLU: --neurons {} leaves it nothing to "
                    "look at, after-relu is what it needs",
                    study, settings.text("neurons")));
  }
}

void set_unless_given(Settings& settings, std::string_view key, std::string_view value) {
  if (settings.origin(key) == Origin::fallback) settings.set(key, value, Origin::fallback);
}

bool fall_back_to_digits(Settings& settings) {
  if (settings.origin("data") != Origin::fallback || settings.origin("data-dir") != Origin::fallback ||
      find_dataset("mnist", {}))
    return false;
  settings.set("data", "digits", Origin::fallback);
  return true;
}

std::string words_for(const std::string& data) {
  return data == "mnist" ? "MNIST" : data == "fashion-mnist" ? "FashionMNIST" : data;
}

}  // namespace shoal
