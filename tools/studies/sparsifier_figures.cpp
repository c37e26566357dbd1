#include "tools/studies/sparsifier_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tools/figures/colours.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using Family = SparsifierFamily;
using Rows = std::span<const SparsifierRow>;
using Found = std::vector<const SparsifierRow*>;

double low(const Summary& s) { return std::isfinite(s.sd) ? s.mean - s.sd : s.mean; }
double high(const Summary& s) { return std::isfinite(s.sd) ? s.mean + s.sd : s.mean; }

/// Points with bars of one sd.
void add_point(Series& s, double x, const Summary& y, double scale = 1.0) {
  s.x.push_back(x), s.y.push_back(scale * y.mean);
  s.low.push_back(scale * low(y)), s.high.push_back(scale * high(y));
}

Found by_lambda(Rows rows, Family family) {
  Found found = of_family(rows, family);
  std::sort(found.begin(), found.end(), [](auto* a, auto* b) { return a->lambda < b->lambda; });
  return found;
}

/// lambda on a logarithmic axis has no 0: it stands a step to the left of the smallest.
double place_of(double lambda, double smallest) { return lambda > 0.0 ? lambda : smallest / 10.0; }

double smallest_lambda(const Found& rows) {
  double smallest = 1.0;
  for (const SparsifierRow* row : rows)
    if (row->lambda > 0.0) smallest = std::min(smallest, row->lambda);
  return smallest;
}

Axis lambda_axis(const Found& rows, std::string label) {
  const double smallest = smallest_lambda(rows);
  Axis axis{.label = std::move(label), .log10 = true};
  for (const SparsifierRow* row : rows)
    axis.tics.emplace_back(place_of(row->lambda, smallest), to_text(row->lambda));
  axis.from = place_of(rows.front()->lambda, smallest) / 2, axis.to = rows.back()->lambda * 2;
  return axis;
}

/// Powers of two (or 1, 2, 5, ... where these are too many) between two sizes.
Axis size_axis(std::string label, double from, double to) {
  Axis axis{.label = std::move(label), .from = from / 1.15, .to = to * 1.15, .log2 = true};
  const double factor = to / from > 300 ? 4 : 2;
  for (double tic = std::pow(2, std::ceil(std::log2(std::max(1.0, from) / 1.15))); tic <= to * 1.15;
       tic *= factor)
    axis.tics.emplace_back(tic, fmt::format("{:.0f}", tic));
  return axis;
}

Figure lambda_figure(Rows rows, const std::string& where) {
  const Found found = by_lambda(rows, Family::strict);
  const double smallest = smallest_lambda(found);
  Series size{Mark::error_bars, "", kBlue, {}, {}}, test{Mark::error_bars, "test", kBlue, {}, {}},
      train{Mark::error_bars, "training", kSky, {}, {}};
  double largest = 2.0, fewest = 1e9;
  for (const SparsifierRow* row : found) {
    const double x = place_of(row->lambda, smallest);
    add_point(size, x, row->size);
    // An axis in powers of two has no room for a bar that reaches 0.
    size.low.back() = std::max(0.5, size.low.back());
    largest = std::max(largest, row->size.mean), fewest = std::min(fewest, std::max(1.0, size.low.back()));
    add_point(test, x, row->test_accuracy, 100), add_point(train, x, row->train_accuracy, 100);
  }
  Panel sizes{.title = "Neurons left, " + where + " (mean ± sd over seeds)",
              .x = lambda_axis(found, ""),
              .y = size_axis("neurons left", fewest, largest)};
  sizes.series = {size};
  Panel accuracies{.x = lambda_axis(found, "penalty lambda"),
                   .y = {.label = "accuracy (%)"},
                   .legend = true,
                   .legend_columns = 2};
  accuracies.series = {train, test};
  return {"sparsifier-lambda", {sizes, accuracies}, 760, 640};
}

/// `start`: the value before the first epoch, where there is one.
Series curve(const std::vector<double>& values, std::string name, std::string colour, double scale,
             double start) {
  Series s{Mark::line, std::move(name), std::move(colour), {}, {}};
  if (std::isfinite(start)) s.x.push_back(0), s.y.push_back(start);
  for (std::size_t e = 0; e < values.size(); ++e) {
    s.x.push_back(static_cast<double>(e + 1)), s.y.push_back(scale * values[e]);
  }
  return s;
}

std::string colour_of(std::size_t i, std::size_t count) {
  return viridis(count < 2 ? 0.4 : 0.9 * static_cast<double>(i) / static_cast<double>(count - 1));
}

/// The lowest accuracy worth showing: of the last epochs, and a little below.
double lowest(const Found& rows) {
  double least = 1.0;
  for (const SparsifierRow* row : rows)
    for (std::size_t e = row->epoch_accuracy.size() / 3; e < row->epoch_accuracy.size(); ++e)
      least = std::min(least, row->epoch_accuracy[e]);
  return least;
}

