// The layout is a pure function: these tests check what every kernel believes of it.
#include "engine/layout.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/engine/small_task.h"

namespace shoal {
namespace {

using test::model;

std::vector<ModelSpec> mixed_population() {
  std::vector<ModelSpec> models;
  const std::vector<std::vector<int>> shapes{{1},  {7},   {15},        {16},    {17},
                                             {33}, {48},  {49},        {63},    {64},
                                             {65}, {130}, {20, 90, 3}, {70, 5}, {12, 12, 12, 12}};
  for (std::uint64_t seed = 1; seed <= 3; ++seed)
    for (const auto& hidden : shapes)
      for (const UpdateRule rule : {UpdateRule::adam, UpdateRule::sgd})
        models.push_back(model(hidden, seed, rule));
  return models;
}

std::size_t at(int i) { return static_cast<std::size_t>(i); }

TEST_CASE("every neuron has a place of its own, inside its slab") {
  const auto models = mixed_population();
  const Layout layout = make_layout(models, {50, 10}, OrderKind::seed);
  std::set<std::int64_t> neurons;
  for (std::size_t m = 0; m < models.size(); ++m) {
    REQUIRE(layout.layers[m].size() == models[m].hidden.size() + 1);
    int below = 50;
    for (std::size_t l = 0; l < layout.layers[m].size(); ++l) {
      const ModelLayer& layer = layout.layers[m][l];
      const Slab& s = layout.slabs[at(layer.slab)];
      CHECK(layer.fan_in == below);
      CHECK(s.fan_in == below);
      CHECK(layer.width == (l < models[m].hidden.size() ? models[m].hidden[l] : 10));
      CHECK(layer.column % kBlockWidth == 0);
      CHECK(layer.column + layer.width <= s.columns);
      CHECK(s.rule == static_cast<int>(models[m].optimizer.rule));
      CHECK(s.is_output == (l == models[m].hidden.size()));
      for (int n = 0; n < layer.width; ++n) {
        CHECK(neurons.insert(s.neuron + layer.column + n).second);
        CHECK(layout.block_model[at(s.block + (layer.column + n) / kBlockWidth)] == static_cast<int>(m));
      }
      if (l > 0) {
        CHECK(s.input == layout.layers[m][l - 1].slab);
        CHECK(s.input_column == layout.layers[m][l - 1].column);
      } else {
        CHECK(s.input == -1);
      }
      below = layer.width;
    }
  }
}

TEST_CASE("slabs do not overlap, are aligned to 64 bytes, and fill the arrays") {
  const Layout layout = make_layout(mixed_population(), {50, 10}, OrderKind::model);
  std::int64_t parameters = 0, outputs = 0, neurons = 0;
  for (const Slab& s : layout.slabs) {
    CHECK(s.weights == parameters);
    CHECK(s.bias == s.weights + static_cast<std::int64_t>(s.fan_in) * s.columns);
    CHECK(s.outputs == outputs);
    CHECK(s.neuron == neurons);
    CHECK(s.weights % kBlockWidth == 0);
    CHECK(s.outputs % kBlockWidth == 0);
    parameters = s.bias + s.columns, outputs += output_floats(s), neurons += s.columns;
  }
  CHECK(parameters == layout.parameters);
  CHECK(outputs == layout.outputs);
  CHECK(neurons == layout.neurons);
}

TEST_CASE("packs are contiguous, begin with their layer 0, and hold the models that share a panel") {
  const auto models = mixed_population();
  const Layout layout = make_layout(models, {50, 10}, OrderKind::seed);
  int slab = 0, head = 0;
  double flops = 1e300;
  for (const Pack& p : layout.packs) {
    CHECK(p.first_slab == slab);
    CHECK(p.first_head == head);
    CHECK(p.flops <= flops);  // most work first
    flops = p.flops;
    CHECK(layout.slabs[at(slab)].input == -1);
    for (int s = slab; s < slab + p.slab_count; ++s) {
      CHECK(layout.slabs[at(s)].group == p.group);
      CHECK(layout.slabs[at(s)].input < s);
      if (s > slab) CHECK(layout.slabs[at(s)].input >= slab);
    }
    for (int h = head; h < head + p.head_count; ++h) {
      const auto m = at(layout.heads[at(h)].model);
      CHECK(layout.model_group[m] == p.group);
      CHECK(layout.layers[m][0].slab == slab);
    }
    slab += p.slab_count, head += p.head_count;
  }
  CHECK(slab == static_cast<int>(layout.slabs.size()));
  CHECK(head == static_cast<int>(models.size()));
}

TEST_CASE("narrow models share panels without waste, wide ones stand alone") {
  std::vector<ModelSpec> models;
  for (const int width : {11, 16, 22, 32, 45, 11, 64, 90}) models.push_back(model({width}));
  const Layout layout = make_layout(models, {784, 10}, OrderKind::seed);
  // 16+16+32+32+48+16 = 160 columns of narrow models need three panels of 64.
  CHECK(layout.packs.size() == 3 + 2);
  for (const Slab& s : layout.slabs)
    if (s.input < 0) CHECK(s.columns <= 96);
}

TEST_CASE("order groups: by seed and batch, by model, or one for all") {
  auto models = mixed_population();
  CHECK(make_layout(models, {50, 10}, OrderKind::seed).groups.size() == 3);
  CHECK(make_layout(models, {50, 10}, OrderKind::model).groups.size() == models.size());
  CHECK(make_layout(models, {50, 10}, OrderKind::shared).groups.size() == 1);
  models[0].batch = 5;
  CHECK(make_layout(models, {50, 10}, OrderKind::seed).groups.size() == 4);
  CHECK(make_layout(models, {50, 10}, OrderKind::shared).groups.size() == 2);
}

TEST_CASE("a pack's view counts from the pack") {
  const Layout layout = make_layout(mixed_population(), {50, 10}, OrderKind::seed);
  for (const Pack& p : layout.packs) {
    const PackView view = view_of(layout, p);
    REQUIRE(view.slabs.size() == at(p.slab_count));
    CHECK(view.slabs[0].outputs == 0);
    for (const Slab& s : view.slabs) {
      CHECK(s.group == 0);
      CHECK(s.outputs + output_floats(s) <= p.output_count);
      CHECK(s.input < p.slab_count);
    }
    for (const Head& h : view.heads) CHECK(view.slabs[at(h.slab)].is_output == 1);
  }
}

}  // namespace
}  // namespace shoal
