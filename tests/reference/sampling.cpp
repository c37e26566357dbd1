#include "tests/reference/sampling.h"

#include <algorithm>
#include <numeric>

namespace reference {

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) {
  // The paper's multipliers and Weyl increments (golden ratio and sqrt(3) - 1).
  constexpr std::uint64_t kMultiplier[2] = {0xD2511F53, 0xCD9E8D57};
  constexpr std::uint32_t kWeyl[2] = {0x9E3779B9, 0xBB67AE85};
  for (int round = 0; round < 10; ++round) {
    std::uint32_t high[2], low[2];
    for (int half = 0; half < 2; ++half) {
      const std::uint64_t product = kMultiplier[half] * counter[2 * static_cast<std::size_t>(half)];
      high[half] = static_cast<std::uint32_t>(product >> 32);
      low[half] = static_cast<std::uint32_t>(product & 0xFFFFFFFF);
    }
    counter = {high[1] ^ counter[1] ^ key[0], low[1], high[0] ^ counter[3] ^ key[1], low[0]};
    key = {key[0] + kWeyl[0], key[1] + kWeyl[1]};
  }
  return counter;
}

std::uint32_t random_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x & 0xFFFFFFFF); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  const std::uint64_t four = index / 4;
  return philox4x32_10({low(four), high(four), low(stream), high(stream)},
                       {low(seed), high(seed)})[index % 4];
}

std::vector<std::int32_t> epoch_order(std::uint64_t seed, std::uint64_t stream, std::int64_t samples) {
  std::vector<std::uint32_t> key;
  for (std::int64_t i = 0; i < samples; ++i)
    key.push_back(random_word(seed, stream, static_cast<std::uint64_t>(i)));
  std::vector<std::int32_t> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return key[static_cast<std::size_t>(a)] < key[static_cast<std::size_t>(b)];
  });
  return order;
}

Summary summary_of(const std::vector<float>& values) {
  long double sum = 0.0L, squares = 0.0L;
  for (const float x : values) sum += x;
  const long double mean = sum / static_cast<long double>(values.size());
  for (const float x : values) squares += (x - mean) * (x - mean);
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  return {static_cast<std::int64_t>(values.size()),
          std::count(values.begin(), values.end(), 0.0f),
          static_cast<double>(mean),
          static_cast<double>(squares),
          *min,
          *max};
}

}  // namespace reference
