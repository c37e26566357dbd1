#include "tools/removal_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include "datasets/npz.h"
#include "tools/exit_codes.h"
#include "tools/table.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

std::string node_name(const RemovalProblem& p, std::size_t i) {
  const NodePlace& n = p.nodes[i];
  return p.layers.size() == 2 ? fmt::format("{}", n.neuron) : fmt::format("{}:{}", n.layer + 1, n.neuron);
}

/// 0.5844, or 0.5844 +- 0.0003 where it is an estimate.
std::string text_of(const Estimate& e, bool exact) {
  if (exact) return fmt::format("{:.6g}", e.value);
  return fmt::format("{:.4g} +- {:.1g}", e.value, e.error);
}

void add(Json& to, const std::string& name, const Estimate& e, bool exact) {
  to[name] = e.value;
  if (!exact) to[name + "_error"] = e.error;
}

std::string heading_of(const RemovalProblem& p, const RemovalAnswer& a) {
  std::string widths = fmt::format("{}", p.layers.front().inputs);
  for (const LayerWeights& l : p.layers) widths += fmt::format("-{}", l.outputs);
  const auto count =
      a.exact ? fmt::format("all {} subsets of {} nodes", grouped(std::ssize(a.table.loss)), p.nodes.size())
              : fmt::format("{} random subsets of {} nodes for each keep probability", grouped(a.samples),
                            p.nodes.size());
  return fmt::format(
      "{} on {} ({}, {} points): {}\n"
      "  all nodes   loss {:.6g}, accuracy {} %\n  no node     loss {:.6g}, accuracy {} %\n",
      widths, p.data, p.part, grouped(p.points.count), count, a.full_loss, percent(a.full_accuracy),
      a.none_loss, percent(a.none_accuracy));
}

std::string moments_table(const RemovalAnswer& a, const RemovalSettings& s, bool colour) {
  std::vector<std::string> headings{"quantity", "keep", "mean", "sd"};
  for (const double share : s.quantiles) headings.push_back(to_text(share));
  if (a.exact) headings.insert(headings.end(), {"KS", "A2"});
  Table table(headings);
  for (const RemovalMoments& m : a.moments) {
    std::vector<std::string> cells{m.quantity == "loss" ? "loss" : "log loss", to_text(m.keep),
                                   text_of(m.mean, a.exact), text_of(m.sd, a.exact)};
    for (const Estimate& q : m.quantiles) cells.push_back(fmt::format("{:.4g}", q.value));
    if (a.exact) {
      cells.push_back(fmt::format("{:.4f}", m.normal.kolmogorov_smirnov));
      cells.push_back(fmt::format("{:.4f}", m.normal.anderson_darling));
    }
    table.add(std::move(cells));
  }
  return table.text(colour);
}

std::string nodes_table(const RemovalProblem& p, const RemovalAnswer& a, bool colour) {
  Table table({"node", "mean gradient", "sd", "Shapley", "Banzhaf"});
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    const RemovalNode& n = a.nodes[i];
    table.add({node_name(p, i), text_of(n.mean_gradient, a.exact), text_of(n.sd_gradient, a.exact),
               text_of(n.shapley, a.exact), text_of(n.banzhaf, a.exact)});
  }
  return table.text(colour);
}

std::string covariance_table(const RemovalAnswer& a, bool colour) {
  Table table({"distance", "covariance", "correlation"});
  for (std::size_t d = 0; d < a.covariance.size(); ++d)
    table.add({fmt::format("{}", d), text_of(a.covariance[d], a.exact),
               cell(a.covariance[d].value / a.covariance[0].value, 4)});
  return table.text(colour);
}

/// A subset as its nodes from 0 on: 1 kept, 0 removed.
std::string bits(Subset s, int nodes) {
  std::string text;
  for (int i = 0; i < nodes; ++i) text += s >> i & 1 ? '1' : '0';
  return text;
}

std::string sizes_table(const RemovalAnswer& a, bool colour) {
  Table table({"kept", "mean loss", "best", "by (node 0 first)", "worst"});
  for (const SizeRecord& r : a.sizes)
    table.add({fmt::format("{}", r.size), fmt::format("{:.5g}", r.mean), fmt::format("{:.5g}", r.lowest),
               bits(r.lowest_subset, a.table.nodes), fmt::format("{:.5g}", r.highest)});
  return table.text(colour);
}

double complement_correlation(const RemovalAnswer& a) {
  return a.covariance.back().value / a.covariance.front().value;
}

void print_for_people(Report& report, const RemovalProblem& p, const RemovalAnswer& a,
                      const RemovalSettings& s) {
  const bool colour = report.colour();
  std::string text = heading_of(p, a) + "\nDistribution of the loss (nodes kept independently; quantiles)\n";
  text += moments_table(a, s, colour);
  text += "\nNodes (of the loss; keep 0.5; negative: the node lowers it)\n" + nodes_table(p, a, colour);
  text += "\nCovariance of the log loss of subsets that differ in so many nodes (keep 0.5)\n" +
          covariance_table(a, colour);
  if (a.exact) {
    text += "\nSubsets by size\n" + sizes_table(a, colour);
    text += fmt::format("\ncorrelation of a subset's log loss with its complement's: {:.4f}\n",
                        complement_correlation(a));
    text += fmt::format(
        "mean loss at keep 0.75 less that at 0.25: {:.6g}; the slope at 0.5 in a straight line: {:.6g}\n",
        a.change->after - a.change->before, a.change->straight);
  }
  report.print(text);
}

