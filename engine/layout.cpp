#include "engine/layout.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/hash.h"

namespace shoal {
namespace {

/// A pack before its place is known: the models of its layer 0, side by side.
struct Draft {
  int group;
  std::vector<int> models;
  double flops;
};

int padded(int width) { return round_up(width, kBlockWidth); }

/// First-fit decreasing of narrow models into panels of 64; wide models stand alone.
std::vector<Draft> make_drafts(std::span<const ModelSpec> models, TaskShape shape,
                               const std::vector<int>& model_group) {
  std::vector<Draft> drafts;
  std::map<std::pair<int, UpdateRule>, std::vector<int>> narrow;
  for (int m = 0; m < static_cast<int>(models.size()); ++m) {
    const auto i = static_cast<std::size_t>(m);
    if (padded(models[i].hidden[0]) >= kPanelWidth) {
      drafts.push_back({model_group[i], {m}, 0});
    } else {
      narrow[{model_group[i], models[i].optimizer.rule}].push_back(m);
    }
  }
  for (auto& [key, members] : narrow) {
    const auto width = [&](int m) { return padded(models[static_cast<std::size_t>(m)].hidden[0]); };
    std::stable_sort(members.begin(), members.end(), [&](int a, int b) { return width(a) > width(b); });
    // Widths are 16, 32 or 48, so a panel is open for at most three kinds of rest: keep the newest panel of
    // each rest.
    std::map<int, std::vector<std::size_t>> open;  // room -> drafts
    for (const int m : members) {
      const auto fit = open.lower_bound(width(m));
      std::size_t draft;
      int room;
      if (fit == open.end()) {
        draft = drafts.size(), room = kPanelWidth;
        drafts.push_back({key.first, {}, 0});
      } else {
        room = fit->first, draft = fit->second.back();
        fit->second.pop_back();
        if (fit->second.empty()) open.erase(fit);
      }
      drafts[draft].models.push_back(m);
      if (room > width(m)) open[room - width(m)].push_back(draft);
    }
  }
  for (Draft& d : drafts)
    for (const int m : d.models) d.flops += flops_per_sample(models[static_cast<std::size_t>(m)], shape);
  std::stable_sort(drafts.begin(), drafts.end(),
                   [](const Draft& a, const Draft& b) { return a.flops > b.flops; });
  return drafts;
}

/// Appends packs to a layout.
struct Builder {
  Layout& layout;
  std::span<const ModelSpec> models;

  int row_capacity(int group) const {
    return std::max(layout.groups[static_cast<std::size_t>(group)].batch, kEvaluationRows);
  }

  int add_slab(int pack, int group, UpdateRule rule, int fan_in, int columns, int width, int input,
               int input_column, bool is_output, std::span<const int> block_models) {
    Slab s{};
    s.fan_in = fan_in, s.columns = columns, s.width = width;
    s.row_capacity = row_capacity(group);
    s.input = input, s.input_column = input_column;
    s.group = group, s.pack = pack, s.is_output = is_output, s.rule = static_cast<int>(rule);
    s.weights = layout.parameters;
    s.bias = s.weights + static_cast<std::int64_t>(fan_in) * columns;
    layout.parameters = s.bias + columns;
    s.outputs = layout.outputs;
    layout.outputs += output_floats(s);
    s.neuron = layout.neurons;
    layout.neurons += columns;
    s.partials = -1;
    s.block = static_cast<int>(layout.block_model.size());
    layout.block_model.insert(layout.block_model.end(), block_models.begin(), block_models.end());
    layout.slabs.push_back(s);
    return static_cast<int>(layout.slabs.size()) - 1;
  }

  /// Layer 0 of all models of a pack: one slab.
  void add_first_layer(int pack, const Draft& draft) {
    int columns = 0;
    std::vector<int> blocks;
    const auto next_slab = static_cast<int>(layout.slabs.size());
    for (const int m : draft.models) {
      const int width = models[static_cast<std::size_t>(m)].hidden[0];
      layout.layers[static_cast<std::size_t>(m)].push_back(
          {next_slab, columns, layout.shape.features, width});
      columns += padded(width);
      blocks.resize(static_cast<std::size_t>(columns / kBlockWidth), m);
    }
    const ModelSpec& first = models[static_cast<std::size_t>(draft.models[0])];
    const int width = draft.models.size() == 1 ? first.hidden[0] : columns;
    add_slab(pack, draft.group, first.optimizer.rule, layout.shape.features, columns, width, -1, 0, false,
             blocks);
  }

  /// Gates on a hidden layer whose reader has just been added.
  void add_gates(int m, int layer) {
    const auto& layers = layout.layers[static_cast<std::size_t>(m)];
    const ModelLayer& gated = layers[static_cast<std::size_t>(layer)];
    Slab& reader = layout.slabs[static_cast<std::size_t>(layers.back().slab)];
    reader.partials = layout.partials;
    layout.partials += static_cast<std::int64_t>(panel_count(reader)) * padded(reader.fan_in);
    const std::int64_t neuron = layout.slabs[static_cast<std::size_t>(gated.slab)].neuron + gated.column;
    layout.gates.push_back({m, layer, neuron, layers.back().slab});
  }

