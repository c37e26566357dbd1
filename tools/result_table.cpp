// The table that ends a run.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tools/model_columns.h"
#include "tools/results.h"
#include "tools/summary.h"
#include "tools/table.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

constexpr std::size_t kMostRows = 40;

/// Columns in which the models differ, width and seed always.
std::vector<ModelColumn> telling_columns(const RunSpec& spec) {
  std::vector<ModelColumn> columns;
  for (const ModelColumn& column : model_columns()) {
    const std::string first = column.text(spec.models[0]);
    const bool differs = std::any_of(spec.models.begin(), spec.models.end(),
                                     [&](const ModelSpec& model) { return column.text(model) != first; });
    if (differs || column.name == "hidden" || column.name == "seed") columns.push_back(column);
  }
  return columns;
}

std::string table_of_models(const RunSpec& spec, const RunResult& result, bool colour) {
  const std::vector<ModelColumn> columns = telling_columns(spec);
  std::vector<std::string> headings{"model"};
  for (const ModelColumn& column : columns) headings.emplace_back(column.name);
  for (const char* heading : {"parameters", "train loss", "train %", "test loss", "test %", "status"})
    headings.emplace_back(heading);
  Table table(headings);
  for (std::size_t m = 0; m < result.models.size(); ++m) {
    const ModelResult& model = result.models[m];
    std::vector<std::string> cells{std::to_string(m)};
    for (const ModelColumn& column : columns) cells.push_back(column.text(spec.models[m]));
    cells.push_back(grouped(model.parameters));
    cells.push_back(cell(model.train_loss, 4));
    cells.push_back(percent(model.train_accuracy));
    cells.push_back(cell(model.test_loss, 4));
    cells.push_back(percent(model.test_accuracy));
    cells.push_back(model.status == ModelStatus::ok
                        ? "ok"
                        : fmt::format("diverged in epoch {}", model.diverged_epoch + 1));
    table.add(cells);
  }
  return table.text(colour);
}

/// Models of one width.
struct WidthGroup {
  std::string name;
  std::int64_t models = 0, diverged = 0;
  std::vector<double> train_loss, test_loss, test_accuracy;
};

void add_to_group(WidthGroup& group, const ModelResult& model) {
  ++group.models;
  if (model.status != ModelStatus::ok) {
    ++group.diverged;
    return;
  }
  group.train_loss.push_back(model.train_loss);
  group.test_loss.push_back(model.test_loss);
  group.test_accuracy.push_back(model.test_accuracy);
}

std::string table_of_widths(const RunSpec& spec, const RunResult& result, bool colour) {
  std::map<std::vector<int>, WidthGroup> by_width;
  WidthGroup all{.name = "all", .train_loss = {}, .test_loss = {}, .test_accuracy = {}};
  for (std::size_t m = 0; m < result.models.size(); ++m) {
    add_to_group(by_width[spec.models[m].hidden], result.models[m]);
    add_to_group(all, result.models[m]);
  }
  std::vector<WidthGroup> groups;
  if (by_width.size() > 1 && by_width.size() <= kMostRows)
    for (auto& [hidden, group] : by_width) {
      group.name = to_text(hidden);
      groups.push_back(group);
    }
  groups.push_back(all);
  Table table(
      {"hidden", "models", "train loss", "test loss", "test % min", "q1", "median", "q3", "max", "diverged"});
  for (const WidthGroup& group : groups) {
    const FiveNumbers accuracy = five_numbers(group.test_accuracy);
    table.add({group.name, grouped(group.models), cell(five_numbers(group.train_loss).median, 4),
               cell(five_numbers(group.test_loss).median, 4), percent(accuracy.min), percent(accuracy.q1),
               percent(accuracy.median), percent(accuracy.q3), percent(accuracy.max),
               grouped(group.diverged)});
  }
  return table.text(colour) + "(losses are medians)\n";
}

}  // namespace

std::string result_table(const RunSpec& spec, const RunResult& result, bool colour) {
  return result.models.size() <= kMostRows ? table_of_models(spec, result, colour)
                                           : table_of_widths(spec, result, colour);
}

}  // namespace shoal
