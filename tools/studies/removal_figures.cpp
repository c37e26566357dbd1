#include "tools/studies/removal_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tools/figures/colours.h"

namespace shoal {
namespace {

using Net = RemovalNetwork;
constexpr std::array<const char*, 3> kKeepColours{kBlue, kBlack, kVermillion};
constexpr std::array<const char*, 6> kKindColours{kBlue, kVermillion, kGreen, kOrange, kPurple, kSky};

Series series(Mark mark, std::string name, const char* colour, const RemovalCurve& curve) {
  return {mark, std::move(name), colour, curve.x, curve.y};
}
/// At most some 120 points: small panels show no more, and there are many.
RemovalCurve thinned(const RemovalCurve& curve) {
  constexpr std::size_t kPoints = 120;
  const std::size_t step = std::max<std::size_t>(1, curve.x.size() / kPoints);
  RemovalCurve thin;
  for (std::size_t i = 0; i < curve.x.size(); i += step)
    thin.x.push_back(curve.x[i]), thin.y.push_back(curve.y[i]);
  return thin;
}
std::string keep_name(std::size_t k) { return fmt::format("kept with {:g}", kRemovalKeeps[k]); }

/// Density above, distribution function below, of shapes with names and colours; dashed: nearest normals.
struct NamedShape {
  const RemovalShape* shape;
  std::string name;
  const char* colour;
};
Figure shapes_figure(const std::string& name, const std::string& title, const std::string& label,
                     const std::vector<NamedShape>& shapes, bool normals) {
  Panel density{.title = title + (normals ? "; dashed: nearest normal" : ""),
                .x = {},
                .y = {.label = "density", .from = 0.0},
                .legend = true,
                .legend_columns = 3};
  Panel share{.title = "Distribution function",
              .x = {.label = label},
              .y = {.label = "share below", .from = 0.0, .to = 1.0}};
  for (const NamedShape& s : shapes) {
    if (s.shape->density.x.empty()) continue;
    density.series.push_back(series(Mark::line, s.name, s.colour, s.shape->density));
    share.series.push_back(series(Mark::line, "", s.colour, s.shape->share));
    if (!normals || s.shape->normal_density.x.empty()) continue;
    density.series.push_back(series(Mark::dashed_line, "", s.colour, s.shape->normal_density));
    share.series.push_back(series(Mark::dashed_line, "", s.colour, s.shape->normal_share));
  }
  return {name, {std::move(density), std::move(share)}, 760, 620};
}

Figure keeps_figure(const std::string& name, const std::string& title, const std::string& label,
                    const std::array<RemovalShape, 3>& shapes, bool normals) {
  std::vector<NamedShape> named;
  for (std::size_t k = 0; k < shapes.size(); ++k)
    named.push_back({&shapes[k], keep_name(k), kKeepColours[k]});
  return shapes_figure(name, title, label, named, normals);
}

/// Small panels, one a node: densities of the log loss's gradient with the node off and on.
Figure nodes_figure(const RemovalResults& r) {
  constexpr int kColumns = 4;
  Figure figure{"removal-nodes", {}, 1040, 0, kColumns};
  const Net& net = r.networks[r.subject];
  for (std::size_t n = 0; n < r.curves.by_node.size(); ++n) {
    Panel panel{.title = fmt::format("node {}{}", n, net.node[n].alive() ? "" : ": never on"),
                .x = {},
                .y = {.from = 0.0},
                .legend = false};
    for (const bool on : {false, true})
      if (const RemovalCurve& d = r.curves.by_node[n][on].density; !d.x.empty())
        panel.series.push_back(series(Mark::line, on ? "on" : "off", on ? kVermillion : kBlue, thinned(d)));
    if (panel.series.empty()) continue;
    panel.x.step = round_step(panel.series.front().x.back() - panel.series.front().x.front(), 4);
    figure.panels.push_back(std::move(panel));
  }
  if (!figure.panels.empty()) figure.panels.front().title += " (blue: off, red: on)";
  figure.height = 60 + 170 * static_cast<int>((figure.panels.size() + kColumns - 1) / kColumns);
  return figure;
}

/// Mean with the range over the networks of each kind, by flips.
Panel flips_panel(const RemovalResults& r) {
  Panel panel{.title = "Correlation of log loss by flips, mean and range over the networks",
              .x = {.label = "nodes flipped, as a share of all", .from = 0.0, .to = 1.0},
              .y = {.label = "correlation"},
              .legend = true,
              .legend_columns = 3};
  const std::vector<std::string> kinds = hidden_kinds(r.networks);
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    Series s{Mark::error_bars, kinds[k], kKindColours[k % kKindColours.size()], {}, {}};
    std::vector<const Net*> of;
    for (const Net& n : r.networks)
      if (n.hidden == kinds[k]) of.push_back(&n);
    for (std::size_t d = 0; d < of.front()->correlation.size(); ++d) {
      double sum = 0, low = INFINITY, high = -INFINITY;
      for (const Net* n : of)
        sum += n->correlation[d], low = std::min(low, n->correlation[d]),
                                  high = std::max(high, n->correlation[d]);
      s.x.push_back(static_cast<double>(d) / of.front()->nodes),
          s.y.push_back(sum / static_cast<double>(of.size()));
      s.low.push_back(low), s.high.push_back(high);
    }
    panel.series.push_back(std::move(s));
  }
  return panel;
}

Figure flips_figure(const RemovalResults& r, const std::string& title) {
  const RemovalCurve& c = r.curves.covariance;
  Panel one{.title = title + ": covariance of log loss along a path that flips all nodes",
            .x = {.label = "nodes flipped", .from = 0.0, .to = c.x.empty() ? 1.0 : c.x.back()},
            .y = {.label = "covariance"},
            .legend = true};
  RemovalCurve reversed = c;
  std::ranges::reverse(reversed.y);
  one.series = {series(Mark::line, "with the start", kBlue, c),
                series(Mark::line, "with the end", kPurple, reversed)};
  return {"removal-flips", {std::move(one), flips_panel(r)}, 760, 720};
}

Panel orders_panel(const RemovalResults& r) {
  constexpr std::size_t kMost = 8;
  Panel panel{.title = "Variance of log loss by order of interaction, mean and range",
              .x = {.label = "nodes that interact", .step = 1},
              .y = {.label = "share of the variance", .from = 0.0, .to = 1.0},
              .legend = true,
              .legend_columns = 3};
  const std::vector<std::string> kinds = hidden_kinds(r.networks);
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    Series s{Mark::points, kinds[k], kKindColours[k % kKindColours.size()], {}, {}};
    for (std::size_t order = 0; order < kMost; ++order) {
      std::vector<double> shares;
      for (const Net& n : r.networks)
        if (n.hidden == kinds[k] && order < n.orders.size()) shares.push_back(n.orders[order]);
      if (shares.empty()) continue;
      const Summary summary = summarize(shares);
      s.x.push_back(static_cast<double>(order + 1) +
                    0.08 * (static_cast<double>(k) - 0.5 * static_cast<double>(kinds.size() - 1)));
      s.y.push_back(summary.mean), s.low.push_back(summary.min), s.high.push_back(summary.max);
    }
    panel.series.push_back(std::move(s));
  }
  return panel;
}

