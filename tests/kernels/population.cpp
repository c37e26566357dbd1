#include "tests/kernels/population.h"

#include <algorithm>

namespace shoal::test {
namespace {

constexpr int kWide = 64;  // columns of a panel

int padded(int width) { return (width + 15) / 16 * 16; }
std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// A slab of layer 0 that has room left for narrow models.
struct Opening {
  int slab, group, room;
  UpdateRule rule;
};

struct Builder {
  Population p;
  std::vector<Opening> openings;

  int add_slab(const ModelShape& shape, int fan_in, int width, bool is_output) {
    Slab s{};
    s.fan_in = fan_in, s.columns = padded(width), s.width = width;
    s.input = -1, s.is_output = is_output;
    s.rule = static_cast<int>(shape.rule);
    s.partials = -1;
    s.group = shape.group;
    s.row_capacity = std::max(1, p.spec.rows[index(shape.group)] + p.spec.spare_rows);
    p.slabs.push_back(s);
    return static_cast<int>(p.slabs.size()) - 1;
  }

  void place_first_layer(int m) {
    const ModelShape& shape = p.spec.models[index(m)];
    const int width = shape.hidden[0];
    const auto fits = [&](const Opening& o) {
      return o.group == shape.group && o.rule == shape.rule && o.room >= padded(width);
    };
    const auto open = std::find_if(openings.begin(), openings.end(), fits);
    if (open != openings.end()) {
      Slab& s = p.slabs[index(open->slab)];
      p.places[index(m)].push_back({open->slab, s.columns, p.spec.features, width});
      s.columns += padded(width);
      s.width = s.columns;
      open->room -= padded(width);
      return;
    }
    const int slab = add_slab(shape, p.spec.features, width, false);
    p.places[index(m)].push_back({slab, 0, p.spec.features, width});
    if (padded(width) < kWide) openings.push_back({slab, shape.group, kWide - padded(width), shape.rule});
  }

  void place_deeper_layer(int m, std::size_t l) {
    const ModelShape& shape = p.spec.models[index(m)];
    const Place below = p.places[index(m)].back();
    const bool is_output = l == shape.hidden.size();
    const int width = is_output ? p.spec.classes : shape.hidden[l];
    const int slab = add_slab(shape, below.width, width, is_output);
    p.slabs[index(slab)].input = below.slab;
    p.slabs[index(slab)].input_column = below.column;
    p.places[index(m)].push_back({slab, 0, below.width, width});
    if (is_output) p.heads.push_back({slab, m, width});
  }

