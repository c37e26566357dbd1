// TrainToys: against the double-precision reference, against itself alone and in a crowd, and what becomes of
// a network that diverges.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"

namespace shoal::test {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

struct Toy {
  int hidden;
  UpdateSettings settings;
  std::uint64_t seed = 1;
  float scale = 1.0f;     // factor on all initial weights
  bool poisoned = false;  // the first neuron's first weight is NaN
};

struct Crowd {
  int features, classes;
  reference::Samples samples;
  std::vector<Toy> toys;  // in their places; of a group of 16: one rule
  int steps = 1, loss_every = 1;
  std::vector<int> pieces = {};  // steps of each call; none: one call
};

/// What a machine made of a network: parameters and slots in the op's order, losses, the step it diverged in.
struct Trained {
  std::vector<float> parameters, slots;
  std::vector<double> losses;
  int diverged = 0;
};

reference::Model start_of(const Crowd& c, const Toy& t) {
  reference::Model m = reference::make_model({c.features, t.hidden, c.classes}, t.seed);
  for (double* w : parameters_of(m, false)) *w *= static_cast<double>(t.scale);
  if (t.poisoned) m.layers[0].weight[0][0] = std::nan("");
  return m;
}

/// Calls visit(number in the op's order, value) for all parameters of a model in a group of `hidden`.
template <class Model, class Visit>
void for_each_number(Model& m, int hidden, Visit visit) {
  auto &first = m.layers[0], &last = m.layers[1];
  const std::size_t features = first.weight.size(), classes = last.bias.size(),
                    neuron = features + 1 + classes;
  for (std::size_t i = 0; i < first.bias.size(); ++i) {
    for (std::size_t f = 0; f < features; ++f) visit(i * neuron + f, first.weight[f][i]);
    visit(i * neuron + features, first.bias[i]);
    for (std::size_t k = 0; k < classes; ++k) visit(i * neuron + features + 1 + k, last.weight[i][k]);
  }
  for (std::size_t k = 0; k < classes; ++k) visit(size(hidden) * neuron + k, last.bias[k]);
}

/// The crowd's arrays on a machine. Places beyond the toys are empty.
struct Session {
  const Crowd& crowd;
  Arena arena;
  std::vector<ToyGroup> groups;
  std::size_t floats = 0;
  TrainToys op{};

  Session(const TestMachine& machine, const Crowd& c) : crowd(c), arena(machine) {
    const std::size_t count = (c.toys.size() + kToyLanes - 1) / kToyLanes;
    std::vector<int> setting(count * kToyLanes, -1);
    std::vector<UpdateSettings> settings;
    for (std::size_t t = 0; t < c.toys.size(); ++t) {
      const std::size_t g = t / kToyLanes;
      if (groups.size() == g) groups.push_back({0, 0, static_cast<int>(c.toys[t].settings.rule)});
      groups[g].hidden = std::max(groups[g].hidden, c.toys[t].hidden);
      setting[t] = static_cast<int>(t);
      settings.push_back(c.toys[t].settings);
      op.hidden = std::max(op.hidden, c.toys[t].hidden);
    }
    for (ToyGroup& g : groups) {
      g.first = static_cast<std::int64_t>(floats);
      floats += size(kToyLanes * toy_parameters(g.hidden, c.features, c.classes));
    }
    std::vector<float> parameters(floats);
    for (std::size_t t = 0; t < c.toys.size(); ++t) {
      reference::Model m = start_of(c, c.toys[t]);
      for_each_number(m, group_of(t).hidden,
                      [&](std::size_t k, double w) { parameters[at(t, k)] = static_cast<float>(w); });
    }
    const std::vector<float> zeros(floats);
    op.groups = arena.put(groups, "groups");
    op.group_count = static_cast<int>(count);
    op.features = c.features, op.classes = c.classes;
    set_points();
    op.settings = arena.put(settings, "settings");
    op.setting = arena.put(setting, "setting");
    op.parameters = arena.put(parameters, "parameters");
    op.slot_a = arena.put(zeros, "slot a");
    op.slot_b = arena.put(zeros, "slot b");
    op.slot_c = arena.put(zeros, "slot c");
    op.diverged = arena.put(std::vector<int>(setting.size()), "diverged");
    op.loss_every = c.loss_every;
    op.records = static_cast<int>(toy_records(c.steps, c.loss_every));
    op.losses = arena.room<double>(setting.size() * size(op.records), "losses");
    op.scratch = arena.room<float>(size(toy_scratch(op.hidden, c.features, c.classes)), "scratch");
  }