Figure training_figure(Rows rows, const std::string& where) {
  const Found found = by_lambda(rows, Family::strict);
  const double epochs = static_cast<double>(found.front()->epoch_size.size());
  Panel sizes{.title = "Neurons left by epoch, " + where,
              .x = {.from = 0.0, .to = epochs},
              .y = {},
              .legend = true,
              .legend_columns = 4};
  Panel accuracies{.x = {.label = "epoch", .from = 0.0, .to = epochs}, .y = {.label = "test accuracy (%)"}};
  double fewest = 1e9, most = 2.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const SparsifierRow& row = *found[i];
    sizes.series.push_back(
        curve(row.epoch_size, "lambda " + to_text(row.lambda), colour_of(i, found.size()), 1, row.width));
    accuracies.series.push_back(curve(row.epoch_accuracy, "", colour_of(i, found.size()), 100, NAN));
    for (const double size : row.epoch_size) fewest = std::min(fewest, std::max(1.0, size));
    most = std::max(most, static_cast<double>(row.width));
  }
  sizes.y = size_axis("neurons", fewest, most);
  accuracies.y.from = std::max(0.0, std::floor(100 * lowest(found)) - 1);
  double best = 0.0;
  for (const SparsifierRow* row : found)
    for (const double a : row->epoch_accuracy) best = std::max(best, a);
  accuracies.y.to = std::ceil(200 * best) / 2;
  return {"sparsifier-training", {sizes, accuracies}, 760, 680};
}

Figure frontier_figure(Rows rows, const std::string& where) {
  struct Kind {
    Family family;
    const char* colour;
  };
  constexpr Kind kKinds[] = {{Family::fixed, kGrey},          {Family::strict, kBlue},
                             {Family::strict_l2, kSky},       {Family::gate_switch, kGreen},
                             {Family::switch_l2, kOrange},    {Family::smallify, kVermillion},
                             {Family::hard_concrete, kPurple}};
  Panel panel{.title = "Test accuracy against what is left, " + where,
              .x = {},
              .y = {.label = "test accuracy (%)"},
              .legend = true,
              .legend_columns = 4};
  double fewest = 1e9, most = 2.0;
  for (const Kind& kind : kKinds) {
    Found found = of_family(rows, kind.family);
    std::erase_if(found, [](auto* r) { return r->size.mean < 1.0; });
    std::sort(found.begin(), found.end(), [](auto* a, auto* b) { return a->size.mean < b->size.mean; });
    if (found.empty()) continue;
    Series s{Mark::error_bars, std::string(words_of(kind.family)), kind.colour, {}, {}};
    for (const SparsifierRow* row : found) {
      add_point(s, row->size.mean, row->test_accuracy, 100);
      fewest = std::min(fewest, row->size.mean), most = std::max(most, row->size.mean);
    }
    panel.series.push_back(std::move(s));
  }
  panel.x = size_axis("neurons left (mean over seeds)", fewest, most);
  return {"sparsifier-frontier", {panel}, 760, 520};
}

Figure starts_figure(Rows rows, const std::string& where) {
  std::map<double, Found> by;
  for (const SparsifierRow* row : of_family(rows, Family::starts)) by[row->lambda].push_back(row);
  Panel sizes{.title = "Starting size and final size, " + where,
              .x = {},
              .y = {},
              .legend = true,
              .legend_columns = 4};
  Panel accuracies{.x = {}, .y = {.label = "test accuracy (%)"}};
  double most = 2.0;
  std::size_t i = 0;
  std::set<int> widths;
  for (auto& [lambda, found] : by) {
    std::sort(found.begin(), found.end(), [](auto* a, auto* b) { return a->width < b->width; });
    const std::string colour = i++ % 2 ? kVermillion : kBlue;
    Series size{Mark::error_bars, "lambda " + to_text(lambda), colour, {}, {}},
        accuracy{Mark::error_bars, "", colour, {}, {}};
    for (const SparsifierRow* row : found) {
      add_point(size, row->width, row->size);
      size.low.back() = std::max(0.5, size.low.back());
      add_point(accuracy, row->width, row->test_accuracy, 100);
      most = std::max(most, row->size.mean);
      widths.insert(row->width);
    }
    sizes.series.push_back(std::move(size)), accuracies.series.push_back(std::move(accuracy));
  }
  sizes.y = {.label = "neurons left", .from = 0.0, .to = 1.25 * most};
  Axis start{.label = "neurons at the start", .log2 = true};
  for (const int width : widths) start.tics.emplace_back(width, std::to_string(width));
  if (!widths.empty()) start.from = *widths.begin() / 1.15, start.to = *widths.rbegin() * 1.15;
  sizes.x = accuracies.x = start;
  sizes.x.label.clear();
  return {"sparsifier-starts", {sizes, accuracies}, 760, 640, 1, 0.12};
}

}  // namespace

std::vector<Figure> sparsifier_figures(Rows rows, const std::string& where) {
  std::vector<Figure> figures;
  const Found strict = of_family(rows, Family::strict);
  const bool penalised = std::any_of(strict.begin(), strict.end(), [](auto* r) { return r->lambda > 0.0; });
  if (penalised) {
    figures.push_back(lambda_figure(rows, where));
    if (!strict.front()->epoch_size.empty()) figures.push_back(training_figure(rows, where));
    figures.push_back(frontier_figure(rows, where));
  }
  if (!of_family(rows, Family::starts).empty()) figures.push_back(starts_figure(rows, where));
  return figures;
}

}  // namespace shoal
