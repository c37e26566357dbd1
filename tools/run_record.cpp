#include "tools/run_record.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <shoal_version.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <fstream>

#include "kernels/parallel.h"
#include "tools/population_spec.h"

extern char** environ;

namespace shoal {

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "unknown";
}

int usable_processors() { return usable_threads(); }

nlohmann::ordered_json build_record() {
  return {{"program", "shoal"},         {"version", SHOAL_VERSION},  {"commit", SHOAL_COMMIT},
          {"compiler", SHOAL_COMPILER}, {"build", SHOAL_BUILD_TYPE}, {"cuda_compiler", SHOAL_CUDA_COMPILER}};
}

nlohmann::ordered_json machine_record(const MachineSpec& machine) {
  utsname system{};
  uname(&system);
  return {{"device", device_name(machine)},
          {"processor", processor_name()},
          {"cpu_level", name_of(best_cpu_level())},
          {"threads", machine.threads > 0 ? machine.threads : usable_threads()},
          {"memory_bytes", static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE)},
          {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
          {"host", system.nodename}};
}

namespace {

/// A run's directory is shown to others: what sounds like a secret (SLURM_JWT) stays out.
bool sounds_secret(std::string_view name) {
  for (const std::string_view word : {"JWT", "TOKEN", "KEY", "PASS", "SECRET"})
    if (name.find(word) != std::string_view::npos) return true;
  return false;
}

}  // namespace

nlohmann::ordered_json environment_record() {
  constexpr std::array<std::string_view, 4> kPrefixes{"CUDA_VISIBLE_DEVICES=", "OMP_", "SLURM_", "SHOAL_"};
  nlohmann::ordered_json record = nlohmann::ordered_json::object();
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view variable = *entry;
    const std::string_view name = variable.substr(0, variable.find('='));
    if (name.size() == variable.size() || sounds_secret(name)) continue;
    for (const std::string_view prefix : kPrefixes)
      if (variable.starts_with(prefix)) record[std::string(name)] = variable.substr(name.size() + 1);
  }
  return record;
}

nlohmann::ordered_json data_record(const Dataset& data, const Task& task) {
  nlohmann::ordered_json checksums = nlohmann::ordered_json::array();
  for (const Checksum& sum : data.checksums)
    checksums.push_back({{"file", sum.file}, {"sha256", sum.sha256}});
  return {{"name", data.name},       {"source", data.source},     {"features", data.features},
          {"classes", data.classes}, {"train", data.train.count}, {"test", data.test.count},
          {"scale", task.scale},     {"shift", task.shift},       {"checksums", checksums}};
}

nlohmann::ordered_json begin_record(const std::string& command, const Invocation& invocation,
                                    const RunSpec& spec, const RunPlan& plan, const Dataset& data,
                                    const Task& task) {
  nlohmann::ordered_json record = build_record();
  record["command"] = command;
  record["arguments"] = invocation.arguments;
  record["status"] = "running";
  record["exit_code"] = nullptr;
  record["started"] = utc_now();
  record["ended"] = nullptr;
  record["machine"] = machine_record(spec.machine);
  record["environment"] = environment_record();
  record["data"] = data_record(data, task);
  record["population"] = {{"models", plan.models},
                          {"parameters", plan.parameters},
                          {"padded_parameters", plan.padded_parameters},
                          {"waves", plan.waves},
                          {"packs", plan.packs},
                          {"panels", plan.panels},
                          {"population_bytes", plan.population_bytes},
                          {"workspace_bytes", plan.workspace_bytes},
                          {"data_bytes", plan.data_bytes}};
  return record;
}

void end_record(nlohmann::ordered_json& record, const std::string& status, int exit_code) {
  record["status"] = status;
  record["exit_code"] = exit_code;
  record["ended"] = utc_now();
}

void add_result(nlohmann::ordered_json& record, const RunResult& result) {
  record["machine"]["description"] = result.machine;
  record["result"] = {{"diverged", result.diverged},
                      {"resumed", result.resumed},
                      {"seconds", result.seconds},
                      {"train_seconds", result.train_seconds},
                      {"model_samples", result.model_samples},
                      {"flops", result.flops}};
}

void write_record(const RunDirectory& directory, const nlohmann::ordered_json& record) {
  directory.write("run.json",
                  record.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

nlohmann::ordered_json read_record(const std::filesystem::path& directory) {
  std::ifstream in(directory / "run.json");
  auto record = nlohmann::ordered_json::parse(in, nullptr, false);
  return record.is_object() ? record : nlohmann::ordered_json();
}

}  // namespace shoal