  void assign_offsets() {
    for (Slab& s : p.slabs) {
      s.weights = p.parameters;
      s.bias = s.weights + std::int64_t{s.fan_in} * s.columns;
      p.parameters = s.bias + s.columns;
      const int panels = (s.columns + kWide - 1) / kWide;
      s.outputs = p.outputs;
      p.outputs += std::int64_t{panels} * s.row_capacity * std::min(s.columns, kWide);
      s.neuron = p.neurons;
      p.neurons += s.columns;
      s.block = static_cast<int>(p.block_model.size());
      p.block_model.resize(p.block_model.size() + index(s.columns / 16));
    }
    for (std::size_t m = 0; m < p.places.size(); ++m)
      for (const Place& place : p.places[m])
        for (int c = place.column; c < place.column + padded(place.width); c += 16)
          p.block_model[index(p.slabs[index(place.slab)].block + c / 16)] = static_cast<int>(m);
    for (const int rows : p.spec.rows) {
      p.batches.push_back({p.inputs, 0, rows});
      p.inputs += std::int64_t{rows + p.spec.spare_rows} * p.input_stride;
    }
  }
};

/// Calls visit(array index, layer, k, column), k = -1 for the bias, for every parameter of a model.
template <class Visit>
void for_parameters(const Population& p, int model, Visit visit) {
  const auto& places = p.places[index(model)];
  for (std::size_t l = 0; l < places.size(); ++l) {
    const Place& place = places[l];
    const Slab& s = p.slabs[index(place.slab)];
    for (int k = 0; k < place.fan_in; ++k)
      for (int n = 0; n < place.width; ++n) visit(weight_index(s, k, place.column + n), l, k, n);
    for (int n = 0; n < place.width; ++n) visit(bias_index(s, place.column + n), l, -1, n);
  }
}

double& parameter(reference::Model& model, std::size_t layer, int k, int n) {
  return k < 0 ? model.layers[layer].bias[index(n)] : model.layers[layer].weight[index(k)][index(n)];
}

}  // namespace

Population make_population(const PopulationSpec& spec) {
  Builder b;
  b.p.spec = spec;
  b.p.input_stride = padded(spec.features);
  b.p.places.resize(spec.models.size());
  const auto models = static_cast<int>(spec.models.size());
  std::size_t depth = 0;
  b.p.level_begin.push_back(0);
  for (int m = 0; m < models; ++m) {
    b.place_first_layer(m);
    b.p.model_group.push_back(spec.models[index(m)].group);
    depth = std::max(depth, spec.models[index(m)].hidden.size());
  }
  for (std::size_t l = 1; l <= depth; ++l) {
    b.p.level_begin.push_back(static_cast<int>(b.p.slabs.size()));
    for (int m = 0; m < models; ++m)
      if (l <= spec.models[index(m)].hidden.size()) b.place_deeper_layer(m, l);
  }
  b.p.level_begin.push_back(static_cast<int>(b.p.slabs.size()));
  b.assign_offsets();
  return b.p;
}

std::vector<int> sizes_of(const Population& p, int model) {
  std::vector<int> sizes = {p.spec.features};
  for (const Place& place : p.places[index(model)]) sizes.push_back(place.width);
  return sizes;
}

int rows_of(const Population& p, int model) { return p.spec.rows[index(p.spec.models[index(model)].group)]; }

std::size_t weight_index(const Slab& s, int k, int column) {
  const int panel = column / kWide, width = std::min(kWide, s.columns - panel * kWide);
  return index(s.weights + std::int64_t{panel} * kWide * s.fan_in + std::int64_t{k} * width + column % kWide);
}

std::size_t bias_index(const Slab& s, int column) { return index(s.bias + column); }

std::size_t output_index(const Slab& s, int row, int column) {
  const int stride = std::min(kWide, s.columns);
  const std::int64_t panel = std::int64_t{column / kWide} * s.row_capacity * stride;
  return index(s.outputs + panel + std::int64_t{row} * stride + column % kWide);
}

std::vector<float> parameters_of(const Population& p, const std::vector<reference::Model>& models) {
  std::vector<float> array(index(p.parameters), 0.0f);
  for (std::size_t m = 0; m < models.size(); ++m) {
    reference::Model model = models[m];
    for_parameters(p, static_cast<int>(m), [&](std::size_t at, std::size_t l, int k, int n) {
      array[at] = static_cast<float>(parameter(model, l, k, n));
    });
  }
  return array;
}

reference::Model model_of(const Population& p, const std::vector<float>& array, int model) {
  reference::Model result = reference::make_model(sizes_of(p, model), 0);
  for_parameters(p, model, [&](std::size_t at, std::size_t l, int k, int n) {
    parameter(result, l, k, n) = static_cast<double>(array[at]);
  });
  return result;
}

std::vector<float> floats_of_model(const Population& p, const std::vector<float>& parameters, int model) {
  std::vector<float> floats;
  for_parameters(p, model, [&](std::size_t at, std::size_t, int, int) { floats.push_back(parameters[at]); });
  return floats;
}

reference::Matrix values_of(const Population& p, const std::vector<float>& array, int model, int layer) {
  const Place& place = p.places[index(model)][index(layer)];
  reference::Matrix values;
  for (int b = 0; b < rows_of(p, model); ++b) {
    reference::Vector row;
    for (int n = 0; n < place.width; ++n)
      row.push_back(
          static_cast<double>(array[output_index(p.slabs[index(place.slab)], b, place.column + n)]));
    values.push_back(std::move(row));
  }
  return values;
}

std::vector<float> floats_of_outputs(const Population& p, const std::vector<float>& outputs, int model) {
  std::vector<float> floats;
  for (std::size_t l = 0; l < p.places[index(model)].size(); ++l)
    for (const reference::Vector& row : values_of(p, outputs, model, static_cast<int>(l)))
      for (const double x : row) floats.push_back(static_cast<float>(x));
  return floats;
}

bool padding_is_zero(const Population& p, const std::vector<float>& array) {
  std::vector<bool> used(array.size(), false);
  for (int m = 0; m < static_cast<int>(p.places.size()); ++m)
    for_parameters(p, m, [&](std::size_t at, std::size_t, int, int) { used[at] = true; });
  for (std::size_t i = 0; i < array.size(); ++i)
    if (!used[i] && !(array[i] == 0.0f)) return false;
  return true;
}

}  // namespace shoal::test