/// A point a network.
Panel scatter(const RemovalResults& r, Panel panel, double (*x)(const Net&), double (*y)(const Net&),
              bool diagonal) {
  double low = INFINITY, high = -INFINITY;
  const std::vector<std::string> kinds = hidden_kinds(r.networks);
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    Series s{Mark::points, kinds[k], kKindColours[k % kKindColours.size()], {}, {}};
    for (const Net& n : r.networks) {
      if (n.hidden != kinds[k]) continue;
      s.x.push_back(x(n)), s.y.push_back(y(n));
      s.low.push_back(y(n)), s.high.push_back(y(n));
      low = std::min({low, x(n), y(n)}), high = std::max({high, x(n), y(n)});
    }
    panel.series.push_back(std::move(s));
  }
  if (diagonal && high > low)
    panel.series.push_back({Mark::dashed_line, "equal", kGrey, {low, high}, {low, high}});
  return panel;
}

/// A number while networks train: mean and range by kind.
Panel training_panel(const RemovalResults& r, Panel panel, double (*number)(const Net&)) {
  const std::vector<std::string> kinds = hidden_kinds(r.networks);
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    const std::vector<const Net*> all = through_training(r, kinds[k]);
    if (all.empty()) continue;
    Series s{Mark::error_bars, kinds[k], kKindColours[k % kKindColours.size()], {}, {}};
    for (const int epochs : looked_at_epochs(r)) {
      std::vector<double> values;
      for (const Net* n : all)
        if (n->epochs == epochs) values.push_back(number(*n));
      if (values.empty()) continue;
      const Summary summary = summarize(values);
      s.x.push_back(epochs), s.y.push_back(summary.mean), s.low.push_back(summary.min),
          s.high.push_back(summary.max);
    }
    panel.series.push_back(std::move(s));
  }
  return panel;
}

Figure training_figure(const RemovalResults& r, const std::string& where) {
  const Axis epochs{.log10 = true};
  Panel complement{.title = "Correlation of complements while networks train, " + where + ", mean and range",
                   .x = epochs,
                   .y = {.label = "correlation"},
                   .legend = true,
                   .legend_columns = 4};
  Panel normal{.title = "Distance of log loss from the nearest normal distribution",
               .x = epochs,
               .y = {.label = "distance", .from = 0.0}};
  Panel orders{.title = "Variance of log loss that single nodes explain",
               .x = epochs,
               .y = {.label = "share", .from = 0.0, .to = 1.0}};
  orders.x.label = "epochs";
  return {"removal-training",
          {training_panel(r, std::move(complement), [](const Net& n) { return n.correlation.back(); }),
           training_panel(r, std::move(normal),
                          [](const Net& n) { return n.log_loss[kMiddleKeep].fit.kolmogorov_smirnov; }),
           training_panel(r, std::move(orders),
                          [](const Net& n) { return n.orders.empty() ? NAN : n.orders[0]; })},
          760,
          860};
}

