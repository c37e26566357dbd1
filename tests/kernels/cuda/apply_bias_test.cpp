// The two halves of Forward when cuBLAS makes the product of the slabs that read the data. apply_bias: given
// the plain product xW in the outputs, it makes of it, bit for bit, what Forward makes of x (the product is
// made here, with the kernel's own chain of fused multiply-adds). forward_hidden: all other slabs, and only
// they.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/cuda/launchers.h"
#include "kernels/machine.h"
#include "kernels/tiles.h"

using namespace shoal;

namespace {

constexpr int kFeatures = 21, kStride = 32, kRows = 131, kCapacity = 140, kColumns = 112;
constexpr int kHiddenInputs = 17, kHiddenColumns = 16;

template <class T>
struct DeviceArray {
  DeviceMachine machine = emu_machine();
  T* data;
  std::size_t count;
  explicit DeviceArray(const std::vector<T>& v)
      : data(static_cast<T*>(machine.memory.allocate(v.size() * sizeof(T)))), count(v.size()) {
    machine.memory.upload(data, v.data(), count * sizeof(T), nullptr);
  }
  ~DeviceArray() { machine.memory.release(data); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  std::vector<T> get() const {
    std::vector<T> v(count);
    machine.memory.download(v.data(), data, count * sizeof(T), nullptr);
    return v;
  }
};

/// Reproducible numbers between -1 and 1.
std::vector<float> numbers(std::size_t count) {
  std::vector<float> v(count);
  unsigned state = 1;
  for (float& x : v) {
    state = state * 1664525u + 1013904223u;
    x = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
  }
  return v;
}

Slab data_slab(bool is_output) {
  Slab s{};
  s.bias = kFeatures * kColumns;
  s.fan_in = kFeatures, s.columns = kColumns, s.width = kColumns, s.row_capacity = kCapacity;
  s.input = -1, s.is_output = is_output;
  return s;
}

/// Reads columns 16 .. 16+17 of the data slab; its weights stand behind the data slab's bias, its outputs
/// behind the data slab's.
Slab hidden_slab(const Slab& below) {
  Slab s{};
  s.weights = below.bias + kColumns, s.bias = s.weights + kHiddenInputs * kHiddenColumns;
  s.outputs = output_floats(below);
  s.fan_in = kHiddenInputs, s.columns = kHiddenColumns, s.width = kHiddenColumns, s.row_capacity = kCapacity;
  s.input = 0, s.input_column = 16, s.is_output = 1;
  return s;
}

std::vector<float> product(const Slab& s, const std::vector<float>& x, const std::vector<float>& w) {
  std::vector<float> out(static_cast<std::size_t>(output_floats(s)), -7.0f);
  for (int b = 0; b < kRows; ++b)
    for (int n = 0; n < kColumns; ++n) {
      const int panel = n / kPanelWidth, column = n % kPanelWidth;
      float sum = 0.0f;
      for (int k = 0; k < kFeatures; ++k)
        sum = std::fma(
            x[static_cast<std::size_t>(b * kStride + k)],
            w[static_cast<std::size_t>(panel_weights(s, panel) + k * panel_width(s, panel) + column)], sum);
      out[static_cast<std::size_t>(panel * panel_stride(s) + b * row_stride(s) + column)] = sum;
    }
  return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("a product and apply_bias are forward") {
  for (const bool is_output : {false, true}) {
    const Slab s = data_slab(is_output);
    std::vector<float> x = numbers(kCapacity * kStride);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (i % kStride >= kFeatures) x[i] = 0.0f;
    const std::vector<float> w = numbers((kFeatures + 1) * kColumns),
                             untouched(static_cast<std::size_t>(output_floats(s)), -7.0f);
    const std::vector<Slab> slabs{s};
    const std::vector<int> chosen{0};
    const DeviceArray<Slab> slab(slabs);
    const DeviceArray<Tile> tiles(forward_tiles(slabs, chosen, emu_machine().tiles.forward_rows));
    const DeviceArray<Batch> batch(std::vector<Batch>{{0, 0, kRows}});
    const DeviceArray<float> inputs(x), parameters(w), expected(untouched), expected_z(untouched),
        got(product(s, x, w)), got_z(untouched);
    Forward op{};
    op.slabs = slab.data, op.slab_count = 1, op.tiles = tiles.data,
    op.tile_count = static_cast<int>(tiles.count);
    op.parameters = parameters.data;
    op.workspace.inputs = inputs.data, op.workspace.batches = batch.data, op.workspace.input_stride = kStride;
    op.workspace.outputs = expected.data, op.workspace.preactivations = expected_z.data;
    emu::forward(op, nullptr);
    op.workspace.outputs = got.data, op.workspace.preactivations = got_z.data;
    emu::apply_bias(op, nullptr);
    CHECK(same_bits(got.get(), expected.get()));
    CHECK(same_bits(got_z.get(), expected_z.get()));
    CHECK_FALSE(same_bits(expected.get(), untouched));
  }
}

TEST_CASE("forward_hidden computes the slabs above the data's and leaves those alone") {
  const Slab data = data_slab(false), hidden = hidden_slab(data);
  const std::vector<Slab> slabs{data, hidden};
  const std::vector<float> w = numbers(static_cast<std::size_t>(hidden.bias) + kHiddenColumns),
                           start = numbers(static_cast<std::size_t>(hidden.outputs + output_floats(hidden)));
  const int tile_rows = emu_machine().tiles.forward_rows;
  const DeviceArray<Slab> slab(slabs);
  const DeviceArray<Tile> both(forward_tiles(slabs, std::vector<int>{0, 1}, tile_rows)),
      upper(forward_tiles(slabs, std::vector<int>{1}, tile_rows));
  const DeviceArray<Batch> batch(std::vector<Batch>{{0, 0, kRows}});
  const DeviceArray<float> inputs(numbers(kCapacity * kStride)), parameters(w), expected(start), got(start);
  Forward op{};
  op.slabs = slab.data, op.slab_count = 2;
  op.parameters = parameters.data;
  op.workspace.inputs = inputs.data, op.workspace.batches = batch.data, op.workspace.input_stride = kStride;
  op.workspace.outputs = expected.data, op.tiles = upper.data, op.tile_count = static_cast<int>(upper.count);
  emu::forward(op, nullptr);
  op.workspace.outputs = got.data, op.tiles = both.data, op.tile_count = static_cast<int>(both.count);
  emu::forward_hidden(op, nullptr);
  CHECK(same_bits(got.get(), expected.get()));
  CHECK_FALSE(same_bits(got.get(), start));
}
