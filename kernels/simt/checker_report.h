// Private to the checker: its reports, each given once per pair of source lines and launch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/simt/checker.h"
#include "kernels/simt/shadow.h"

namespace simt::detail {

uint32_t image_offset(const void* pc);     // from the start of the program; 0 for a null pc
std::string source_line(uint32_t offset);  // "file.cu:12", or the address if nobody can tell
void forget_reported();

void report_race(const char* kind, Access now, const void* p, uint32_t pc, Access other, const Trace& trace,
                 bool other_block);
void report_access(const char* kind, Access access, const void* p, size_t bytes, uint32_t pc,
                   const std::string& why);
[[noreturn]] void fatal_access(const char* kind, Access access, const void* p, size_t bytes, uint32_t pc,
                               const std::string& why);

// An access that the language promised to be aligned to its size, and is not. Does nothing outside kernels.
void check_misaligned(const void* p, size_t bytes, Access access, const void* pc);

}  // namespace simt::detail