Figure population_figure(const RemovalResults& r, const std::string& where) {
  Panel normal{.title = "Distance from the nearest normal, " + where + ", a point a network",
               .x = {.label = "of loss"},
               .y = {.label = "of log loss"},
               .legend = true,
               .legend_columns = 4};
  Panel change{.title = "Change of mean loss from keep 0.25 to 0.75",
               .x = {.label = "by the mean gradient"},
               .y = {.label = "exact"}};
  return {"removal-networks",
          {scatter(
               r, std::move(normal), [](const Net& n) { return n.loss[kMiddleKeep].fit.kolmogorov_smirnov; },
               [](const Net& n) { return n.log_loss[kMiddleKeep].fit.kolmogorov_smirnov; }, true),
           scatter(
               r, std::move(change), [](const Net& n) { return n.gradient_change; },
               [](const Net& n) { return n.change.after - n.change.before; }, true),
           orders_panel(r)},
          760,
          1080};
}

Figure balance_figure(const RemovalResults& r, const std::string& title) {
  const RemovalCurves& c = r.curves;
  Panel one{.title = title + ": log loss of the subsets of half of the nodes, mean and quartiles",
            .x = {.label = "length of the resultant (0: balanced around the circle)", .from = 0.0},
            .y = {.label = "log loss"}};
  if (!c.balance_mean.x.empty())
    one.series = {{Mark::error_bars, "mean and quartiles", kBlue, c.balance_mean.x, c.balance_mean.y,
                   c.balance_low.y, c.balance_high.y}};
  Panel all{.title = "Correlation of complements within sizes, a point a network",
            .x = {.label = "all of it"},
            .y = {.label = "without what balance explains"},
            .legend = true,
            .legend_columns = 4};
  return {
      "removal-balance",
      {std::move(one), scatter(
                           r, std::move(all), [](const Net& n) { return n.balance.complement_within_sizes; },
                           [](const Net& n) { return n.balance.complement_left; }, true)},
      760,
      760};
}

Figure ring_figure(const RemovalResults& r, const std::string& title) {
  const RemovalRing& ring = r.networks[r.subject].ring;
  const auto line = [&](const std::vector<double>& y, const char* colour) {
    return Series{Mark::line, "", colour, ring.distance, y};
  };
  const auto circle = [&](const std::vector<double>& y) {
    const double top = y.empty() ? 1 : *std::ranges::max_element(y);
    return Series{Mark::dashed_line, "the circle", kGrey, {r.radius, r.radius}, {0, top}};
  };
  Panel loss{.title = title + ": loss by distance from the centre",
             .x = {.from = 0.0},
             .y = {.label = "mean loss", .from = 0.0},
             .legend = true};
  loss.series = {line(ring.mean_loss, kBlue), circle(ring.mean_loss)};
  Panel gradient{.title = "Absolute gradients of all nodes",
                 .x = {.label = "distance from the centre", .from = 0.0},
                 .y = {.label = "mean sum", .from = 0.0}};
  gradient.series = {line(ring.mean_gradient, kVermillion), circle(ring.mean_gradient)};
  return {"removal-ring", {std::move(loss), std::move(gradient)}, 760, 560};
}

}  // namespace

std::vector<Figure> removal_figures(const RemovalResults& r, const std::string& where) {
  if (r.networks.empty()) return {};
  const Net& net = r.networks[r.subject];
  const std::string title = fmt::format("{} hidden, {}", net.hidden, where);
  std::vector<Figure> figures{
      keeps_figure("removal-loss", "Loss, " + title, "loss", r.curves.loss, false),
      keeps_figure("removal-log-loss", "Log loss, " + title, "log loss", r.curves.log_loss, true),
      keeps_figure("removal-gradient", "Gradient of the loss, " + title, "d loss / d b", r.curves.gradient,
                   true),
      keeps_figure("removal-log-gradient", "Gradient of log loss, " + title, "d log loss / d b",
                   r.curves.log_gradient, true),
      shapes_figure("removal-on-off", "Gradient of log loss, kept with 0.5, " + title, "d log loss / d b",
                    {{&r.curves.state[0], "nodes that are off", kBlue},
                     {&r.curves.state[1], "nodes that are on", kVermillion}},
                    false),
      nodes_figure(r),
      flips_figure(r, title),
      balance_figure(r, title),
      ring_figure(r, title),
      population_figure(r, where),
      training_figure(r, where)};
  std::erase_if(figures, [](const Figure& f) {
    return f.panels.empty() || std::ranges::all_of(f.panels, [](const Panel& p) { return p.series.empty(); });
  });
  return figures;
}

}  // namespace shoal