  /// Layer l >= 1 of one model; l = hidden.size() is the output.
  void add_layer(int pack, int group, int m, std::size_t l) {
    const ModelSpec& spec = models[static_cast<std::size_t>(m)];
    auto& layers = layout.layers[static_cast<std::size_t>(m)];
    const ModelLayer below = layers.back();
    const bool is_output = l == spec.hidden.size();
    const int width = is_output ? layout.shape.classes : spec.hidden[l], columns = padded(width);
    const std::vector<int> blocks(static_cast<std::size_t>(columns / kBlockWidth), m);
    const int slab = add_slab(pack, group, spec.optimizer.rule, below.width, columns, width, below.slab,
                              below.column, is_output, blocks);
    layers.push_back({slab, 0, below.width, width});
    if (!spec.gates.empty() && spec.gates[l - 1].kind != GateKind::none)
      add_gates(m, static_cast<int>(l) - 1);
    if (is_output) layout.heads.push_back({slab, m, width});
  }

  void add_pack(const Draft& draft) {
    const auto pack = static_cast<int>(layout.packs.size());
    Pack p{};
    p.group = draft.group, p.flops = draft.flops;
    p.first_slab = static_cast<int>(layout.slabs.size()),
    p.first_head = static_cast<int>(layout.heads.size());
    p.first_gate = static_cast<int>(layout.gates.size());
    p.parameters = layout.parameters, p.outputs = layout.outputs, p.neurons = layout.neurons;
    add_first_layer(pack, draft);
    std::size_t depth = 0;
    for (const int m : draft.models)
      depth = std::max(depth, models[static_cast<std::size_t>(m)].hidden.size());
    for (std::size_t l = 1; l <= depth; ++l)
      for (const int m : draft.models)
        if (l <= models[static_cast<std::size_t>(m)].hidden.size()) add_layer(pack, draft.group, m, l);
    p.slab_count = static_cast<int>(layout.slabs.size()) - p.first_slab;
    p.head_count = static_cast<int>(layout.heads.size()) - p.first_head;
    p.gate_count = static_cast<int>(layout.gates.size()) - p.first_gate;
    p.parameter_count = layout.parameters - p.parameters;
    p.output_count = layout.outputs - p.outputs;
    p.neuron_count = layout.neurons - p.neurons;
    for (int s = p.first_slab; s < p.first_slab + p.slab_count; ++s) {
      const Slab& slab = layout.slabs[static_cast<std::size_t>(s)];
      if (slab.input < 0) continue;
      p.scratch = std::max<std::int64_t>(
          p.scratch, static_cast<std::int64_t>(std::max(slab.columns, slab.fan_in)) * kPanelWidth);
    }
    for (const int m : draft.models) layout.model_pack[static_cast<std::size_t>(m)] = pack;
    layout.packs.push_back(p);
  }
};

}  // namespace

double flops_per_sample(const ModelSpec& m, TaskShape shape) {
  // Forward, dW and (not for layer 0) dz of the layer below: 2 operations a weight each.
  double flops = 0;
  int fan_in = shape.features;
  for (std::size_t l = 0; l <= m.hidden.size(); ++l) {
    const int width = l < m.hidden.size() ? m.hidden[l] : shape.classes;
    flops += (l == 0 ? 4.0 : 6.0) * fan_in * width;
    fan_in = width;
  }
  return flops;
}

OrderGroup order_group(const ModelSpec& m, TaskShape shape, OrderKind kind) {
  switch (kind) {
    case OrderKind::seed: return {m.seed, hash_words({kOrderStream}), m.batch};
    case OrderKind::model: return {m.seed, hash_words({kOrderStream, model_id(m, shape)}), m.batch};
    case OrderKind::shared: return {0, hash_words({kOrderStream}), m.batch};
  }
  return {};
}

Layout make_layout(std::span<const ModelSpec> models, TaskShape shape, OrderKind order) {
  Layout layout;
  layout.shape = shape;
  layout.input_stride = round_up(shape.features, kBlockWidth);
  std::map<std::tuple<std::uint64_t, std::uint64_t, int>, int> known;
  for (const ModelSpec& m : models) {
    const OrderGroup g = order_group(m, shape, order);
    const auto [place, is_new] =
        known.try_emplace({g.seed, g.stream, g.batch}, static_cast<int>(layout.groups.size()));
    if (is_new) layout.groups.push_back(g);
    layout.model_group.push_back(place->second);
    layout.slots = std::max(layout.slots, slot_count(m.optimizer.rule));
  }
  layout.layers.resize(models.size());
  layout.model_pack.resize(models.size());
  Builder builder{layout, models};
  for (const Draft& draft : make_drafts(models, shape, layout.model_group)) builder.add_pack(draft);
  return layout;
}

PackView view_of(const Layout& layout, const Pack& pack, std::span<const GateLayer> gates) {
  PackView view;
  const auto slabs = layout.slabs.begin() + pack.first_slab;
  view.slabs.assign(slabs, slabs + pack.slab_count);
  for (Slab& s : view.slabs) {
    if (s.input >= 0) s.input -= pack.first_slab;
    s.outputs -= pack.outputs;
    s.group = 0;
  }
  const auto heads = layout.heads.begin() + pack.first_head;
  view.heads.assign(heads, heads + pack.head_count);
  for (Head& h : view.heads) h.slab -= pack.first_slab;
  if (gates.empty()) return view;
  const auto own =
      gates.subspan(static_cast<std::size_t>(pack.first_gate), static_cast<std::size_t>(pack.gate_count));
  view.gates.assign(own.begin(), own.end());
  for (GateLayer& l : view.gates) l.slab -= pack.first_slab;
  return view;
}

}  // namespace shoal
