// Which level of vector code this processor runs.
#include <cstdlib>
#include <cstring>

#include "kernels/cpu/plain_ops.h"
#include "kernels/machine.h"

#define SHOAL_DECLARE_LEVEL(level)                                                   \
  namespace shoal::level {                                                           \
  SHOAL_VECTOR_OPS(SHOAL_DECLARE_OP)                                                 \
  using namespace cpu;                                                               \
  inline constexpr Ops kOps = check_complete(CompleteOps{SHOAL_OPS(SHOAL_NAME_OP)}); \
  }

#if defined(__x86_64__)
SHOAL_DECLARE_LEVEL(v2)
SHOAL_DECLARE_LEVEL(v3)
SHOAL_DECLARE_LEVEL(v4)
#else
SHOAL_DECLARE_LEVEL(plain)
#endif

namespace shoal {

const char* name_of(CpuLevel level) {
  switch (level) {
    case CpuLevel::plain: return "plain";
    case CpuLevel::v2: return "v2";
    case CpuLevel::v3: return "v3";
    case CpuLevel::v4: return "v4";
  }
  return "?";
}

#if defined(__x86_64__)

bool cpu_level_available(CpuLevel level) {
  __builtin_cpu_init();
  switch (level) {
    case CpuLevel::plain: return false;
    case CpuLevel::v2: return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    case CpuLevel::v3:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    case CpuLevel::v4:
      return cpu_level_available(CpuLevel::v3) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd");
  }
  return false;
}

CpuLevel best_cpu_level() {
  const char* wish = std::getenv("SHOAL_CPU_LEVEL");
  for (const CpuLevel level : {CpuLevel::v4, CpuLevel::v3, CpuLevel::v2}) {
    if (!cpu_level_available(level)) continue;
    // A wish for more than there is changes nothing; the names sort like the levels.
    if (wish && std::strcmp(wish, name_of(level)) < 0) continue;
    return level;
  }
  throw DeviceError("this processor lacks SSE4.2, which the program needs on x86-64");
}

const Ops& cpu_ops(CpuLevel level) {
  switch (level) {
    case CpuLevel::v4: return v4::kOps;
    case CpuLevel::v3: return v3::kOps;
    default: return v2::kOps;
  }
}

#else

bool cpu_level_available(CpuLevel level) { return level == CpuLevel::plain; }
CpuLevel best_cpu_level() { return CpuLevel::plain; }
const Ops& cpu_ops(CpuLevel) { return plain::kOps; }

#endif

}  // namespace shoal
