// Combine (kernels/combine.h): a block computes a tile of one task's sums.
#include "kernels/combine.h"

#include "kernels/cuda/double_product.h"

namespace shoal::KERNEL_NS {
namespace {

__global__ void __launch_bounds__(kProductThreads) combine_kernel(Combine op) {
  const CombineTile tile = op.tiles[blockIdx.x];
  const CombineTask task = op.tasks[tile.task];
  const auto weight = [&](int place, std::int64_t r) {
    const std::int64_t row = tile.row + place;
    return row < task.count && r < task.x.rows ? task.weights[row * task.x.rows + r] : 0.0;
  };
  const auto value = [&](int place, std::int64_t r) {
    const int column = tile.column + place;
    return column < task.x.columns && r < task.x.rows ? centred(task.x, r, column) : 0.0;
  };
  ProductSums total = {};
  product(total, Factor{true, weight}, Factor{false, value}, task.x.rows);
  for_products(total, [&](int i, int j, double sum) {
    const std::int64_t row = tile.row + i;
    const int column = tile.column + j;
    if (row < task.count && column < task.x.columns) task.sums[row * task.x.columns + column] = sum;
  });
}

}  // namespace

void combine(const Combine& op, void* stream) {
  if (op.tile_count == 0) return;
  check(simt::launch(dim3(op.tile_count), dim3(kProductThreads), 0, stream_of(stream), combine_kernel, op),
        "combine");
}

}  // namespace shoal::KERNEL_NS