  const ToyGroup& group_of(std::size_t toy) const { return groups[toy / kToyLanes]; }
  std::size_t at(std::size_t toy, std::size_t number) const {
    return size(group_of(toy).first) + number * kToyLanes + toy % kToyLanes;
  }

  void set_points() {
    const std::size_t points = crowd.samples.inputs.size(),
                      stride = (points + kToyPointStep - 1) / kToyPointStep * kToyPointStep;
    std::vector<float> inputs(size(crowd.features) * stride);
    std::vector<std::int32_t> labels(stride);
    for (std::size_t p = 0; p < points; ++p) {
      labels[p] = crowd.samples.labels[p];
      for (std::size_t f = 0; f < size(crowd.features); ++f)
        inputs[f * stride + p] = static_cast<float>(crowd.samples.inputs[p][f]);
    }
    op.points = static_cast<int>(points), op.point_stride = static_cast<int>(stride);
    op.inputs = arena.put(inputs, "inputs");
    op.labels = arena.put(labels, "labels");
  }

  Trained result(std::size_t toy, const std::vector<float>& parameters, const std::vector<float> (&slots)[3],
                 const std::vector<double>& losses, const std::vector<int>& diverged) const {
    Trained t;
    reference::Model m = start_of(crowd, crowd.toys[toy]);
    for_each_number(m, group_of(toy).hidden, [&](std::size_t k, double) {
      t.parameters.push_back(parameters[at(toy, k)]);
      for (const std::vector<float>& s : slots) t.slots.push_back(s[at(toy, k)]);
    });
    for (std::size_t r = 0; r < size(op.records); ++r)
      t.losses.push_back(losses[(toy / kToyLanes * size(op.records) + r) * kToyLanes + toy % kToyLanes]);
    t.diverged = diverged[toy];
    return t;
  }
};

/// Everything that is none of the networks' is 0, before and after.
void check_padding(const Session& s, std::vector<float> values) {
  for (std::size_t t = 0; t < s.crowd.toys.size(); ++t) {
    reference::Model m = start_of(s.crowd, s.crowd.toys[t]);
    for_each_number(m, s.group_of(t).hidden, [&](std::size_t k, double) { values[s.at(t, k)] = 0.0f; });
  }
  CHECK(std::ranges::all_of(values, [](float v) { return v == 0.0f; }));
}

std::vector<Trained> train(const TestMachine& machine, const Crowd& crowd) {
  Session s(machine, crowd);
  s.op.first_step = 1;
  for (const int steps : crowd.pieces.empty() ? std::vector<int>{crowd.steps} : crowd.pieces) {
    s.op.steps = steps;
    machine.ops.train_toys(s.op, s.arena.stream());
    s.op.first_step += steps;
  }
  REQUIRE(s.op.first_step == crowd.steps + 1);
  const std::vector<float> parameters = s.arena.get(s.op.parameters),
                           slots[3] = {s.arena.get(s.op.slot_a), s.arena.get(s.op.slot_b),
                                       s.arena.get(s.op.slot_c)};
  const std::vector<double> losses = s.arena.get(s.op.losses);
  const std::vector<int> diverged = s.arena.get(s.op.diverged);
  CHECK(s.arena.touched() == "");
  check_padding(s, parameters);
  check_padding(s, slots[0]);  // the second of adamax is eps where the gradient is 0
  std::vector<Trained> all;
  for (std::size_t t = 0; t < crowd.toys.size(); ++t)
    all.push_back(s.result(t, parameters, slots, losses, diverged));
  return all;
}

UpdateSettings settings_for(UpdateRule rule, double lr, double weight_decay) {
  return {.lr = lr,
          .momentum = 0.9,
          .beta1 = 0.9,
          .beta2 = 0.99,
          .eps = 1e-8,
          .l1 = 0.0,
          .l2 = 0.0,
          .weight_decay = weight_decay,
          .rule = rule};
}
UpdateSettings plain(double lr) { return settings_for(UpdateRule::sgd, lr, 0.0); }
UpdateSettings adam(double lr) { return settings_for(UpdateRule::adam, lr, 0.01); }

/// A model's parameters in the op's order.
std::vector<double> numbers_of(reference::Model m) {
  std::vector<double> numbers(size(toy_parameters(static_cast<int>(m.layers[0].bias.size()),
                                                  static_cast<int>(m.layers[0].weight.size()),
                                                  static_cast<int>(m.layers[1].bias.size()))));
  for_each_number(m, static_cast<int>(m.layers[0].bias.size()),
                  [&](std::size_t k, double w) { numbers[k] = w; });
  return numbers;
}

/// Weights whose neurons all keep a distance from their kinks, on these points.
Toy clear_toy(const Crowd& c, Toy toy, double distance) {
  for (toy.seed = 1; toy.seed < 400; ++toy.seed)
    if (clearance(forward(start_of(c, toy), c.samples.inputs)) > distance) return toy;
  FAIL("no weights keep their distance from the kinks");
  return toy;
}

double magnitude(const reference::Vector& row, const reference::Layer& layer, std::size_t n) {
  double sum = std::abs(layer.bias[n]);
  for (std::size_t k = 0; k < row.size(); ++k) sum += std::abs(row[k] * layer.weight[k][n]);
  return sum;
}

/// How far a machine's gradients may be from the reference's, for every parameter. With M_i = sum |w x| + |b|
/// (not less than r), U_ic = |V_ic| + |V_i0|: m is off by e_m = gamma(h + F + 6) (sum_i U_i M_i + |biases|),
/// d by at most e_m and what exp, the sum and the quotient round, and sums over n points by gamma of their
/// depth: 32 points at a time at most, and then every such sum.
reference::Model gradient_tolerance(const reference::Model& m, const reference::Samples& samples,
                                    const reference::Trace& trace, const reference::Matrix& dlogits) {
  const reference::Layer &first = m.layers[0], &last = m.layers[1];
  const std::size_t hidden = first.bias.size(), features = first.weight.size(), classes = last.bias.size();
  const double n = static_cast<double>(samples.inputs.size()), depth = std::min(n, 40.0 + n / 8.0);
  reference::Model t = zeros_like(m);
  for (std::size_t p = 0; p < samples.inputs.size(); ++p) {
    double logits = 0.0;
    for (std::size_t c = 0; c < classes; ++c) {
      double sum = std::abs(last.bias[c]) + std::abs(last.bias[0]);
      for (std::size_t i = 0; i < hidden; ++i)
        sum += (std::abs(last.weight[i][c]) + std::abs(last.weight[i][0])) *
               magnitude(samples.inputs[p], first, i);
      logits = std::max(logits, sum);
    }
    const double off = gamma(static_cast<double>(hidden + features) + 6.0) * logits / n +
                       cross_entropy_delta_tolerance(static_cast<int>(classes), n);
    for (std::size_t c = 0; c < classes; ++c) {
      const double d =
          off + gamma(depth + static_cast<double>(classes + features) + 8.0) * std::abs(dlogits[p][c]);
      t.layers[1].bias[c] += d;
      t.layers[1].bias[0] += d;
      for (std::size_t i = 0; i < hidden; ++i) {
        if (!(trace.z[0][p][i] > 0.0)) continue;
        t.layers[1].weight[i][c] += d * magnitude(samples.inputs[p], first, i);
        t.layers[1].weight[i][0] += d * magnitude(samples.inputs[p], first, i);
        const double v = std::abs(last.weight[i][c]) + std::abs(last.weight[i][0]);
        t.layers[0].bias[i] += d * v;
        for (std::size_t f = 0; f < features; ++f)
          t.layers[0].weight[f][i] += d * v * std::abs(samples.inputs[p][f]);
      }
    }
  }
  return t;
}

struct Extent {
  int features, hidden, classes, points;
};

/// One step of plain descent at a rate so large that w - lr g has the gradient's digits.
void check_gradients(const Extent& e, std::vector<std::vector<double>>& first) {
  constexpr double kRate = 1024.0;
  Crowd c{e.features, e.classes, reference::make_samples(e.points, e.features, e.classes, 5), {}};
  c.toys = {clear_toy(c, {e.hidden, plain(kRate)}, 2e-6)};
  const reference::Model start = start_of(c, c.toys[0]);
  const reference::Trace trace = forward(start, c.samples.inputs);
  const reference::LossValue value =
      loss_of(reference::Loss::cross_entropy, trace.z.back(), c.samples.labels);
  const std::vector<double> expected = numbers_of(backward(start, c.samples, trace, value.dlogits)),
                            before = numbers_of(start),
                            tolerance =
                                numbers_of(gradient_tolerance(start, c.samples, trace, value.dlogits));
  const double largest =
      std::abs(*std::ranges::max_element(expected, {}, [](double g) { return std::abs(g); }));
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const Trained t = train(machine, c)[0];
    Worst worst;
    for (std::size_t k = 0; k < expected.size(); ++k) {
      const double after = static_cast<double>(t.parameters[k]),
                   rounding = 2.0 * kRounding * (std::abs(before[k]) + std::abs(after)) / kRate;
      worst.see((before[k] - after) / kRate, expected[k], tolerance[k] + rounding, 0, 0, 0,
                static_cast<int>(k));
      // The tolerance means something.
      CHECK(tolerance[k] + rounding < 3e-3 * largest);
    }
    CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
    CHECK(t.diverged == 0);
    const double loss = value.sum / e.points;
    CHECK(std::abs(t.losses[0] - loss) <= gamma(e.points + e.hidden + 40.0) * (loss + 2.0));
    first.push_back({t.parameters.begin(), t.parameters.end()});
  }
}

