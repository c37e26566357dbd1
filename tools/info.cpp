// `shoal info`: what this program is and what it can run on.
#include <fmt/format.h>
#include <shoal_version.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "kernels/machine.h"
#include "tools/command.h"
#include "tools/exit_codes.h"
#include "tools/report.h"
#include "tools/run_record.h"

namespace shoal {
namespace {

std::string level_names() {
  std::string names;
  for (const CpuLevel level : {CpuLevel::plain, CpuLevel::v2, CpuLevel::v3, CpuLevel::v4})
    if (cpu_level_available(level)) names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(level));
  return names;
}

int print_info(bool json) {
  Report report({.json = json, .log_file = {}});
  const CudaStatus cuda = cuda_status();
  std::string text =
      fmt::format("shoal       {} ({})\nbuilt by    {}, {}{}\n", SHOAL_VERSION, SHOAL_COMMIT, SHOAL_COMPILER,
                  SHOAL_BUILD_TYPE, cuda.runtime.empty() ? "" : fmt::format(", CUDA {}", cuda.runtime));
  text += fmt::format("processor   {}\nlevel       {} (available: {})\nthreads     {}\n", processor_name(),
                      name_of(best_cpu_level()), level_names(), usable_processors());
  if (cuda.devices == 0) text += fmt::format("GPU         none: {}\n", cuda.reason);
  for (std::size_t i = 0; i < cuda.names.size(); ++i)
    text += fmt::format("cuda:{}      {}\n", i, cuda.names[i]);
  report.print(text);
  nlohmann::ordered_json fields = build_record();
  fields["machine"] = machine_record({});
  fields["machine"].erase("device");
  fields["cuda"] = {
      {"devices", cuda.devices}, {"names", cuda.names}, {"reason", cuda.reason}, {"runtime", cuda.runtime}};
  report.event("info", fields);
  return kExitOk;
}

}  // namespace

Action declare_info(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "one line of JSON");
  return [json](const Invocation&) { return print_info(*json); };
}

}  // namespace shoal
