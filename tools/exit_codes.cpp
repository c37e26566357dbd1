#include "tools/exit_codes.h"

#include <fmt/format.h>

#include <new>

#include "datasets/error.h"
#include "engine/spec.h"
#include "engine/weights.h"
#include "kernels/machine.h"

namespace shoal {

Failure failure_of(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const UsageError& e) { return {kExitUsage, e.what()}; } catch (const SpecError& e) {
    return {kExitUsage, e.what()};
  } catch (const DataError& e) { return {kExitData, e.what()}; } catch (const WeightsError& e) {
    return {kExitData, e.what()};
  } catch (const DeviceError& e) { return {kExitDevice, e.what()}; } catch (const std::bad_alloc&) {
    return {kExitDevice,
            "out of memory: train fewer or smaller models at once (see --dry-run and --memory-limit)"};
  } catch (const std::exception& e) { return {kExitFailure, e.what()}; } catch (...) {
    return {kExitFailure, "something that is no exception was thrown"};
  }
}

const char* const kExitCodeHelp =
    "Exit codes:\n"
    "  0  success\n"
    "  1  failure: a full disk, a directory that cannot be written, a bug\n"
    "  2  command line, configuration or a specification that cannot be run\n"
    "  3  finished, but some models diverged\n"
    "  4  data or weights missing or damaged\n"
    "  5  no usable device, or out of memory\n"
    "  130, 143  stopped by SIGINT, or by SIGTERM or SIGUSR1, after a checkpoint\n";

}  // namespace shoal