TEST_CASE("toys: the gradients of a step are the reference's, at odd sizes") {
  for (const Extent& e : std::vector<Extent>{{2, 20, 2, 100},
                                             {1, 1, 2, 1},
                                             {2, 7, 2, 7},
                                             {3, 17, 2, 8},
                                             {4, 33, 2, 9},
                                             {1, 32, 2, 31},
                                             {2, 64, 2, 32},
                                             {2, 5, 3, 33},
                                             {4, 7, 10, 65},
                                             {3, 63, 10, 17},
                                             {1, 16, 4, 64},
                                             {2, 2, 2, 1025},
                                             {2, 1, 3, 2100}}) {
    CAPTURE(e.features);
    CAPTURE(e.hidden);
    CAPTURE(e.classes);
    CAPTURE(e.points);
    std::vector<std::vector<double>> first;
    check_gradients(e, first);
  }
}

/// Every rule with and without penalties; 16 places a rule, so that each has its group.
Crowd all_rules(int classes) {
  Crowd c{2, classes, reference::make_samples(30, 2, classes, 3), {}};
  c.steps = 20;
  for (const UpdateRule rule : {UpdateRule::sgd, UpdateRule::momentum, UpdateRule::nesterov, UpdateRule::adam,
                                UpdateRule::adamax, UpdateRule::amsgrad})
    for (int k = 0; k < kToyLanes; ++k) {
      const bool penalised = k % 2 == 1;
      // eps is not small beside the gradients: see training_test.cpp.
      c.toys.push_back({k < 2 ? 11 : 1,
                        {.lr = rule == UpdateRule::sgd || slot_count(rule) >= 2 ? 0.1 : 0.02,
                         .momentum = 0.8,
                         .beta1 = 0.9,
                         .beta2 = 0.95,
                         .eps = 0.05,
                         .l1 = penalised ? 1e-4 : 0.0,
                         .l2 = penalised ? 1e-3 : 0.0,
                         .weight_decay = penalised ? 0.05 : 0.0,
                         .rule = rule,
                         .lr_decay = k % 4 == 1 ? LrDecay::cosine : LrDecay::none,
                         .decay_steps = 40}});
    }
  return c;
}

