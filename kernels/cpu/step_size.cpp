#include "kernels/step_size.h"

#include <cmath>

namespace shoal {
namespace {

struct Step {
  float change, scale;
};

/// As in apply_update, without its order of rounding.
Step step_of(const StepCoefficients& c, UpdateRule rule, float a, float b, float top) {
  switch (rule) {
    case UpdateRule::sgd: return {0.0f, 0.0f};
    case UpdateRule::momentum:
    case UpdateRule::nesterov: return {c.rate * a, 0.0f};
    case UpdateRule::adam:
    case UpdateRule::amsgrad: {
      const float scale = c.root_scale * std::sqrt(rule == UpdateRule::adam ? b : top);
      return {c.rate * a / (scale + c.eps), scale};
    }
    case UpdateRule::adamax: return {b > 0.0f ? c.rate * a / b : 0.0f, b};
  }
  return {};
}

}  // namespace

void add_steps(StepSize& sum, const UpdateSettings& settings, double t, std::int64_t rows, int width,
               std::int64_t stride, const float* slot_a, const float* slot_b, const float* slot_c) {
  const StepCoefficients c = step_coefficients(settings, t, 1);
  const int slots = slot_count(settings.rule);
  for (std::int64_t row = 0; row < rows; ++row) {
    double steps = 0, scales = 0;
    int below = 0;
    for (std::int64_t at = row * stride; at < row * stride + width; ++at) {
      const Step s = step_of(c, settings.rule, slots > 0 ? slot_a[at] : 0.0f, slots > 1 ? slot_b[at] : 0.0f,
                             slots > 2 ? slot_c[at] : 0.0f);
      steps += static_cast<double>(s.change) * static_cast<double>(s.change);
      scales += static_cast<double>(s.scale) * static_cast<double>(s.scale);
      below += slots > 1 && s.scale < c.eps;
    }
    sum.step_squares += steps;
    sum.scale_squares += scales;
    sum.below_eps += below;
  }
  sum.parameters += static_cast<double>(rows) * width;
}

}  // namespace shoal
