// run.json: what made a run, on what machine, from which data, and how it ended.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "datasets/dataset.h"
#include "engine/run.h"
#include "tools/command.h"
#include "tools/run_directory.h"

namespace shoal {

/// {"program": "shoal", "version": ..., "commit": ..., "compiler": ...}
nlohmann::ordered_json build_record();

/// Processor, instruction-set level, threads, memory, system and host.
nlohmann::ordered_json machine_record(const MachineSpec&);

/// Variables that change what a run does: CUDA_VISIBLE_DEVICES, OMP_*, SLURM_*, SHOAL_*.
nlohmann::ordered_json environment_record();

nlohmann::ordered_json data_record(const Dataset&, const Task&);

/// 2025-03-04T05:06:07Z
std::string utc_now();

/// A run as it begins: status "running".
nlohmann::ordered_json begin_record(const std::string& command, const Invocation&, const RunSpec&,
                                    const RunPlan&, const Dataset&, const Task&);
/// What is known when it ends: "finished", "stopped" or "failed".
void end_record(nlohmann::ordered_json& record, const std::string& status, int exit_code);
void add_result(nlohmann::ordered_json& record, const RunResult&);

void write_record(const RunDirectory&, const nlohmann::ordered_json& record);
/// The record of a run directory; null when there is none or it is damaged.
nlohmann::ordered_json read_record(const std::filesystem::path& directory);

/// "AMD EPYC 9654 96-Core Processor"; "unknown" where the system does not say.
std::string processor_name();
/// Threads that this process may use: affinity and control group.
int usable_processors();

}  // namespace shoal