struct Goal {
  std::vector<double> numbers, losses;
  double weight_tolerance = 0.0, loss_tolerance = 0.0, clearance = 0.0, moved = 0.0;
};

struct Path {
  std::vector<double> numbers, losses;
  double clearance = 0.0;
};

Path reference_path(const Crowd& c, const Toy& toy, double noise, std::uint64_t noise_seed) {
  reference::Trainer trainer{start_of(c, toy), in_reference(toy.settings)};
  trainer.noise = noise, trainer.noise_seed = noise_seed;
  Path path;
  const double lr = trainer.optimizer.lr;
  for (int t = 1; t <= c.steps; ++t) {
    const double left = (static_cast<double>(toy.settings.decay_steps) - t + 1.0) /
                        static_cast<double>(toy.settings.decay_steps);
    if (toy.settings.lr_decay == LrDecay::cosine)
      trainer.optimizer.lr = lr * 0.5 * (1.0 - std::cos(3.14159265358979323846 * left));
    path.losses.push_back(trainer.step(c.samples).sum / static_cast<double>(c.samples.inputs.size()));
  }
  path.numbers = numbers_of(trainer.model);
  path.clearance = trainer.smallest_clearance;
  return path;
}

/// As in training_test.cpp: what errors of 2e-6 of the largest gradient grow to.
Goal goal_of(const Crowd& c, const Toy& toy) {
  const Path exact = reference_path(c, toy, 0.0, 0);
  Goal goal{exact.numbers, exact.losses};
  goal.clearance = exact.clearance;
  double largest = 0.0;
  for (const double w : exact.numbers) largest = std::max(largest, std::abs(w));
  goal.weight_tolerance = gamma(4.0 * c.steps) * largest;
  goal.loss_tolerance = gamma(60.0) * 3.0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Path disturbed = reference_path(c, toy, 2e-6, seed);
    for (std::size_t k = 0; k < exact.numbers.size(); ++k)
      goal.weight_tolerance =
          std::max(goal.weight_tolerance, 5.0 * std::abs(disturbed.numbers[k] - exact.numbers[k]));
    for (std::size_t k = 0; k < exact.losses.size(); ++k)
      goal.loss_tolerance =
          std::max(goal.loss_tolerance, 5.0 * std::abs(disturbed.losses[k] - exact.losses[k]));
  }
  const std::vector<double> start = numbers_of(start_of(c, toy));
  for (std::size_t k = 0; k < start.size(); ++k)
    goal.moved = std::max(goal.moved, std::abs(exact.numbers[k] - start[k]));
  return goal;
}

