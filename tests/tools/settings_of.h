// Settings of a training run, as flags would set them.
#pragma once

#include <initializer_list>
#include <utility>

#include "tools/training.h"

namespace shoal::test {

inline Settings with(std::initializer_list<std::pair<const char*, const char*>> values) {
  Settings settings(training_schema());
  for (const auto& [key, text] : values) settings.set(key, text, Origin::flag);
  return settings;
}

}  // namespace shoal::test
