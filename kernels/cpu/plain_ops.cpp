#include "kernels/cpu/plain_ops.h"

#include <algorithm>
#include <vector>

#include "kernels/philox.h"

namespace shoal::cpu {

void begin_step(const BeginStep& op, void*) {
  const std::int64_t epoch = op.position[0], step = op.position[1];
  for (int g = 0; g < op.group_count; ++g) {
    const std::int64_t start = step * op.batch_sizes[g], left = op.samples - start;
    op.batches[g].first = g * op.samples + start;
    op.batches[g].rows = static_cast<int>(std::clamp<std::int64_t>(left, 0, op.batch_sizes[g]));
  }
  for (int m = 0; m < op.model_count; ++m) {
    const std::int64_t batch = op.batch_sizes[op.model_group[m]], steps = (op.samples + batch - 1) / batch;
    op.coefficients[m] =
        step_coefficients(op.settings[m], static_cast<double>(epoch * steps + step + 1), op.frozen[m] == 0);
  }
  op.position[1] = step + 1;
}

void shuffle(const Shuffle& op, void*) {
  // Key and sample in one word: sorting the words sorts by (key, sample).
  std::vector<std::uint64_t> keyed(static_cast<std::size_t>(op.samples));
  for (int g = 0; g < op.group_count; ++g) {
    for (std::int64_t quad = 0; quad * 4 < op.samples; ++quad) {
      const PhiloxWords words = philox_quad(op.seeds[g], op.streams[g], static_cast<std::uint64_t>(quad));
      for (std::int64_t i = quad * 4; i < std::min(quad * 4 + 4, op.samples); ++i)
        keyed[static_cast<std::size_t>(i)] =
            static_cast<std::uint64_t>(words.word[i % 4]) << 32 | static_cast<std::uint64_t>(i);
    }
    std::sort(keyed.begin(), keyed.end());
    std::int32_t* order = op.order + g * op.samples;
    for (const std::uint64_t k : keyed) *order++ = static_cast<std::int32_t>(k & 0xFFFFFFFFu);
  }
}

}  // namespace shoal::cpu