TEST_CASE("toys: after twenty steps of every rule the weights are the reference's") {
  for (const int classes : {2, 3}) {
    CAPTURE(classes);
    Crowd c = all_rules(classes);
    std::vector<Goal> goals;
    for (Toy& toy : c.toys) {
      do {
        REQUIRE(++toy.seed < 400);
        // The errors that a step may make grow along the way as the disturbances do.
      } while (!(reference_path(c, toy, 0.0, 0).clearance > 1e-5));
      goals.push_back(goal_of(c, toy));
    }
    for (const TestMachine& machine : machines()) {
      CAPTURE(machine.name);
      const std::vector<Trained> trained = train(machine, c);
      for (std::size_t t = 0; t < c.toys.size(); ++t) {
        CAPTURE(t);
        Worst worst;
        for (std::size_t k = 0; k < goals[t].numbers.size(); ++k)
          worst.see(static_cast<double>(trained[t].parameters[k]), goals[t].numbers[k],
                    goals[t].weight_tolerance, static_cast<int>(t), 0, 0, static_cast<int>(k));
        for (std::size_t k = 0; k < goals[t].losses.size(); ++k)
          worst.see(trained[t].losses[k], goals[t].losses[k], goals[t].loss_tolerance, static_cast<int>(t), 1,
                    0, static_cast<int>(k));
        CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
        CHECK(goals[t].moved > 1000.0 * goals[t].weight_tolerance);
        CHECK(trained[t].diverged == 0);
      }
    }
  }
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}
bool same_bits(const Trained& a, const Trained& b) {
  return same_bits(a.parameters, b.parameters) && same_bits(a.slots, b.slots) &&
         same_bits(a.losses, b.losses) && a.diverged == b.diverged;
}

