// `shoal gate`: the size gate's integral, its derivatives, the sum over the neurons, and what the naive
// formulas give, for one set of arguments or for every row of a table.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "datasets/csv.h"
#include "kernels/gate_integral.h"
#include "tools/command.h"
#include "tools/exit_codes.h"
#include "tools/report.h"
#include "tools/table.h"

namespace shoal {
namespace {

constexpr int kMostNeurons = 10'000'000;  // the sum over them takes a fraction of a second

struct GateCommand {
  double x0 = 0, k = 0, n = 0;
  std::string csv, precision = "float64";
  bool json = false;
};

struct Arguments {
  double x0, k, n;
};

/// What is printed of one row, in this order.
constexpr std::array<const char*, 9> kNames = {"s",       "ds_dx0", "ds_dk",     "sum",     "dsum_dx0",
                                               "dsum_dk", "naive",  "naive_dx0", "naive_dk"};
using Results = std::array<double, kNames.size()>;

template <class T>
Results results_in(const Arguments& a) {
  const auto x0 = static_cast<T>(a.x0), k = static_cast<T>(a.k), n = static_cast<T>(a.n);
  const GateIntegral<T> s = gate_integral(x0, k, n), d = gate_sum(x0, k, static_cast<int>(a.n)),
                        naive = naive_gate_integral(x0, k, n);
  Results r{};
  const std::array<T, kNames.size()> values = {s.value, s.by_x0,     s.by_k,      d.value,   d.by_x0,
                                               d.by_k,  naive.value, naive.by_x0, naive.by_k};
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<double>(values[i]);
  return r;
}

/// Digits that a number of the precision needs to be read back as itself.
int digits_of(bool single) { return single ? 9 : 17; }

/// The double that is written like a float of nine digits, so that JSON shows no digits beyond the float's.
double shown(double value, bool single) {
  if (!single || !std::isfinite(value)) return value;
  const std::string text = fmt::format("{:.9g}", value);
  double result = value;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

/// `where` is empty, or ends with a blank.
void check(const Arguments& a, const std::string& where) {
  for (const auto& [name, value] : {std::pair{"x0", a.x0}, {"k", a.k}, {"n", a.n}})
    if (!std::isfinite(value))
      throw UsageError(fmt::format("{}{} is {}: it must be a finite number", where, name, value));
  if (!(a.n >= 1 && a.n <= kMostNeurons) || a.n != std::floor(a.n))
    throw UsageError(
        fmt::format("{}n is {}: it is a number of neurons, from 1 to {}", where, a.n, kMostNeurons));
}

std::vector<Arguments> read_arguments(const std::string& path) {
  const std::array<std::string_view, 3> wanted = {"k", "x0", "n"};
  const CsvColumns table = read_csv_columns(path, wanted);
  std::vector<Arguments> rows;
  for (std::size_t i = 0; i < table.columns[0].size(); ++i) {
    rows.push_back({table.columns[1][i], table.columns[0][i], table.columns[2][i]});
    check(rows.back(), fmt::format("{}, row {}: ", path, i + 1));
  }
  return rows;
}

void print_one(const Arguments& a, const Results& r, bool single, Report& report) {
  const auto number = [&](std::size_t i) { return fmt::format("{:.{}g}", r[i], digits_of(single)); };
  Table table({"", "value", "d/dx0", "d/dk"});
  table.add({"integral S", number(0), number(1), number(2)});
  table.add({"sum over neurons", number(3), number(4), number(5)});
  table.add({"S, naive formulas", number(6), number(7), number(8)});
  report.print(fmt::format("g_i = sigma(k (x0 - i)), i = 0 .. {}; x0 = {}, k = {}, {}\n\n{}", a.n - 1, a.x0,
                           a.k, single ? "float32" : "float64", table.text(report.colour())));
}

/// A table for programs: CSV with the columns of the JSON.
void print_rows(const std::vector<Arguments>& rows, const std::vector<Results>& results, bool single,
                Report& report) {
  std::string text = fmt::format("k,x0,n,{}\n", fmt::join(kNames, ","));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += fmt::format("{},{},{}", rows[i].k, rows[i].x0, rows[i].n);
    for (const double value : results[i]) text += fmt::format(",{:.{}g}", value, digits_of(single));
    text += '\n';
  }
  report.print(text);
}

int run_gate(const GateCommand& command, bool has_one) {
  Report report({.json = command.json, .log_file = {}});
  const bool single = command.precision == "float32";
  if (command.csv.empty() != has_one)
    throw UsageError("say --x0, --k and --n, or --csv FILE with columns k, x0 and n");
  std::vector<Arguments> rows;
  if (has_one) {
    rows.push_back({command.x0, command.k, command.n});
    check(rows.back(), "");
  } else {
    rows = read_arguments(command.csv);
  }
  std::vector<Results> results;
  for (const Arguments& a : rows) results.push_back(single ? results_in<float>(a) : results_in<double>(a));
  if (has_one) print_one(rows[0], results[0], single, report);
  else print_rows(rows, results, single, report);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    nlohmann::ordered_json fields{
        {"k", rows[i].k}, {"x0", rows[i].x0}, {"n", rows[i].n}, {"precision", command.precision}};
    for (std::size_t j = 0; j < kNames.size(); ++j) fields[kNames[j]] = shown(results[i][j], single);
    report.event("gate", fields);
  }
  return kExitOk;
}

}  // namespace

Action declare_gate(CLI::App& app) {
  auto command = std::make_shared<GateCommand>();
  CLI::Option* x0 =
      app.add_option("--x0", command->x0, "where the gate is half open, in neurons")->type_name("X");
  CLI::Option* k =
      app.add_option("--k", command->k, "its slope; negative: the first neurons are shut")->type_name("K");
  CLI::Option* n = app.add_option("--n", command->n, "neurons of the layer")->type_name("N");
  x0->needs(k)->needs(n);
  k->needs(x0);
  n->needs(x0);
  app.add_option("--csv", command->csv, "table with columns k, x0 and n: one result a row")
      ->type_name("FILE")
      ->excludes(x0);
  app.add_option("--precision", command->precision, "float32 or float64: what everything is computed in")
      ->type_name("NAME")
      ->capture_default_str()
      ->check(CLI::IsMember({"float32", "float64"}));
  app.add_flag("--json", command->json, "one line of JSON a result");
  return [command, x0](const Invocation&) { return run_gate(*command, x0->count() > 0); };
}

}  // namespace shoal
