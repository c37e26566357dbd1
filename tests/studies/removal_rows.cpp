// The removal study's numbers: of a small network by definition, of made-up ones by what they were made to
// be.
#include "tools/studies/removal_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "tests/reference/random.h"
#include "tools/studies/removal_figures.h"

using namespace shoal;

namespace {

constexpr int kNodes = 6;

/// A network with random weights whose last node is never on and whose first always is.
RemovalTask small_task(int points = 60) {
  reference::Draws draws(3);
  RemovalTask t;
  t.nodes = kNodes, t.classes = 2, t.radius = 0.8;
  for (int n = 0; n < kNodes; ++n)
    for (int c = 0; c < 2; ++c) t.weights.push_back(draws.uniform(-2.0, 2.0));
  for (int i = 0; i < points; ++i) {
    const double x = draws.uniform(-1.0, 1.0), y = draws.uniform(-1.0, 1.0);
    t.points.insert(t.points.end(), {x, y});
    t.labels.push_back(x * x + y * y < 0.64);
    t.base.insert(t.base.end(), {0.2, -0.1});
    for (int n = 0; n < kNodes; ++n)
      t.outputs.push_back(n == 0 ? 0.7
                          : n == kNodes - 1
                              ? 0.0
                              : std::max(0.0, x * std::cos(1.3 * n) + y * std::sin(1.3 * n) - 0.1));
  }
  return t;
}

double loss_of(const RemovalTask& t, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < t.labels.size(); ++i) {
    double z[2] = {t.base[2 * i], t.base[2 * i + 1]};
    for (std::size_t n = 0; n < kNodes; ++n)
      for (std::size_t c = 0; c < 2; ++c) z[c] += b[n] * t.outputs[i * kNodes + n] * t.weights[2 * n + c];
    sum += std::log(std::exp(z[0]) + std::exp(z[1])) - z[t.labels[i]];
  }
  return sum / static_cast<double>(t.labels.size());
}

std::vector<double> factors(unsigned s) {
  std::vector<double> b;
  for (unsigned n = 0; n < kNodes; ++n) b.push_back(s >> n & 1 ? 1.0 : 0.0);
  return b;
}

double gradient_of(const RemovalTask& t, unsigned s, int node) {
  constexpr double kStep = 1e-5;
  std::vector<double> up = factors(s), down = up;
  up[static_cast<std::size_t>(node)] += kStep, down[static_cast<std::size_t>(node)] -= kStep;
  return (loss_of(t, up) - loss_of(t, down)) / (2 * kStep);
}

TEST_CASE("removal: a small network's numbers are what their definitions say") {
  const RemovalTask t = small_task();
  const Calculator calculator(MachineSpec{.threads = 2});
  const std::optional<RemovalMeasured> measured = measure_removal(calculator, t, true);
  REQUIRE(measured);
  const RemovalNetwork& net = measured->network;
  std::vector<double> loss;
  for (unsigned s = 0; s < 1u << kNodes; ++s) loss.push_back(loss_of(t, factors(s)));
  CHECK(net.full_loss == doctest::Approx(loss.back()).epsilon(1e-12));
  CHECK(net.empty_loss == doctest::Approx(loss[0]).epsilon(1e-12));
  CHECK((net.nodes == kNodes && net.alive == kNodes - 1 && net.bias_nodes == 1));

  double means[3] = {}, slope = 0, squares = 0, mean_log = 0;
  for (unsigned s = 0; s < loss.size(); ++s) {
    for (std::size_t k = 0; k < 3; ++k)
      means[k] += loss[s] * std::pow(kRemovalKeeps[k], std::popcount(s)) *
                  std::pow(1 - kRemovalKeeps[k], kNodes - std::popcount(s));
    for (int n = 0; n + 1 < kNodes; ++n) slope += gradient_of(t, s, n) / static_cast<double>(loss.size());
    mean_log += std::log(loss[s]) / static_cast<double>(loss.size());
  }
  for (std::size_t k = 0; k < 3; ++k)
    CHECK(net.loss[k].moments.mean == doctest::Approx(means[k]).epsilon(1e-10));
  CHECK(net.gradient[kMiddleKeep].mean == doctest::Approx(slope / (kNodes - 1)).epsilon(1e-6));
  CHECK(net.gradient_change == doctest::Approx(slope * 0.5).epsilon(1e-6));
  CHECK(net.change.after - net.change.before == doctest::Approx(means[2] - means[0]).epsilon(1e-9));
  CHECK(net.log_loss[kMiddleKeep].moments.mean == doctest::Approx(mean_log).epsilon(1e-10));
  double complement = 0;
  for (std::size_t s = 0; s < loss.size(); ++s) {
    squares += std::pow(std::log(loss[s]) - mean_log, 2);
    complement += (std::log(loss[s]) - mean_log) * (std::log(loss[loss.size() - 1 - s]) - mean_log);
  }
  CHECK(net.correlation.back() == doctest::Approx(complement / squares).epsilon(1e-9));
  CHECK(net.balance.complement == doctest::Approx(complement / squares).epsilon(1e-9));
  CHECK(net.correlation[0] == doctest::Approx(1));
  double orders = 0, shapley = 0;
  for (const double v : net.orders) orders += v;
  CHECK(orders == doctest::Approx(1).epsilon(1e-10));
  for (const StudiedNode& node : net.node) shapley += node.shapley;
  CHECK(shapley == doctest::Approx(loss.back() - loss[0]).epsilon(1e-10));
  CHECK((net.node[0].active == 1 && net.node[kNodes - 1].active == 0 && net.node[kNodes - 1].shapley == 0));
  CHECK(net.full_rank.below ==
        std::ranges::count_if(loss, [&](double x) { return x < loss.back() - 1e-12; }));

  const RemovalCurves& c = *measured->curves;
  for (const RemovalShape& shape : c.log_loss) {
    CHECK(shape.share.y.front() < 0.01);
    CHECK(shape.share.y.back() > 0.99);
    CHECK(std::ranges::is_sorted(shape.share.y));
  }
  CHECK(c.covariance.y[0] == doctest::Approx(squares / static_cast<double>(loss.size())).epsilon(1e-9));
  CHECK(c.by_node.size() == kNodes);
  CHECK(c.by_node[kNodes - 1][0].density.x.empty());
  CHECK_FALSE(c.by_node[0][1].density.x.empty());
}

