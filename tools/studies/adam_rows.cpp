#include "tools/studies/adam_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "analysis/summary.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using enum UpdateRule;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<Variant, 11> kVariants = {{
    {"adam", "Adam"},
    {"adam-eps-1e-12", "Adam, eps 1e-12", adam, 1, std::nullopt, 1e-12},
    {"adam-eps-1e-5", "Adam, eps 1e-5", adam, 1, std::nullopt, 1e-5},
    {"adam-beta2-0.99", "Adam, beta2 0.99", adam, 1, 0.99},
    {"adam-beta2-0.99-eps-1e-5", "Adam, beta2 0.99, eps 1e-5", adam, 1, 0.99, 1e-5},
    {"adam-beta2-0.9999", "Adam, beta2 0.9999", adam, 1, 0.9999},
    {"adam-lr-tenth", "Adam, a tenth of the rate", adam, 0.1},
    {"adamax", "AdaMax", adamax},
    {"amsgrad", "AMSGrad", amsgrad},
    {"amsgrad-beta2-0.99", "AMSGrad, beta2 0.99", amsgrad, 1, 0.99},
    {"momentum", "SGD with momentum", momentum, 3},
}};

Band band_of(std::vector<double> values) {
  values = sorted(values);
  return {quantile(values, 0), quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75),
          quantile(values, 1)};
}

double median(const std::vector<double>& values) { return quantile(sorted(values), 0.5); }

/// The epochs of one model that began at a low loss; `decline` and `fading` gain what its loss and scale lost
/// in each without a jump.
void add_low_epochs(AdamRow& row, const ModelResult& model, std::vector<double>& decline,
                    std::vector<double>& fading) {
  double largest = 0;
  bool jumped = false;
  for (std::size_t e = 0; e + 1 < model.details.size(); ++e) {
    const EpochDetail& before = model.details[e];
    largest = std::max(largest, before.scale);
    if (!(before.train_loss < kLowLoss)) continue;
    const double after = std::max(model.details[e + 1].train_loss, model.epoch_train_loss[e + 1]);
    LowEpoch low{before.train_loss, std::max(after, kLeastLoss) / std::max(before.train_loss, kLeastLoss),
                 kUnknown};
    if (largest > 0) low.room = largest / (before.scale + row.optimizer.eps);
    row.low.push_back(low);
    row.largest_jump = std::max(row.largest_jump, low.jump);
    row.jumps += low.jump >= kJump;
    jumped |= low.jump >= kJump;
    const EpochDetail& now = model.details[e + 1];
    if (low.jump >= kJump || !(now.train_loss >= kLeastLoss)) continue;
    decline.push_back(std::log(before.train_loss / now.train_loss));
    if (before.scale > 0 && now.scale > 0) fading.push_back(std::log(before.scale / now.scale));
  }
  row.jumping_models += jumped;
}

void fill(AdamRow& row, const std::vector<const ModelResult*>& models, double steps) {
  if (models.empty()) return;
  const auto over_models = [&](auto&& value) {
    std::vector<double> values;
    for (const ModelResult* m : models) values.push_back(value(*m));
    return values;
  };
  for (std::size_t e = 0; e < models[0]->details.size(); ++e) {
    const auto band = [&](double EpochDetail::*field) {
      return band_of(over_models([&](const ModelResult& m) { return m.details[e].*field; }));
    };
    row.loss.push_back(band(&EpochDetail::train_loss));
    row.on_the_way.push_back(
        band_of(over_models([&](const ModelResult& m) { return m.epoch_train_loss[e]; })));
    row.scale.push_back(band(&EpochDetail::scale));
    row.step.push_back(band(&EpochDetail::step));
  }
  if (row.loss.empty()) return;
  row.lowest = band_of(over_models([](const ModelResult& m) {
    double least = std::numeric_limits<double>::infinity();
    for (const EpochDetail& d : m.details) least = std::min(least, d.train_loss);
    return least;
  }));
  row.below_eps = median(over_models([](const ModelResult& m) { return m.details.back().below_eps; }));
  std::vector<double> before, otherwise, decline, fading;
  for (const ModelResult* m : models) add_low_epochs(row, *m, decline, fading);
  row.decline = median(decline) / steps;
  row.fading = median(fading) / steps;
  for (const LowEpoch& low : row.low)
    if (std::isfinite(low.room)) (low.jump >= kJump ? before : otherwise).push_back(low.room);
  row.room_before_jumps = median(before);
  row.room_otherwise = median(otherwise);
}

}  // namespace

std::span<const Variant> adam_variants() { return kVariants; }

OptimizerSpec optimizer_of(const Variant& variant, const OptimizerSpec& settings) {
  OptimizerSpec o = settings;
  o.rule = variant.rule;
  o.lr *= variant.lr_factor;
  if (variant.beta2) o.beta2 = *variant.beta2;
  if (variant.eps) o.eps = *variant.eps;
  return o;
}

double largest_kick(const OptimizerSpec& o) {
  if (o.rule != adam && o.rule != adamax) return kUnknown;
  // The divisor fades by this factor a step, the first moment by beta1.
  const double fading = o.rule == adam ? std::sqrt(o.beta2) : o.beta2;
  if (!(o.beta1 < fading)) return std::numeric_limits<double>::infinity();
  const double first = (1 - o.beta1) / (o.rule == adam ? std::sqrt(1 - o.beta2) : 1.0);
  return first / (1 - o.beta1 / fading);
}

std::vector<ModelSpec> with_variants(std::span<const ModelSpec> models) {
  std::vector<ModelSpec> all;
  for (const ModelSpec& model : models)
    for (const Variant& variant : kVariants) {
      all.push_back(model);
      all.back().optimizer = optimizer_of(variant, model.optimizer);
    }
  return all;
}

std::vector<AdamRow> adam_rows(const RunSpec& spec, const RunResult& result, std::int64_t samples) {
  std::vector<std::string> shapes;
  for (const ModelSpec& model : spec.models) {
    const std::string shape = to_text(model.hidden);
    if (std::find(shapes.begin(), shapes.end(), shape) == shapes.end()) shapes.push_back(shape);
  }
  std::vector<AdamRow> rows;
  for (const std::string& shape : shapes)
    for (std::size_t v = 0; v < kVariants.size(); ++v) {
      AdamRow row;
      row.hidden = shape, row.variant = v;
      std::vector<const ModelResult*> healthy;
      for (std::size_t m = v; m < spec.models.size(); m += kVariants.size()) {
        if (to_text(spec.models[m].hidden) != shape) continue;
        row.optimizer = spec.models[m].optimizer;
        ++row.models;
        const bool ok = result.models[m].status == ModelStatus::ok;
        row.diverged += !ok;
        if (ok) healthy.push_back(&result.models[m]);
      }
      const double steps = std::ceil(static_cast<double>(samples) / spec.models[v].batch);
      row.memory_epochs = 1 / (1 - row.optimizer.beta2) / steps;
      fill(row, healthy, steps);
      rows.push_back(std::move(row));
    }
  return rows;
}

double jump_rate(const AdamRow& row) {
  if (row.low.empty()) return kUnknown;
  return 1000.0 * static_cast<double>(row.jumps) / static_cast<double>(row.low.size());
}

Jumps jumps_from(const AdamRow& row, double loss) {
  Jumps sum;
  for (const LowEpoch& low : row.low) {
    if (!(low.before >= loss)) continue;
    ++sum.epochs;
    sum.jumps += low.jump >= kJump;
  }
  return sum;
}

}  // namespace shoal