TEST_CASE("toys: the same bits alone, in a crowd, in pieces and in every order of threads") {
  for (const int classes : {2, 4}) {
    Crowd crowd{2, classes, reference::make_samples(45, 2, classes, 8), {}};
    crowd.steps = 7, crowd.loss_every = 3;
    for (int k = 0; k < 19; ++k)
      crowd.toys.push_back({1 + k * 7 % 40, adam(0.01 * (k % 3 + 1)), static_cast<std::uint64_t>(k)});
    for (const TestMachine& machine : machines()) {
      CAPTURE(machine.name);
      const std::vector<Trained> all = train(machine, crowd);
      for (const std::size_t t : {std::size_t{0}, std::size_t{5}, std::size_t{15}, std::size_t{18}}) {
        Crowd alone = crowd;
        alone.toys = {crowd.toys[t]};
        CHECK(same_bits(train(machine, alone)[0], all[t]));
      }
      Crowd shuffled = crowd;
      std::ranges::reverse(shuffled.toys);
      shuffled.pieces = {1, 4, 2};
      const std::vector<Trained> again = train(machine, shuffled);
      for (std::size_t t = 0; t < all.size(); ++t) CHECK(same_bits(again[all.size() - 1 - t], all[t]));
      if (!machine.is_emulated) continue;
      for (int schedule = 1; schedule < kSchedules; ++schedule) {
        const Schedule other(machine, schedule);
        const std::vector<Trained> ordered = train(machine, crowd);
        for (std::size_t t = 0; t < all.size(); ++t) CHECK(same_bits(ordered[t], all[t]));
      }
    }
  }
}

TEST_CASE("toys: more points than a device stages at once are the same in one call and in several") {
  Crowd crowd{2, 2, reference::make_samples(1100, 2, 2, 8), {{3, adam(0.05), 1}, {2, adam(0.05), 2}}};
  crowd.steps = 3;
  Crowd pieces = crowd;
  pieces.pieces = {1, 1, 1};
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const std::vector<Trained> all = train(machine, crowd), again = train(machine, pieces);
    for (std::size_t t = 0; t < all.size(); ++t) CHECK(same_bits(all[t], again[t]));
  }
}

TEST_CASE("toys: a network that diverges is frozen and marked, and the others do not notice") {
  for (const int classes : {2, 3}) {
    Crowd crowd{2, classes, reference::make_samples(20, 2, classes, 8), {}};
    crowd.steps = 6;
    for (int k = 0; k < 18; ++k) crowd.toys.push_back({9, plain(0.1), static_cast<std::uint64_t>(k)});
    Crowd calm = crowd, two = crowd;
    for (const std::size_t t : {std::size_t{3}, std::size_t{16}, std::size_t{17}})
      crowd.toys[t].settings.lr = 1e30;
    crowd.toys[4].scale = 1e25f;  // not even the first loss is finite
    crowd.toys[7].poisoned = true;
    two.toys = crowd.toys, two.steps = 1;
    for (const TestMachine& machine : machines()) {
      CAPTURE(machine.name);
      const std::vector<Trained> all = train(machine, crowd), expected = train(machine, calm),
                                 after_one = train(machine, two);
      for (std::size_t t = 0; t < all.size(); ++t) {
        CAPTURE(t);
        const bool diverges = crowd.toys[t].settings.lr > 1.0, at_once = t == 4 || t == 7;
        CHECK(all[t].diverged == (at_once ? 1 : diverges ? 2 : 0));
        if (!diverges && !at_once) {
          CHECK(same_bits(all[t], expected[t]));
          continue;
        }
        CHECK(same_bits(all[t].parameters, after_one[t].parameters));
        CHECK(std::isfinite(all[t].losses[0]) == !at_once);
        for (std::size_t r = 1; r < all[t].losses.size(); ++r) CHECK(std::isnan(all[t].losses[r]));
      }
      // Called again, they stay as they are.
      crowd.pieces = {2, 3, 1};
      const std::vector<Trained> pieces = train(machine, crowd);
      for (std::size_t t = 0; t < all.size(); ++t) CHECK(same_bits(pieces[t].parameters, all[t].parameters));
      crowd.pieces.clear();
    }
  }
}

TEST_CASE("toys: weights rest where the settings say so, and their losses are recorded on") {
  Crowd crowd{2, 2, reference::make_samples(20, 2, 2, 8), {}};
  crowd.steps = 5;
  crowd.toys = {{8, adam(0.05), 1}, {8, adam(0.05), 1}};
  crowd.toys[0].settings.last_step = 2;
  Crowd shorter = crowd;
  shorter.steps = 2;
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const std::vector<Trained> all = train(machine, crowd), early = train(machine, shorter);
    CHECK(same_bits(all[0].parameters, early[0].parameters));
    CHECK_FALSE(same_bits(all[1].parameters, early[1].parameters));
    CHECK(all[0].losses[2] == all[0].losses[4]);
    CHECK(all[1].losses[2] != all[1].losses[4]);
  }
}

}  // namespace
}  // namespace shoal::test
