// Covariance (kernels/covariance.h): a block computes a tile of one Gram matrix and writes it into both
// triangles.
#include "kernels/covariance.h"

#include "kernels/cuda/double_product.h"

namespace shoal::KERNEL_NS {
namespace {

__global__ void __launch_bounds__(kProductThreads) covariance_kernel(Covariance op) {
  const GramTile tile = op.tiles[blockIdx.x];
  const GramTask task = op.tasks[tile.task];
  const std::int64_t terms = task.by_rows ? task.x.columns : task.x.rows;
  const auto factor = [&](int first) {
    return Factor{task.by_rows != 0, [&, first](int place, std::int64_t k) {
                    if (first + place >= task.size || k >= terms) return 0.0;
                    return task.by_rows ? centred(task.x, first + place, static_cast<int>(k))
                                        : centred(task.x, k, first + place);
                  }};
  };
  ProductSums total = {};
  product(total, factor(tile.row), factor(tile.column), terms);
  for_products(total, [&](int i, int j, double sum) {
    const std::int64_t size = task.size, row = tile.row + i, column = tile.column + j;
    if (row >= size || column > row) return;
    task.gram[row * size + column] = sum;
    task.gram[column * size + row] = sum;
  });
}

}  // namespace

void covariance(const Covariance& op, void* stream) {
  if (op.tile_count == 0) return;
  check(simt::launch(dim3(op.tile_count), dim3(kProductThreads), 0, stream_of(stream), covariance_kernel, op),
        "covariance");
}

}  // namespace shoal::KERNEL_NS
