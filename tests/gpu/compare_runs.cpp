// compare_runs A B [--median X] [--each Y]: two runs of one population, on two devices, model by model and
// epoch by epoch. Reads curves.npz and population.csv of both run directories.
//
// Machines round differently (the order of cuBLAS's sums, the last bit of exp and log), and training makes
// small differences grow: a ReLU whose input is 0 to within rounding passes a gradient on one machine and
// none on the other. Such events are rare and strike single models; a wrong kernel strikes all models of a
// shape and a rule. So there are two bounds for the losses, in units of 1 + loss: X for the median over the
// models of one shape and rule (they differ in their seeds), Y for every model. Accuracies, in which one
// image is a big step, are only held to Y. docs/gpu.md says where the numbers in scripts/gpu-check.sh come
// from.
//
// Exit code 0: within the bounds; 1: not, or the runs are not of one population; 2: cannot be read.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "datasets/npz.h"

namespace {

struct Model {
  std::string id, group, status;  // the group: shape, rule and batch
};

struct Run {
  std::vector<Model> models;
  std::map<std::string, shoal::Array> curves;  // float64 [epochs, models]
};

constexpr const char* kCurves[] = {"train_loss", "test_loss", "train_accuracy", "test_accuracy"};

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> list;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) list.push_back(cell);
  return list;
}

std::vector<Model> read_models(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line)) throw shoal::DataError(file.string() + " cannot be read");
  const std::vector<std::string> names = cells(line);
  const auto column = [&](const char* name) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) throw shoal::DataError(file.string() + " has no column " + name);
    return static_cast<std::size_t>(at - names.begin());
  };
  const std::size_t id = column("id"), hidden = column("hidden"), rule = column("optimizer"),
                    batch = column("batch"), status = column("status");
  std::vector<Model> models;
  while (std::getline(in, line)) {
    const std::vector<std::string> row = cells(line);
    if (row.size() <= status) throw shoal::DataError(file.string() + " has a short row: " + line);
    models.push_back({row[id], row[hidden] + " " + row[rule] + " batch " + row[batch], row[status]});
  }
  return models;
}

Run read_run(const std::filesystem::path& directory) {
  Run run{read_models(directory / "population.csv"), {}};
  shoal::NpzReader file(directory / "curves.npz");
  for (const char* name : kCurves) run.curves[name] = file.read(name);
  return run;
}

/// Empty, or why the runs cannot be compared.
std::string different(const Run& a, const Run& b) {
  if (a.models.empty()) return "there are no models";
  if (a.models.size() != b.models.size()) return "the runs have different numbers of models";
  for (std::size_t m = 0; m < a.models.size(); ++m) {
    if (a.models[m].id != b.models[m].id) return "model " + std::to_string(m) + " is not the same model";
    if (a.models[m].status != "ok" || b.models[m].status != "ok")
      return "model " + std::to_string(m) + " diverged";
  }
  const shoal::Shape& shape = a.curves.at("test_loss").shape;
  if (shape.size() != 2 || shape[0] < 1) return "there are no epochs";
  for (const char* name : kCurves)
    if (a.curves.at(name).shape != shape || b.curves.at(name).shape != shape)
      return std::string(name) + " has different shapes";
  return {};
}

/// Infinite where a number is not finite, so that no comparison passes it.
double distance(const std::string& curve, double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return INFINITY;
  return std::abs(a - b) / (curve.ends_with("loss") ? 1.0 + std::abs(a) : 1.0);
}

struct Bounds {
  double median = 1e-5, each = 0.1;
};

/// One line a curve and epoch; the number of violations.
int compare(const Run& a, const Run& b, const Bounds& bounds) {
  int bad = 0;
  const std::size_t models = a.models.size();
  for (const char* name : kCurves) {
    const auto x = shoal::values_of<double>(a.curves.at(name)),
               y = shoal::values_of<double>(b.curves.at(name));
    const bool is_loss = std::string(name).ends_with("loss");
    for (std::size_t epoch = 0; epoch < x.size() / models; ++epoch) {
      std::map<std::string, std::vector<double>> groups;
      double largest = 0.0, largest_median = 0.0;
      for (std::size_t m = 0; m < models; ++m) {
        const double d = distance(name, x[epoch * models + m], y[epoch * models + m]);
        groups[a.models[m].group].push_back(d);
        largest = std::max(largest, d);
        if (d <= bounds.each) continue;
        ++bad;
        std::printf("  TOO FAR: %s of model %zu (%s), epoch %zu: %.9g and %.9g\n", name, m,
                    a.models[m].group.c_str(), epoch + 1, x[epoch * models + m], y[epoch * models + m]);
      }
      for (auto& [group, list] : groups) {
        std::sort(list.begin(), list.end());
        const double median = list[list.size() / 2];
        largest_median = std::max(largest_median, median);
        if (!is_loss || median <= bounds.median) continue;
        ++bad;
        std::printf("  TOO FAR: %s of the models %s, epoch %zu: apart by %.2g in the median\n", name,
                    group.c_str(), epoch + 1, median);
      }
      std::printf("  %-14s epoch %zu: largest %.1e (bound %.0e), largest median %.1e", name, epoch + 1,
                  largest, bounds.each, largest_median);
      if (is_loss) std::printf(" (bound %.0e)", bounds.median);
      std::printf("\n");
    }
  }
  return bad;
}

int usage() {
  std::fprintf(stderr, "usage: compare_runs DIRECTORY DIRECTORY [--median X] [--each Y]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  Bounds bounds;
  std::vector<std::string> directories;
  for (int i = 1; i < argc; ++i) {
    double* bound = !std::strcmp(argv[i], "--median") ? &bounds.median
                    : !std::strcmp(argv[i], "--each") ? &bounds.each
                                                      : nullptr;
    if (!bound) {
      directories.push_back(argv[i]);
      continue;
    }
    char* end = nullptr;
    if (i + 1 == argc) return usage();
    *bound = std::strtod(argv[++i], &end);
    if (*end || !(*bound > 0.0)) return usage();
  }
  if (directories.size() != 2) return usage();
  try {
    const Run a = read_run(directories[0]), b = read_run(directories[1]);
    if (const std::string why = different(a, b); !why.empty()) {
      std::printf("  cannot be compared: %s\n", why.c_str());
      return 1;
    }
    const int bad = compare(a, b, bounds);
    std::printf("  %zu models, %d beyond the bounds\n", a.models.size(), bad);
    return bad == 0 ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "compare_runs: %s\n", e.what());
    return 2;
  }
}