TEST_CASE("removal: the ring of a network") {
  const RemovalTask t = small_task(400);
  const RemovalRing ring = measure_removal(Calculator(MachineSpec{.threads = 1}), t, false)->network.ring;
  double points = 0, in_ring = 0, all = 0;
  for (std::size_t i = 0; i < t.labels.size(); ++i) {
    double z[2] = {t.base[2 * i], t.base[2 * i + 1]};
    for (std::size_t n = 0; n < kNodes; ++n)
      for (std::size_t k = 0; k < 2; ++k) z[k] += t.outputs[i * kNodes + n] * t.weights[2 * n + k];
    const double loss = std::log(std::exp(z[0]) + std::exp(z[1])) - z[t.labels[i]];
    all += loss;
    if (std::abs(std::hypot(t.points[2 * i], t.points[2 * i + 1]) - 0.8) <= kRingWidth)
      points += 1, in_ring += loss;
  }
  CHECK(ring.points == doctest::Approx(points / 400));
  CHECK(ring.loss == doctest::Approx(in_ring / all));
  CHECK((ring.gradient > 0 && ring.gradient < 1));
}

TEST_CASE("removal: troughs and flips") {
  Density d;
  for (int i = -100; i <= 100; ++i) {
    const double x = 0.01 * i;
    d.x.push_back(x);
    d.y.push_back(std::exp(-50 * std::pow(x - 0.3, 2)) + 0.5 * std::exp(-50 * std::pow(x + 0.3, 2)));
  }
  const Trough t = trough_of(d);
  CHECK(t.depth > 0.9);
  CHECK(std::abs(t.place) < 0.05);
  for (std::size_t i = 0; i < d.x.size(); ++i) d.y[i] = std::exp(-d.x[i] * d.x[i]);
  CHECK(trough_of(d).depth < 1e-3);
  CHECK(trough_of({}).depth == 0);
  CHECK(flips_until_unrelated(std::vector<double>{1, 0.5, 0.2, 0.0, 0.3}) == doctest::Approx(2.5));
  CHECK(flips_until_unrelated(std::vector<double>{1, 0.5, 0.2}) == 2);
}

/// Networks with one layer are as the publication says, those with two the opposite.
RemovalNetwork made_up(int layers, std::uint64_t seed) {
  const bool as_published = layers == 1;
  RemovalNetwork n;
  n.model = static_cast<std::int64_t>(seed), n.seed = seed, n.hidden = layers == 1 ? "20" : "20x20";
  n.layers = layers, n.nodes = 20, n.alive = 20, n.bias_nodes = as_published ? 4 : 0;
  n.test_accuracy = 0.97, n.full_loss = 0.1;
  for (std::size_t k = 0; k < 3; ++k) {
    n.loss[k].fit.kolmogorov_smirnov = 0.06, n.loss[k].moments.mean = 1.0 - 0.2 * static_cast<double>(k);
    n.log_loss[k].fit.kolmogorov_smirnov = as_published ? 0.02 : 0.1;
    n.gradient[k] = {as_published ? -0.04 : 0.04, 0.1, as_published ? 3.0 : -1.0, {}};
    n.log_gradient[k].trough = {as_published ? 0.3 : 0.0, 0.01};
  }
  n.change = {1.0, 0.6, -0.8, -0.4}, n.gradient_change = as_published ? -0.42 : 0.4;
  for (int d = 0; d <= 20; ++d)
    n.correlation.push_back(as_published ? std::max(1 - d / 5.5, 0.0) + (d > 15 ? 0.3 : 0.0)
                                         : 1.0 - 0.1 * d - 0.001 * static_cast<double>(seed));
  n.loss_correlation = n.correlation;
  n.orders.assign(20, 0.05);
  n.balance = {as_published ? 0.5 : -0.2, 0.6, 0.1, n.correlation.back(), 0.3, as_published ? 0.05 : 0.3};
  n.ring = {0.2, 0.8, as_published ? 0.8 : 0.3, {0.5}, {0.1}, {0.2}};
  n.node.resize(20), n.node[3].active = 0.5;
  n.sizes.resize(21);
  return n;
}