Json fields_of(const RemovalMoments& m, const RemovalAnswer& a, const RemovalSettings& s) {
  Json fields = {{"quantity", m.quantity}, {"keep", m.keep}};
  add(fields, "mean", m.mean, a.exact);
  add(fields, "sd", m.sd, a.exact);
  Json quantiles = Json::object(), errors = Json::object();
  for (std::size_t q = 0; q < s.quantiles.size(); ++q) {
    quantiles[to_text(s.quantiles[q])] = m.quantiles[q].value;
    errors[to_text(s.quantiles[q])] = m.quantiles[q].error;
  }
  fields["quantiles"] = quantiles;
  if (!a.exact) fields["quantile_errors"] = errors;
  if (a.exact) {
    fields["skewness"] = m.skewness;
    fields["kurtosis"] = m.kurtosis;
    fields["kolmogorov_smirnov"] = m.normal.kolmogorov_smirnov;
    fields["anderson_darling"] = m.normal.anderson_darling;
  }
  return fields;
}

Json fields_of(const RemovalProblem& p, std::size_t i, const RemovalAnswer& a) {
  const RemovalNode& n = a.nodes[i];
  Json fields = {{"node", i}, {"layer", p.nodes[i].layer + 1}, {"neuron", p.nodes[i].neuron}, {"keep", 0.5}};
  add(fields, "mean_gradient", n.mean_gradient, a.exact);
  add(fields, "sd_gradient", n.sd_gradient, a.exact);
  add(fields, "mean_log_gradient", n.mean_log_gradient, a.exact);
  add(fields, "sd_log_gradient", n.sd_log_gradient, a.exact);
  add(fields, "shapley", n.shapley, a.exact);
  add(fields, "banzhaf", n.banzhaf, a.exact);
  return fields;
}

void print_events(Report& report, const RemovalProblem& p, const RemovalAnswer& a, const RemovalSettings& s) {
  Json network = {{"model", p.model},
                  {"data", p.data},
                  {"part", p.part},
                  {"points", p.points.count},
                  {"nodes", p.nodes.size()},
                  {"exact", a.exact},
                  {"loss", a.full_loss},
                  {"accuracy", a.full_accuracy},
                  {"empty_loss", a.none_loss},
                  {"empty_accuracy", a.none_accuracy}};
  if (!a.exact) network["samples"] = a.samples, network["seed"] = s.seed;
  report.event("network", network);
  for (const RemovalMoments& m : a.moments) report.event("moments", fields_of(m, a, s));
  for (std::size_t i = 0; i < a.nodes.size(); ++i) report.event("node", fields_of(p, i, a));
  for (std::size_t d = 0; d < a.covariance.size(); ++d) {
    Json fields = {{"quantity", "log_loss"}, {"distance", d}};
    add(fields, "value", a.covariance[d], a.exact);
    report.event("covariance", fields);
  }
  if (!a.exact) return;
  for (std::size_t k = 0; k < a.interactions.size(); ++k)
    report.event("interaction", {{"quantity", "log_loss"}, {"order", k}, {"variance", a.interactions[k]}});
  for (const SizeRecord& r : a.sizes)
    report.event("size", {{"size", r.size},
                          {"mean", r.mean},
                          {"lowest", r.lowest},
                          {"lowest_subset", r.lowest_subset},
                          {"highest", r.highest},
                          {"highest_subset", r.highest_subset}});
  report.event("complement", {{"quantity", "log_loss"}, {"correlation", complement_correlation(a)}});
  report.event("change", {{"quantity", "loss"},
                          {"from", 0.25},
                          {"to", 0.75},
                          {"before", a.change->before},
                          {"after", a.change->after},
                          {"slope", a.change->slope},
                          {"straight", a.change->straight}});
}

}  // namespace

void print_removal(Report& report, const RemovalProblem& p, const RemovalAnswer& a,
                   const RemovalSettings& s) {
  if (report.json()) print_events(report, p, a, s);
  else print_for_people(report, p, a, s);
}

void write_table(const std::filesystem::path& path, const RemovalProblem& p, const SubsetTable& table) {
  const std::filesystem::path temporary = path.string() + ".partial";
  std::vector<std::int32_t> places;
  for (const NodePlace& n : p.nodes) places.insert(places.end(), {n.layer, n.neuron});
  try {
    {
      NpzWriter file(temporary);
      file.add("loss", Shape{std::ssize(table.loss)}, std::span<const double>(table.loss));
      file.add("hits", Shape{std::ssize(table.hits)}, std::span<const std::int32_t>(table.hits));
      file.add("nodes", Shape{std::ssize(p.nodes), 2}, std::span<const std::int32_t>(places));
      file.finish();
    }
    std::filesystem::rename(temporary, path);
  } catch (const std::exception& e) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw OutputError(e.what());
  }
}

}  // namespace shoal
