// The table that ends a run.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tools/model_columns.h"
#include "tools/results.h"
#include "tools/sizes.h"
#include "tools/summary.h"
#include "tools/table.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

constexpr std::size_t kMostRows = 40;

/// Columns in which the models differ, width and seed always.
std::vector<ModelColumn> telling_columns(const RunSpec& spec) {
  std::vector<ModelColumn> columns;
  for (const ModelColumn& column : model_columns(spec.models)) {
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
  const bool gated = any_gates(spec);
  if (gated) headings.insert(headings.end() - 5, "size");
  Table table(headings);
  for (std::size_t m = 0; m < result.models.size(); ++m) {
    const ModelResult& model = result.models[m];
    std::vector<std::string> cells{std::to_string(m)};
    for (const ModelColumn& column : columns) cells.push_back(column.text(spec.models[m]));
    cells.push_back(grouped(model.parameters));
    if (gated) cells.push_back(has_gates(spec.models[m]) ? cell(size_of(model), 1) : "");
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

/// Models of one width, and of one kind of gates where these differ.
struct WidthGroup {
  std::vector<int> hidden;
  std::vector<std::string> names;  // cells of the grouping columns
  std::int64_t models = 0, diverged = 0;
  std::vector<double> train_loss, test_loss, test_accuracy, sizes;
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
  group.sizes.push_back(size_of(model));
}

/// The widths, and the columns of gates in which the models differ.
std::vector<ModelColumn> grouping_columns(const RunSpec& spec) {
  std::vector<ModelColumn> columns;
  for (const ModelColumn& column : telling_columns(spec))
    if (column.name == "hidden" || column.part == ModelColumn::Part::gates) columns.push_back(column);
  return columns;
}

/// Groups in the order of their widths, then as the models come.
std::vector<WidthGroup> groups_of(const RunSpec& spec, const RunResult& result,
                                  const std::vector<ModelColumn>& columns) {
  std::vector<WidthGroup> groups;
  std::map<std::pair<std::vector<int>, std::vector<std::string>>, std::size_t> places;
  for (std::size_t m = 0; m < result.models.size(); ++m) {
    std::vector<std::string> names;
    for (const ModelColumn& column : columns) names.push_back(column.text(spec.models[m]));
    const auto [place, added] = places.try_emplace({spec.models[m].hidden, names}, groups.size());
    if (added) {
      groups.emplace_back();
      groups.back().hidden = spec.models[m].hidden, groups.back().names = names;
    }
    add_to_group(groups[place->second], result.models[m]);
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const WidthGroup& a, const WidthGroup& b) { return a.hidden < b.hidden; });
  return groups;
}

/// All models in one.
WidthGroup group_of_all(const RunResult& result, std::size_t columns) {
  WidthGroup all;
  all.names.resize(columns);
  all.names.front() = "all";
  for (const ModelResult& model : result.models) add_to_group(all, model);
  return all;
}

std::string table_of_widths(const RunSpec& spec, const RunResult& result, bool colour) {
  const std::vector<ModelColumn> columns = grouping_columns(spec);
  std::vector<WidthGroup> groups = groups_of(spec, result, columns);
  if (groups.size() == 1 || groups.size() > kMostRows) groups.clear();
  groups.push_back(group_of_all(result, columns.size()));
  const bool gated = any_gates(spec);
  std::vector<std::string> headings;
  for (const ModelColumn& column : columns) headings.emplace_back(column.name);
  headings.emplace_back("models");
  if (gated) headings.emplace_back("size");
  for (const char* heading :
       {"train loss", "test loss", "test % min", "q1", "median", "q3", "max", "diverged"})
    headings.emplace_back(heading);
  Table table(headings);
  for (const WidthGroup& group : groups) {
    const FiveNumbers accuracy = five_numbers(group.test_accuracy);
    std::vector<std::string> cells = group.names;
    cells.push_back(grouped(group.models));
    if (gated) cells.push_back(cell(five_numbers(group.sizes).median, 1));
    for (const double loss : {five_numbers(group.train_loss).median, five_numbers(group.test_loss).median})
      cells.push_back(cell(loss, 4));
    for (const double share : {accuracy.min, accuracy.q1, accuracy.median, accuracy.q3, accuracy.max})
      cells.push_back(percent(share));
    cells.push_back(grouped(group.diverged));
    table.add(cells);
  }
  return table.text(colour) + (gated ? "(losses and sizes are medians)\n" : "(losses are medians)\n");
}

}  // namespace

std::string result_table(const RunSpec& spec, const RunResult& result, bool colour) {
  return result.models.size() <= kMostRows ? table_of_models(spec, result, colour)
                                           : table_of_widths(spec, result, colour);
}

}  // namespace shoal