RemovalResults made_up_results() {
  RemovalResults r{"circle", 0.8, {}, {}, 0, {}};
  for (std::uint64_t seed = 1; seed <= 5; ++seed) r.networks.push_back(made_up(1, seed));
  for (std::uint64_t seed = 1; seed <= 3; ++seed) r.networks.push_back(made_up(2, seed));
  for (RemovalNetwork& n : r.networks) n.epochs = 100;
  for (const int epochs : {20, 10})
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      r.earlier.push_back(made_up(2, seed));
      r.earlier.back().epochs = epochs, r.earlier.back().correlation.back() = -0.03 * epochs;
    }
  return r;
}

bool says(const std::vector<std::string>& sentences, const std::string& words) {
  return std::ranges::any_of(sentences,
                             [&](const std::string& s) { return s.find(words) != std::string::npos; });
}

TEST_CASE("removal: statements hold for the networks that were made so") {
  const RemovalResults r = made_up_results();
  const std::vector<RemovalShare> shares = removal_shares(r.networks);
  REQUIRE(shares.size() == 3 * removal_claims().size());
  for (const RemovalShare& s : shares) {
    CAPTURE(s.claim->name);
    CAPTURE(s.hidden);
    CHECK(s.networks == (s.hidden == "all" ? 8 : s.hidden == "20" ? 5 : 3));
    CHECK(s.holds == (s.hidden == "20x20" ? 0 : 5));
    CHECK((s.share.low <= s.share.mean && s.share.mean <= s.share.high));
  }
  const std::vector<std::string> v = removal_verdict(r);
  CHECK(says(v, "for most, 5 of 8 networks (62 %"));
  CHECK(says(v, "20: 5 of 5, 20x20: 0 of 3"));
  CHECK(says(v, "with two layers nothing is left of it"));
  RemovalResults alone = r;
  alone.networks.resize(5);
  CHECK(says(removal_verdict(alone), "for all, 5 of 5 networks (100 %"));
  CHECK_FALSE(says(removal_verdict(alone), "because there is a single hidden layer"));
  CHECK(says(v,
             "20x20 hidden: -0.30 and 0.100 after 10, -0.60 and 0.100 after 20, -1.00 and 0.100 after 100."));
  CHECK(removal_verdict({}).empty());
  CHECK(find_claim("no such claim") == nullptr);
}

TEST_CASE("removal: networks through their training") {
  const RemovalResults r = made_up_results();
  CHECK(looked_at_epochs(r) == std::vector<int>{10, 20, 100});
  CHECK(through_training(r, "20").empty());
  const auto found = through_training(r, "20x20");
  REQUIRE(found.size() == 9);
  CHECK((found[0]->epochs == 10 && found[8]->epochs == 100));
  CHECK(removal_epoch_records(r).size() == 9);
  RemovalResults only = r;
  only.earlier.clear();
  CHECK(removal_epoch_records(only).empty());
  CHECK_FALSE(says(removal_verdict(only), "While they train"));
}

TEST_CASE("removal: tables have a row a network, claim, quantity, flip, node and size") {
  const RemovalResults r = made_up_results();
  CHECK(removal_records(r.networks).size() == 8);
  CHECK(removal_claim_records(removal_shares(r.networks)).size() == 3 * removal_claims().size());
  CHECK(removal_spread_records(r.networks).size() == 8 * 6);
  CHECK(removal_path_records(r.networks).size() == 8 * 21);
  CHECK(removal_node_records(r.networks).size() == 8 * 20);
  CHECK(removal_size_records(r.networks).size() == 8 * 21);
  const std::string csv = csv_of(removal_records(r.networks));
  CHECK(csv.find("model,hidden,seed,alive") == 0);
}

TEST_CASE("removal: figures of a measured network among others, and none of nothing") {
  RemovalResults r = made_up_results();
  RemovalMeasured one = *measure_removal(Calculator(MachineSpec{.threads = 2}), small_task(), true);
  one.network.hidden = "6";
  r.subject = r.networks.size(), r.networks.push_back(one.network), r.curves = *one.curves;
  const std::vector<Figure> figures = removal_figures(r, "made up");
  std::vector<std::string> names;
  for (const Figure& f : figures) {
    names.push_back(f.name);
    CHECK(figure_script(f).find("plot") != std::string::npos);
    for (const Panel& p : f.panels)
      for (const Series& s : p.series) CHECK(s.x.size() == s.y.size());
  }
  for (const char* name : {"removal-loss", "removal-log-loss", "removal-gradient", "removal-log-gradient",
                           "removal-on-off", "removal-nodes", "removal-flips", "removal-training",
                           "removal-balance", "removal-ring", "removal-networks"})
    CHECK(std::ranges::count(names, name) == 1);
  CHECK(removal_figures({}, "nothing").empty());
}

}  // namespace
