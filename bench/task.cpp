#include "bench/task.h"

#include "datasets/mnist.h"

namespace shoal {

Dataset bench_data() {
  DatasetSpec wish;
  wish.name = find_dataset("mnist", {}) ? "mnist" : "digits";
  return load_dataset(wish);
}

Task bench_task(const Dataset& data) {
  const PixelScale pixels = pixel_scale(data.train);
  const auto view = [](const Split& s) {
    return DataView{s.count, s.features, s.bytes.empty() ? nullptr : s.bytes.data(),
                    s.values.empty() ? nullptr : s.values.data(), s.labels.data()};
  };
  return {{data.features, data.classes},
          view(data.train),
          view(data.test),
          static_cast<float>(1.0 / (255.0 * pixels.sd)),
          static_cast<float>(-pixels.mean / pixels.sd)};
}

}  // namespace shoal
