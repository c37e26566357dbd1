// The statistics ops of every level, as kernels/cpu/dispatch.cpp has those of training.
#include "kernels/machine.h"

namespace shoal::cpu {
SHOAL_PLAIN_STATISTICS(SHOAL_DECLARE_OP)
}

#define SHOAL_DECLARE_LEVEL(level)                                            \
  namespace shoal::level {                                                    \
  SHOAL_VECTOR_STATISTICS(SHOAL_DECLARE_OP)                                   \
  using namespace cpu;                                                        \
  inline constexpr StatisticsOps kStatistics =                                \
      check_complete(CompleteStatisticsOps{SHOAL_STATISTICS(SHOAL_NAME_OP)}); \
  }

#if defined(__x86_64__)
SHOAL_DECLARE_LEVEL(v2)
SHOAL_DECLARE_LEVEL(v3)
SHOAL_DECLARE_LEVEL(v4)
#else
SHOAL_DECLARE_LEVEL(plain)
#endif

namespace shoal {

const StatisticsOps& cpu_statistics([[maybe_unused]] CpuLevel level) {
#if defined(__x86_64__)
  switch (level) {
    case CpuLevel::v4: return v4::kStatistics;
    case CpuLevel::v3: return v3::kStatistics;
    default: return v2::kStatistics;
  }
#else
  return plain::kStatistics;
#endif
}

}  // namespace shoal
